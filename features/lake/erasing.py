"""Taking rows out of a lake: the files that hold them are written anew, and then count all at once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.lake.columns import PLAIN
from features.lake.manifest import STAGING, Manifest, Part, clean, locked, swap
from features.lake.writing import _sentences, _write
from features.partitions import partition_of

Kept = Callable[[pa.Table], pa.ChunkedArray]
"""Which rows stay, as booleans."""


def erase(folder: Path, identities: Iterable[str]) -> int:
    """Remove every touchpoint of these identities; says how many there were.

    Only the partitions of the identities are looked at. What the lake knows of ids that came once stays: digests, so
    that the same touchpoints are refused for ever.

    Raises
    ------
    LakeError
        Where the lake cannot be read or written.
    """
    names = sorted(set(identities))
    values = pa.array(names, pa.string())

    def kept(table: pa.Table) -> pa.ChunkedArray:
        return pc.invert(pc.is_in(table.column("identity").cast(pa.string()), values))

    return _without(folder, kept, lambda m: {partition_of(name, m.partitions) for name in names}, lambda part: True)


def forget(folder: Path, before: int, stays: Callable[[str], bool]) -> int:
    """Remove touchpoints from before a moment (microseconds), but for kinds that stay; says how many there were."""
    moment = pa.scalar(before, pa.timestamp("us", tz="UTC"))

    def kept(table: pa.Table) -> pa.ChunkedArray:
        is_young = pc.greater_equal(table.column("occurred_at"), moment)
        kind = table.column("kind").cast(pa.string())
        values = pa.array([each for each in pc.unique(kind).to_pylist() if stays(each)], pa.string())
        return pc.or_(is_young, pc.is_in(kind, values))

    return _without(folder, kept, lambda m: set(m.parts), lambda part: part.first < before)


def _without(folder: Path, kept: Kept, asked: Callable[[Manifest], set[int]], may_hold: Callable[[Part], bool]) -> int:
    with locked(folder), _sentences(folder):
        manifest = Manifest.read(folder)
        clean(folder, manifest)
        staging = folder / STAGING
        staging.mkdir()
        try:
            version = manifest.version + 1
            parts, staged = dict(manifest.parts), dict[str, Path]()
            for partition in sorted(asked(manifest) & set(parts)):
                if not any(map(may_hold, parts[partition])):
                    continue
                table = pa.concat_tables(pq.read_table(folder / p.path, schema=PLAIN) for p in parts[partition])
                left = table.filter(kept(table))
                if left.num_rows == table.num_rows:
                    continue
                parts.pop(partition)
                if left.num_rows:
                    part, path = _write(left, partition, version, staging)
                    parts[partition] = (part,)
                    staged[part.path] = path
            now = replace(manifest, version=version, parts=parts)
            if now.rows != manifest.rows:
                swap(folder, now, staged)
                # Whoever still reads the old state finds its files gone, and reads the new one instead.
                clean(folder, now)
            return manifest.rows - now.rows
        finally:
            shutil.rmtree(staging, ignore_errors=True)

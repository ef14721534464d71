"""The lake: touchpoints as Parquet, by contact hash and in (contact, time) order, for what outgrows a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.lake import writing as lake_writing
from features.lake.manifest import MANIFEST, LakeError, Manifest, locked, write_manifest
from features.lake.reading import Actions, columns_of, read_partition, rows_of, tuples
from features.partitions import partition_of
from features.sorting import processors
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints, TouchpointTuple

if TYPE_CHECKING:
    from features.lake.writing import Appending

__all__ = ["PARTITIONS", "Lake", "LakeError"]

PARTITIONS = 64
_MOST_PARTITIONS = 512
_ATTEMPTS = 5
_EVER = 2**63 - 1
_ROWS_AT_ONCE = 8192

T = TypeVar("T")


class Lake:
    """A folder of Parquet files with the touchpoints of the contacts of each partition, sorted.

    A partition is fixed by the hash of the identity. What counts is what the manifest names, and it is swapped
    as a whole: a reader sees the state before or after an append, and a killed append leaves nothing.

    Parameters
    ----------
    folder
        Of a lake that is there; ``Lake.make`` makes one.

    Raises
    ------
    LakeError
        Where the folder is no lake.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.partitions = Manifest.read(self.folder).partitions

    @classmethod
    def make(cls, folder: Path | str, partitions: int = PARTITIONS) -> Lake:
        """Open a lake, made anew where there is none; an existing one keeps its number of partitions.

        Raises
        ------
        LakeError
            Where the folder holds something else or cannot be written.
        """
        folder = Path(folder)
        if not 1 <= partitions <= _MOST_PARTITIONS:
            raise LakeError(f"a lake has 1 to {_MOST_PARTITIONS} partitions, not {partitions}")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            others = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
        except OSError as error:
            raise LakeError(f"no lake can be made at {folder}: {error.strerror}") from error
        if others and MANIFEST not in others:
            raise LakeError(f"{folder} holds other files ({others[0]}); name an empty or new folder for the lake")
        with locked(folder):
            if not (folder / MANIFEST).exists():
                write_manifest(folder, Manifest(partitions))
        return cls(folder)

    def appending(self) -> AbstractContextManager[Appending]:
        """Add touchpoints: ``commit()`` inside makes all of them count, and says how many were new."""
        return lake_writing.appending(self.folder)

    def compact(self) -> int:
        """Make one sorted file of the files of each partition; says how many files there are fewer."""
        return lake_writing.compact(self.folder)

    def touchpoints(
        self,
        rules: TouchpointRules,
        *,
        partition: int | None = None,
        identities: Sequence[str] | None = None,
        before: int | None = None,
        actions: Actions | None = None,
        texts: bool = True,
    ) -> Touchpoints:
        """Touchpoints strictly before a moment.

        Parameters
        ----------
        rules
            Direction by kind, rates of exchange, topics by rule.
        partition, identities
            Only those of one partition, or of these identities; everybody's when left out.
        before
            Microseconds; everything when None.
        actions
            Action of each decision, for touchpoints that name a decision and no action.
        texts
            False leaves ``touchpoint_id`` and ``properties`` empty, which is faster; topics by rule need them.

        Returns
        -------
        Touchpoints
            Contacts are in order of their names, where everybody is asked for in that of (partition, name).

        Raises
        ------
        LakeError
            Where a file is missing or damaged.
        """
        texts = texts or bool(rules.topic_rules)
        wanted = None if identities is None else {partition_of(name, self.partitions) for name in identities}

        def read(manifest: Manifest) -> Touchpoints:
            def part(p: int) -> Touchpoints:
                table = read_partition(self.folder, manifest.parts[p], before, texts=texts)
                if identities is not None:
                    names = pa.array(sorted(set(identities)), pa.string())
                    table = table.filter(pc.is_in(table.column("identity").cast(pa.string()), names))
                return columns_of(table, rules, actions or {})

            asked = [p for p in sorted(manifest.parts) if partition in (None, p) and (wanted is None or p in wanted)]
            if len(asked) > 1:
                with ThreadPoolExecutor(processors()) as pool:
                    parts = list(pool.map(part, asked))
            else:
                parts = [part(p) for p in asked]
            if not parts:
                return Touchpoints.from_rows((), rules)
            return parts[0] if len(parts) == 1 else Touchpoints.joined(parts)

        found = self._reading(read)
        return found if identities is None else _by_name(found)

    def history(self, identity: str, before: int) -> list[TouchpointTuple]:
        """One identity's rows before a moment, as ``Store.history`` gives them; what it reads is some row groups."""
        partition = partition_of(identity, self.partitions)
        return self._reading(lambda m: rows_of(self.folder, m.parts.get(partition, ()), identity, before))

    def rows(self, before: int) -> Iterator[TouchpointTuple]:
        """Everybody's rows before a moment, as ``Store.touchpoint_rows`` gives them, a partition at a time."""
        for table in self.tables():
            for batch in table.to_batches(max_chunksize=_ROWS_AT_ONCE):
                yield from (row for row in tuples(pa.table(batch)) if row[1] < before)

    def tables(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Arrow table of each partition, unsorted where it has several files; all columns when left out."""
        for p in range(self.partitions):
            table = self._reading(partial(self._table, p, columns))
            if table is not None:
                yield table

    def _table(self, partition: int, columns: Sequence[str] | None, manifest: Manifest) -> pa.Table | None:
        parts = manifest.parts.get(partition, ())
        names = None if columns is None else list(columns)
        tables = [pq.read_table(self.folder / part.path, columns=names, partitioning=None) for part in parts]
        return pa.concat_tables(tables) if tables else None

    def files(self) -> list[Path]:
        """Parquet files that count at this moment, for other tools to read."""
        return [self.folder / name for name in Manifest.read(self.folder).files()]

    def identities(self) -> list[str]:
        """Everybody with a touchpoint, in order of name."""
        found: set[str] = set()
        for table in self.tables(["identity"]):
            for chunk in table.column("identity").unify_dictionaries().chunks[:1]:
                found.update(chunk.dictionary.to_pylist())
        return sorted(found)

    def __len__(self) -> int:
        return Manifest.read(self.folder).rows

    def first_at(self) -> int | None:
        """Time of the first touchpoint, in microseconds."""
        manifest = Manifest.read(self.folder)
        return min((part.first for parts in manifest.parts.values() for part in parts), default=None)

    def last_at(self, before: int | None = None) -> int | None:
        """Time of the last touchpoint strictly before a moment, in microseconds."""
        last: int | None = None
        limit = _EVER if before is None else before

        def read(manifest: Manifest) -> int | None:
            nonlocal last
            for part in (part for parts in manifest.parts.values() for part in parts):
                found: int | None = part.last
                if part.last >= limit:
                    found = self._last_before(part.path, limit) if part.first < limit else None
                if found is not None:
                    last = found if last is None else max(last, found)
            return last

        return self._reading(read)

    def _last_before(self, path: str, before: int) -> int | None:
        times = pq.read_table(self.folder / path, columns=["occurred_at"], partitioning=None).column(0)
        at = times.cast(pa.int64()).to_numpy()
        at = at[at < before]
        return int(np.max(at)) if len(at) else None

    def _reading(self, read: Callable[[Manifest], T]) -> T:
        """Read from one state of the lake; from the next where a compaction took that one's files away."""
        for attempt in range(_ATTEMPTS):
            manifest = Manifest.read(self.folder)
            try:
                return read(manifest)
            except FileNotFoundError as error:
                if attempt == _ATTEMPTS - 1 or Manifest.read(self.folder) == manifest:
                    raise LakeError(
                        f"the lake {self.folder} lacks {error.filename or error}, which its manifest names; "
                        "restore the folder from a copy, or load it anew"
                    ) from error
            except (pa.ArrowException, OSError) as error:
                raise LakeError(f"the lake {self.folder} holds a file that cannot be read: {error}") from error
        raise LakeError(f"the lake {self.folder} changes faster than it can be read; try again later")


def _by_name(touchpoints: Touchpoints) -> Touchpoints:
    order = sorted(range(len(touchpoints.contacts)), key=touchpoints.contacts.__getitem__)
    return touchpoints.take(np.array(order, dtype=np.int64))

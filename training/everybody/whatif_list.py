"""The contacts whose recommendation other settings would change, as rows and as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from features.store.store import Store
from features.times import iso
from nba.partners.visibility import OWNER_SIDE, sight_in
from nba.past import Past
from nba.safe_csv import lines
from nba.settings import Settings
from training.everybody.whatif import Comparison
from training.everybody.whatif_choices import SHOWN

Rows = Sequence[Mapping[str, Any]]
COLUMNS = ("contact_id", "from", "to", "first", "moments")


def rows_of(found: Comparison, store: Store, settings: Settings, now: int) -> tuple[list[dict[str, Any]], int]:
    """Return a row per contact and move, by contact, and how many contacts are left out.

    Those are the contacts whose recommendations their partners keep from the owner, at any of the moments or now; they
    are in no sum of the moments at which they were kept.
    """
    rows, hidden = [], len(found.hidden)
    for name in sorted(found.moved):
        if name in found.hidden or _is_hidden(store, name, settings, now):
            hidden += name not in found.hidden
            continue
        for (before, after), moments in sorted(found.moved[name].items(), key=lambda each: each[1]):
            values = (name, before, after, iso(moments[0]), len(moments))
            rows.append(dict(zip(COLUMNS, values, strict=True)))
    return rows, hidden


def _is_hidden(store: Store, name: str, settings: Settings, now: int) -> bool:
    past = Past.read(store, name, now, settings.touchpoints)
    return not sight_in(OWNER_SIDE, past, settings.partners, now).shows(SHOWN)


def write_rows(rows: Rows, path: Path) -> None:
    """Write rows; a file of that name is replaced once all are written."""
    part = path.with_name(path.name + ".part")
    _WRITERS[path.suffix](rows, part)
    part.replace(path)


def _table(rows: Rows) -> pa.Table:
    kinds = {"moments": pa.int64()}
    return pa.table({name: pa.array([row[name] for row in rows], kinds.get(name, pa.string())) for name in COLUMNS})


def _write_csv(rows: Rows, path: Path) -> None:
    with path.open("wb") as file:
        file.writelines(lines(COLUMNS, rows))


def _write_parquet(rows: Rows, path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(_table(rows), path)


def _write_lines(rows: Rows, path: Path) -> None:
    with path.open("wb") as file:
        for row in rows:
            file.write(orjson.dumps(dict(row), option=orjson.OPT_APPEND_NEWLINE))


_WRITERS: Mapping[str, Callable[[Rows, Path], None]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".jsonl": _write_lines,
}
SUFFIXES = tuple(_WRITERS)

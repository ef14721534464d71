"""What was refused: taken again after a fix."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from features.files.files import CHUNK_ROWS
from features.loading.intake import Intake, intake_for
from features.loading.loading import LoadReport
from features.rows.cells import RowError
from features.rows.row_types import QuarantineRow
from features.rows.schema import TABLES
from features.store.store import Store
from features.touchpoints.touchpoints import TouchpointRules


def retry_quarantine(store: Store, *, now_us: int, rules: TouchpointRules) -> LoadReport:
    """Judge every refused row again, with the settings and the time of now; what is right by now is stored.

    A row whose text was no row at all (a broken line) stays; the file has to be mended and loaded again.

    Raises
    ------
    StoreError
        Where the store would not take it; nothing is stored then.
    """
    read = stored = left = 0
    reasons: Counter[str] = Counter()
    with store.writing() as writing:
        for (table, _, zone), rows in groupby(store.quarantine_rows(), key=_origin):
            intake = intake_for(
                TABLES[table], writing, now_us=now_us, zone=ZoneInfo(zone) if zone else None, rules=rules
            )
            for chunk in _chunks(rows):
                taken, released, rule_counts = _again(intake, chunk)
                writing.release(released)
                read += len(chunk)
                stored += taken
                left += len(chunk) - len(released)
                reasons += rule_counts
            stored += intake.finish()
    return LoadReport(read, stored, read - stored - left, left, dict(reasons.most_common()))


def _origin(row: QuarantineRow) -> tuple[str, str, str | None]:
    return row.table, row.file, row.zone


def _chunks(rows: Iterable[QuarantineRow]) -> Iterator[list[QuarantineRow]]:
    chunk: list[QuarantineRow] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK_ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _again(intake: Intake, chunk: list[QuarantineRow]) -> tuple[int, list[int], Counter[str]]:
    raws: list[Any] = [json.loads(row.raw) for row in chunk]
    whole = [i for i, raw in enumerate(raws) if isinstance(raw, dict)]
    names = dict.fromkeys(name for i in whole for name in raws[i])
    columns = {name: [raws[i].get(name) for i in whole] for name in names}
    stored, bad = intake.take(columns, len(whole)) if whole else (0, dict[int, RowError]())
    released = [chunk[i].number for at, i in enumerate(whole) if at not in bad]
    rules = Counter(error.rule for error in bad.values())
    rules.update(chunk[i].rule for i in set(range(len(chunk))) - set(whole))
    return stored, released, rules

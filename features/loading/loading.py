"""Loading files into the store: every good row or, where the whole is at fault, none."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

from features.files.files import Chunk, LoadError, Source, check_suffix, open_rows, reading
from features.loading.intake import ErasedError, Intake, intake_for
from features.rows.cell_columns import Memo
from features.rows.cells import NOT_UTF8, typed
from features.rows.occurrences import Occurrences
from features.rows.row_types import QuarantineRow
from features.rows.schema import TABLES, TOUCHPOINTS
from features.store.store import Store
from features.touchpoints.touchpoints import TouchpointRules
from features.unread import Readable, Unread

if TYPE_CHECKING:
    from features.lake.writing import Appending

__all__ = ["LoadError", "LoadReport", "load_files", "silent"]


class Advance(Protocol):
    """What a progress bar offers."""

    def advance(self, n: int) -> None:
        """Say that ``n`` more of the total are done."""


class _Silent:
    def advance(self, n: int) -> None:
        pass


Progress = Callable[[str, int | None], AbstractContextManager[Advance]]
"""What the work is called and how much it is; None where nobody can tell."""


def silent(label: str, total: int | None) -> AbstractContextManager[Advance]:
    """Progress that nobody sees."""
    return nullcontext(_Silent())


@dataclass(frozen=True)
class LoadReport:
    """What became of the rows: ``read = stored + duplicate + quarantined``.

    ``reasons`` counts the rules that were broken, ``notes`` are sentences about how the files were read.
    """

    read: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def load_files(
    store: Store,
    table: str,
    paths: Sequence[Path],
    *,
    now_us: int,
    rules: TouchpointRules,
    set_values: Mapping[str, str] | None = None,
    renames: Mapping[str, str] | None = None,
    zone: ZoneInfo | None = None,
    lake: Path | None = None,
    dates: Mapping[str, Readable] | None = None,
    progress: Progress = silent,
) -> LoadReport:
    """Load files into one table in one transaction.

    Parameters
    ----------
    table
        A name in ``TABLES``.
    now_us
        The moment of the load; what lies more than a day later is refused.
    set_values
        Column to the text that every row gets there.
    renames
        A file's column to the table's.
    zone
        The zone of times that name none; UTC when None.
    lake
        Folder of the lake that touchpoints go into in the store's place; made where there is none.
    dates
        By column that is taken for a date, whether a value holds one; such that hold none are kept and noted.

    Raises
    ------
    LakeError
        Where the folder is something else, or cannot be written to.
    LoadError
        Where a file as a whole is at fault; nothing is stored then.
    SchemaError
        Where a required column is missing; nothing is stored then.
    StoreError
        Where the store would not take it; nothing is stored then.
    """
    spec = TABLES[table]
    for path in paths:
        check_suffix(path)
        with reading(path):
            path.stat()
    total = _Tally()
    with store.loading() as writing, _appending(table, lake) as rows:
        for path in paths:
            intake = intake_for(spec, writing, now_us=now_us, zone=zone, rules=rules, lake=rows)
            load = _Load(path, intake, set_values or {}, renames or {}, now_us, zone, dates or {})
            with reading(path), progress(f"{path.name}, bytes", path.stat().st_size) as shown, Source(path) as source:
                load.run(source, shown)
            total.add(load.tally)
        # A database says nothing while it works on one statement, so that only the time can be shown.
        with progress(f"storing {total.read - total.quarantined:,} rows, seconds", None) as shown, _seconds(shown):
            total.stored += writing.settle()
            if lake is not None and rows is not None:
                # A lake without the rows does no harm; rows without the lake would be missed.
                writing.lake(str(lake.resolve()))
                total.stored += rows.commit()
    return total.report()


@contextmanager
def _seconds(shown: Advance) -> Iterator[None]:
    """Advance once a second, whatever this thread does meanwhile."""
    done = Event()

    def tick() -> None:
        while not done.wait(1.0):
            shown.advance(1)

    ticking = Thread(target=tick, daemon=True)
    ticking.start()
    try:
        yield
    finally:
        done.set()
        ticking.join()


def _appending(table: str, lake: Path | None) -> AbstractContextManager[Appending | None]:
    if lake is None:
        return nullcontext()
    if table != TOUCHPOINTS.name:
        raise LoadError(f"a lake holds touchpoints, not {table}; leave out --lake, and the store takes them")
    try:
        from features.lake.lake import Lake
    except ImportError as error:
        raise LoadError("a lake needs pyarrow; `pip install nba-service[training]` brings it") from error
    return Lake.make(lake).appending()


@dataclass
class _Tally:
    read: int = 0
    stored: int = 0
    quarantined: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def add(self, other: _Tally) -> None:
        self.read += other.read
        self.stored += other.stored
        self.quarantined += other.quarantined
        self.reasons.update(other.reasons)
        self.notes += other.notes

    def report(self) -> LoadReport:
        duplicate = self.read - self.stored - self.quarantined
        reasons = dict(self.reasons.most_common())
        return LoadReport(self.read, self.stored, duplicate, self.quarantined, reasons, tuple(self.notes))


class _Load:
    """One file on its way into the store."""

    def __init__(
        self,
        path: Path,
        intake: Intake,
        set_values: Mapping[str, str],
        renames: Mapping[str, str],
        now_us: int,
        zone: ZoneInfo | None,
        dates: Mapping[str, Readable],
    ) -> None:
        self.tally = _Tally()
        self._path, self._intake, self._spec = path, intake, intake.spec
        self._set, self._renames = set_values, renames
        self._now_us, self._zone = now_us, zone
        self._typed = Memo(typed)
        self._unread = Unread(intake.spec, dates)
        self._refused = Occurrences()
        self._first_refused: int | None = None

    def run(self, source: Source, shown: Advance) -> None:
        """Read the whole file and store it."""
        file = open_rows(source)
        self.tally.notes += file.notes
        if file.header is not None:
            self._check(file.header)
        named: dict[str, None] = {}
        done = 0
        for chunk in file.chunks():
            named.update(dict.fromkeys(chunk.columns))
            self._take(chunk, is_text=file.is_text)
            # The bytes of a Parquet file are read ahead of its rows.
            now = source.at if file.part is None else round(file.part * self._path.stat().st_size)
            shown.advance(now - done)
            done = now
        self.tally.stored += self._intake.finish()
        if file.header is None and named:
            self._check(tuple(named))
        self._check_encoding()
        self.tally.notes += self._unread.notes(str(self._path))

    def _check(self, header: Sequence[str]) -> None:
        for theirs, ours in self._renames.items():
            if theirs not in header:
                raise LoadError(
                    f"{self._path} has no column {theirs!r} to rename to {ours!r}; it has {', '.join(header)}"
                )
        names = [self._renames.get(name, name) for name in header]
        for name in names:
            if names.count(name) > 1:
                raise LoadError(f"{self._path}: two columns would be called {name!r}; rename the other one too")
        names += [name for name in self._set if name not in names]
        self._spec.check(names, where=str(self._path))
        self.tally.notes += [f"{self._path}: {sentence}" for sentence in self._spec.doubtful(names)]

    def _check_encoding(self) -> None:
        broken = sum(n for rule, n in self.tally.reasons.items() if rule.endswith(NOT_UTF8))
        if broken and broken == self.tally.read:
            raise LoadError(f"{self._path} has no row of UTF-8 text (see line {self._first_refused}); save it as UTF-8")

    def _take(self, chunk: Chunk, *, is_text: bool) -> None:
        columns = self._columns(chunk, is_text=is_text)
        stored, bad = self._intake.take(columns, chunk.n)
        self._unread.look(columns, chunk.lines, bad)
        refused = [(fault.line, fault.raw, fault.reason, fault.rule) for fault in chunk.faults]
        for i, error in bad.items():
            said = {name: values[i] for name, values in columns.items() if values[i] not in (None, "")}
            raw = None if isinstance(error, ErasedError) else said
            refused.append((chunk.lines[i], raw, str(error), error.rule))
        self.tally.read += chunk.n + len(chunk.faults)
        self.tally.stored += stored
        self.tally.quarantined += len(refused)
        self._quarantine(refused)

    def _columns(self, chunk: Chunk, *, is_text: bool) -> dict[str, Sequence[Any]]:
        known = self._spec.names
        columns: dict[str, Sequence[Any]] = {}
        for theirs, values in chunk.columns.items():
            name = self._renames.get(theirs, theirs)
            if is_text and name not in known:
                values = [self._typed[value] for value in values]
            columns[name] = values
        for name, text in self._set.items():
            columns[name] = [text if name in known else typed(text)] * chunk.n
        return columns

    def _quarantine(self, refused: list[tuple[int, object, str, str]]) -> None:
        if not refused:
            return
        refused.sort(key=lambda one: one[0])
        if self._first_refused is None:
            self._first_refused = refused[0][0]
        # ASCII with escapes holds what no store takes as it is: NUL and lone surrogates.
        raws = [json.dumps(raw, sort_keys=True, default=str) for _, raw, _, _ in refused]
        nth = self._refused.nth_of(hashlib.sha256(raw.encode()).digest() for raw in raws)
        self._intake.writing.quarantine(
            [
                QuarantineRow(
                    table=self._spec.name,
                    raw=raw,
                    reason=reason,
                    rule=rule,
                    refused_at=self._now_us,
                    file=str(self._path),
                    line=line,
                    zone=self._zone.key if self._zone else None,
                    nth=n,
                )
                for (line, _, reason, rule), raw, n in zip(refused, raws, nth, strict=True)
            ]
        )
        self.tally.reasons.update(rule for _, _, _, rule in refused)

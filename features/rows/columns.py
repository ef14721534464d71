"""The row rules of touchpoints applied a column at a time, for loads; agrees with ``rows.touchpoint_row``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import orjson

from features.rows.cell_columns import (
    ODD,
    Memo,
    Odd,
    is_clean,
    mark_not_plain,
    marked,
    not_negative,
    numbers,
    required,
    texts,
)
from features.rows.cells import RowError, cell
from features.rows.plain_times import plain_times
from features.rows.row_types import TouchpointRow
from features.rows.rows import touchpoint_row
from features.rows.schema import TOUCHPOINTS
from features.times import DAY, parse_time
from features.touchpoints.touchpoints import TouchpointRules

_DATE = re.compile(r"\d{4}-(\d\d-\d\d|W\d\d-\d)", re.ASCII)
_BY_NAME = {column.name: column for column in TOUCHPOINTS.columns}


class TouchpointColumns:
    """Judges chunks of touchpoints.

    Every value that is not plainly right sends its row to ``touchpoint_row``, which has the last word: a
    column may only accept what the rule accepts, with the same result.
    """

    def __init__(self, *, now_us: int, zone: ZoneInfo | None, rules: TouchpointRules) -> None:
        self._now_us, self._zone, self._rules = now_us, zone, rules
        self._memos = {
            name: Memo(self._cell(name)) for name in ("kind", "channel", "direction", "topic", "topics", "currency")
        }
        self._day = Memo(_day)
        self._clock = Memo(_clock)

    def read(self, columns: Mapping[str, Sequence[Any]], n: int) -> tuple[list[Sequence[Any]], dict[int, RowError]]:
        """Judge a chunk.

        Parameters
        ----------
        columns
            Column to its values, of which each has ``n``.

        Returns
        -------
        tuple of list and dict
            The columns of ``TouchpointRow`` with the rows that are good, in their order; and why the others, by
            their number in the chunk, are refused.
        """
        odd: set[int] = set()
        absent: list[None] = [None] * n

        def column(name: str, read: Callable[[Sequence[Any], set[int]], Sequence[Any]]) -> Sequence[Any]:
            return read(columns[name], odd) if name in columns else absent

        properties, action = self._properties(columns, n, odd)
        found = [
            required(column("identity", texts), odd),
            required(column("occurred_at", self._times), odd),
            column("touchpoint_id", texts),
            required(column("kind", self._short("kind")), odd),
            column("channel", self._short("channel")),
            column("direction", self._short("direction")),
            self._topics(columns, absent, odd),
            column("value", numbers),
            column("currency", self._short("currency")),
            column("margin", numbers),
            not_negative(column("duration", numbers), odd),
            column("decision_id", texts),
            action,
            properties,
            [source or "" for source in column("source", texts)],
        ]
        return self._judged(found, columns, odd) if odd else (found, {})

    def _judged(
        self, found: list[Sequence[Any]], columns: Mapping[str, Sequence[Any]], odd: set[int]
    ) -> tuple[list[Sequence[Any]], dict[int, RowError]]:
        """Let the row rule decide about odd rows, and leave out those it refuses."""
        bad: dict[int, RowError] = {}
        mended = [list(values) for values in found]
        for i in sorted(odd):
            row = self._judge({name: values[i] for name, values in columns.items()})
            if isinstance(row, RowError):
                bad[i] = row
            else:
                for values, value in zip(mended, row, strict=True):
                    values[i] = value
        if not bad:
            return list(mended), bad
        good = [i not in bad for i in range(len(mended[0]))]
        return [list(compress(values, good)) for values in mended], bad

    def _judge(self, raw: Mapping[str, object]) -> TouchpointRow | RowError:
        try:
            return touchpoint_row(raw, now_us=self._now_us, zone=self._zone, rules=self._rules)
        except RowError as error:
            return error

    def _cell(self, name: str) -> Callable[[Any], Any]:
        column = _BY_NAME[name]

        def read(value: Any) -> Any:
            # A number equals True and 1.0 as a key, so only texts are remembered.
            if not isinstance(value, str):
                if value is None and not column.required:
                    return None
                raise Odd
            found = cell({name: value}, column, now_us=self._now_us, zone=self._zone)
            if name == "currency" and self._rules.rate(value) is None:
                raise Odd
            if name == "topic":
                found = found and [found]
            return orjson.dumps(found).decode() if isinstance(found, list) else found

        return read

    def _short(self, name: str) -> Callable[[Sequence[Any], set[int]], Sequence[Any]]:
        """Read a column of few different texts."""
        memo = self._memos[name]

        def read(values: Sequence[Any], odd: set[int]) -> Sequence[Any]:
            try:
                found = [memo[value] for value in values]
            except TypeError:  # a list or an object has no hash
                found = [memo[v] if v is None or isinstance(v, str) else ODD for v in values]
            return marked(found, odd)

        return read

    def _topics(self, columns: Mapping[str, Sequence[Any]], absent: list[None], odd: set[int]) -> Sequence[Any]:
        names = [name for name in ("topic", "topics") if name in columns]
        if not names:
            return absent
        found = [self._short(name)(columns[name], odd) for name in names]
        if len(found) == 1:
            return found[0]
        odd.update(i for i, both in enumerate(zip(*found, strict=True)) if None not in both)
        return [one if many is None else many for one, many in zip(*found, strict=True)]

    def _times(self, values: Sequence[Any], odd: set[int]) -> Sequence[int | None]:
        latest = self._now_us + DAY
        plain = plain_times(values, zoned=self._zone is not None)
        if plain is None:
            found: list[Any] = [self._time(value) for value in values]
            odd.update(i for i, us in enumerate(found) if us is None or us > latest)
            return found
        us, holds = plain
        found = us.tolist()
        for i in np.flatnonzero(~holds | (us > latest)).tolist():
            found[i] = self._time(values[i])
            if found[i] is None or found[i] > latest:
                odd.add(i)
        return found

    def _time(self, value: Any) -> Any:
        # A day and a time of day add up in UTC and with an offset, not in a zone with a summer time.
        if self._zone is None and type(value) is str and value[10:11] in ("T", " "):
            start, since = self._day[value[:10]], self._clock[value[11:]]
            if start is not ODD and since is not ODD:
                return start + since
        try:
            return parse_time(value, self._zone)
        except (ValueError, OverflowError):
            return None

    def _properties(
        self, columns: Mapping[str, Sequence[Any]], n: int, odd: set[int]
    ) -> tuple[Sequence[str | None], Sequence[str | None]]:
        names = [name for name in columns if name not in _BY_NAME]
        absent: list[None] = [None] * n
        if not names:
            return absent, absent
        if "properties" in names:
            odd.update(i for i, value in enumerate(columns["properties"]) if value is not None)
        action: Sequence[str | None] = absent
        for name in names:
            mark_not_plain(columns[name], odd)
            if not is_clean(name):
                odd.update(range(n))
        if "action" in names:
            action = [(v.strip() or None) if type(v) is str else None for v in columns["action"]]
        dumps, sort = orjson.dumps, orjson.OPT_SORT_KEYS
        found: list[str | None] = []
        for i, values in enumerate(zip(*(columns[name] for name in names), strict=True)):
            if i in odd:
                found.append(None)
                continue
            pairs = {k: v for k, v in zip(names, values, strict=True) if v is not None and v != ""}
            found.append(dumps(pairs, option=sort).decode() if pairs else None)
        return found, action


def _day(text: str) -> int:
    if _DATE.fullmatch(text) is None:
        raise Odd
    # The first and the last years of the calendar are near the bounds that the whole time has to keep.
    if not "0002" <= text[:4] <= "9997":
        raise Odd
    return parse_time(text)


def _clock(text: str) -> int:
    return parse_time(f"2000-01-01T{text}") - parse_time("2000-01-01")

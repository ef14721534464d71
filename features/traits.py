"""Traits: properties of a contact, known since a time, as columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from features.feature_set import MOST_CATEGORIES, TraitColumn
from features.spans import spans
from features.times import ALWAYS, DAY, parse_time

if TYPE_CHECKING:
    from features.matrix import History

PERSON = frozenset(
    {
        "account", "partner", "owner", "name", "salutation", "phone", "email", "language", "country", "timezone",
        "role", "person_type", "crm_url",
    }
)  # fmt: skip
"""Columns of contacts that are shown to people who may see them and are never features."""


_NAN = float("nan")
_NO_DATE = -(2**62)
_MOST = float(np.finfo(np.float32).max)


class Traits:
    """What became known of each contact when.

    Parameters
    ----------
    rows
        (identity, known_at in microseconds, traits) in any order, one for each identity and moment.
    """

    def __init__(self, rows: Iterable[tuple[str, int, Mapping[str, Any]]]) -> None:
        self._of: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
        for identity, known_at, body in rows:
            self._of.setdefault(identity, []).append((known_at, body))
        for known in self._of.values():
            known.sort(key=lambda entry: entry[0])

    def known(self, identity: str, as_of: int) -> dict[str, Any]:
        """Return all traits of a contact strictly before ``as_of``; what became known later wins."""
        merged: dict[str, Any] = {}
        for known_at, body in self._of.get(identity, ()):
            if known_at >= as_of:
                break
            merged.update(body)
        return merged

    def identities(self) -> list[str]:
        """Everybody of whom something is known."""
        return list(self._of)

    def always_known(self) -> int:
        """How many contacts have traits without a time since when they hold."""
        return sum(known[0][0] == ALWAYS for known in self._of.values())

    def choose(self, before: int, *, without: Collection[str] = ()) -> tuple[TraitColumn, ...]:
        """Return the columns that traits known before ``before`` give, by name; none for a person's data."""
        values: dict[str, dict[str, Any]] = {}
        for identity in self._of:
            for name, value in self.known(identity, before).items():
                if value is not None and name not in PERSON and name not in without:
                    values.setdefault(name, {})[identity] = value
        return tuple(_column(name, list(values[name].values())) for name in sorted(values))

    def values(
        self,
        history: History,
        contact: NDArray[np.int64],
        as_of: NDArray[np.int64],
        columns: Sequence[TraitColumn],
    ) -> NDArray[np.float64]:
        """Values of ``columns`` for each row, shape (n, len(columns)); NaN where nothing was known."""
        numbers, dates, start, known_at = self._states(history.touchpoints.contacts, contact, columns)
        # A contact without touchpoints has no name here, so that nothing is known of it.
        place = np.where(contact < 0, len(start) - 2, contact)
        low, high = spans(start, known_at, place, 2 * ALWAYS, as_of)
        state = np.where(high > low, high - 1, len(known_at))
        found = numbers[state]
        for j, i in enumerate(_dated(columns)):
            date = dates[state, j]
            found[:, i] = np.where(date == _NO_DATE, np.nan, (date - as_of) / DAY)
        return found

    def _states(
        self, names: Sequence[str], wanted: NDArray[np.int64], columns: Sequence[TraitColumn]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Code what was known of each wanted contact after each of its entries, for rows to look up.

        Returns
        -------
        numbers, dates, start, known_at
            A number per state and column, and a date per state and column of dates; states
            ``start[c]:start[c + 1]`` belong to contact ``c`` and hold from after ``known_at``. One more contact
            and one more state, the last, know nothing.
        """
        size = np.zeros(len(names) + 1, dtype=np.int64)
        known_at: list[int] = []
        numbers: list[list[float]] = []
        dates: list[list[int]] = []
        coders = [(column.name, _coder(column)) for column in columns]
        dated = _dated(columns)
        for code in np.unique(wanted[wanted >= 0]).tolist():
            entries = self._of.get(names[code], ())
            size[code] = len(entries)
            merged: Mapping[str, Any] = {}
            for moment, body in entries:
                merged = {**merged, **body} if merged else body
                given = [merged.get(name) for name, _ in coders]
                known_at.append(moment)
                numbers.append([_NAN if v is None else c(v) for v, (_, c) in zip(given, coders, strict=True)])
                if dated:
                    dates.append([_date_of(given[i]) for i in dated])
        start = np.concatenate([[0], np.cumsum(size)])
        return (
            np.array([*numbers, [_NAN] * len(columns)], dtype=np.float64).reshape(len(numbers) + 1, len(columns)),
            np.array([*dates, [_NO_DATE] * len(dated)], dtype=np.int64).reshape(len(dates) + 1, len(dated)),
            start,
            np.array(known_at, dtype=np.int64),
        )


def row_values(known: Mapping[str, Any], as_of: int, columns: Sequence[TraitColumn]) -> list[float]:
    """Values of ``columns`` for one contact whose known traits are given."""
    found = []
    for column in columns:
        value = known.get(column.name)
        if column.type == "date":
            date = _date_of(value)
            # As numpy does: rounded to a float before it is divided, for dates so far off that it matters.
            found.append(_NAN if date == _NO_DATE else float(date - as_of) / DAY)
        else:
            found.append(_NAN if value is None else _coder(column)(value))
    return found


def _column(name: str, values: list[Any]) -> TraitColumn:
    if all(isinstance(v, bool) for v in values):
        return TraitColumn(name, "boolean")
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return TraitColumn(name, "number")
    texts = [_text(v) for v in values]
    if all(_date(text) is not None for text in texts):
        return TraitColumn(name, "date")
    counts: dict[str, int] = {}
    for text in texts:
        counts[text] = counts.get(text, 0) + 1
    order = sorted(counts, key=lambda text: (-counts[text], text))
    return TraitColumn(name, "category", tuple(order[:MOST_CATEGORIES]))


def _dated(columns: Sequence[TraitColumn]) -> list[int]:
    return [i for i, column in enumerate(columns) if column.type == "date"]


def _coder(column: TraitColumn) -> Callable[[Any], float]:
    if column.type != "category":
        return _as_number
    code = {category: float(i) for i, category in enumerate(column.categories)}
    rest = float(len(code))
    return lambda value: code.get(_text(value), rest)


def _as_number(value: Any) -> float:
    # The matrix holds float32, and a number beyond it would become infinite.
    return float(min(max(value, -_MOST), _MOST)) if isinstance(value, int | float) else _NAN


def _date_of(value: Any) -> int:
    date = None if value is None else _date(_text(value))
    return _NO_DATE if date is None else date


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


@lru_cache(maxsize=100_000)
def _date(text: str) -> int | None:
    # A bare number is a number or a code, however long; a date has its dashes.
    if len(text) < 8 or "-" not in text[1:]:
        return None
    try:
        return parse_time(text)
    except ValueError:
        return None

"""Traits: properties of a contact, known since a time, as columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from features.feature_set import TraitColumn
from features.spans import spans
from features.times import ALWAYS, DAY
from features.trait_values import column_of, date_in, number_in, text_of, truth_in

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
_SMALL = 2**53

Entry = tuple[int, Mapping[str, Any]]


class Traits:
    """What became known of each contact when.

    A value holds from after the moment it became known until another is known; None ends it.

    Parameters
    ----------
    rows
        (identity, known_at in microseconds, traits) in any order, one for each identity and moment.
    """

    def __init__(self, rows: Iterable[tuple[str, int, Mapping[str, Any]]]) -> None:
        self._of: dict[str, list[Entry]] = {}
        for identity, known_at, body in rows:
            self._of.setdefault(identity, []).append((known_at, body))
        for known in self._of.values():
            if len(known) > 1:
                known.sort(key=_known_at)
        self._coded: tuple[tuple[TraitColumn, ...], _States] | None = None

    def merged(self, groups: Iterable[tuple[str, Sequence[str]]]) -> Traits:
        """Traits of contacts of several identities each: (name, identities) of every contact.

        What became known later wins; of what became known at once, that of the identity that stands later.
        """
        return Traits(
            (name, known_at, body)
            for name, identities in groups
            for known_at, body in sorted(
                (entry for identity in identities for entry in self._of.get(identity, ())), key=_known_at
            )
        )

    def known(self, identity: str, as_of: int) -> dict[str, Any]:
        """Return all traits of a contact strictly before ``as_of``; what became known later wins."""
        merged: dict[str, Any] = {}
        for known_at, body in self._of.get(identity, ()):
            if known_at >= as_of:
                break
            merged.update(body)
        return merged

    def since(self, identity: str, as_of: int) -> dict[str, int]:
        """When each trait that holds at ``as_of`` came to have its value, in microseconds."""
        values: dict[str, Any] = {}
        found: dict[str, int] = {}
        for known_at, body in self._of.get(identity, ()):
            if known_at >= as_of:
                break
            for name, value in body.items():
                if name not in found or values[name] != value:
                    values[name], found[name] = value, known_at
        return {name: at for name, at in found.items() if values[name] is not None}

    def identities(self) -> list[str]:
        """Everybody of whom something is known."""
        return list(self._of)

    def rows(self) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
        """Everything that became known, by contact and time."""
        for identity, entries in self._of.items():
            for known_at, body in entries:
                yield identity, known_at, body

    def always_known(self) -> int:
        """How many contacts have traits without a time since when they hold."""
        return sum(known[0][0] == ALWAYS for known in self._of.values())

    def choose(self, before: int, *, without: Collection[str] = ()) -> tuple[TraitColumn, ...]:
        """Return the columns that traits known before ``before`` give, by name; none for a person's data."""
        values: dict[str, list[Any]] = {}
        for identity in self._of:
            for name, value in self.known(identity, before).items():
                if value is not None and name not in PERSON and name not in without:
                    values.setdefault(name, []).append(value)
        return tuple(column_of(name, values[name]) for name in sorted(values))

    def values(
        self,
        history: History,
        contact: NDArray[np.int64],
        as_of: NDArray[np.int64],
        columns: Sequence[TraitColumn],
    ) -> NDArray[np.float64]:
        """Values of ``columns`` for each row, shape (n, len(columns)); NaN where nothing was known."""
        states = self._states(tuple(columns))
        unknown = len(states.start) - 2
        # A contact without touchpoints has no name here, so that nothing is known of it.
        place = np.full(len(history.touchpoints.contacts) + 1, unknown, dtype=np.int64)
        names = history.touchpoints.contacts
        is_wanted = np.zeros(len(place), dtype=np.bool_)
        is_wanted[contact] = True
        wanted = np.flatnonzero(is_wanted[:-1])
        place[wanted] = [states.place.get(names[code], unknown) for code in wanted.tolist()]
        low, high = spans(states.start, states.known_at, place[contact], 2 * ALWAYS, as_of)
        state = np.where(high > low, high - 1, len(states.known_at))
        found = states.numbers[state]
        for date, i in zip(states.dates, _dated(columns), strict=True):
            moment = date[state]
            found[:, i] = np.where(moment == _NO_DATE, np.nan, (moment - as_of) / DAY)
        return found

    def _states(self, columns: tuple[TraitColumn, ...]) -> _States:
        """Code what was known of every contact after each of its entries, once for the same columns."""
        if self._coded is None or self._coded[0] != columns:
            self._coded = columns, _States(self._of, columns)
        return self._coded[1]


class _States:
    """What was known of each contact after each of its entries, as numbers for rows to look up.

    ``numbers`` has a number per state and column, ``dates`` an array per column of dates with a date per state.
    States ``start[c]:start[c + 1]`` belong to the contact at ``place`` c and hold from after ``known_at``. One more
    contact and one more state, the last, know nothing.
    """

    def __init__(self, of: Mapping[str, Sequence[Entry]], columns: Sequence[TraitColumn]) -> None:
        self.place = {identity: i for i, identity in enumerate(of)}
        size = [len(entries) for entries in of.values()]
        self.start = np.concatenate([[0], np.cumsum([*size, 0], dtype=np.int64)])
        flat = [entry for entries in of.values() for entry in entries]
        self.known_at = np.array([known_at for known_at, _ in flat], dtype=np.int64)
        bodies = [body for _, body in flat]
        first = np.repeat(self.start[:-1], np.diff(self.start))
        self.numbers = np.full((len(flat) + 1, len(columns)), np.nan)
        self.dates: list[NDArray[np.int64]] = []
        for i, column in enumerate(columns):
            given = [body.get(column.name, _ABSENT) for body in bodies]
            if column.type == "date":
                known = {value: _date_of(value) for value in {v for v in given if v.__class__ is str}}.get
                dates = np.array(
                    [known(v, _NO_DATE) if v.__class__ is str else _NO_DATE for v in given] + [_NO_DATE], dtype=np.int64
                )
                dates[:-1] = _carried(dates[:-1], given, first, _NO_DATE)
                self.dates.append(dates)
            else:
                self.numbers[:-1, i] = _carried(_coded(given, column), given, first, np.nan)


class _Absent:
    """A trait that an entry says nothing about, which is not one that it ends."""


_ABSENT = _Absent()


def _carried(coded: NDArray[Any], given: Sequence[Any], first: NDArray[np.int64], missing: float) -> NDArray[Any]:
    """Carry what an entry leaves out over from the contact's entry before it; ``first`` is each contact's first."""
    if _ABSENT not in given:
        return coded
    said = np.array([value is not _ABSENT for value in given], dtype=np.bool_)
    last = np.maximum.accumulate(np.where(said, np.arange(len(given)), -1))
    return np.where(last >= first, coded[last], missing)


def _coded(given: Sequence[Any], column: TraitColumn) -> NDArray[np.float64]:
    code = _coder(column)
    if column.type == "category":
        known = {category: float(i) for i, category in enumerate(column.categories)}.get
        rest = float(len(column.categories))
        return np.array([known(v, rest) if v.__class__ is str else code(v) for v in given], dtype=np.float64)
    if column.type == "number":
        plain = [v if v.__class__ is float or (v.__class__ is int and -_SMALL < v < _SMALL) else code(v) for v in given]
        return np.clip(np.array(plain, dtype=np.float64), -_MOST, _MOST)
    return np.array([1.0 if v is True else 0.0 if v is False else code(v) for v in given], dtype=np.float64)


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
            found.append(_coder(column)(value))
    return found


def _known_at(entry: Entry) -> int:
    return entry[0]


def _dated(columns: Sequence[TraitColumn]) -> list[int]:
    return [i for i, column in enumerate(columns) if column.type == "date"]


def _coder(column: TraitColumn) -> Callable[[Any], float]:
    """Return what turns a value into the column's number; NaN where it has none."""
    if column.type == "number":
        return _number
    if column.type == "boolean":
        return _boolean
    code = {category: float(i) for i, category in enumerate(column.categories)}
    rest = float(len(code))
    return lambda value: _NAN if value is None or value is _ABSENT else code.get(text_of(value), rest)


def _number(value: Any) -> float:
    if isinstance(value, str):
        value = number_in(value)
    # The matrix holds float32, and a number beyond it would become infinite.
    return float(min(max(value, -_MOST), _MOST)) if isinstance(value, int | float) else _NAN


def _boolean(value: Any) -> float:
    truth = truth_in(value)
    return _NAN if truth is None else float(truth)


def _date_of(value: Any) -> int:
    date = date_in(value) if isinstance(value, str) else None
    return _NO_DATE if date is None else date

"""Traits: properties of a contact, known since a time, as columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from features.feature_set import MOST_CATEGORIES, TraitColumn
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


class Traits:
    """What became known of each contact when.

    Parameters
    ----------
    rows
        (identity, known_at in microseconds, traits) in any order.
    """

    def __init__(self, rows: Iterable[tuple[str, int, Mapping[str, Any]]]) -> None:
        self._of: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
        for identity, known_at, body in rows:
            self._of.setdefault(identity, []).append((known_at, body))
        for known in self._of.values():
            known.sort(key=lambda entry: entry[0])

    def known(self, identity: str, as_of: int) -> dict[str, Any]:
        """All traits of a contact strictly before ``as_of``; what became known later wins."""
        merged: dict[str, Any] = {}
        for known_at, body in self._of.get(identity, ()):
            if known_at >= as_of:
                break
            merged.update(body)
        return merged

    def always_known(self) -> int:
        """How many contacts have traits without a time since when they hold."""
        return sum(known[0][0] == ALWAYS for known in self._of.values())

    def choose(self, before: int, *, without: Collection[str] = ()) -> tuple[TraitColumn, ...]:
        """The columns that traits known before ``before`` give, in order of name; none for a person's data."""
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
        names = history.touchpoints.contacts
        out = np.full((len(as_of), len(columns)), np.nan)
        coders = [_coder(column) for column in columns]
        for row, (code, moment) in enumerate(zip(contact.tolist(), as_of.tolist(), strict=True)):
            known = self.known(names[code], moment) if code >= 0 else {}
            for i, column in enumerate(columns):
                if known.get(column.name) is not None:
                    out[row, i] = coders[i](known[column.name], moment)
        return out


def row_values(known: Mapping[str, Any], as_of: int, columns: Sequence[TraitColumn]) -> list[float]:
    """Values of ``columns`` for one contact whose known traits are given."""
    return [
        float("nan") if known.get(c.name) is None else _coder(c)(known[c.name], as_of) for c in columns
    ]


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


def _coder(column: TraitColumn) -> Any:
    if column.type in ("number", "boolean"):
        return _as_number
    if column.type == "date":
        return _as_days
    code = {category: float(i) for i, category in enumerate(column.categories)}
    rest = float(len(code))
    return lambda value, _: code.get(_text(value), rest)


def _as_number(value: Any, _: int) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def _as_days(value: Any, as_of: int) -> float:
    at = _date(_text(value))
    return float("nan") if at is None else (at - as_of) / DAY


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _date(text: str) -> int | None:
    # A bare number is a number or a code, however long; a date has its dashes.
    if len(text) < 8 or "-" not in text[1:]:
        return None
    try:
        return parse_time(text)
    except ValueError:
        return None

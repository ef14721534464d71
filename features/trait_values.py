"""What one value of a trait says: a number, a truth, a date or a category."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from features.feature_set import MOST_CATEGORIES, TraitColumn
from features.times import parse_time

_PLAIN_NUMBER = re.compile(r"-?(0|[1-9]\d{0,40})(\.\d{1,40})?", re.ASCII)
_TRUTHS = {"true": True, "yes": True, "y": True, "ja": True, "j": True, "wahr": True} | {
    "false": False, "no": False, "n": False, "nein": False, "falsch": False,
}  # fmt: skip
_NOTHING = frozenset({"", "-", "n/a", "na", "nan", "null", "none"})


def column_of(name: str, values: Sequence[Any]) -> TraitColumn:
    """Return the column that a trait's values give, one of each contact.

    Sources spell alike things differently: beside numbers ``"12"`` is a number, beside booleans 1 and 0 and
    everywhere ``"yes"`` and ``"no"`` are truths, and ``"n/a"`` keeps nothing from being a number. Digits in texts
    alone are codes, and so is what begins with a zero.

    Examples
    --------
    >>> column_of("size", [12, "7", "n/a"]).type, column_of("postcode", ["8001", "01067"]).type
    ('number', 'category')
    >>> column_of("vip", ["yes", "no"]).type, column_of("since", ["2024-02-29"]).type
    ('boolean', 'date')
    """
    told = [value for value in values if not _says_nothing(value)]
    if told and _are_truths(told):
        return TraitColumn(name, "boolean")
    if any(_is_number(v) for v in told) and all(_is_number(v) or _is_written_number(v) for v in told):
        return TraitColumn(name, "number")
    if told and all(isinstance(v, str) and date_in(v) is not None for v in told):
        return TraitColumn(name, "date")
    counts = Counter(text_of(value) for value in values)
    order = sorted(counts, key=lambda text: (-counts[text], text))
    return TraitColumn(name, "category", tuple(order[:MOST_CATEGORIES]))


def text_of(value: Any) -> str:
    """Text by which a value is a category."""
    return value if isinstance(value, str) else str(value)


def number_in(text: str) -> float | None:
    """Return the number that a text writes plainly; None for another text and for a code with leading zeros.

    Examples
    --------
    >>> number_in("12.5"), number_in("007"), number_in("big")
    (12.5, None, None)
    """
    return float(text) if _PLAIN_NUMBER.fullmatch(text) else None


def truth_in(value: Any) -> bool | None:
    """Return the truth that a value states; None where it states none.

    Examples
    --------
    >>> truth_in("Ja"), truth_in(0), truth_in("perhaps")
    (True, False, None)
    """
    if isinstance(value, str):
        return _TRUTHS.get(value.casefold())
    return bool(value) if isinstance(value, int | float) and value in (0, 1) else None


@lru_cache(maxsize=100_000)
def date_in(text: str) -> int | None:
    """Return the microseconds of a date or time; None for another text.

    A bare number is a number or a code, however long; a date has its dashes.
    """
    if len(text) < 8 or "-" not in text[1:]:
        return None
    try:
        return parse_time(text)
    except ValueError:
        return None


def _are_truths(values: Sequence[Any]) -> bool:
    """Whether values are truths; texts alone only where both occur, as "NO" may be a country."""
    found = [truth_in(value) for value in values]
    if None in found or all(_is_number(value) for value in values):
        return False
    return any(isinstance(value, bool) for value in values) or len(set(found)) == 2


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_written_number(value: Any) -> bool:
    return isinstance(value, str) and number_in(value) is not None


def _says_nothing(value: Any) -> bool:
    return isinstance(value, str) and value.casefold() in _NOTHING

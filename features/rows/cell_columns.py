"""Columns of cells read at once; what only the rule for a single row can judge is marked by its place."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from features.amounts import LARGEST
from features.rows.cells import RowError

_REMEMBERED = 100_000
_NUMERALS = frozenset("0123456789.+-eE")


class Odd(Exception):
    """A value that only the row rule can judge."""


ODD: Any = object()
"""Stands for such a value."""


class Memo(dict[Any, Any]):
    """What a function makes of a value, worked out once; ``ODD`` where it cannot."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, value: Any) -> Any:
        try:
            found = self._function(value)
        except (RowError, Odd, ValueError, OverflowError):
            found = ODD
        if len(self) >= _REMEMBERED:
            self.clear()
        self[value] = found
        return found


def marked(found: Sequence[Any], odd: set[int]) -> Sequence[Any]:
    """Mark the places where a value could not be read."""
    if ODD in found:
        odd.update(i for i, value in enumerate(found) if value is ODD)
    return found


def required(found: Sequence[Any], odd: set[int]) -> Sequence[Any]:
    """Mark the places where a value is missing."""
    if None in found:
        odd.update(i for i, value in enumerate(found) if value is None)
    return found


def is_clean(text: str) -> bool:
    """Whether a text has no NUL and can be written as UTF-8."""
    if "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def texts(values: Sequence[Any], odd: set[int]) -> Sequence[Any]:
    """Read a column of many different texts."""
    try:
        clean = is_clean("".join(values))
    except TypeError:
        clean = False
    if clean:
        return [value.strip() or None for value in values]
    found: list[str | None] = []
    for i, value in enumerate(values):
        if value is None or (type(value) is str and is_clean(value)):
            found.append((value or "").strip() or None)
        else:
            odd.add(i)
            found.append(None)
    return found


def numbers(values: Sequence[Any], odd: set[int]) -> Sequence[float | None]:
    """Read a column of amounts, an empty cell as None."""
    try:
        # float() reads more than a number: 1_000, other scripts' digits, "infinity".
        if _NUMERALS.issuperset("".join(values)):
            found = [float(value) if value else None for value in values]
            if not bool((np.abs(np.array(found, dtype=np.float64)) > LARGEST).any()):
                return found
    except (TypeError, ValueError):
        pass
    return [_number_at(i, value, odd) for i, value in enumerate(values)]


def _number_at(i: int, value: Any, odd: set[int]) -> float | None:
    if value is None or value == "":
        return None
    kind, number = type(value), math.nan
    if kind is float or kind is int or (kind is str and value.isascii() and "_" not in value):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = math.nan
    if not abs(number) <= LARGEST:
        odd.add(i)
    return number


def not_negative(found: Sequence[float | None], odd: set[int]) -> Sequence[float | None]:
    """Mark the places of numbers below 0."""
    odd.update(i for i, number in enumerate(found) if number is not None and number < 0)
    return found


def mark_not_plain(values: Sequence[Any], odd: set[int]) -> None:
    """Mark the values of an extra column that JSON may not hold."""
    for i, value in enumerate(values):
        kind = type(value)
        if value is None or kind is bool:
            continue
        if kind is str:
            if not value.isascii() or "\0" in value:
                if not is_clean(value):
                    odd.add(i)
        elif kind is int:
            if not -(2**63) < value < 2**63:
                odd.add(i)
        elif kind is not float or not math.isfinite(value):
            odd.add(i)

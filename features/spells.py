"""Spells: the spans of time during which a trait had one value, such as the account of a contact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.codes import NONE
from features.spans import spans
from features.times import ALWAYS

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
Known = tuple[str, int, Mapping[str, Any]]
"""Name, since when it is known (microseconds), traits: an entry of ``Traits``."""

FOREVER = 2**62
"""The end of what has not ended, in microseconds."""


@dataclass(frozen=True)
class Spells:
    """Values of one trait, each for as long as it held.

    A value counts for ``as_of`` where ``from_us < as_of <= to_us``, as everything does that is known since a time.
    ``start[i]:start[i + 1]`` are the spells of ``names[i]`` in the order of time, shape (spells,).
    """

    names: Sequence[str]
    start: I64
    from_us: I64
    to_us: I64
    value: I32
    values: list[str]

    def __len__(self) -> int:
        return len(self.value)

    @cached_property
    def name(self) -> I64:
        """The code of whose spell each is."""
        return np.repeat(np.arange(len(self.names), dtype=np.int64), np.diff(self.start))

    @cached_property
    def code_of(self) -> Mapping[str, int]:
        """The code of each name."""
        return {name: code for code, name in enumerate(self.names)}

    def at(self, name: I64, as_of: I64) -> I64:
        """Find the spell in which each row's ``as_of`` lies.

        Parameters
        ----------
        name
            Codes, shape (n,); -1 is nobody's.
        as_of
            Microseconds, shape (n,).

        Returns
        -------
        int64 ndarray, shape (n,); -1 where there is none.
        """
        known = (name >= 0) & (name < len(self.names))
        if not len(self) or not known.any():
            return np.full(len(name), NONE, dtype=np.int64)
        low, high = spans(self.start, self.from_us, np.where(known, name, 0), 2 * ALWAYS, as_of)
        last = np.maximum(high - 1, 0)
        found: I64 = np.where(known & (high > low) & (as_of <= self.to_us[last]), last, NONE)
        return found

    def value_of(self, name: str, as_of: int) -> str | None:
        """Say what held for one name at ``as_of``; None where nothing did."""
        code = np.array([self.code_of.get(name, NONE)], dtype=np.int64)
        at = int(self.at(code, np.array([as_of], dtype=np.int64))[0])
        return None if at == NONE else self.values[int(self.value[at])]

    def of(self, name: str) -> list[tuple[int, int, str]]:
        """One name's spells as (from, to, value), in the order of time."""
        code = self.code_of.get(name)
        if code is None:
            return []
        return [
            (int(self.from_us[i]), int(self.to_us[i]), self.values[int(self.value[i])])
            for i in range(int(self.start[code]), int(self.start[code + 1]))
        ]

    def within(self, stood: tuple[I64, I64] | None) -> Spells:
        """Cut every spell to the span ``(from, to]`` in which its name stood, shape (names,) each."""
        if stood is None:
            return self
        from_us = np.maximum(self.from_us, stood[0][self.name])
        to_us = np.minimum(self.to_us, stood[1][self.name])
        return laid_out(self.names, self.name, from_us, to_us, self.value, self.values)


def spells(rows: Iterable[Known], trait: str, names: Sequence[str] = ()) -> Spells:
    """Tell from traits as they became known when a trait had which value.

    Parameters
    ----------
    rows
        In any order; of equal times the later row wins. A row without the trait says nothing of it, one with null
        (or an empty text) ends it.
    trait
        Name of the trait; its values are taken as texts.
    names
        Names that are to have the codes 0, 1, ...; others that the rows tell of follow by name.

    Examples
    --------
    >>> found = spells([("ann", 5, {"account": "acme"}), ("ann", 9, {"account": None})], "account")
    >>> found.of("ann"), found.value_of("ann", 5), found.value_of("ann", 9)
    ([(5, 9, 'acme')], None, 'acme')
    """
    told = [(name, at, body[trait]) for name, at, body in rows if trait in body]
    whose = [entry[0] for entry in told]
    said = [_text(entry[2]) for entry in told]
    code_of = {name: code for code, name in enumerate(names)}
    others = sorted(set(whose).difference(code_of))
    code_of.update(zip(others, range(len(names), len(names) + len(others)), strict=True))
    # Codes by the values' order, so that the same traits give the same codes in any order of arrival.
    values: list[str] = sorted({text for text in said if text is not None})
    value_of: dict[str | None, int] = {text: code for code, text in enumerate(values)}
    value_of[None] = NONE
    name_code = np.array([code_of[name] for name in whose], dtype=np.int64)
    known_at = np.array([entry[1] for entry in told], dtype=np.int64)
    code = np.array([value_of[text] for text in said], dtype=np.int32)
    n = len(told)
    order = np.lexsort((known_at, name_code))
    name_code, known_at, code = name_code[order], known_at[order], code[order]
    # Of what became known at one moment the last word stands; to say the same again changes nothing.
    last = np.r_[(name_code[1:] != name_code[:-1]) | (known_at[1:] != known_at[:-1]), np.ones(min(n, 1), dtype=bool)]
    name_code, known_at, code = name_code[last], known_at[last], code[last]
    new = np.r_[np.ones(min(n, 1), dtype=bool), (name_code[1:] != name_code[:-1]) | (code[1:] != code[:-1])]
    name_code, known_at, code = name_code[new], known_at[new], code[new]
    ends = np.full(len(code), FOREVER, dtype=np.int64)
    follows = name_code[1:] == name_code[:-1]
    ends[:-1][follows] = known_at[1:][follows]
    held = code != NONE
    every: Sequence[str] = [*names, *others] if others else names
    return laid_out(every, name_code[held], known_at[held], ends[held], code[held], values)


def laid_out(names: Sequence[str], name: I64, from_us: I64, to_us: I64, value: I32, values: list[str]) -> Spells:
    """Spells of columns that are in the order of name and time; empty ones are left out."""
    held = from_us < to_us
    start = np.concatenate([[0], np.cumsum(np.bincount(name[held], minlength=len(names)))]).astype(np.int64)
    return Spells(names, start, from_us[held], to_us[held], value[held], values)


def _text(value: Any) -> str | None:
    if value.__class__ is str:
        return value or None
    return None if value is None else str(value)

"""Who is in which group of a protected trait, so that no group is small enough to tell of a single person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.times import DAY
from features.trait_values import column_of, date_in, number_in, text_of, truth_in
from training.past import Past

I64 = NDArray[np.int64]

FEWEST = 20
"""People below whom nothing is said of a group."""
OTHER = "(other)"
UNKNOWN = "(not known)"
_MOST = 12
"""Groups that are shown; rarer values are together."""
_YEAR_US = 365.2425 * DAY


@dataclass(frozen=True)
class Groups:
    """The groups of a trait, the largest first, then ``OTHER`` and ``UNKNOWN``; ``of`` has each row's, shape (n,).

    ``joined`` is the group that values count with which too few people share, None where there are none.
    """

    names: tuple[str, ...]
    people: tuple[int, ...]
    of: I64
    joined: str | None

    @property
    def largest(self) -> int | None:
        """The group that the others are compared with; None where nobody is left to compare it with."""
        named = [i for i, name in enumerate(self.names) if name not in (OTHER, UNKNOWN)]
        return named[0] if named and len(self.names) > 1 else None

    @property
    def note(self) -> str | None:
        """What a reader must know of the groups."""
        if self.largest is None:
            return f"no two groups of at least {FEWEST} people to compare"
        return None if self.joined is None else f"what fewer than {FEWEST} people have counts with {self.joined!r}"


def values_now(past: Past, trait: str) -> dict[str, Any]:
    """Look up what a trait says of everybody, by name; as known now, because people are it before anybody is told."""
    found: dict[str, Any] = {}
    for traits in (past.recorded_traits, past.traits):
        for name, _, body in traits.rows():
            if trait in body:
                found[name] = body[trait]
    return {name: value for name, value in found.items() if value is not None and text_of(value).strip()}


def groups_of(trait: str, values: Mapping[str, Any], names: Sequence[str], contact: I64, person: I64) -> Groups:
    """Put rows into groups by a trait of the person that each is of.

    Values that fewer than 20 people share are one group, ``OTHER``. Were that smaller than 20 people, it could be
    worked out from the others and the totals, so these people count with the largest group, which they change least.

    Parameters
    ----------
    values
        From ``values_now``, by name.
    names, contact
        Names of contacts, and the code of each row's, shape (n,).
    person
        The same for every row of one person, shape (n,).

    Examples
    --------
    >>> who = np.arange(100)
    >>> of = {str(i): "a" if i < 60 else "b" if i < 90 else "c" for i in range(100)}
    >>> found = groups_of("t", of, [str(i) for i in range(100)], who, who)
    >>> found.names, found.people, found.joined
    (('a', 'b'), (70, 30), 'a')
    """
    _, code = np.unique(person, return_inverse=True)
    told: list[Any] = [None] * (int(code.max()) + 1 if len(code) else 0)
    for at, who in dict(zip(contact.tolist(), code.tolist(), strict=True)).items():
        value = values.get(names[at])
        told[who] = told[who] if value is None else value
    labels = _labels(trait, told)
    order = _shown(labels)
    place = {name: i for i, name in enumerate(order)}
    rest = place.get(OTHER, 0)
    of = np.array([place.get(label, rest) for label in labels], dtype=np.int64)
    joined = order[rest] if any(label not in place for label in labels) else None
    return Groups(order, tuple(np.bincount(of, minlength=len(order)).tolist()), of[code], joined)


def _shown(labels: Sequence[str]) -> tuple[str, ...]:
    """Names of the groups that are shown, the largest first."""
    counts: dict[str, int] = {}
    for label in labels:
        counts[label] = counts.get(label, 0) + 1
    order = sorted(counts, key=lambda label: (-counts[label], label))
    kept = [label for label in order if counts[label] >= FEWEST][:_MOST]
    rest = len(labels) - sum(counts[label] for label in kept)
    named = [label for label in kept if label != UNKNOWN]
    has_other = rest >= FEWEST or not kept
    return (*named, *((OTHER,) if has_other else ()), *((UNKNOWN,) if UNKNOWN in kept else ()))


def _labels(trait: str, told: Sequence[Any]) -> list[str]:
    """Name each person's group; numbers and dates are cut where they make quarters."""
    known = [value for value in told if value is not None]
    kind = column_of(trait, known).type if known else "category"
    if kind == "boolean":
        said = {True: "yes", False: "no", None: UNKNOWN}
        return [UNKNOWN if value is None else said[truth_in(value)] for value in told]
    if kind in ("number", "date"):
        return _quarters([_number(value, kind) for value in told])
    return [UNKNOWN if value is None else text_of(value).strip() for value in told]


def _number(value: Any, kind: str) -> float:
    if value is None:
        return np.nan
    if kind == "date":
        moment = date_in(value)
        return np.nan if moment is None else 1970.0 + moment // _YEAR_US
    number = number_in(value) if isinstance(value, str) else float(value)
    return np.nan if number is None else number


def _quarters(numbers: Sequence[float]) -> list[str]:
    found = np.array(numbers, dtype=np.float64)
    known = np.isfinite(found)
    # Rounded, so that a bound is nobody's own value.
    bounds = sorted({float(f"{b:.3g}" if abs(b) < 1000 else f"{b:.4g}") for b in np.quantile(found[known], _CUTS)})
    names = [f"up to {bounds[0]:g}", *(f"over {a:g} to {b:g}" for a, b in pairwise(bounds))]
    names.append(f"over {bounds[-1]:g}")
    return [names[int(np.searchsorted(bounds, x))] if ok else UNKNOWN for x, ok in zip(found, known, strict=True)]


_CUTS = (0.25, 0.5, 0.75)

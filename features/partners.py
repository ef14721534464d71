"""Partners: which dealer looks after a contact as of a moment, and which ones did before.

A contact's partner is what its trait ``partner`` names, from the moment that this was known until another value, or
none, became known; of a merged contact it is the merged trait. It is nobody's while the partner's agreement has not
begun or is over, as the table ``partners`` was known to say at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from features.spells import FOREVER, Known, Spells, laid_out, spells
from features.times import parse_time

Interval = tuple[int, int]
"""Moments ``from < as_of <= to``, in microseconds."""


def partners_of(rows: Iterable[Known], told: Iterable[Known] = (), contacts: Sequence[str] = ()) -> Spells:
    """Tell who looked after which contact when.

    Parameters
    ----------
    rows
        (contact, known_at, traits), as of ``Traits``.
    told
        (partner, known_at, columns), as the table ``partners`` has them. A partner that is not in it looks after its
        contacts without an end.
    contacts
        Names that are to have the codes 0, 1, ...

    Returns
    -------
    Spells
        ``at`` finds the partners of many rows, ``value_of`` one contact's, ``of`` its history as (from, to, partner).

    Raises
    ------
    ValueError
        Where an agreement's beginning or end is no time.

    Examples
    --------
    >>> rows = [("ann", 10, {"partner": "north"}), ("ann", 50, {"partner": "south"})]
    >>> found = partners_of(rows, [("north", 0, {"agreement_to": "1970-01-01T00:00:00.000030Z"})])
    >>> found.of("ann")[0], found.value_of("ann", 29), found.value_of("ann", 30), found.value_of("ann", 51)
    ((10, 29, 'north'), 'north', None, 'south')
    """
    named = spells(rows, "partner", contacts)
    in_force = _agreements(told)
    if not in_force:
        return named
    found: list[tuple[int, int, int, int]] = []
    for name, from_us, to_us, value in zip(
        named.name.tolist(), named.from_us.tolist(), named.to_us.tolist(), named.value.tolist(), strict=True
    ):
        for begin, end in in_force.get(named.values[value], _ALWAYS):
            if max(from_us, begin) < min(to_us, end):
                found.append((name, max(from_us, begin), min(to_us, end), value))
    columns = np.array(found, dtype=np.int64).reshape(-1, 4).T
    return laid_out(named.names, columns[0], columns[1], columns[2], columns[3].astype(np.int32), named.values)


_ALWAYS: Sequence[Interval] = ((-FOREVER, FOREVER),)


def _agreements(told: Iterable[Known]) -> dict[str, list[Interval]]:
    """When each partner's agreement was known to be in force."""
    rows: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for partner, known_at, body in sorted(told, key=lambda row: row[1]):
        known = rows.setdefault(partner, [])
        known.append((known_at, {**(known[-1][1] if known else {}), **body}))
    return {partner: _in_force(known) for partner, known in rows.items()}


def _in_force(known: list[tuple[int, dict[str, Any]]]) -> list[Interval]:
    # Before anything was known of a partner, nothing was known to forbid it.
    found: list[Interval] = [(-FOREVER, known[0][0])]
    for i, (known_at, body) in enumerate(known):
        until = known[i + 1][0] if i + 1 < len(known) else FOREVER
        begins, ends = _time(body.get("agreement_from"), -FOREVER), _time(body.get("agreement_to"), FOREVER)
        # The agreement holds in [begins, ends); a moment in whole microseconds is after begins - 1 and up to ends - 1.
        begin = max(known_at, begins - 1 if begins != -FOREVER else begins)
        end = min(until, ends - 1 if ends != FOREVER else ends)
        if begin >= end:
            continue
        if begin <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return found


def _time(value: Any, otherwise: int) -> int:
    return otherwise if value is None or value == "" else parse_time(value)

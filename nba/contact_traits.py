"""Traits of a contact that several identities are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from features.identity.link_rules import name_rank

if TYPE_CHECKING:
    from features.store.reading import Reading


def traits_of(store: Reading, members: Sequence[str], as_of: int) -> Mapping[str, Any]:
    """Return the latest known value of every trait.

    What became known later wins; of what became known at once, what is known of the better name.
    """
    if len(members) == 1:
        return store.traits(members[0], as_of)
    worst_first = sorted(members, key=name_rank, reverse=True)
    return merged_traits([[row[1:] for row in store.traits_of(member, as_of)] for member in worst_first])


def merged_traits(told: Sequence[Sequence[tuple[int, Mapping[str, Any]]]]) -> Mapping[str, Any]:
    """Return the latest value of every trait.

    Parameters
    ----------
    told
        Of each identity, the worst name first, what became known of it, each with its time.
    """
    rows = [row for each in told for row in each]
    if len(rows) == 1:
        return rows[0][1]
    found: dict[str, Any] = {}
    for _, body in sorted(rows, key=lambda row: row[0]):
        found.update(body)
    return found

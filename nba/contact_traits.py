"""Traits of a contact that several identities are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from features.identity.link_rules import name_rank

if TYPE_CHECKING:
    from features.store.store import Store


def traits_of(store: Store, members: Sequence[str], as_of: int) -> Mapping[str, Any]:
    """Return the latest known value of every trait.

    What became known later wins; of what became known at once, what is known of the better name.
    """
    if len(members) == 1:
        return store.traits(members[0], as_of)
    worst_first = sorted(members, key=name_rank, reverse=True)
    rows = [row for member in worst_first for row in store.traits_of(member, as_of)]
    found: dict[str, Any] = {}
    for row in sorted(rows, key=lambda row: row.known_at):
        found.update(row.body)
    return found

"""What lies around every contact at one moment, in memory: catalogues, devices, capacities that are taken."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from features.frozen import Frozen
from features.rows.row_types import DecisionRow
from features.store.store import Store
from nba.approach_rule import OUTBOUND
from nba.occurrence import OCCASION, at_event
from nba.tables.memory import tables_of
from nba.tables.reading import asset_of, known_bodies
from nba.tables.tables import Asset, Tables
from nba.tables.taken import name_in

if TYPE_CHECKING:
    from training.everybody.everybody import Everybody

Owner = tuple[str, str]
"""``identity`` or ``account``, and its name."""
Key = tuple[str, str, str | None]
"""An action, ``owner`` or ``partner`` or nothing, and the name that the contact's trait has."""
OWNER_KINDS = ("identity", "account")
_BY = ("owner", "partner")


@dataclass(frozen=True)
class Taken:
    """When each action was carried out by our own decisions, by rising time."""

    times: Mapping[Key, Sequence[int]] = field(default_factory=Frozen)
    occasions: Mapping[str, Sequence[tuple[int, str, str]]] = field(default_factory=Frozen)
    """Time, action and identity by the occasion that a decision was made for."""

    def count(self, action: str, since: int, of: tuple[str, str | None]) -> int:
        """Count those from ``since`` on; ``of`` is ``("", None)`` for everybody's."""
        times = self.times.get((action, *of), ())
        return len(times) - bisect_left(times, since)

    def only(self, actions: Iterable[str]) -> Taken:
        """Return what is known of these actions."""
        wanted = frozenset(actions)
        return Taken({key: times for key, times in self.times.items() if key[0] in wanted}, self.occasions)

    def at(self, events: Iterable[str]) -> Taken:
        """Return the same with no other occasions than these events."""
        wanted = (at_event(event) for event in events)
        return Taken(self.times, {key: self.occasions[key] for key in wanted if key in self.occasions})

    def invited(self, event_id: str, actions: Collection[str], since: int) -> frozenset[str]:
        """Return each identity for which any of these actions was carried out for an event from ``since`` on."""
        asked = event_id, frozenset(actions), since
        if asked not in self._invited:
            told = self.occasions.get(at_event(event_id), ())
            self._invited[asked] = frozenset(who for at, action, who in told if at >= since and action in asked[1])
        return self._invited[asked]

    @cached_property
    def _invited(self) -> dict[tuple[str, frozenset[str], int], frozenset[str]]:
        return {}


class GrowingTaken:
    """``Taken`` while decisions come by.

    Parameters
    ----------
    traits_of
        Traits at ``as_of`` of the contact that an identity is.
    """

    def __init__(self, traits_of: Callable[[str], Mapping[str, Any]], as_of: int) -> None:
        self._traits_of = traits_of
        self._as_of = as_of
        self._whose: dict[str, tuple[str | None, ...]] = {}
        self._times: dict[Key, list[int]] = {}
        self._occasions: dict[str, list[tuple[int, str, str]]] = {}

    def note(self, row: DecisionRow) -> None:
        """Count a decision, where it took a place of ours."""
        at = row.carried_out_at
        # Rows without chances were loaded from elsewhere: no capacity of ours was taken.
        if row.chances is None or at is None or at >= self._as_of or (row.placement or OUTBOUND) != OUTBOUND:
            return
        if row.identity not in self._whose:
            traits = self._traits_of(row.identity)
            self._whose[row.identity] = tuple(name_in(traits.get(by)) for by in _BY)
        self._times.setdefault((row.action, "", None), []).append(at)
        for by, name in zip(_BY, self._whose[row.identity], strict=True):
            self._times.setdefault((row.action, by, name), []).append(at)
        occasion = (row.properties or {}).get(OCCASION)
        if isinstance(occasion, str):
            self._occasions.setdefault(occasion, []).append((at, row.action, row.identity))

    def taken(self) -> Taken:
        """Return what was counted."""
        return Taken({key: sorted(found) for key, found in self._times.items()}, self._occasions)


@dataclass(frozen=True)
class Surrounding:
    """Everything that is around anybody."""

    tables: Tables = field(default_factory=Tables)
    assets: Mapping[Owner, Sequence[Asset]] = field(default_factory=Frozen)
    """By id."""
    taken: Taken = field(default_factory=Taken)

    @classmethod
    def read(cls, store: Store, as_of: int, taken: Taken) -> Surrounding:
        """Read what was known strictly before ``as_of``."""
        assets: dict[Owner, list[Asset]] = {}
        bodies = known_bodies(store.record_rows("assets", as_of), as_of)
        for key in sorted(bodies):
            for kind in OWNER_KINDS:
                if isinstance(owner := bodies[key].get(kind), str):
                    assets.setdefault((kind, owner), []).append(asset_of(key, bodies[key]))
        tables = tables_of(store, as_of)
        # Only where seats are counted does it matter who was invited.
        return cls(tables, assets, taken.at(name for name, event in tables.events.items() if event.seats is not None))

    def only(self, owners: Iterable[Owner]) -> Surrounding:
        """Return the same with the devices of these owners alone."""
        return replace(self, assets={owner: self.assets[owner] for owner in owners if owner in self.assets})


@dataclass(eq=False)
class Around:
    """The surroundings of one contact among everybody; a ``Surroundings``."""

    everybody: Everybody
    name: str
    members: Sequence[str]
    traits: Mapping[str, Any]

    def tables(self) -> Tables:
        """Return products, events, content and partners."""
        return self.everybody.surrounding.tables

    def assets(self) -> Sequence[Asset]:
        """Return the devices and contracts of the contact and of its account, by id."""
        of = self.everybody.surrounding.assets
        found = {asset.asset_id: asset for owner in owners_of(self.members, self.traits) for asset in of.get(owner, ())}
        return tuple(found[key] for key in sorted(found))

    def account_approaches(self, since: int) -> Sequence[tuple[int, str | None]]:
        """Return time and channel of what went out to the account's other contacts from ``since`` on, rising."""
        account = self.traits.get("account")
        if not account:
            return ()
        sent = self.everybody.sent_to(str(account), since)
        found = [(at, channel) for name, at, channel in sent if name != self.name and at >= since]
        return sorted(found, key=lambda each: each[0])

    def taken(self, action: str, since: int, by: str | None) -> int:
        """Return how often an action was taken from ``since`` on."""
        of = ("", None) if by is None else (by, name_in(self.traits.get(by)))
        return self.everybody.surrounding.taken.count(action, since, of)

    def invited(self, event_id: str, actions: Collection[str], since: int) -> Collection[str]:
        """Return who was invited to an event from ``since`` on."""
        return self.everybody.surrounding.taken.invited(event_id, actions, since)


def owners_of(members: Sequence[str], traits: Mapping[str, Any]) -> list[Owner]:
    """Return under which names the devices of a contact stand."""
    found = [("identity", member) for member in members]
    account = traits.get("account")
    return [*found, ("account", str(account))] if account else found

"""How often an action was taken lately: what capacities are compared with."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary
from zlib import crc32

from features.identity.members import members_of
from features.times import HOUR
from features.touchpoints.touchpoints import TouchpointRules
from nba.approach_rule import OUTBOUND
from nba.contact_traits import traits_of
from nba.occurrence import OCCASION, at_event

if TYPE_CHECKING:
    from features.store.reading import Reading
    from features.store.store import Store

TOLD_FOR = HOUR
"""How long it takes at most until a count knows that a contact has another owner or partner."""

EVER = 2**62
"""Later than any moment."""

_MOST_KEPT = 100_000


def count_taken(
    store: Store,
    action: str,
    since: int,
    as_of: int,
    of: tuple[str, str | None] | None,
    rules: TouchpointRules,
    *,
    seen: Reading | None = None,
) -> int:
    """Count our decisions for an action that were carried out in ``[since, as_of)``, as far as we know.

    Parameters
    ----------
    of
        Whose contacts: ``("owner", name)`` or ``("partner", name)``, None for contacts that have none; None:
        everybody's. A contact's owner is the one it has at ``as_of``.
    seen
        What a transaction sees: then everything counts that it does, also what was decided at ``as_of`` or later.
    """
    told, before = (store, as_of) if seen is None else (seen, EVER)
    if of is None:
        return told.taken_count(action, before, since, OUTBOUND)
    taken = told.taken(action, before, since, OUTBOUND)
    by, name = of
    with _LOCK:
        kept = _KEPT.setdefault(store, _Kept())
    return kept.count(store, taken, by, name, as_of, rules)


def invited(store: Reading, event_id: str, actions: Collection[str], since: int, as_of: int) -> frozenset[str]:
    """Return each identity for which our decisions for an event were carried out in ``[since, as_of)``.

    Parameters
    ----------
    actions
        Those that events call for: one event may have several, and who was asked twice comes once.
    """
    of = OCCASION, at_event(event_id)
    return frozenset(
        identity for action in actions for identity in store.taken_for(action, as_of, since, OUTBOUND, *of)
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """Whose a contact was; true in ``[from_us, until)`` as far as this count needs to know."""

    from_us: int
    until: int
    named: Mapping[str, str | None]


class _Kept:
    """Owner and partner of contacts that were asked about, for a while."""

    def __init__(self) -> None:
        self._told: dict[str, _Told] = {}

    def count(
        self, store: Store, identities: Iterable[str], by: str, name: str | None, as_of: int, rules: TouchpointRules
    ) -> int:
        found, told_of = 0, self._told.get
        for identity in identities:
            told = told_of(identity)
            if told is None or not told.from_us <= as_of < told.until:
                told = _tell(store, identity, as_of, rules)
                if len(self._told) >= _MOST_KEPT:
                    self._told.clear()
                self._told[identity] = told
            found += told.named[by] == name
        return found


def _tell(store: Store, identity: str, as_of: int, rules: TouchpointRules) -> _Told:
    traits = traits_of(store, members_of(store, identity, as_of, rules).members, as_of)
    # Those that are read together are not all read anew together.
    share = crc32(identity.encode("utf-8", "surrogatepass")) % 64
    until = as_of + TOLD_FOR // 2 + TOLD_FOR // 128 * share
    return _Told(as_of, until, {by: name_in(traits.get(by)) for by in ("owner", "partner")})


def name_in(value: object) -> str | None:
    """Return the name that a trait holds."""
    return str(value) if value else None


_LOCK = threading.Lock()
_KEPT: WeakKeyDictionary[Store, _Kept] = WeakKeyDictionary()

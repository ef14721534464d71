"""How often an action was taken lately: what capacities are compared with."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary
from zlib import crc32

from features.identity.members import members_of
from features.rows.row_types import LOGGED_WITHIN
from features.times import HOUR, SECOND
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

ANEW = 10 * SECOND
"""How often what was decided earlier is counted anew, for what another process logs late, as from its journal."""

_BY = "owner", "partner"
_MOST_KEPT, _MOST_COUNTS = 100_000, 1_000


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
    with _LOCK:
        kept = _KEPT.get(store)
        if kept is None or kept.generation != store.generation:
            kept = _KEPT[store] = _Kept(store.generation)
    by, name = of or (None, None)
    earlier = kept.earlier(store, action, since, by, as_of, rules)
    late = kept.of(told, store, (action, before, earlier.until if earlier else since), by, as_of, rules)
    return late[name] + (earlier.of[name] if earlier else 0)


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


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What was taken in a window up to a moment that next to nothing is logged before any more."""

    until: int
    late: int
    """What ``Store.late_decisions`` was before this was counted."""
    of: Counter[str | None]


class _Kept:
    """What was counted before, and owner and partner of contacts that were asked about, for a while.

    A day's decisions are many, and every request counts them: so the older ones are counted once in a while, and only
    those of the last seconds each time.
    """

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self._told: dict[str, _Told] = {}
        self._earlier: dict[tuple[str, int, str | None], _Earlier | None] = {}

    def earlier(
        self, store: Store, action: str, since: int, by: str | None, as_of: int, rules: TouchpointRules
    ) -> _Earlier | None:
        """Return what was taken from ``since`` to some moment before ``as_of``; None where all has to be counted.

        That is where the window is asked about for the first time: one that moves with ``as_of`` never comes again.
        """
        key = action, since, by
        known, late = self._earlier.get(key), store.late_decisions
        if known is not None and known.late == late and 0 <= as_of - known.until <= LOGGED_WITHIN + ANEW:
            return known
        until = min(as_of, time.time_ns() // 1_000) - LOGGED_WITHIN
        found = None
        if key in self._earlier and until > since:
            found = _Earlier(until, late, self.of(store, store, (action, until, since), by, as_of, rules))
        if len(self._earlier) >= _MOST_COUNTS:
            self._earlier.clear()
        self._earlier[key] = found
        return found

    def of(
        self,
        told: Reading,
        store: Store,
        asked: tuple[str, int, int],
        by: str | None,
        as_of: int,
        rules: TouchpointRules,
    ) -> Counter[str | None]:
        """Count what was taken for the contacts of each owner or partner; for everybody's, under None."""
        if by is None:
            return Counter({None: told.taken_count(*asked, OUTBOUND)})
        return Counter(
            self._whose(store, identity, as_of, rules).named[by] for identity in told.taken(*asked, OUTBOUND)
        )

    def _whose(self, store: Store, identity: str, as_of: int, rules: TouchpointRules) -> _Told:
        told = self._told.get(identity)
        if told is None or not told.from_us <= as_of < told.until:
            told = _tell(store, identity, as_of, rules)
            if len(self._told) >= _MOST_KEPT:
                self._told.clear()
            self._told[identity] = told
        return told


def _tell(store: Store, identity: str, as_of: int, rules: TouchpointRules) -> _Told:
    traits = traits_of(store, members_of(store, identity, as_of, rules).members, as_of)
    # Those that are read together are not all read anew together.
    share = crc32(identity.encode("utf-8", "surrogatepass")) % 64
    until = as_of + TOLD_FOR // 2 + TOLD_FOR // 128 * share
    return _Told(as_of, until, {by: name_in(traits.get(by)) for by in _BY})


def name_in(value: object) -> str | None:
    """Return the name that a trait holds."""
    return str(value) if value else None


_LOCK = threading.Lock()
_KEPT: WeakKeyDictionary[Store, _Kept] = WeakKeyDictionary()

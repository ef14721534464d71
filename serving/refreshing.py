"""Keeping up whom views and exports show, in child processes, without anybody's command.

Who has come, or changed hands, is in none of them before it is worked out anew whom the owner's side sees
(``nba.partners.owner_sights``). ``nba score`` does that; so where that runs every night nothing is left to do but after
partners' terms have changed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from features.store.line import scored_at
from features.store.sights import are_behind_terms
from features.store.store import Store, StoreError
from features.times import DAY
from serving.upkeep import Chore, Upkeep

log = logging.getLogger("nba.serving")

FIRST = 90.0
BETWEEN = 120.0
"""Seconds between two looks, which bound how often many changes of terms are worth a refresh."""
_AFTER_FAILURE = 10


def refreshing(
    config: str | None, store: Store, clock: Callable[[], int], first: float = FIRST, between: float = BETWEEN
) -> Upkeep:
    """Return what has the sights put down anew where they are a day old, or behind partners' terms; see ``Upkeep``."""

    def due(now: int, begun: int | None) -> bool:
        try:
            return _is_due(store, now, begun)
        except StoreError as error:
            log.debug("whether views are up to date cannot be seen: %s", error)
            return False

    refresh = Chore("views refresh", "views could not be brought up to date", due, at=False)
    return Upkeep(config, clock, (refresh,), first, between, _AFTER_FAILURE)


def _is_due(store: Store, now: int, begun: int | None) -> bool:
    if are_behind_terms(store, now):
        return True
    last = max((at for at in (begun, scored_at(store)) if at is not None), default=None)
    return last is None or now - last >= DAY

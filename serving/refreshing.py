"""Keeping up whom views and exports show, in child processes, without anybody's command.

Who has come, or changed hands, is in none of them before it is worked out anew whom the owner's side sees
(``nba.partners.owner_sights``). ``nba score`` does that; so where that runs every night nothing is left to do but after
partners' terms have changed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from features.store.line import scored_at
from features.store.sights import are_behind_terms
from features.store.store import Store, StoreError
from features.times import DAY
from serving.child import nba_beside

log = logging.getLogger("nba.serving")

FIRST = 90.0
"""Seconds after the start before the first look."""
BETWEEN = 120.0
"""Seconds between two looks, which bound how often many changes of terms are worth a refresh."""
_AFTER_FAILURE = 10


@dataclass(frozen=True)
class Refreshing:
    """Looks now and then whether the sights are a day old, or behind partners' terms, and has them put down anew.

    Several services on one store may do it twice, which does no harm.

    Attributes
    ----------
    config
        The file that ``nba`` is told; None: what it finds by itself.
    """

    config: str | None
    store: Store
    clock: Callable[[], int]
    first: float = FIRST
    between: float = BETWEEN

    async def run(self) -> None:
        """Go on until cancelled."""
        await asyncio.sleep(self.first)
        refreshed: int | None = None
        while True:
            now = self.clock()
            try:
                if await asyncio.to_thread(self._is_due, now, refreshed):
                    refreshed = now
                    if not await self._refresh():
                        # What failed a moment ago fails again.
                        await asyncio.sleep(_AFTER_FAILURE * self.between)
            except StoreError as error:
                log.debug("whether views are up to date cannot be seen: %s", error)
            await asyncio.sleep(self.between)

    def _is_due(self, now: int, refreshed: int | None) -> bool:
        if are_behind_terms(self.store, now):
            return True
        last = max((at for at in (refreshed, scored_at(self.store)) if at is not None), default=None)
        return last is None or now - last >= DAY

    async def _refresh(self) -> bool:
        status = await nba_beside(self.config, "views", "refresh")
        if status:
            log.warning("views could not be brought up to date (status %s); `nba views refresh` says why", status)
        return status == 0

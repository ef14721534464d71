"""Once a day, in child processes: what is too old goes, and what was served is compared with other ways of choosing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from features.times import iso
from models.daily_log import DailyLog
from serving.child import nba_beside

log = logging.getLogger("nba.serving")

FIRST = 60.0
"""Seconds after the start before the first look: a start has more urgent things to do."""
BETWEEN = 600.0
_AFTER_FAILURE = 6


@dataclass(frozen=True)
class Daily:
    """Looks now and then whether today has been reported, and has it reported; first of all, what is too old goes.

    ``config`` is the file that ``nba`` is told; None: what it finds by itself. The work needs what training needs and
    seconds of a processor, so that it is done beside this process. Several services beside one folder may report a day
    twice, which does no harm.
    """

    config: str | None
    folder: Path
    clock: Callable[[], int]
    first: float = FIRST
    between: float = BETWEEN
    joins: bool = False
    """Whether mail domains join contacts to accounts (``accounts.email_domains``)."""

    async def run(self) -> None:
        """Go on until cancelled."""
        await asyncio.sleep(self.first)
        forgotten = ""
        while True:
            last = await asyncio.to_thread(DailyLog.of(self.folder).last)
            now = self.clock()
            if forgotten != iso(now)[:10]:
                forgotten = iso(now)[:10]
                await self._forget(now)
                if self.joins:
                    await self._join(now)
            is_due = last is None or last["day"] < iso(now)[:10]
            if is_due and not await self._report(now):
                # What failed a moment ago fails again: an empty store has nothing to report for a while.
                await asyncio.sleep(_AFTER_FAILURE * self.between)
            await asyncio.sleep(self.between)

    async def _forget(self, now: int) -> None:
        status = await nba_beside(self.config, "retention", "run", "--json", "--as-of", iso(now))
        if status:
            log.warning("what is too old could not be removed (status %s); `nba retention run` says why", status)

    async def _join(self, now: int) -> None:
        status = await nba_beside(self.config, "identities", "accounts", "--json", "--as-of", iso(now))
        if status:
            log.warning("mail domains joined nobody (status %s); `nba identities accounts` says why", status)

    async def _report(self, now: int) -> bool:
        status = await nba_beside(self.config, "evaluate", "daily", "--keep", "--json", "--as-of", iso(now))
        if status:
            log.warning("today's comparisons could not be made (status %s); `nba evaluate daily` says why", status)
        return status == 0

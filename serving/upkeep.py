"""What is done beside the service by itself, in child processes, whenever a look finds that it is due."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from features.times import iso
from serving.child import nba_beside

log = logging.getLogger("nba.serving")


@dataclass(frozen=True)
class Chore:
    """A command that is to be run again after a while.

    Attributes
    ----------
    command
        Words after ``nba``.
    undone
        What is said where it fails: what is not as it should be now.
    is_due
        Whether to run it: of now, and of when it was begun last (None: not since the start of this process, whoever
        else has run it). It is asked in a thread.
    options
        What it is told besides; ``at`` is told too.
    at
        Whether it takes the moment it is run for, ``--as-of``.
    """

    command: str
    undone: str
    is_due: Callable[[int, int | None], bool]
    options: tuple[str, ...] = ()
    at: bool = True

    async def is_done(self, config: str | None, now: int) -> bool:
        """Run it; what fails is told in the log."""
        at = ("--as-of", iso(now)) if self.at else ()
        status = await nba_beside(config, *self.command.split(), *self.options, *at)
        if status:
            log.warning("%s (status %s); `nba %s` says why", self.undone, status, self.command)
        return status == 0


@dataclass(frozen=True)
class Upkeep:
    """Looks now and then which of some chores are due, and has them done, one after the other.

    Several services beside one folder or store may do one twice, which does no harm.

    Attributes
    ----------
    config
        The file that ``nba`` is told; None: what it finds by itself.
    chores
        In the order in which they are done.
    first
        Seconds after the start before the first look: a start has more urgent things to do.
    between
        Seconds between the end of a look and the next.
    after_failure
        For how many times ``between`` nothing is looked at where the last chore of the list failed.
    """

    config: str | None
    clock: Callable[[], int]
    chores: tuple[Chore, ...]
    first: float
    between: float
    after_failure: int

    async def run(self) -> None:
        """Go on until cancelled."""
        await asyncio.sleep(self.first)
        begun: dict[Chore, int] = {}
        while True:
            now = self.clock()
            well = [await self._look(chore, now, begun) for chore in self.chores]
            if not well[-1]:
                # What failed a moment ago fails again.
                await asyncio.sleep(self.after_failure * self.between)
            await asyncio.sleep(self.between)

    async def _look(self, chore: Chore, now: int, begun: dict[Chore, int]) -> bool:
        """Do it where it is due; false where that failed."""
        try:
            if not await asyncio.to_thread(chore.is_due, now, begun.get(chore)):
                return True
            is_done = await chore.is_done(self.config, now)
        except Exception:
            # It was not run, so that the next look takes it up again; the other chores do not wait for it.
            log.exception("%s: `nba %s` was not run", chore.undone, chore.command)
            return False
        begun[chore] = now
        return is_done

"""Keeping the counts that pages show, in child processes: they take a look at everything, and a page must not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from features.times import DAY, MINUTE, SECOND, iso, parse_time
from models.kept import Kept
from models.local import COUNTS
from serving.child import nba_beside

log = logging.getLogger("nba.serving")

FIRST = 30.0
"""Seconds after the start before the first look."""
BETWEEN = 60.0
_AFTER_FAILURE = 30
_SOONEST = 10 * MINUTE
_PART = 200
"""Counting takes one part in so many of a processor's time, unless that is seldomer than once a day."""


@dataclass(frozen=True)
class Counting:
    """Looks now and then whether what was counted last is old, and has it counted anew.

    Several services beside one folder may count twice, which does no harm.

    Attributes
    ----------
    config
        The file that ``nba`` is told; None: what it finds by itself.
    """

    config: str | None
    folder: Path
    clock: Callable[[], int]
    first: float = FIRST
    between: float = BETWEEN

    async def run(self) -> None:
        """Go on until cancelled."""
        await asyncio.sleep(self.first)
        kept = Kept(self.folder / COUNTS)
        while True:
            now = self.clock()
            if is_due(await asyncio.to_thread(kept.read), now) and not await self._count(now):
                # What failed a moment ago fails again.
                await asyncio.sleep(_AFTER_FAILURE * self.between)
            await asyncio.sleep(self.between)

    async def _count(self, now: int) -> bool:
        status = await nba_beside(self.config, "evaluate", "counts", "--keep", "--json", "--as-of", iso(now))
        if status:
            log.warning("what pages show could not be counted (status %s); `nba evaluate counts` says why", status)
        return status == 0


def is_due(counted: dict[str, object] | None, now: int) -> bool:
    """Whether to count anew.

    Parameters
    ----------
    counted
        What was counted last: ``as_of``, and ``took_seconds``.

    Examples
    --------
    >>> told = {"as_of": "2026-11-21T10:00:00Z", "took_seconds": 30.0}
    >>> [is_due(told, parse_time(at)) for at in ("2026-11-21T11:00:00Z", "2026-11-21T12:00:00Z")]
    [False, True]
    >>> is_due(None, 0)
    True
    """
    if counted is None:
        return True
    took = counted.get("took_seconds")
    pause = int(took * _PART * SECOND) if isinstance(took, int | float) else 0
    return now - parse_time(str(counted.get("as_of"))) >= min(max(pause, _SOONEST), DAY)

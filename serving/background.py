"""Work beside the answers that goes on for as long as the service does, whatever happens to it once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
_WENT_WELL = 60.0
"""Seconds after which an error is a new one, and not the one before once more."""

log = logging.getLogger("nba.serving")


async def begun_again(name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do some work until it comes to its end or is cancelled; after an error it is begun again.

    Each error is told in the log. The pause after it grows while errors follow one another, and has a bound: keys that
    were revoked meanwhile still open the door.

    Parameters
    ----------
    name
        Of the work, as the log is to call it.
    work
        Begins it.
    """
    clock = asyncio.get_running_loop().time
    pause = FIRST_PAUSE
    while True:
        began = clock()
        try:
            return await work()
        except Exception:
            if clock() - began > _WENT_WELL:
                pause = FIRST_PAUSE
            log.exception("%s has failed and begins again in %.0f s", name, pause)
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)

"""Reading the catalogues before anybody asks, where the store is away at the start."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from features.store.store import Store, StoreAwayError, StoreError
from nba.tables.memory import tables_of

LOOK_SECONDS = 0.5

log = logging.getLogger("nba.serving")


async def read_catalogues(store: Store, now_us: Callable[[], int]) -> None:
    """Read them once, as soon as the store is there; a request that comes before that reads them itself."""
    while True:
        try:
            await asyncio.to_thread(tables_of, store, now_us())
        except StoreAwayError:
            await asyncio.sleep(LOOK_SECONDS)
        except StoreError as error:
            log.error("the catalogues cannot be read: %s", error)
            return
        else:
            log.info("the store is there, and its catalogues are read")
            return

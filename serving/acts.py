"""What others did about people: whom another process erased, restricted or corrected is forgotten here too.

A process remembers pasts for when the store is away. Another one, or a command, cannot reach into its memory; but each
such act has an entry in the audit log, with digests of all identities of the person. Where another file took the place
of the store's, what is remembered of the one before is forgotten as a whole.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection

from features.store.dialect import StoreError
from features.store.own_names import bare
from features.store.store import Store
from features.store.tombstones import digest_of, key_of
from nba.privacy.trail import digests_in
from serving.recent import Recent

LOOK_SECONDS = 2.0

log = logging.getLogger("nba.serving")


class Acts:
    """The entries of the audit log, as far as they were heeded.

    Parameters
    ----------
    store
        Where the log is.
    recent
        What forgets the people that it is about.
    keeps
        Whether anything waits that the store does not have yet: until then what is remembered knows more.
    """

    def __init__(self, store: Store, recent: Recent, keeps: Callable[[], bool] = lambda: False) -> None:
        self._store, self._recent, self._keeps = store, recent, keeps
        self._number, self._generation = 0, store.generation

    async def heed(self) -> None:
        """Forget whom new entries are about.

        Raises
        ------
        StoreError
            Where the log cannot be read.
        """
        generation = self._store.generation
        if generation != self._generation:
            self._number = 0
        number, key, digests = await asyncio.to_thread(self._read)
        if key is not None and digests:
            # Asked for only now: whatever is kept from here on was read after these acts.
            names = self._recent.names
            for name in await asyncio.to_thread(_among, names, key, digests):
                self._recent.forget(name)
        self._number = number
        if generation != self._generation and not self._keeps():
            for name in self._recent.names:
                self._recent.forget(name)
            self._generation = generation

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.heed()
            except StoreError as error:
                log.debug("what was done about people cannot be seen: %s", error)

    def _read(self) -> tuple[int, str | None, frozenset[str]]:
        """Return the number of the newest entry, the key of digests, and those of whom new entries are about."""
        last = self._store.last_audit_row()
        if last is None or last.number <= self._number:
            return self._number, None, frozenset()
        rows = [row for row in self._store.audit_rows(self._number) if row.number <= last.number]
        return last.number, key_of(self._store), frozenset(each for row in rows for each in digests_in(row))


def _among(names: Collection[str], key: str, digests: Collection[str]) -> list[str]:
    """Return the names that these digests are of, also as callers who see some contacts only keep them."""
    return [name for name in names if any(digest_of(key, each) in digests for each in {name, bare(name)})]

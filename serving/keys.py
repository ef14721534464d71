"""Keys: the text that a caller holds, and the ring of all there are, kept in memory and read anew every second.

At a start without the store those that were read last are taken from the disk. A key that is not among them may be a
new one, so that it is not called wrong; and where none are remembered nobody knows whether a key is asked for, so that
the door stays shut.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from features.store.dialect import StoreAwayError, StoreError
from features.store.keys import stored_keys
from nba.partners.visibility import Viewer
from serving.caller import Caller

if TYPE_CHECKING:
    from features.rows.row_types import KeyRow
    from features.store.reading import Reading
    from serving.remembered_keys import RememberedKeys

PREFIX = "nba_"
"""What every key begins with, so that scanners find one that was left in a repository."""

READ_EVERY = 1.0
"""Seconds between two readings of the store: a key that was added or revoked is known within two."""

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BYTES = 32
_LENGTH = 43
"""62**43 is the first power of 62 above 256**32."""
_LONGEST = 200
_BUCKET = 8
_NO_DIGEST = "0" * 64
_EVER = 2**63

log = logging.getLogger("nba.serving")


def new_key() -> str:
    """Make a key of 256 bits nobody can guess.

    Examples
    --------
    >>> len(new_key()), new_key()[:4], new_key() == new_key()
    (47, 'nba_', False)
    """
    number = int.from_bytes(secrets.token_bytes(_BYTES), "big")
    letters = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[digit])
    return PREFIX + "".join(letters)


def digest_of(key: str) -> str:
    """Return what the store keeps of a key.

    A key has 256 bits of chance, so that one fast hash protects it as well as a slow one would.
    """
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def is_live(row: KeyRow, now_us: int) -> bool:
    """Whether a key opens the door at a moment."""
    return row.revoked_at is None and (row.expires_at is None or now_us < row.expires_at)


@dataclass(frozen=True)
class _Held:
    digest: str
    caller: Caller
    ends_at: int


class Ring:
    """The keys that there are, ready to be looked up; it never changes.

    Parameters
    ----------
    rows
        Every key of the store, the revoked and the expired ones too.
    is_whole
        Whether the store itself has told them: there may be others otherwise.
    """

    def __init__(self, rows: Iterable[KeyRow] = (), *, is_whole: bool = True) -> None:
        self.rows = tuple(rows)
        self.is_whole = is_whole
        self._held: dict[str, list[_Held]] = {}
        self._pages: dict[str, int] = {}
        for row in self.rows:
            if row.revoked_at is None:
                self._hold(row)

    @property
    def is_unused(self) -> bool:
        """Whether there never was a key, not even one that is revoked by now."""
        return self.is_whole and not self.rows

    def live(self, now_us: int) -> int:
        """Count the keys that open the door."""
        return sum(is_live(row, now_us) for row in self.rows)

    def caller(self, key: str, now_us: int) -> Caller | None:
        """Return whose key this is; None where it opens nothing.

        How long it takes tells nothing of the keys there are: what is looked up by is a hash that a caller cannot
        steer, and the rest is compared whole.
        """
        if len(key) > _LONGEST or not key.isascii():
            return None
        digest = digest_of(key)
        found = None
        for held in self._held.get(digest[:_BUCKET], _NOTHING):
            if hmac.compare_digest(held.digest, digest) and now_us < held.ends_at:
                found = held.caller
        return found

    def holder(self, key_id: str, now_us: int) -> Caller | None:
        """Return who holds the key of an id, while it opens anything."""
        held = (each for bucket in self._held.values() for each in bucket)
        found = next((each for each in held if each.caller.key_id == key_id), None)
        return found.caller if found is not None and now_us < found.ends_at else None

    def lets_pages(self, origin: str, now_us: int) -> bool:
        """Whether a live public key lists an origin, such as ``https://shop.example``."""
        return now_us < self._pages.get(origin, -_EVER)

    def _hold(self, row: KeyRow) -> None:
        ends_at = _EVER if row.expires_at is None else row.expires_at
        held = _Held(row.digest, caller_with(row), ends_at)
        self._held.setdefault(row.digest[:_BUCKET], []).append(held)
        for origin in row.origins if row.public else ():
            self._pages[origin] = max(ends_at, self._pages.get(origin, -_EVER))


_NOTHING = [_Held(_NO_DIGEST, Caller("", "", frozenset()), -_EVER)]
"""What a key is compared with that is like none."""


def caller_with(row: KeyRow) -> Caller:
    """Return who holds a key."""
    return Caller(
        key_id=row.key_id,
        name=row.name,
        scopes=frozenset(row.scopes),
        viewer=Viewer(partner=row.partner, owner=row.owner),
        is_public=row.public,
        origins=row.origins,
        rate=row.rate,
    )


def ring_at_start(store: Reading, remembered: RememberedKeys, now_us: int) -> Ring:
    """Return the keys as the store tells them; while it is away, as they are remembered."""
    try:
        return Ring(stored_keys(store))
    except StoreAwayError:
        return Ring(remembered.recall(now_us), is_whole=False)


class Keys:
    """The ring as it was last read; whole from the first reading on.

    Parameters
    ----------
    now_us
        The real time, by which keys expire; not the clock that decisions are made by.
    has_tokens
        Whether there are callers without any of these keys.
    """

    def __init__(self, now_us: Callable[[], int], *, has_tokens: bool = False) -> None:
        self.now_us = now_us
        self.has_tokens = has_tokens
        self.ring = Ring(is_whole=False)
        self._remembered: RememberedKeys | None = None
        self._is_away = False

    @property
    def open_nothing(self) -> bool:
        """Whether nobody can be told from anybody: no key is known, nor whether there are any."""
        return not (self.ring.is_whole or self.ring.rows or self.has_tokens)

    def begin(self, store: Reading, remembered: RememberedKeys) -> None:
        """Read the keys, or recall them while the store is away."""
        self._remembered = remembered
        self.ring = ring_at_start(store, remembered, self.now_us())
        if self.ring.is_whole:
            remembered.keep(self.ring.rows, self.now_us())

    def read(self, store: Reading) -> None:
        """Read the keys.

        Raises
        ------
        StoreError
            Where the store cannot be read.
        """
        rows = tuple(stored_keys(store))
        if rows != self.ring.rows or not self.ring.is_whole:
            self.ring = Ring(rows)
        if self._remembered is not None:
            self._remembered.keep(rows, self.now_us())

    async def watch(self, store: Reading) -> None:
        """Read them again and again; while the store is away the last ones stay."""
        while True:
            await asyncio.sleep(READ_EVERY)
            try:
                await asyncio.to_thread(self.read, store)
                self._is_away = False
            except StoreError as error:
                if not self._is_away:
                    log.error("keys cannot be read, so the last ones stay in use: %s", error)
                self._is_away = True

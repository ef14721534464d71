"""Buckets of tokens, one for each key: of one process, or of several that answer at one address."""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol


class Buckets(Protocol):
    """What each key has left."""

    def take(self, key: str, rate: float, now: float) -> float:
        """Take a token.

        Parameters
        ----------
        key
            Whose bucket; a new one is full.
        rate
            Tokens that come in a second. A bucket holds what a second brings, at least one, so that calls may come at
            once that would be allowed one after the other.
        now
            Seconds since some moment, the same for all who share the buckets.

        Returns
        -------
        float
            0 where there was one, else the seconds until there is.
        """


def filled(bucket: tuple[float, float] | None, rate: float, now: float) -> float:
    """Return what a bucket holds by now that held so much at a moment.

    Examples
    --------
    >>> filled((0.0, 10.0), 4.0, 10.5), filled((0.0, 10.0), 4.0, 99.0), filled(None, 0.1, 0.0)
    (2.0, 4.0, 1.0)
    """
    most = max(1.0, rate)
    if bucket is None:
        return most
    left, at = bucket
    # A file may be older than the machine's clock.
    return min(most, left + max(now - at, 0.0) * rate)


class OwnBuckets:
    """Buckets of this process."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, key: str, rate: float, now: float) -> float:
        """Take a token; returns the seconds until there is one, 0 where there was."""
        left = filled(self._buckets.get(key), rate, now)
        is_there = left >= 1.0
        self._buckets[key] = (left - is_there, now)
        return 0.0 if is_there else (1.0 - left) / rate


class SharedBuckets:
    """Buckets in a file that several processes of a machine have in their memory.

    Parameters
    ----------
    path
        The file; made where there is none.
    room
        How many keys it has room for, a multiple of 16. With more of them those that were not used for longest
        begin anew.
    """

    def __init__(self, path: Path, room: int = 4096) -> None:
        self._room = room
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(self._file, room * _SLOT.size)
        self._slots = mmap.mmap(self._file, room * _SLOT.size)

    def close(self) -> None:
        """Let go of the file."""
        self._slots.close()
        os.close(self._file)

    def take(self, key: str, rate: float, now: float) -> float:
        """Take a token; returns the seconds until there is one, 0 where there was."""
        digest = hashlib.blake2b(key.encode(errors="surrogatepass"), digest_size=_DIGEST).digest()
        with self._locked():
            place, bucket = self._find(digest)
            left = filled(bucket, rate, now)
            is_there = left >= 1.0
            _SLOT.pack_into(self._slots, place, digest, left - is_there, now)
        return 0.0 if is_there else (1.0 - left) / rate

    def _find(self, digest: bytes) -> tuple[int, tuple[float, float] | None]:
        """Return where a key's bucket stands, and what is in it; None where it is a new one."""
        first = int.from_bytes(digest[:4], "big") % (self._room // _NEAR) * _NEAR
        oldest, oldest_at = 0, float("inf")
        for number in range(first, first + _NEAR):
            place = number * _SLOT.size
            known, left, at = _SLOT.unpack_from(self._slots, place)
            if known == digest:
                return place, (left, at)
            if known == _NOBODY:
                return place, None
            if at < oldest_at:
                oldest, oldest_at = place, at
        return oldest, None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # Of the kernel, which opens it again where a process dies with it.
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)


_DIGEST = 16
_NOBODY = bytes(_DIGEST)
_SLOT = struct.Struct("=16sdd")
_NEAR = 16
"""How many places there are for a key."""

"""The keys as they were read last, on the disk: for a start while the store is away.

Of a key there is its hash, as in the store; with it nobody can call. The file is sealed with the service's secret, so
that whoever can write there, but does not know that, makes no key.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import orjson

from features.rows.row_types import KeyRow
from features.times import DAY, SECOND

FILE = ".nba-keys"
HOLDS = DAY
"""Microseconds for which keys are remembered that nobody has read since: some may have been revoked by now."""
_CONFIRMED_EVERY = 600 * SECOND
_AHEAD = 300 * SECOND
"""How far clocks may differ."""

log = logging.getLogger("nba.serving")


class RememberedKeys:
    """A file with the keys of one store.

    Parameters
    ----------
    folder
        Of ``nba.toml``.
    secret
        Of the service.
    url
        Of the store: keys of another one open nothing here.
    """

    def __init__(self, folder: Path, secret: bytes, url: str) -> None:
        self._path = folder / FILE
        self._seal_key = hmac.digest(secret, b"remembered keys", "sha256")
        self._store = hashlib.sha256(url.encode(errors="surrogateescape")).hexdigest()
        self._last: tuple[Sequence[KeyRow], int] | None = None
        self._cannot = False

    def keep(self, rows: Iterable[KeyRow], now_us: int) -> None:
        """Remember that these were all the keys at a moment; written where they have changed, and now and then.

        Where the file cannot be written nothing is remembered, which the log tells once.
        """
        kept = tuple(rows)
        if self._last is not None and self._last[0] == kept and 0 <= now_us - self._last[1] < _CONFIRMED_EVERY:
            return
        self._last = kept, now_us
        told = orjson.dumps({"store": self._store, "read_at": now_us, "keys": [list(row) for row in kept]})
        try:
            self._write(self._seal(told) + b"\n" + told)
        except OSError as error:
            if not self._cannot:
                log.warning("keys are not remembered for a start without the store: %s", error.strerror)
            self._cannot = True

    def recall(self, now_us: int) -> tuple[KeyRow, ...]:
        """Return the keys as they were read last.

        None where that was too long ago, or the file is not ours or of a version that told keys otherwise.
        """
        try:
            seal, _, told = self._path.read_bytes().partition(b"\n")
        except OSError:
            return ()
        if not hmac.compare_digest(seal, self._seal(told)):
            return ()
        found = orjson.loads(told)
        if found["store"] != self._store or not -_AHEAD <= now_us - found["read_at"] <= HOLDS:
            return ()
        keys = found["keys"]
        if any(len(each) != len(KeyRow._fields) for each in keys):
            return ()
        return tuple(_row(each) for each in keys)

    def _seal(self, told: bytes) -> bytes:
        return hmac.digest(self._seal_key, told, "sha256").hex().encode()

    def _write(self, text: bytes) -> None:
        # Aside and then into place: several workers write it, and each start finds a whole one.
        draft = self._path.with_name(f"{FILE}.{os.getpid()}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
        finally:
            with suppress(FileNotFoundError):
                draft.unlink()


def _row(told: Sequence[object]) -> KeyRow:
    return KeyRow._make(tuple(each) if isinstance(each, list) else each for each in told)

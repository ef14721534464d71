"""Chance as an argument: keyed hashes that can be replayed by us and not chosen by a caller."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from features.times import DAY, to_datetime

_BLOCK = 64
"""Bytes that SHA-256 takes at once."""
_HOLDOUT_SALT = b"nba holdout 1"


@dataclass(frozen=True)
class Draw:
    """The chance that belongs to one caller.

    Parameters
    ----------
    secret
        Known to the service alone, so that no caller can look for an id that draws what it wants.
    key
        Name of the caller's key: the same decision id of another caller draws anew.
    """

    secret: bytes
    key: str = ""

    def fraction(self, decision_id: str) -> float:
        """Return a number in [0, 1), always the same for a decision."""
        return _fraction(self._digest("draw", decision_id))

    def fraction_beside(self, decision_id: str) -> float:
        """Return another such number: for whatever is chosen while a request sets that decision aside."""
        return _fraction(self._digest("beside", decision_id))

    def fraction_in_slot(self, decision_id: str, slot: int) -> float:
        """Return another such number for each slot of a decision."""
        return _fraction(self._digest("slot", decision_id, str(slot)))

    def fresh_id(self, *of: object) -> str:
        """Name a decision that the caller did not: the same question at the same moment is the same."""
        return self._digest("id", *map(str, of)).hex()[:32]

    def _digest(self, *parts: str) -> bytes:
        begun = _keyed(self.secret)
        inner, outer = begun[0].copy(), begun[1].copy()
        inner.update("\0".join((self.key, *parts)).encode("utf-8", "surrogatepass"))
        outer.update(inner.digest())
        return outer.digest()


# To set the key up costs more than what is hashed with it.
@lru_cache(maxsize=64)
def _keyed(secret: bytes) -> tuple[hashlib._Hash, hashlib._Hash]:
    """Return the two hashes of HMAC-SHA-256 (RFC 2104) after their keys."""
    key = (hashlib.sha256(secret).digest() if len(secret) > _BLOCK else secret).ljust(_BLOCK, b"\0")
    return hashlib.sha256(bytes(byte ^ 0x36 for byte in key)), hashlib.sha256(bytes(byte ^ 0x5C for byte in key))


def pick(chances: Iterable[float], fraction: float) -> int:
    """Return the column that a number in [0, 1) falls on, chances laid end to end in their order.

    Parameters
    ----------
    chances
        One per action, summing to 1; a column with chance 0 is never picked.
    """
    reached, last = 0.0, 0
    for column, chance in enumerate(chances):
        if chance > 0.0:
            reached, last = reached + chance, column
            if fraction < reached:
                return column
    # Rounding may leave the sum a little below 1.
    return last


def quarter(as_of: int) -> str:
    """Name of the calendar quarter, in UTC.

    Examples
    --------
    >>> quarter(0)
    '1970Q1'
    """
    moment = to_datetime(as_of)
    return f"{moment.year}Q{(moment.month + 2) // 3}"


def in_holdout(contact: str, account: str | None, as_of: int, share: float) -> bool:
    """Whether a contact gets the points baseline this quarter; an account's contacts are treated alike."""
    who = f"account:{account}" if account else f"contact:{contact}"
    found = _quarter_hash(as_of // DAY).copy()
    found.update(who.encode("utf-8", "surrogatepass"))
    return _fraction(found.digest()) < share


@lru_cache(maxsize=1_024)
def _quarter_hash(day: int) -> hashlib._Hash:
    """Return the hash that every contact's begins with on a day since 1970, in UTC."""
    return hashlib.sha256(b"\0".join((_HOLDOUT_SALT, quarter(day * DAY).encode(), b"")))


def _fraction(digest: bytes) -> float:
    return (int.from_bytes(digest[:8], "big") >> 11) * 2.0**-53

"""Chance as an argument: keyed hashes that can be replayed by us and not chosen by a caller."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

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
        inner, outer = _keys(self.secret)
        told = "\0".join((self.key, *parts)).encode("utf-8", "surrogatepass")
        return sha256(outer + sha256(inner + told).digest()).digest()


# To set the keys up costs more than what is hashed with them.
@lru_cache(maxsize=64)
def _keys(secret: bytes) -> tuple[bytes, bytes]:
    """Return the inner and the outer key of HMAC-SHA-256 (RFC 2104)."""
    key = (sha256(secret).digest() if len(secret) > _BLOCK else secret).ljust(_BLOCK, b"\0")
    return bytes(byte ^ 0x36 for byte in key), bytes(byte ^ 0x5C for byte in key)


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
    if share <= 0.0:
        return False
    who = f"account:{account}" if account else f"contact:{contact}"
    told = _of_quarter(as_of // DAY) + who.encode("utf-8", "surrogatepass")
    return _fraction(sha256(told).digest()) < share


@lru_cache(maxsize=1_024)
def _of_quarter(day: int) -> bytes:
    """Return what is hashed before every contact's name on a day since 1970, in UTC."""
    return b"\0".join((_HOLDOUT_SALT, quarter(day * DAY).encode(), b""))


def _fraction(digest: bytes) -> float:
    return (int.from_bytes(digest[:8], "big") >> 11) * 2.0**-53

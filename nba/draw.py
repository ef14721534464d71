"""Chance as an argument: keyed hashes that can be replayed by us and not chosen by a caller."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.times import to_datetime

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
        message = b"\0".join(part.encode("utf-8", "surrogatepass") for part in (self.key, *parts))
        return hmac.digest(self.secret, message, hashlib.sha256)


def pick(chances: NDArray[np.float64], fraction: float) -> int:
    """Return the column that a number in [0, 1) falls on, chances laid end to end in their order.

    Parameters
    ----------
    chances
        Shape (n_actions,), summing to 1; a column with chance 0 is never picked.
    """
    reached, last = 0.0, 0
    for column, chance in enumerate(chances.tolist()):
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
    message = b"\0".join((_HOLDOUT_SALT, quarter(as_of).encode(), who.encode("utf-8", "surrogatepass")))
    return _fraction(hashlib.sha256(message).digest()) < share


def _fraction(digest: bytes) -> float:
    return (int.from_bytes(digest[:8], "big") >> 11) * 2.0**-53

"""What a call of a tracking client, webhook or event source brings, before it is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from features.rows.row_types import ContactRow, LinkRow, QuarantineRow, RecordRow, TouchpointRow
from features.rows.schema import TOUCHPOINTS

MOST_KEPT = 32 * 1024
"""How many bytes of what is refused are kept."""


@dataclass(frozen=True)
class Refusal:
    """One touchpoint or event that is refused; ``index`` counts from 0 in the list."""

    index: int
    raw: bytes
    reason: str
    rule: str
    is_object: bool

    def row(self, now_us: int, source: str, nth: int) -> QuarantineRow:
        """Lay it out for the quarantine; ``nth`` counts equal ones before it in the same call."""
        return QuarantineRow(
            table=TOUCHPOINTS.name,
            raw=self._kept(),
            reason=self.reason,
            rule=self.rule,
            refused_at=now_us,
            file=source,
            line=self.index + 1,
            nth=nth,
        )

    def _kept(self) -> str:
        """JSON: the object itself where it can be read, else its bytes spelt out in a text."""
        if self.is_object and len(self.raw) <= MOST_KEPT:
            return self.raw.decode()
        text = self.raw[:MOST_KEPT].decode(errors="backslashreplace").replace("\0", "\\x00")
        return orjson.dumps(text).decode()


@dataclass(frozen=True, slots=True)
class Message:
    """What one event says: a touchpoint, or what is known of somebody since its time.

    ``message_id`` tells repeats of events without a touchpoint apart; a touchpoint has its own id. ``left_out`` are
    sentences about what the event says and the caller may not.
    """

    index: int
    raw: bytes
    source: str
    touchpoint: TouchpointRow | None = None
    message_id: str = ""
    contacts: tuple[ContactRow, ...] = ()
    accounts: tuple[RecordRow, ...] = ()
    links: tuple[LinkRow, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass
class Delivery:
    """What a call brought, good and bad."""

    is_list: bool
    messages: list[Message] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    belongings: list[ContactRow] = field(default_factory=list)
    """Whose the contacts are that came into being with it, where its caller is bound to a partner or an owner."""

    @property
    def received(self) -> int:
        """How many touchpoints or events came, good and bad."""
        return len(self.messages) + len(self.refused)


def quarantine_rows(refused: Sequence[Refusal], now_us: int, place: str) -> list[QuarantineRow]:
    """Lay refusals out for the quarantine; equal ones of a call are counted apart."""
    seen: Counter[bytes] = Counter()
    rows = []
    for refusal in refused:
        rows.append(refusal.row(now_us, place, seen[refusal.raw]))
        seen[refusal.raw] += 1
    return rows

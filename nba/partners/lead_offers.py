"""What came of the leads that partners were offered, read from the touchpoints of their contacts.

A lead was taken where ``lead_accepted`` followed the offer, and won where the contact reached the goal after that and
within ``SETTLES``; it was lost where the partner said so (``lead_lost``), it went on to somebody else, or that time
passed. An offer without an answer within the partner's time counts as not taken.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from features.times import DAY
from nba.partners.leads import ACCEPTED, DECLINED, KINDS, LOST, OFFERED, PARTNER, properties
from nba.partners.partners import VETO_US
from nba.past import Past

SETTLES = 180 * DAY
"""A lead that was taken and not won within this time is lost; microseconds."""

_UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A lead that was offered to a partner; times in microseconds."""

    partner: str
    at: int
    topic: str | None = None
    taken: bool | None = None
    """None: the partner has not answered and has time left."""
    taken_at: int | None = None
    won_at: int | None = None
    lost_at: int | None = None
    """When the partner gave it up, or it was offered to somebody else."""

    @property
    def ends_at(self) -> int:
        """When the partner has it in hand no more, as far as is known."""
        if self.taken_at is None:
            return self.at + VETO_US
        return min(at for at in (self.won_at, self.lost_at, self.taken_at + SETTLES) if at is not None)

    def is_open(self, as_of: int) -> bool:
        """Whether the partner has it in hand."""
        return self.taken is None or (self.taken_at is not None and self.won_at is None and not self.is_lost(as_of))

    def is_lost(self, as_of: int) -> bool:
        """Whether a lead that was taken can be won no more."""
        if self.taken_at is None or self.won_at is not None:
            return False
        return self.lost_at is not None or as_of >= self.taken_at + SETTLES


def offers_of(past: Past, kinds: Collection[str], as_of: int, *, answers_within: int = VETO_US) -> list[Offer]:
    """Return what became of every offer of a contact, by time.

    Parameters
    ----------
    kinds
        Those by which the goal is reached.
    answers_within
        How long a partner has to answer, in microseconds.
    """
    t = past.touchpoints
    if OFFERED not in t.kinds:
        return []
    return offers_in(list(_told(past, kinds)), as_of, answers_within=answers_within)


def offers_in(
    told: Sequence[tuple[int, str, str, str | None]], as_of: int, *, answers_within: int = VETO_US
) -> list[Offer]:
    """Return what became of every offer that was told of, by time.

    Parameters
    ----------
    told
        Time, kind, partner and topic of a contact's touchpoints about leads, times rising.
    """
    offered = [i for i, (_, kind, _, _) in enumerate(told) if kind == OFFERED]
    ends = [*offered[1:], len(told)][: len(offered)]
    return [
        _became(told[i:end], as_of, answers_within, told[end][0] if end < len(told) else None)
        for i, end in zip(offered, ends, strict=True)
    ]


def _told(past: Past, kinds: Collection[str]) -> Iterator[tuple[int, str, str, str | None]]:
    """Yield time, kind, partner and topic of what matters; orders have the kind "won"."""
    t = past.touchpoints
    for row, kind in enumerate(past.kinds):
        if kind in KINDS:
            partner = properties(t.properties[row]).get(PARTNER)
            if partner is not None:
                about = t.topic[t.topic_start[row] : t.topic_start[row + 1]].tolist()
                yield past.times[row], kind, str(partner), t.topics[about[0]] if about else None
        elif kind in kinds and not t.outbound[row]:
            yield past.times[row], _WON, _UNKNOWN, None


_WON = "won"


def _became(
    told: Sequence[tuple[int, str, str, str | None]], as_of: int, answers_within: int, passed_on_at: int | None
) -> Offer:
    at, _, partner, topic = told[0]
    own = [(when, kind) for when, kind, who, _ in told if who == partner]
    answer = next(((when, kind) for when, kind in own if kind in (ACCEPTED, DECLINED)), None)
    if answer is None:
        return Offer(partner, at, topic, None if passed_on_at is None and as_of < at + answers_within else False)
    since, kind = answer
    if kind == DECLINED:
        return Offer(partner, at, topic, False)
    won_at = next((when for when, what, _, _ in told if what == _WON and since <= when < since + SETTLES), None)
    gave_up = next((when for when, what in own if what == LOST and when >= since), None)
    return Offer(partner, at, topic, True, since, won_at, passed_on_at if gave_up is None else gave_up)


def open_leads(offers: Iterable[Offer], as_of: int) -> dict[str, int]:
    """Count the leads that each partner has in hand."""
    found: dict[str, int] = {}
    for offer in offers:
        if offer.is_open(as_of):
            found[offer.partner] = found.get(offer.partner, 0) + 1
    return found

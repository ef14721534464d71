"""What partners have in hand, and how much less they take the more that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from math import exp, log

from nba.partners.lead_offers import Offer

_PARTS = 3
"""A partner's load is told apart in so many equal parts of its capacity."""
_USUAL = 16.0
"""So many offers without any effect are added to each part."""


@dataclass(frozen=True)
class LoadEffect:
    """How the chance that a partner takes a lead moves with its load, in logits for each part of its capacity."""

    moves: Sequence[float] = (0.0,) * _PARTS

    @classmethod
    def of(cls, offers: Iterable[Offer], chances: Mapping[Offer, float], capacity: Mapping[str, int]) -> LoadEffect:
        """Compare what was taken under each load with what was to be expected of the same partners and topics.

        Parameters
        ----------
        chances
            Of taking each offer that was answered, whatever the load.
        capacity
            Of the partners that have one.
        """
        expected, taken, counts = [0.0] * _PARTS, [0.0] * _PARTS, [0] * _PARTS
        for offer, held in _loads(offers):
            room = capacity.get(offer.partner, 0)
            if offer in chances and room > 0:
                part = _part(held / room)
                expected[part] += chances[offer]
                taken[part] += bool(offer.taken)
                counts[part] += 1
        # What is usual for all loads is not an effect of any.
        usual = _move(sum(expected), sum(taken), sum(counts))
        return cls(
            tuple(_move(*each) - usual if each[2] else 0.0 for each in zip(expected, taken, counts, strict=True))
        )

    def on(self, chance: float, load: float) -> float:
        """Return a chance of taking as it is under a load, a part of the capacity.

        Examples
        --------
        >>> round(LoadEffect((0.0, 0.0, -1.0)).on(0.5, 0.9), 3), LoadEffect().on(0.3, 0.9)
        (0.269, 0.3)
        """
        move = self.moves[_part(load)]
        return chance if move == 0.0 else 1.0 / (1.0 + exp(-(_logit(chance) + move)))


def _loads(offers: Iterable[Offer]) -> list[tuple[Offer, int]]:
    """Return every offer with how many leads its partner had in hand just before."""
    by_partner: dict[str, list[Offer]] = {}
    for offer in offers:
        by_partner.setdefault(offer.partner, []).append(offer)
    found = []
    for mine in by_partner.values():
        ends: list[int] = []
        for offer in sorted(mine, key=lambda each: each.at):
            while ends and ends[0] <= offer.at:
                heappop(ends)
            found.append((offer, len(ends)))
            heappush(ends, offer.ends_at)
    return found


def _part(load: float) -> int:
    return max(0, min(int(load * _PARTS), _PARTS - 1))


def _move(expected: float, taken: float, n: int) -> float:
    if not n:
        return 0.0
    chance = expected / n
    return _logit((taken + _USUAL * chance) / (n + _USUAL)) - _logit(chance)


def _logit(chance: float) -> float:
    return log(chance / (1.0 - chance))

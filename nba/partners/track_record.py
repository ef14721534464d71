"""How often a partner took the leads it was offered and won those it took, by topic, shrunken where little is known.

A lead that may still be won counts as lost as far as such leads are usually won by its age; to leave it out would count
winners alone, who are known first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import exp, lgamma, log

from features.frozen import Frozen
from nba.partners.lead_load import LoadEffect
from nba.partners.lead_offers import Offer, open_leads

_STRENGTHS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
_USUAL_STRENGTHS = (4.0, 16.0, 64.0, 256.0)
_UNKNOWN = ""


@dataclass(frozen=True)
class Rate:
    """A chance, and from how many cases of this partner and topic it was learnt."""

    chance: float
    cases: float


class Rates:
    """Chances by partner and topic.

    A partner's chance for a topic is the mean of a Beta distribution: what was seen, and ``strength`` cases of what
    the partner's other topics and the topic's other partners make likely, added on the logit scale. These lean in
    turn, by ``usual_strength`` cases, on what is usual. The two strengths are those under which what was seen is
    likeliest (beta-binomial; parametric empirical Bayes, Morris 1983).

    Parameters
    ----------
    cases
        (partner, topic, success, weight); a success has the weight 1.
    """

    def __init__(self, cases: Iterable[tuple[str, str | None, bool, float]]) -> None:
        self._cells: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._partners: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._topics: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._all = [0.0, 0.0]
        self._rates: dict[tuple[str, str], Rate] = {}
        for partner, topic, success, weight in cases:
            root = root_of(topic)
            for count in (self._cells[partner, root], self._partners[partner], self._topics[root], self._all):
                count[0] += success
                count[1] += weight

    def rate(self, partner: str, topic: str | None) -> Rate:
        """Return what is to be expected of a partner for a topic.

        Examples
        --------
        >>> seen = [("north", "pumps", True, 1.0)] * 8 + [("south", "pumps", False, 1.0)] * 8
        >>> rates = Rates(seen)
        >>> rates.rate("north", "pumps").chance > 0.7 > rates.rate("new", "pumps").chance > 0.3
        True
        """
        key = partner, root_of(topic)
        if key not in self._rates:
            won, n = self._cells.get(key, (0.0, 0.0))
            prior = self._prior(key, self.usual_strength)
            self._rates[key] = Rate((won + self.strength * prior) / (n + self.strength), n)
        return self._rates[key]

    @property
    def strength(self) -> float:
        """How many cases of its own the expectation of a partner and topic is worth."""
        return self._strengths[0]

    @property
    def usual_strength(self) -> float:
        """How many cases what is usual is worth beside those of a partner, or of a topic."""
        return self._strengths[1]

    @cached_property
    def _strengths(self) -> tuple[float, float]:
        likeliest = (float("-inf"), _STRENGTHS[-1], _USUAL_STRENGTHS[-1])
        for usual in _USUAL_STRENGTHS:
            cells = [(won, n, self._prior(key, usual)) for key, (won, n) in self._cells.items() if n > 0]
            for strength in _STRENGTHS:
                likeliest = max(likeliest, (_likelihood(cells, strength), strength, usual))
        return likeliest[1:]

    def _prior(self, key: tuple[str, str], usual_strength: float) -> float:
        """Chance from everything but the cell itself."""
        won, n = self._cells.get(key, (0.0, 0.0))
        usual = (self._all[0] + 1.0) / (self._all[1] + 2.0)
        parts = (self._partners.get(key[0], (0.0, 0.0)), self._topics.get(key[1], (0.0, 0.0)))
        moved = sum(
            _logit((part[0] - won + usual_strength * usual) / (part[1] - n + usual_strength)) - _logit(usual)
            for part in parts
        )
        return 1.0 / (1.0 + exp(-(_logit(usual) + moved)))


def _likelihood(cells: Sequence[tuple[float, float, float]], strength: float) -> float:
    """Log likelihood of successes, cases and expected chances, up to a constant."""
    total = 0.0
    for won, n, prior in cells:
        a, b = strength * prior, strength * (1.0 - prior)
        total += _log_beta(a + won, b + n - won) - _log_beta(a, b)
    return total


@dataclass(frozen=True)
class TrackRecord:
    """What came of all offers so far."""

    taken: Rates
    won: Rates
    open: Mapping[str, int]
    """How many leads each partner has in hand."""
    load: LoadEffect = field(default_factory=LoadEffect)

    @classmethod
    def of(
        cls,
        offers: Iterable[Offer],
        as_of: int,
        capacity: Mapping[str, int] = Frozen(),
        unlearnt: Iterable[Offer] = (),
    ) -> TrackRecord:
        """Count what is known at ``as_of``.

        Parameters
        ----------
        capacity
            How many leads at once each partner can take, of those that say so.
        unlearnt
            Further offers, of contacts that may not be profiled: they are in hand, and nothing is learnt from them.
        """
        known = list(offers)
        everything = [*known, *unlearnt]
        waits = sorted(o.won_at - o.taken_at for o in known if o.won_at is not None and o.taken_at is not None)
        taken = Rates((o.partner, o.topic, o.taken, 1.0) for o in known if o.taken is not None)
        won = Rates((o.partner, o.topic, o.won_at is not None, _settled(o, waits, as_of)) for o in known if o.taken)
        chances = {o: taken.rate(o.partner, o.topic).chance for o in known if o.taken is not None}
        return cls(taken, won, open_leads(everything, as_of), LoadEffect.of(everything, chances, capacity))


def _settled(offer: Offer, waits: Sequence[int], as_of: int) -> float:
    """Say how much of a taken lead is decided; ``waits`` are how long those that were won took, rising."""
    if offer.won_at is not None or offer.taken_at is None or offer.is_lost(as_of):
        return 1.0
    return bisect_right(waits, as_of - offer.taken_at) / len(waits) if waits else 0.0


def root_of(topic: str | None) -> str:
    """Return the topic's first level; parts follow a slash."""
    return _UNKNOWN if topic is None else topic.partition("/")[0]


def _logit(chance: float) -> float:
    return log(chance / (1.0 - chance))


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)

"""Visitor stitching: cookies that took over from each other on one device, found in one pass over time.

The pass sees sightings, links and words of consent in the order of their time, and what it says at a moment follows
from what happened until then alone: a link's ``seen_at`` is when its evidence sufficed, and where later evidence
speaks against a link, it is split at that later moment. So a run over more of the same data says the same again
and more, and in training no link is known before it could have been.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.identity import succession
from features.identity.chains import LEVELS, Chains
from features.identity.known_names import KnownNames
from features.identity.sightings import Sightings
from features.identity.visitors import Visitor, Visitors
from features.rows.row_types import LinkRow, SplitRow
from features.times import DAY, iso

I64 = NDArray[np.int64]

_LINK, _WORD, _SIGHTING = range(3)
_JUDGED_DAYS, _ENOUGH = 20, LEVELS[-1]


class Word(NamedTuple):
    """What an identity said about being stitched; ``at`` in microseconds."""

    identity: str
    at: int
    stands: bool


class Stitched(NamedTuple):
    """Links in the order of their ``seen_at``, and what ended some of them."""

    links: list[LinkRow]
    splits: list[SplitRow]


def stitch(
    sightings: Sightings,
    words: Iterable[Word],
    links: Iterable[LinkRow],
    *,
    limit: int = 25,
    window_us: int = 90 * DAY,
    refused: Iterable[tuple[str, str]] = (),
) -> Stitched:
    """Find visitors who took over from each other.

    Parameters
    ----------
    sightings
        In any order.
    words
        Consent to stitching, and its end, in any order. Whoever said nothing is joined with nobody.
    links
        That were not stitched: logins, clicks, aliases. Names of one source that differ are two persons.
    limit
        A spot (network, place and device) where more identities were seen joins nobody, and no chain is longer.
    window_us
        How long after one visitor's last sighting another may take over, and be judged by what it does.
    refused
        Pairs that a person split.

    Returns
    -------
    Stitched
        A pair has one link for each level of ``chains.LEVELS`` that its confidence reached, at the time it did.
    """
    told = sorted(words, key=lambda word: (word.at, word.identity, not word.stands))
    joined = sorted(links, key=lambda link: (link.seen_at, link.identity_a, link.identity_b))
    kind, number, at = _in_order(sightings, told, joined)
    crowd = _Pass(sightings, limit, window_us, frozenset((min(pair), max(pair)) for pair in refused))
    for what, which, moment in zip(kind.tolist(), number.tolist(), at.tolist(), strict=True):
        if what == _SIGHTING:
            crowd.see(sightings.identity[which], sightings.spot[which], moment)
        elif what == _WORD:
            crowd.hear(told[which])
        else:
            crowd.link(joined[which])
    return Stitched(crowd.chains.links, crowd.chains.splits)


def _in_order(sightings: Sightings, words: list[Word], links: list[LinkRow]) -> tuple[I64, I64, I64]:
    """Lay everything out by time, shape (n,): what it is, its place among its kind, when it happened.

    At one instant links and words come first; sightings then follow by their names, not by their codes, which
    depend on the order of arrival.
    """
    many = (len(links), len(words), len(sightings))
    at = np.concatenate(
        [
            np.fromiter((link.seen_at for link in links), np.int64, many[_LINK]),
            np.fromiter((word.at for word in words), np.int64, many[_WORD]),
            np.array(sightings.at, dtype=np.int64),
        ]
    )
    kind = np.repeat(np.array([_LINK, _WORD, _SIGHTING]), many)
    number = np.concatenate([np.arange(n) for n in many])
    first, second = number.copy(), np.zeros(len(at), dtype=np.int64)
    first[kind == _SIGHTING] = _rank(sightings.identities)[np.array(sightings.identity, dtype=np.int64)]
    second[kind == _SIGHTING] = _rank(sightings.spots)[np.array(sightings.spot, dtype=np.int64)]
    order = np.lexsort((second, first, kind, at))
    return kind[order], number[order], at[order]


def _rank(names: Sequence[Any]) -> I64:
    """Place of each name in the order of the alphabet."""
    found = np.empty(len(names), dtype=np.int64)
    found[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    return found


class _Pass:
    """The state of the pass at a moment."""

    def __init__(self, sightings: Sightings, limit: int, window_us: int, refused: frozenset[tuple[str, str]]) -> None:
        self.chains = Chains()
        self._known = KnownNames()
        self._visitors = Visitors(sightings, limit, window_us)
        self._names = sightings.identities
        self._codes = {name: code for code, name in enumerate(sightings.identities)}
        self._places = sightings.spots
        self._limit = limit
        self._window = window_us
        self._refused = refused

    def hear(self, word: Word) -> None:
        for name in self._known.agree(word.identity, word.stands):
            visitor = self._visitors.get(self._codes.get(name))
            if not word.stands:
                self._part_all(name, word.at, "consent to stitching was withdrawn")
            elif visitor is not None:
                # Evidence may be there already, for this one or for who came after; consent alone was missing.
                for each in (visitor, *(self._visitors[code] for code in visitor.followers)):
                    self._judge(each, word.at)

    def link(self, link: LinkRow) -> None:
        for visitor in self._known.link(link.identity_a, link.identity_b):
            if visitor in self._known.shared:
                self._part_all(visitor, link.seen_at, f"{visitor} turned out to be used by several persons")
            elif not self._known.agrees(visitor):
                self._part_all(visitor, link.seen_at, "consent to stitching had been withdrawn")
            else:
                self._part_strangers(visitor, link.seen_at)

    def see(self, code: int, spot: int, at: int) -> None:
        joint = self.chains.after(self._names[code])
        if joint is not None:
            self.chains.part(joint, at, f"{joint.older} was seen again at {iso(at)}, so both live on")
        tells = self._visitors.see(code, spot, at)
        if self._visitors.spots[spot].is_crowded:
            self.chains.close(spot, at, f"more than {self._limit} visitors share the network, place and device")
        if tells:
            self._judge(self._visitors[code], at)

    def _judge(self, visitor: Visitor, at: int) -> None:
        """Weigh who a visitor may have been before, now that something more is known of it."""
        joint = self.chains.before(visitor.name)
        is_over = visitor.days > _JUDGED_DAYS or at - visitor.first > self._window
        is_sure = joint is not None and joint.confidence >= _ENOUGH
        if is_over or is_sure or not visitor.candidates or not self._known.agrees(visitor.name):
            return
        strangers = {spot: self._stranger(spot, visitor) for spot in self._open_spots(visitor)}
        weights: dict[int, float] = {}
        for code, shared in list(visitor.candidates.items()):
            spots = [spot for spot in shared if spot in strangers]
            if self._visitors[code].last >= visitor.first or not spots:
                del visitor.candidates[code]
            else:
                stranger = min(strangers[spot] for spot in spots)
                weights[code] = self._odds(self._visitors[code], visitor, spots, stranger, at)
        if weights:
            best = min(weights, key=lambda code: (-weights[code], self._names[code]))
            confidence = weights[best] / (1.0 + sum(weights[code] * self._rivalry(best, code) for code in weights))
            if confidence >= LEVELS[0]:
                spots = [spot for spot in visitor.candidates[best] if spot in strangers]
                self._join(self._visitors[best], visitor, at, confidence, spots)

    def _open_spots(self, visitor: Visitor) -> set[int]:
        shared = {spot for spots in visitor.candidates.values() for spot in spots}
        return {spot for spot in shared if not self._visitors.spots[spot].is_crowded}

    def _stranger(self, spot: int, newer: Visitor) -> float:
        others = self._visitors.spots[spot].others
        explained = [code for code in others if self._visitors[code] is newer or self.chains.before(self._names[code])]
        return succession.arrives(self._visitors.company(spot, newer, explained), newer.days_at[spot])

    def _rivalry(self, code: int, other: int) -> float:
        """How much another candidate speaks against one: whoever was there at the same time is somebody else."""
        mine, others = self._visitors[code], self._visitors[other]
        is_other = mine.first <= others.last and others.first <= mine.last
        return 1.0 if is_other else succession.SOMEBODY_ELSE

    def _odds(self, older: Visitor, newer: Visitor, spots: list[int], stranger: float, at: int) -> float:
        gap, since = (newer.first - older.last) / DAY, (at - older.last) / DAY
        habit = older.habit(spots)
        found = succession.odds(habit, gap, since, stranger, len(spots))
        found *= succession.keeps_up(habit, newer.days, (at - newer.first) / DAY)
        taken = self.chains.after(older.name)
        return found if taken is None or taken.newer == newer.name else found * (1 - taken.confidence)

    def _join(self, older: Visitor, newer: Visitor, at: int, confidence: float, spots: list[int]) -> None:
        if not self._may_join(older.name, newer.name):
            return
        joint = self.chains.before(newer.name)
        if joint is not None and joint.older != older.name:
            self.chains.part(joint, at, f"{older.name} fits {newer.name} better")
        self.chains.join(older.name, newer.name, at, confidence, spots, self._told(older, newer, spots))

    def _may_join(self, older: str, newer: str) -> bool:
        """Whether nothing but the odds decides."""
        pair, known = (min(older, newer), max(older, newer)), self._known
        if not known.agrees(older) or pair in self._refused or known.are_joined(*pair):
            return False
        joint, taken = self.chains.before(newer), self.chains.after(older)
        if joint is not None and joint.older == older:
            return True
        if taken is not None or older in known.shared or newer in known.shared:
            return False
        left, right = self.chains.chain(older), self.chains.chain(newer)
        right = right[right.index(newer) :]
        return len(left) + len(right) <= self._limit and not known.differ(left, right)

    def _told(self, older: Visitor, newer: Visitor, spots: list[int]) -> dict[str, object]:
        """Put the evidence into words."""
        place = self._places[spots[0]]
        gap = (newer.first - older.last) / DAY
        others = len(self._visitors.spots[spots[0]].members) - 2
        return {
            "network": place.network,
            "place": place.place,
            "device": place.device,
            "why": f"same network, place and device; the first was seen on {older.days} days until {iso(older.last)}, "
            f"the second began {gap:.1f} days later and was seen on {newer.days} days, and the first never "
            f"again; {others} other visitors there",
        }

    def _part_all(self, visitor: str, at: int, reason: str) -> None:
        for joint in self.chains.joints(visitor):
            self.chains.part(joint, at, reason)

    def _part_strangers(self, visitor: str, at: int) -> None:
        """Part a chain of which two persons are known, where it is weakest between them."""
        for far, way in list(self.chains.ways(visitor)):
            if self._known.differ([visitor], [far]):
                weakest = min(way, key=lambda joint: (joint.confidence, joint.older))
                if self.chains.before(weakest.newer) is weakest:
                    self.chains.part(weakest, at, f"{visitor} and {far} are known to be different persons")

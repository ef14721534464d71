"""Visitor stitching in the simulated world, whose persons are known.

A pair is two cookies. Precision: of the pairs that stitching put into one contact, the part that is one person's.
Recall is measured over pairs of one person's cookies which were seen at one spot (network, place and device) that not
more than ``stitch_limit`` identities share, where the person agreed to stitching and never took that back. It is
claimed twice: where nobody else was ever seen with an equal device at that spot, and, lower, over all of them. The
difference are brothers with equal phones and colleagues with equal laptops, of whom nobody can tell whose cookie came
back; there stitching keeps silent rather than guess.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import pytest

from features.identity.identity import Identities
from features.identity.sightings import Sightings
from features.identity.stitching import Stitched, Word, stitch
from features.rows.row_types import LinkRow, SplitRow
from features.touchpoints.touchpoints import TouchpointRules
from training.world.simulate import World, simulate

SEEDS = (0, 1, 2)
EVER = 2**61
RULES = TouchpointRules(visitor_stitching=True)
Pair = tuple[str, str]


@dataclass(frozen=True)
class Case:
    world: World
    sightings: Sightings
    words: list[Word]
    found: Stitched


@cache
def case(seed: int) -> Case:
    world = simulate(500, seed=seed)
    sightings = Sightings.of(world.touchpoints)
    words = words_of(world)
    return Case(world, sightings, words, stitch(sightings, words, world.links))


def words_of(world: World) -> list[Word]:
    kinds = {"consent_given": True, "consent_withdrawn": False}
    return [Word(row.identity, row.occurred_at, kinds[row.kind]) for row in world.touchpoints if row.kind in kinds]


def contacts(case: Case, links: Iterable[LinkRow], splits: Iterable[SplitRow], rules: TouchpointRules) -> set[Pair]:
    identities = Identities.of(links, splits, rules)
    found: set[Pair] = set()
    for name in case.sightings.identities:
        members = identities.members(name, EVER)
        if members[0] == name:
            found.update(combinations(members, 2))
    return found


def joinable(case: Case) -> tuple[set[Pair], set[Pair]]:
    """Pairs that could be joined, and those of them at a spot that is one person's own."""
    withdrew = {case.world.person_of[word.identity] for word in case.words if not word.stands}
    agreed = {word.identity for word in case.words if case.world.person_of[word.identity] not in withdrew}
    members: dict[int, set[str]] = defaultdict(set)
    for identity, spot in zip(case.sightings.identity, case.sightings.spot, strict=True):
        members[spot].add(case.sightings.identities[identity])
    every: set[Pair] = set()
    own: set[Pair] = set()
    for names in members.values():
        if len(names) <= RULES.stitch_limit:
            same = {
                (a, b)
                for a, b in combinations(sorted(names & agreed), 2)
                if case.world.person_of[a] == case.world.person_of[b]
            }
            every |= same
            if len({case.world.person_of[name] for name in names}) == 1:
                own |= same
    return every, own


def test_who_is_joined_is_one_person() -> None:
    joined = right = 0
    for seed in SEEDS:
        each = case(seed)
        pairs = contacts(each, each.found.links, each.found.splits, RULES)
        joined += len(pairs)
        right += sum(each.world.person_of[a] == each.world.person_of[b] for a, b in pairs)
        assert right > 0.985 * joined
    assert right >= 0.99 * joined


def test_who_is_one_person_is_joined() -> None:
    hits_own = hits = all_own = all_pairs = 0
    for seed in SEEDS:
        each = case(seed)
        pairs = contacts(each, each.found.links, each.found.splits, RULES)
        every, own = joinable(each)
        hits, all_pairs = hits + len(pairs & every), all_pairs + len(every)
        hits_own, all_own = hits_own + len(pairs & own), all_own + len(own)
    assert all_own > 0.6 * all_pairs
    assert hits_own >= 0.90 * all_own
    assert hits >= 0.80 * all_pairs


def test_of_links_that_stand_the_confidence_is_the_part_that_is_right() -> None:
    best: dict[tuple[int, Pair], float] = {}
    right: dict[tuple[int, Pair], bool] = {}
    for seed in SEEDS:
        each = case(seed)
        parted = {split[:2] for split in each.found.splits}
        for link in each.found.links:
            if link[:2] in parted:
                continue
            key = (seed, link[:2])
            best[key] = max(best.get(key, 0.0), link.confidence or 0.0)
            right[key] = each.world.person_of[link.identity_a] == each.world.person_of[link.identity_b]
    for low, high, least in ((0.7, 0.9, 0.6), (0.9, 0.99, 0.88), (0.99, 1.01, 0.985)):
        inside = [right[key] for key, confidence in best.items() if low <= confidence < high]
        assert len(inside) > 50
        assert sum(inside) >= least * len(inside)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_contact_outgrows_the_limit_through_a_shared_spot(seed: int) -> None:
    each = case(seed)
    identities = Identities.of(each.found.links, each.found.splits, RULES)
    assert max(len(identities.members(name, EVER)) for name in each.sightings.identities) <= RULES.stitch_limit
    counts: dict[int, set[int]] = defaultdict(set)
    for identity, spot in zip(each.sightings.identity, each.sightings.spot, strict=True):
        counts[spot].add(identity)
    crowded = {each.sightings.spots[spot] for spot, names in counts.items() if len(names) > RULES.stitch_limit}
    assert any(spot.network.startswith("library") for spot in crowded)


@pytest.mark.parametrize("seed", SEEDS)
def test_switched_off_nobody_is_joined_by_it(seed: int) -> None:
    each = case(seed)
    off = TouchpointRules(visitor_stitching=False)
    with_them = contacts(each, [*each.world.links, *each.found.links], (), off)
    assert with_them == contacts(each, each.world.links, (), off)
    assert not contacts(each, each.found.links, each.found.splits, off)


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_is_joined_without_consent(seed: int) -> None:
    each = case(seed)
    agreed = {word.identity for word in each.words if word.stands}
    assert all({link.identity_a, link.identity_b} <= agreed for link in each.found.links)


@pytest.mark.parametrize("part", [0.4, 0.8])
def test_a_run_over_more_of_the_data_says_the_same_and_more(part: float) -> None:
    each = case(0)
    rows = each.world.touchpoints
    until = rows[int(part * len(rows))].occurred_at
    earlier = World([row for row in rows if row.occurred_at < until], [], [], {})
    links = [link for link in each.world.links if link.seen_at < until]
    found = stitch(Sightings.of(earlier.touchpoints), words_of(earlier), links)
    assert found.links == [link for link in each.found.links if link.seen_at < until]
    assert found.splits == [split for split in each.found.splits if split.at < until]


def test_the_order_of_arrival_changes_nothing() -> None:
    each = case(1)
    turned = stitch(Sightings.of(reversed(each.world.touchpoints)), reversed(each.words), reversed(each.world.links))
    assert turned == each.found

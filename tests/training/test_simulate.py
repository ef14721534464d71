"""The simulated world is what it says: the same for a seed, and with everything in it that stitching must bear."""

from collections import Counter, defaultdict
from itertools import pairwise

import orjson
import pytest

from features.times import DAY
from training.world.simulate import BEGIN, World, simulate


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(600, seed=11)


def test_a_seed_gives_one_world_and_another_seed_another() -> None:
    assert simulate(50, seed=1) == simulate(50, seed=1)
    assert simulate(50, seed=1).touchpoints != simulate(50, seed=2).touchpoints


def test_touchpoints_are_told_in_the_order_of_time_each_once(world: World) -> None:
    times = [row.occurred_at for row in world.touchpoints]
    assert times == sorted(times)
    assert BEGIN <= times[0]
    assert len({row.touchpoint_id for row in world.touchpoints}) == len(times)


def test_everybody_has_a_person_and_no_name_tells_which(world: World) -> None:
    assert {row.identity for row in world.touchpoints} <= world.person_of.keys()
    cookies = sorted(name for name in world.person_of if name.startswith("cookie:"))
    neighbours = sum(world.person_of[a] == world.person_of[b] for a, b in pairwise(cookies))
    assert neighbours < 0.05 * len(cookies)


def test_persons_lose_their_cookies_share_networks_and_do_not_all_log_in(world: World) -> None:
    of_person = Counter(person for name, person in world.person_of.items() if name.startswith("cookie:"))
    assert sum(count > 3 for count in of_person.values()) > 300
    persons_at: dict[str, set[str]] = defaultdict(set)
    for row in world.touchpoints:
        if row.kind not in ("consent_given", "consent_withdrawn"):
            network = orjson.loads(row.properties or "{}")["network"]
            persons_at[network].add(world.person_of[row.identity])
    shared = Counter(network.partition("-")[0] for network, found in persons_at.items() if len(found) > 1)
    assert {"home", "office", "carrier", "hotel"} <= shared.keys()
    assert max(len(found) for found in persons_at.values()) > 400
    known = {world.person_of[link.identity_a] for link in world.links if link.how == "login"}
    assert 150 < len(known) < 350


def test_a_machine_that_anybody_uses_is_linked_with_many(world: World) -> None:
    names = Counter(link.identity_a for link in world.links if link.how == "login")
    assert max(names.values()) > 25


def test_most_agree_to_stitching_and_few_take_it_back(world: World) -> None:
    said = Counter(row.kind for row in world.touchpoints)
    cookies = sum(name.startswith("cookie:") for name in world.person_of)
    assert 0.7 * cookies < said["consent_given"] < 0.95 * cookies
    assert 0 < said["consent_withdrawn"] < 0.05 * cookies


def test_contacts_have_an_account_and_a_role_where_they_work(world: World) -> None:
    business = [row for row in world.contacts if row.body["person_type"] == "business"]
    assert business
    assert all({"account", "role"} <= row.body.keys() for row in business)
    assert any(count > 3 for count in Counter(row.body["account"] for row in business).values())


def test_a_short_world_ends_when_it_should() -> None:
    assert max(row.occurred_at for row in simulate(40, seed=3, days=20).touchpoints) < BEGIN + 35 * DAY

"""The journey world is what it says: the same for a seed, continued by more days, with everything a journey has."""

from collections import Counter, defaultdict
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.times import DAY
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
from training.world.rules import KINDS, LEAST_DAYS, OUTBOUND, PURCHASE
from training.world.world import BEGIN, STAGES, WINDOW_DAYS, JourneyWorld, Truth, world


@pytest.fixture(scope="module")
def small() -> JourneyWorld:
    return world(400, seed=5, days=160)


def _same(a: Truth, b: Truth, n: int) -> bool:
    whole = ("actions", "costs", "ends_at", "window_days")
    columns = [f.name for f in fields(a) if f.name not in whole and "changed" not in f.name]
    return all(np.array_equal(getattr(a, name)[:n], getattr(b, name)[:n]) for name in columns)


def test_a_seed_gives_one_world_and_another_seed_another() -> None:
    first, again, other = (world(60, seed=seed, days=120) for seed in (1, 1, 2))
    assert first.touchpoints == again.touchpoints
    assert first.decisions == again.decisions
    assert first.contacts == again.contacts
    assert first.links == again.links
    assert _same(first.truth, again.truth, len(first.truth))
    assert first.touchpoints != other.touchpoints


@pytest.mark.parametrize("seed", range(3))
def test_more_days_are_the_same_world_continued(seed: int) -> None:
    short, long = (world(150, seed=seed, days=days) for days in (125, 155))
    assert long.touchpoints[: len(short.touchpoints)] == short.touchpoints
    assert long.touchpoints[len(short.touchpoints)].occurred_at >= short.end
    assert long.decisions[: len(short.decisions)] == short.decisions
    assert {link for link in long.links if link.seen_at < short.end} == set(short.links)
    assert _same(short.truth, long.truth, len(short.truth))
    moments = np.arange(short.begin, short.end, DAY // 2)
    who = np.arange(150)[:, None]
    assert np.array_equal(short.truth.stage_at(who, moments), long.truth.stage_at(who, moments))


def test_touchpoints_are_told_in_the_order_of_time_each_once_and_within_the_world(small: JourneyWorld) -> None:
    times = [row.occurred_at for row in small.touchpoints]
    assert times == sorted(times)
    assert small.begin == BEGIN <= times[0]
    assert times[-1] < small.end
    assert len({row.touchpoint_id for row in small.touchpoints}) == len(times)


def test_every_kind_happens_and_ours_are_marked_so(small: JourneyWorld) -> None:
    count = Counter(row.kind for row in world(400, seed=5, days=160, n_actions=6).touchpoints)
    assert set(count) == set(KINDS)
    assert all((row.direction == "outbound") == (row.kind in OUTBOUND) for row in small.touchpoints)


def test_every_action_that_was_taken_is_a_touchpoint_of_ours_with_its_decision(small: JourneyWorld) -> None:
    sent = {row.decision_id: row for row in small.touchpoints if row.direction == "outbound"}
    acted = {row.decision_id: row for row in small.decisions if row.action != "do_nothing"}
    assert sent.keys() == acted.keys()
    for name, row in sent.items():
        decision = acted[str(name)]
        assert (row.identity, row.action) == (decision.identity, decision.action)
        assert 0 < row.occurred_at - decision.decided_at < DAY // 24


def test_rows_and_columns_tell_the_same(small: JourneyWorld) -> None:
    """What goes through the store, devices put together, is what goes to the matrix directly."""
    whose = {link.identity_a: link.identity_b for link in world(400, seed=5, days=500).links}
    rows = [row._replace(identity=whose.get(row.identity, row.identity)) for row in small.touchpoints]
    rows = [row for row in rows if row.identity.startswith("crm:")]
    stored = Touchpoints.from_rows([row[:14] for row in rows], TouchpointRules())
    direct = small.as_touchpoints()
    known = [direct.contacts.index(name) for name in stored.contacts]
    told = direct.take(known)
    clean = np.isin(np.arange(len(stored.contacts)), _with_unknown_device(small), invert=True)
    for code in np.flatnonzero(clean).tolist():
        a, b = stored.only(code), told.only(code)
        assert np.array_equal(a.occurred_at, b.occurred_at)
        assert [a.kinds[k] for k in a.kind] == [b.kinds[k] for k in b.kind]
        assert np.array_equal(a.value, b.value, equal_nan=True)
        assert np.array_equal(a.outbound, b.outbound)
        assert [a.topics[t] for t in a.topic] == [b.topics[t] for t in b.topic]


def _with_unknown_device(lived: JourneyWorld) -> list[int]:
    """Contacts whose second device is never linked, so that rows cannot say whose it is."""
    return np.flatnonzero(lived.people.linked_on > 10_000).tolist()


def test_an_order_belongs_to_one_window_at_most_and_never_to_two(small: JourneyWorld) -> None:
    for every in (14, 17, 30):
        lived = world(150, seed=2, days=170, every=every, baseline=3.0)
        windows, orders = defaultdict(list), defaultdict(list)
        for decision in lived.decisions:
            windows[decision.identity].append(decision.decided_at)
        for row in lived.touchpoints:
            if row.kind == "order":
                orders[row.identity].append(row.occurred_at)
        for name, starts in windows.items():
            assert min(np.diff(starts), default=every * DAY) == every * DAY
            inside = [sum(at <= when < at + WINDOW_DAYS * DAY for when in orders[name]) for at in starts]
            assert max(inside) <= 1
        outside = sum(map(len, orders.values())) - sum(lived.truth.ordered[lived.truth.matured])
        assert outside > 20


def test_stages_last_and_follow_each_other_along_the_journey(small: JourneyWorld) -> None:
    truth = small.truth
    for number in range(400):
        mine = np.flatnonzero(truth.changed_contact == number)
        stage, at = truth.changed_stage[mine], truth.changed_at[mine]
        assert (np.diff(stage) != 0).all()
        for before, after, days in zip(stage[1:-1], stage[2:], np.diff(at)[1:] // DAY, strict=True):
            # Only an order ends a stage before its time.
            assert days > LEAST_DAYS[before] or after == PURCHASE
    shares = np.bincount(truth.stage, minlength=len(STAGES)) / len(truth)
    assert shares.min() > 0.05
    assert shares.max() < 0.40


def test_stage_at_a_moment_is_the_one_that_was_decided_in(small: JourneyWorld) -> None:
    truth = small.truth
    assert np.array_equal(truth.stage_at(truth.contact, truth.decided_at), truth.stage)
    assert truth.stage_names_at(truth.contact[:3], truth.decided_at[:3]) == [STAGES[s] for s in truth.stage[:3]]


def test_contacts_share_accounts_and_some_of_them_have_a_dealer_and_a_second_device(small: JourneyWorld) -> None:
    bodies = [row.body for row in small.contacts]
    business = [body for body in bodies if body["person_type"] == "business"]
    assert 0.7 * len(bodies) < len(business) < 0.9 * len(bodies)
    sizes = Counter(body["account"] for body in business)
    assert {1, 2, 3, 4} <= set(sizes.values())
    assert {body["role"] for body in business} == {"decision_maker", "user", "purchasing"}
    assert sizes.keys() <= {row.key for row in small.accounts}
    dealt = [body for body in bodies if "partner" in body]
    assert 0.1 * len(bodies) < len(dealt) < 0.45 * len(bodies)
    assert {body["partner"] for body in dealt} == {row.key for row in small.partners}
    dealers = defaultdict(set)
    for body in business:
        dealers[body["account"]].add(body.get("partner"))
    assert all(len(found) == 1 for found in dealers.values())
    cookies = {row.identity for row in small.touchpoints if row.identity.startswith("cookie:")}
    linked = {link.identity_a for link in small.links}
    assert 15 < len(linked) < 80
    assert linked & cookies
    assert cookies - linked
    assert len({link.identity_a for link in small.links}) == len(small.links)


def test_traits_are_known_since_the_world_began_or_later(small: JourneyWorld) -> None:
    since = [row.known_at - BEGIN for row in small.contacts]
    assert min(since) == 0
    assert 0.03 < np.mean(np.array(since) > 0) < 0.2


def test_a_world_without_told_probabilities_is_the_same_world() -> None:
    told = world(80, seed=4, days=120)
    silent = world(80, seed=4, days=120, known_probabilities=False)
    assert told.touchpoints == silent.touchpoints
    without = [replace(row, probability=None, allowed=None, chances=None, policy=None) for row in told.decisions]
    assert without == silent.decisions
    assert np.array_equal(told.truth.logged, silent.truth.logged)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"n_contacts": 0}, "0 contacts"),
        ({"days": 0}, "0 days"),
        ({"n_actions": 0}, "n_actions is 0"),
        ({"every": 13}, "every is 13 days"),
        ({"history": -1}, "history is -1"),
        ({"baseline": 0.0}, r"baseline 0\.0"),
    ],
)
def test_what_makes_no_world_is_refused(wrong: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        world(**wrong)  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(
    n=st.integers(1, 25), days=st.integers(1, 60), n_actions=st.integers(1, 9), history=st.integers(0, 30),
    seed=st.integers(0, 2**32 - 1), confounded=st.booleans(),
)  # fmt: skip
def test_every_small_world_holds_together(
    n: int, days: int, n_actions: int, history: int, seed: int, confounded: bool
) -> None:
    lived = world(n, seed=seed, days=days, n_actions=n_actions, history=history, confounded=confounded)
    truth = lived.truth
    assert len(lived.decisions) == len(truth)
    assert truth.chance.shape == truth.logged.shape == (len(truth), n_actions + 1)
    assert ((truth.chance > 0) & (truth.chance < 1)).all()
    assert ((truth.match >= 0) & (truth.match <= 1 + 1e-12)).all()
    assert np.allclose(truth.logged.sum(axis=1), 1.0)
    assert all(lived.begin <= row.occurred_at < lived.end for row in lived.touchpoints)
    assert len(lived.as_touchpoints()) == len(lived.touchpoints)
    assert lived.as_touchpoints().contacts == [f"crm:{number:06}" for number in range(n)]

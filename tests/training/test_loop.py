"""The learning loop: nobody looks ahead, what is told adds up, what is good is found and what is not is dropped."""

import dataclasses

import numpy as np
import pytest

from training.loop.learning import learn
from training.loop.loop import BAD, GOOD, Loop, run
from training.loop.result import Day, LoopResult, over_seeds
from training.loop.scene import GOAL, Scene
from training.world.world import LiveWorld

SMALL = Loop(n_contacts=300, days=3, pilot=8, added_on=2, history=20, seed=3, every=14)
COLD = Loop(n_contacts=300, days=3, added_on=2, history=20, seed=3)
SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def small():
    return run(SMALL)


def test_a_loop_can_be_played_again(small):
    again = run(dataclasses.replace(SMALL, days=1))
    assert again.days == small.days[:1]


def test_nothing_beats_the_oracle_and_nothing_is_taken_before_it_is_there(small):
    assert len(small.days) == SMALL.days
    for day in small.days:
        assert day.oracle >= max(day.earned, day.uniform, day.nothing)
        assert sum(day.share) == pytest.approx(1.0)
        floor = SMALL.epsilon / (4 if day.day < SMALL.added_on else 6) * 0.999
        for name, share in zip(small.actions, day.share, strict=True):
            is_there = day.day >= SMALL.added_on or name not in (GOOD.name, BAD.name)
            assert share >= floor if is_there else share == 0.0


def test_evenly_drawn_actions_earn_what_evenly_drawn_actions_are_worth():
    result = run(dataclasses.replace(SMALL, policy="uniform", pilot=0, days=3))
    assert result.column("earned") == pytest.approx(result.column("uniform"))


def test_the_night_learns_from_ended_windows_alone(monkeypatch):
    """Every decision that teaches has ended, and teaches what the truth says of it."""
    loop = dataclasses.replace(SMALL, policy="greedy", added=())
    live = LiveWorld(loop.plan)
    allowed: list[np.ndarray] = []
    rng = np.random.default_rng(0)

    def choose(contact, at):
        allowed.extend(np.ones((len(contact), 4), dtype=bool))
        return rng.integers(0, 4, len(contact)), np.full((len(contact), 4), 0.25)

    for _ in range(loop.history + 12):
        live.next_day(choose)
    scene = Scene.of(live, policy="greedy", epsilon=0.0, worth=200.0, start=None)
    truth = scene.lived.truth
    taught = []
    monkeypatch.setattr("training.loop.learning.Effects.fit", lambda X, action, y, **more: taught.append(y))
    learn(scene, allowed)
    ended = truth.matured & (truth.decided_at + loop.window * 86_400_000_000 <= scene.past.end)
    assert 0 < ended.sum() < len(truth)
    order = np.lexsort((truth.contact[ended], truth.decided_at[ended]))
    assert np.array_equal(taught[0], truth.ordered[ended][order])
    assert scene.settings.goals[GOAL].horizon == loop.window * 86_400_000_000


def test_what_is_reached_is_the_gain_in_parts_of_the_oracles():
    days = tuple(Day(i, 100 * (i + 1), 10.0, 10.0 + i, 14.0, 11.0, (0.5, 0.5), (1.0, 0.0)) for i in range(3))
    result = LoopResult("greedy", ("do_nothing", "mail"), days)
    assert result.reached == pytest.approx([0.0, 0.25, 0.5])
    assert result.reached_in(-2) == pytest.approx((200 * 1 + 300 * 2) / (200 * 4 + 300 * 4))
    assert result.worth_in(0, 1) == pytest.approx(10 / 14)
    assert result.gained == pytest.approx([0.0, 200.0, 800.0])
    assert result.share_of("mail") == pytest.approx([0.5] * 3)
    assert result.share_of("mail", of_oracle=True) == pytest.approx([0.0] * 3)


@pytest.mark.parametrize("wrong", [{"policy": "best"}, {"days": 0}, {"pilot": -1}])
def test_what_makes_no_loop_is_refused(wrong):
    with pytest.raises(ValueError, match=str(next(iter(wrong.values())))):
        Loop(**wrong)


def test_what_a_pilot_teaches_is_worth_more_than_chance():
    result = run(Loop("greedy", n_contacts=1500, days=1, pilot=12, added=(), history=30, seed=2, every=14))
    chance = (result.column("uniform") - result.column("nothing")) / (
        result.column("oracle") - result.column("nothing")
    )
    assert result.reached_in(0) > chance[0] + 0.15


def test_who_begins_without_decisions_has_the_points_table_until_there_are_some():
    """As in the service: on the first day points and epsilon; then thompson tries, and greedy goes on with points."""
    tries, takes = (run(dataclasses.replace(COLD, policy=policy)) for policy in ("thompson", "greedy"))
    points = run(dataclasses.replace(COLD, policy="points", days=1))
    floor = COLD.epsilon / 4
    for each in (tries, takes):
        expected = (1 - COLD.epsilon) * np.array(points.days[0].share[:4]) + floor
        assert each.days[0].share[:4] == pytest.approx(expected.tolist())
    assert min(tries.days[1].share[:4]) > 5 * floor
    assert takes.days[1].share[3] == pytest.approx(floor)


def test_start_beliefs_alone_choose_where_they_are_asked_at_once():
    """Nothing expected of any action: greedy does nothing for ever; a belief that all are good: somebody is tried."""
    careful, hopeful = (
        run(dataclasses.replace(COLD, policy="greedy", at_once=True, start=start)) for start in (None, (0.2, 20.0))
    )
    assert careful.share_of("do_nothing").tolist() == [1.0, 1.0, 1.0]
    assert hopeful.share_of("do_nothing").tolist() == [0.0, 0.0, 0.0]
    assert hopeful.days[0].share[2:4] == (1.0, 0.0), "of equal beliefs the cheapest, the first of them"


def test_a_belief_is_as_unsure_as_its_evidence_is_little():
    live = LiveWorld(COLD.plan)
    for _ in range(COLD.history):
        live.next_day()
    scenes = {
        evidence: Scene.of(live, policy="thompson", epsilon=0.0, worth=200.0, start=(0.1, evidence))
        for evidence in (20.0, 200.0)
    }
    contact = np.arange(5, dtype=np.int64)
    X = scenes[20.0].features_of(contact, np.full(5, live.now))
    for evidence, scene in scenes.items():
        priority, error = scene.priorities(None, X)
        assert priority[:, 0].tolist() == error[:, 0].tolist() == [0.0] * 5
        assert error[:, 1:] == pytest.approx(200.0 * np.sqrt(0.1 * 0.9 / (evidence + 1)))
        assert priority[:, 1] == pytest.approx(200.0 * (0.1 - scene.base) - 2.0)


@pytest.mark.slow
def test_who_explores_finds_the_good_action_and_reaches_most_of_the_oracles_worth():
    """Thirty days from nothing logged, over seeds: most of what the oracle has, far above who does not explore.

    Greedy that begins after weeks of even draws is another matter: it has had its exploration for free and is ahead.
    """
    policies = ("thompson", "greedy", "points")
    played = {policy: [run(Loop(policy, seed=seed)) for seed in SEEDS] for policy in policies}
    worth = {policy: np.array([result.worth_in(-5) for result in results]) for policy, results in played.items()}
    gain = {policy: np.array([result.reached_in(-5) for result in results]) for policy, results in played.items()}
    assert worth["thompson"].min() >= 0.85, worth
    assert over_seeds(worth["thompson"].tolist())[1] >= 0.85, worth
    assert gain["thompson"].mean() >= 0.80, gain
    assert gain["thompson"].min() > max(gain["greedy"].max(), gain["points"].max()) + 0.25, gain
    good, bad = (
        {policy: [each.share_of(name) for each in played[policy]] for policy in policies}
        for name in (GOOD.name, BAD.name)
    )
    best = [each.share_of(GOOD.name, of_oracle=True)[-5:].mean() for each in played["thompson"]]
    found = [share[-5:].mean() for share in good["thompson"]]
    assert over_seeds([mine / theirs for mine, theirs in zip(found, best, strict=True)])[1] >= 0.7, (found, best)
    dropped = [share[-5:].mean() for share in bad["thompson"]]
    assert over_seeds(dropped)[2] <= 0.03, dropped
    assert all(share[10:15].mean() > 2 * left for share, left in zip(bad["thompson"], dropped, strict=True)), bad
    assert max(share[-5:].mean() for share in good["greedy"]) <= 0.1, good["greedy"]

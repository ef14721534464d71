"""The journey world lived day by day: whoever chooses gets what the truth says of the choice."""

import numpy as np
import pytest
from numpy.typing import NDArray

from features.times import DAY
from training.world.days import Choose
from training.world.files import settings_text
from training.world.rules import Lever
from training.world.world import LiveWorld, Plan, world

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]


def _always(column: int, of: int = 5) -> Choose:
    def choose(contact: I64, at: I64) -> tuple[I64, F64]:
        assert contact.shape == at.shape
        return np.full(len(contact), column), np.tile(np.eye(of)[column], (len(contact), 1))

    return choose


def test_left_to_itself_it_is_the_world() -> None:
    live, whole = LiveWorld(Plan(n_contacts=80, seed=6)), world(80, seed=6, days=110)
    for _ in range(110):
        live.next_day()
        assert live.now == live.so_far().end
    assert live.so_far().touchpoints == whole.touchpoints
    assert live.so_far().decisions == whole.decisions
    assert live.now == whole.end


def test_whoever_chooses_is_logged_and_reaches_the_value_that_the_truth_states() -> None:
    """Orders under a policy of one's own are as frequent as the truth has them, and calls bring more than silence."""
    scores: list[float] = []
    shares: dict[int, list[float]] = {0: [], 1: []}
    for seed in range(8):
        for column in (0, 1):
            live = LiveWorld(Plan(n_contacts=150, seed=seed, history=14))
            for _ in range(80):
                live.next_day(_always(column))
            lived = live.so_far()
            truth = lived.truth
            assert {row.action for row in lived.decisions} == {lived.actions[column]}
            assert {row.probability for row in lived.decisions} == {1.0}
            p = truth.chance[:, column]
            scores.append(float((truth.ordered - p).sum() / np.sqrt((p * (1 - p)).sum())))
            shares[column].append(float(truth.ordered.mean()))
    assert abs(np.mean(scores)) * np.sqrt(len(scores)) < 4.0
    assert 0.5 < np.std(scores) < 1.6
    assert np.mean(shares[1]) > np.mean(shares[0]) + 0.02


def test_the_same_draw_holds_for_every_choice() -> None:
    """On the first day of decisions, who orders under one action and under another is drawn alike."""
    ordered, chance = [], []
    for column in (0, 1):
        live = LiveWorld(Plan(n_contacts=3000, seed=1, history=5, baseline=4.0))
        for _ in range(6):
            live.next_day(_always(column))
        truth = live.so_far().truth
        ordered.append(truth.ordered)
        chance.append(truth.chance)
    assert np.array_equal(chance[0], chance[1])
    gains, loses = chance[0][:, 1] >= chance[0][:, 0], chance[0][:, 1] <= chance[0][:, 0]
    assert gains.any()
    assert loses.any()
    assert (ordered[1] >= ordered[0])[gains].all()
    assert (ordered[1] <= ordered[0])[loses].all()
    assert (ordered[1] != ordered[0]).any()


def test_a_shorter_window_is_the_goals_horizon_and_ends_earlier() -> None:
    """Orders of ended windows, read from the touchpoints, are those of the truth."""
    for window in (4, 14):
        live = LiveWorld(Plan(n_contacts=300, seed=2, history=7, window=window))
        for _ in range(40):
            live.next_day()
        lived = live.so_far()
        truth, told = lived.truth, lived.as_touchpoints()
        assert f'horizon = "{window}d"' in settings_text(lived)
        assert np.array_equal(truth.matured, truth.decided_at + window * DAY <= lived.end)
        is_order = told.kind == told.kinds.index("order")
        who, when = told.contact[is_order], told.occurred_at[is_order]
        came = [
            bool(((who == c) & (when >= at) & (when < at + window * DAY)).any())
            for c, at in zip(truth.contact.tolist(), truth.decided_at.tolist(), strict=True)
        ]
        assert np.array_equal(np.array(came)[truth.matured], truth.ordered[truth.matured])


def test_added_actions_stand_behind_the_others() -> None:
    letter = Lever("letter", "invitation_sent", "letter", (0.0,) * 6, cost=1.0)
    live = LiveWorld(Plan(n_contacts=60, seed=2, history=7, added=(letter,)))
    for _ in range(25):
        live.next_day(_always(5, of=6))
    lived = live.so_far()
    assert lived.actions[-1] == "letter"
    assert len(lived.decisions) > 0
    assert np.array_equal(lived.truth.chance[:, 5], lived.truth.p0)
    assert lived.truth.costs[5] == 1.0


def test_a_window_longer_than_the_time_between_decisions_is_refused() -> None:
    with pytest.raises(ValueError, match="must be at least 15"):
        Plan(window=15, every=14)

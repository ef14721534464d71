"""Claims about moves along the journey: lengths with a known answer, censored stays counted right, flicker ignored."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.times import DAY
from tests.training.stage_worlds import features_of, past_of, settings_of
from training.stages.fit import fit_stages
from training.stages.transitions import NOBODY, stays, transitions, usual_days, words
from training.world.world import world

tables = st.integers(1, 6).flatmap(
    lambda width: st.lists(st.lists(st.integers(-1, 3), min_size=width, max_size=width), min_size=1, max_size=8)
)


def test_a_stay_lasts_from_its_first_moment_to_the_first_of_the_next():
    found = stays(np.array([[0, 0, 0, 2, 2, 1, 1]]), 7.0)
    assert found.stage.tolist() == [0, 2, 1]
    assert found.days.tolist() == [21.0, 14.0, 7.0]
    assert found.next.tolist() == [2, 1, NOBODY]
    assert found.begun.tolist() == [False, True, True]
    assert found.lasting.tolist() == [False, False, True]


def test_a_single_week_elsewhere_is_no_move_but_the_newest_week_counts():
    assert stays(np.array([[0, 0, 1, 0, 0]]), 7.0).stage.tolist() == [0]
    assert stays(np.array([[0, 0, 0, 0, 1]]), 7.0).stage.tolist() == [0, 1]
    assert stays(np.array([[0, 0, 1, 2, 2]]), 7.0).stage.tolist() == [0, 1, 2]


def test_who_comes_new_began_then_and_whose_begin_is_not_seen_did_not():
    found = stays(np.array([[NOBODY, 1, 1, 2], [1, 1, 1, 2]]), 7.0)
    assert found.contact.tolist() == [0, 0, 1, 1]
    assert found.begun.tolist() == [True, True, False, True]


@settings(deadline=None)
@given(tables)
def test_stays_of_a_contact_fill_the_time_in_which_it_was_known(table):
    stage = np.array(table, dtype=np.int64)
    found = stays(stage, 1.0)
    assert (found.days >= 0).all()
    assert (found.stage != NOBODY).all()
    for contact in range(len(stage)):
        known = np.flatnonzero(stage[contact] != NOBODY)
        mine = found.contact == contact
        assert mine.any() == (len(known) > 0)
        if len(known) == stage.shape[1]:
            assert found.days[mine].sum() == stage.shape[1] - 1


@pytest.mark.parametrize("seed", range(5))
def test_the_usual_length_is_the_true_median_though_many_stays_go_on(seed):
    rng = np.random.default_rng(seed)
    # Looked at once a week: half of them have ended by the week of the true median, 38 days.
    days = np.ceil(rng.exponential(55.0, 4000) / 7.0) * 7.0
    watched = np.floor(rng.uniform(0.0, 180.0, 4000) / 7.0) * 7.0
    found = usual_days(np.minimum(days, watched), days <= watched)
    assert found == 42.0
    # Stays that are over by now are the short ones: their median alone would be far too short.
    assert np.median(days[days <= watched]) < found


def test_what_fewer_than_half_have_left_has_no_usual_length():
    assert usual_days(np.array([7.0, 70.0, 70.0]), np.array([True, False, False])) is None
    assert usual_days(np.zeros(0), np.zeros(0, dtype=bool)) is None


def test_who_stays_much_longer_than_usual_is_told_as_stuck():
    rng = np.random.default_rng(0)
    weeks = 60
    table = np.zeros((500, weeks), dtype=np.int64)
    for row in table:
        at = 0
        while at < weeks:
            length = int(rng.integers(3, 8))
            row[at : at + length] = (row[at - 1] + 1) % 3 if at else rng.integers(0, 3)
            at += length
    table[:50] = 1  # these never leave
    found = stays(table, 7.0)
    here = (found.stage == 1) & found.lasting
    usual = usual_days(found.days[found.begun & (found.stage == 1)], ~found.lasting[found.begun & (found.stage == 1)])
    assert usual == 35.0
    assert (found.days[here] > 2 * usual).sum() == 50


@pytest.fixture(scope="module")
def told():
    w = world(400, seed=2, days=300)
    config, past = settings_of(w), past_of(w, w.end)
    features = features_of(past, config)
    stages = fit_stages(past, config, features, past.end, 0, clusters=6)
    assert stages is not None and stages.names == config.stages.names
    return w, past, stages, features, transitions(past, stages, features)


def test_the_moves_of_the_world_are_seen(told):
    _, _, stages, _, found = told
    for shares in found["next"].values():
        assert sum(shares.values()) == pytest.approx(1.0)
    # The laws of the world: a purchase leads to use in nine of ten cases, use mostly to renewing.
    assert max(found["next"]["purchase"], key=found["next"]["purchase"].get) == "use"
    assert max(found["next"]["use"], key=found["next"]["use"].get) == "renew"
    assert found["next"]["purchase"]["use"] > 0.6
    assert set(found["median_days"]) == set(found["stuck"]) == set(stages.names)


def test_the_lengths_are_those_of_the_world_within_the_weeks_that_touchpoints_lag(told):
    w, past, stages, _, found = told
    weeks = past.end - 7 * DAY * np.arange(30, -1, -1)
    truth = w.truth.stage_at(np.arange(400)[:, None], weeks[None, :] - 1)
    true = stays(truth, 7.0)
    for i, name in enumerate(stages.names):
        if name == "unaware":
            continue  # whoever does next to nothing is told late
        here = (true.stage == i) & true.begun
        usual = usual_days(true.days[here], ~true.lasting[here])
        assert usual is not None and found["median_days"][name] == pytest.approx(usual, rel=0.6)


def test_they_are_told_in_words_and_are_the_same_again(told):
    _, past, stages, features, found = told
    assert transitions(past, stages, features) == found
    lines = words(found)
    assert len(lines) == len(stages.names)
    assert all(line.strip().startswith(name) for line, name in zip(lines, stages.names, strict=True))
    assert any("usually" in line and "% to use" in line for line in lines)

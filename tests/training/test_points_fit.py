"""The suggested points: no worse than the table in force, readable, sound as settings, refused where data are few."""

import json
import tomllib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.times import DAY, HOUR
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
from features.traits import Traits
from models.points import points_log, total
from models.points_table import FitPoints, PointsTable, Threshold
from nba.settings import parse_settings
from training.dataset import Rows, make_rows
from training.drift.kind_counts import kind_counts
from training.past import Past
from training.points.fit import MOST_KINDS, NotEnoughData, suggest
from training.points.text import plain, readable, toml
from training.points.weights import fit_weights
from training.rows.row_split import split_rows
from training.world.files import settings_text
from training.world.world import world


def made(seed, contacts=400, days=260):
    w = world(contacts, seed=seed, days=days)
    settings = parse_settings(settings_text(w))
    touchpoints = w.as_touchpoints()
    past = Past(touchpoints, Traits([]), (), w.end, w.end, 0)
    goal = settings.goals["conversion"]
    rows = make_rows(touchpoints, goal, settings.touchpoints, w.end)
    return past, goal, rows, split_rows(rows, goal), settings.points


@pytest.fixture(scope="module")
def found():
    past, goal, rows, split, in_force = made(3)
    return suggest(past, goal, rows, split, in_force), in_force, (past, goal, rows, split)


@pytest.mark.parametrize("seed", range(5))
def test_it_orders_contacts_no_worse_than_the_tables_it_replaces(seed):
    past, goal, rows, split, in_force = made(seed + 20, contacts=300, days=220)
    for table in (PointsTable(), in_force):
        suggestion = suggest(past, goal, rows, split, table)
        assert suggestion.auc >= suggestion.in_force, (seed, suggestion.auc, suggestion.in_force)
    assert suggestion.gain_interval[0] <= suggestion.gain <= suggestion.gain_interval[1]


def test_numbers_are_whole_round_few_and_not_below_zero(found):
    table = found[0].table
    assert 1 <= len(table.kinds) <= MOST_KINDS
    assert all(value > 0 and value % 5 == 0 for value in table.kinds.values())
    assert max(table.kinds.values()) <= 500
    assert set(table.once) <= set(table.kinds)


def test_what_is_printed_is_sound_and_gives_the_table_back(found):
    suggestion, in_force, _ = found
    text = toml(suggestion)
    names = [action for threshold in in_force.thresholds for action in threshold.actions]
    actions = "\n".join(f'[actions.{name}]\nchannel = "email"' for name in dict.fromkeys(names))
    read = parse_settings(f"{text}\n{actions}").points
    table = suggestion.table
    assert dict(read.kinds) == dict(table.kinds) and read.once == table.once
    assert read.half_life_us == table.half_life_us and read.thresholds == table.thresholds
    shown = readable(suggestion, in_force, "within 14 days")
    assert text in shown and "in force" in shown and "AUC" in shown and "page_view" in shown
    assert json.loads(json.dumps(plain(suggestion, in_force), allow_nan=False))["toml"] == text


def test_names_that_need_quotes_and_fit_survive_the_toml(found):
    table = PointsTable(
        {'a "b"\\ ü': 5.0, "ok": 10.0},
        ('a "b"\\ ü',),
        36 * HOUR,
        FitPoints("Größe", {"A B": 10.0}),
        (Threshold(("x",), 5),),
    )
    text = toml(type(found[0])(**{**found[0].__dict__, "table": table}))
    read = parse_settings(text + '\n[actions.x]\nchannel = "email"\n').points
    assert dict(read.kinds) == dict(table.kinds) and read.once == table.once and read.fit == table.fit
    assert read.half_life_us == 36 * HOUR and read.thresholds == table.thresholds
    assert tomllib.loads(text)["points"]["kinds"]["ok"] == 10


def test_higher_totals_reach_the_goal_more_often(found):
    rates = found[0].rates
    assert rates[0][0] == 0.0 and sum(rows for _, _, rows in rates) == found[0].train
    assert rates[-1][1] > 1.5 * rates[0][1]


def test_as_many_pass_a_threshold_as_before(found):
    suggestion, in_force, (past, _, rows, split) = found
    train = rows.only(split.train)

    def passing(table):
        kinds = tuple(table.kinds)
        counts = kind_counts(past.touchpoints, train, kinds, table.once, table.half_life_us)
        bounds = [t.from_ for t in table.thresholds if t.from_ is not None]
        return np.mean(counts @ np.array(list(table.kinds.values())) >= bounds[0])

    assert passing(suggestion.table) == pytest.approx(passing(in_force), abs=0.12)


def test_the_same_data_give_the_same_table(found):
    suggestion, in_force, (past, goal, rows, split) = found
    assert suggest(past, goal, rows, split, in_force) == suggestion


def test_too_few_rows_are_refused_in_a_sentence():
    past, goal, rows, split, in_force = made(1, contacts=20, days=120)
    with pytest.raises(NotEnoughData, match="load a longer history"):
        suggest(past, goal, rows, split, in_force)


def test_weights_find_what_leads_to_the_goal_and_never_fall_below_zero():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        counts = rng.poisson(1.0, (3000, 4)).astype(float)
        logit = -3 + 1.5 * np.log1p(counts @ np.array([2.0, 0.4, 0.0, 0.0])) - 0.5 * counts[:, 3]
        weights = fit_weights(counts, rng.random(3000) < 1 / (1 + np.exp(-logit)))
        assert weights[0] > 2 * weights[1] > 0 and weights[0] > 10 * weights[3] >= 0


seen = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 40), st.sampled_from(["visit", "download"])), min_size=1, max_size=30
)


@given(seen, st.integers(0, 45), st.sampled_from([None, 3, 30]), st.booleans())
def test_counts_are_those_that_the_points_log_adds_up(touched, day, half_life, is_once):
    table = PointsTable({"visit": 5.0, "download": 20.0}, ("visit",) if is_once else (), half_life and half_life * DAY)
    rows = [
        (f"c{who}", at * DAY, f"t{i}", kind, None, None, None, None, None, None, None, None, None, None)
        for i, (who, at, kind) in enumerate(touched)
    ]
    touchpoints = Touchpoints.from_rows(rows, TouchpointRules())
    n = len(touchpoints.contacts)
    none = np.zeros(n, dtype=np.int64)
    moments = np.full(n, day * DAY)
    asked = Rows(np.arange(n), moments, moments, none.astype(bool), none.astype(float), none - 1)
    counts = kind_counts(touchpoints, asked, ("visit", "download", "fair"), table.once, table.half_life_us)
    for code, name in enumerate(touchpoints.contacts):
        own = [(kind, at * DAY) for who, at, kind in touched if f"c{who}" == name]
        log = points_log(table, [kind for kind, _ in own], [at for _, at in own], day * DAY)
        assert counts[code] @ [5.0, 20.0, 0.0] == pytest.approx(total(log), abs=0.011)

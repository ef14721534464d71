"""Claims about points: the tables of the sources, a log that adds up, a classifier like any other."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_score

from features.times import DAY
from models.points import PointScore, actions_for, fit_points, points_log, points_summary, total
from models.points_table import FitPoints, PointsTable, Threshold

NOW = 20_000 * DAY
SOURCES = PointsTable(
    fit=FitPoints("product_fit", {"A": 100, "B": 50, "C": 10}),
    thresholds=(Threshold(("newsletter_topic",), below=250), Threshold(("sales_call",), from_=250)),
    schemes={
        "events": PointsTable(
            kinds={"page_view": 2, "social_reaction": 5, "action_button": 20},
            once=(),
            thresholds=(Threshold(("sales_call", "invitation", "visit_offer"), from_=50),),
        )
    },
)


def score(*kinds: str, table: PointsTable = SOURCES) -> float:
    return total(points_log(table, kinds, [NOW - DAY] * len(kinds), NOW))


@pytest.mark.parametrize(
    ("kinds", "points"),
    [
        ([], 0),
        (["bounce"], 0),
        (["visit"], 5),
        (["newsletter_signup"], 50),
        (["newsletter_signup"] * 3, 50),
        (["download"], 100),
        (["newsletter_signup", "newsletter_open"], 100),
        (["newsletter_signup", "newsletter_open", "download"], 200),
        (["newsletter_signup", "newsletter_open", "download", "service_call"], 450),
        (["newsletter_open"] * 3, 150),
        (["fax"], 0),
    ],
)
def test_the_points_of_the_sources(kinds, points):
    assert score(*kinds) == points


@pytest.mark.parametrize(("value", "points"), [("A", 100), ("B", 50), ("C", 10), ("D", 0), (None, 0), (1.0, 0)])
def test_the_fit_of_the_sources(value, points):
    assert fit_points(SOURCES, {"product_fit": value}) == points
    assert fit_points(SOURCES, {}) == 0
    assert fit_points(PointsTable(), {"product_fit": value}) is None


@pytest.mark.parametrize(("value", "key"), [(1, "1"), (1.0, "1"), (1.5, "1.5"), (True, "true"), ("x", "x")])
def test_a_trait_of_any_type_finds_its_points(value, key):
    assert fit_points(PointsTable(fit=FitPoints("t", {key: 7})), {"t": value}) == 7


@pytest.mark.parametrize(
    ("points", "actions"),
    [
        (0, ("newsletter_topic",)),
        (249.99, ("newsletter_topic",)),
        (250, ("sales_call",)),
        (9999, ("sales_call",)),
    ],
)
def test_below_250_nurture_from_250_a_sales_contact(points, actions):
    assert actions_for(SOURCES, points) == actions


@pytest.mark.parametrize(("points", "actions"), [(49, ()), (50, ("sales_call", "invitation", "visit_offer"))])
def test_the_other_scheme_calls_invites_or_visits_from_50(points, actions):
    assert actions_for(SOURCES.schemes["events"], points) == actions


def test_all_thresholds_that_hold_count_in_order_and_once():
    table = PointsTable(
        thresholds=(Threshold(("a", "b"), from_=10), Threshold(("c", "a"), from_=20), Threshold(("d",)))
    )
    assert actions_for(table, 15) == ("a", "b", "d")
    assert actions_for(table, 20) == ("a", "b", "c", "d")


def test_both_schemes_stand_beside_each_other_and_are_never_added_up():
    kinds = ["service_call", "visit", "visit", "visit", "page_view", "action_button", "action_button"]
    points = points_summary(SOURCES, kinds, [NOW - DAY] * 7, NOW, {"product_fit": "A"})
    assert points == {
        "total": 265,
        "actions": ["sales_call"],
        "log": [
            {"part": "activity", "kind": "service_call", "points": 250, "count": 1},
            {"part": "activity", "kind": "visit", "points": 15, "count": 3},
        ],
        "fit": 100,
        "schemes": {"events": 42},
    }
    assert json.loads(json.dumps(points)) == points


def test_what_happens_at_or_after_as_of_does_not_count():
    assert points_log(SOURCES, ["download", "download"], [NOW, NOW + 1], NOW) == []
    assert total(points_log(SOURCES, ["download"], [NOW - 1], NOW)) == 100


def test_points_fade_by_half_in_a_half_life_and_once_counts_the_first():
    table = PointsTable(half_life_us=90 * DAY)
    assert total(points_log(table, ["download"], [NOW - 90 * DAY], NOW)) == 50
    signups = points_log(table, ["newsletter_signup"] * 2, [NOW - 180 * DAY, NOW - 90 * DAY], NOW)
    assert signups == [{"part": "activity", "kind": "newsletter_signup", "points": 12.5, "count": 1}]


touchpoints = st.lists(
    st.tuples(st.sampled_from([*SOURCES.kinds, "other"]), st.integers(NOW - 900 * DAY, NOW + DAY)),
    max_size=40,
)


@settings(deadline=None)
@given(touchpoints, st.sampled_from([None, 30 * DAY, 90 * DAY]), st.randoms())
def test_the_score_is_the_sum_of_its_log_in_any_order_of_arrival(rows, half_life, random):
    table = PointsTable(half_life_us=half_life)
    log = points_log(table, [r[0] for r in rows], [r[1] for r in rows], NOW)
    assert total(log) == sum(entry["points"] for entry in log)
    assert all(entry["points"] == round(entry["points"], 2) for entry in log)
    random.shuffle(rows)
    assert points_log(table, [r[0] for r in rows], [r[1] for r in rows], NOW) == log


@settings(deadline=None)
@given(touchpoints)
def test_one_contacts_log_and_the_classifier_agree(rows):
    kinds = [r[0] for r in rows if r[1] < NOW]
    X = [[kinds.count(kind) for kind in SOURCES.kinds]]
    log = points_log(SOURCES, [r[0] for r in rows], [r[1] for r in rows], NOW)
    assert PointScore(SOURCES).decision_function(X)[0] == total(log)


def counts(n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    X = rng.poisson(0.5, (n, 6)).astype(float)
    return X, (rng.random(n) < 1 / (1 + np.exp(3 - 0.8 * np.log1p(PointScore().decision_function(X))))).astype(int)


def test_it_runs_in_scikit_learns_tools():
    X, y = counts()
    model = clone(PointScore(SOURCES))
    assert model.table == SOURCES
    assert cross_val_score(model, X, y, scoring="roc_auc").mean() > 0.6
    assert cross_val_score(model, X, y, scoring="neg_log_loss").mean() > -0.7
    assert model.set_params(table=PointsTable()).get_params()["table"] == PointsTable()
    assert set(model.fit(X, np.where(y, "yes", "no")).predict(X)) <= {"no", "yes"}


def test_its_probabilities_keep_the_order_of_the_points_and_meet_the_base_rate():
    X, y = counts(4000)
    model = PointScore().fit(X, y)
    p, points = model.predict_proba(X), model.decision_function(X)
    assert roc_auc_score(y, p[:, 1]) == roc_auc_score(y, points)
    assert p.sum(axis=1) == pytest.approx(1)
    assert p[:, 1].mean() == pytest.approx(y.mean(), abs=0.01)
    assert model.slope_ == pytest.approx(0.8, abs=0.1)


def test_more_points_never_mean_less_likely():
    X, y = counts()
    assert PointScore().fit(X, 1 - y).slope_ == 0


def test_points_that_separate_the_classes_give_finite_odds():
    X = np.zeros((40, 6))
    X[20:, 5] = 1
    p = PointScore().fit(X, np.repeat([0, 1], 20)).predict_proba(X)[:, 1]
    assert 0 < p[0] < 0.1 < 0.9 < p[-1] < 1


@pytest.mark.parametrize(
    ("X", "y", "says"),
    [
        (np.zeros((3, 2)), [0, 1, 0], r"\(n, 6\)"),
        (np.zeros(6), [0], r"\(n, 6\)"),
        (np.zeros((3, 6)), [0, 0, 0], "1 classes"),
        (np.zeros((3, 6)), [0, 1], "one a row"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(X, y, says):
    with pytest.raises(ValueError, match=says):
        PointScore().fit(X, y)


def test_an_unknown_parameter_is_refused():
    with pytest.raises(ValueError, match="'points'"):
        PointScore().set_params(points=1)


def test_importing_it_costs_no_heavy_library():
    code = (
        "import sys, models.points, models.stages, models.propensity, models.bundle, models.registry; "
        "print(sorted({'sklearn', 'pandas', 'scipy', 'mlflow', 'lightgbm', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

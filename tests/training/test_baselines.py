"""Claims about the rules a model must beat: what each looks at, which way it points, and what it may learn from."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.feature_set import FeatureSet, PointWeights
from features.times import DAY
from features.touchpoints.touchpoints import Touchpoints
from features.traits import Traits
from nba.settings.goals import Goal, Snapshots
from tests.features.worlds import RULES, row
from training.baselines import abc_classes, baselines
from training.dataset import make_rows
from training.past import Past
from training.rows.goal_rows import build
from training.rows.row_split import split_rows

BUY = Goal("buy", ("order",), (), 10 * DAY, "sum", snapshots=Snapshots(every_us=10 * DAY, test=0.2))
CHURN = replace(BUY, kinds=(), absence_of=("order",))
FEATURES = FeatureSet(("order",), (), (), RULES, PointWeights({"order": 10.0, "page_view": 1.0}))
ROWS = [
    *(row("often", day * DAY, day, "order", value=50.0) for day in range(0, 101, 3)),
    *(row("seldom", day * DAY, day, "order", value=1.0) for day in range(1, 101, 25)),
    *(row("looks", day * DAY, day, "page_view") for day in range(0, 101, 9)),
    row("mailed", 0, 1, "email_sent"),
]


def scores(rows=ROWS, goal=BUY):
    t = Touchpoints.from_rows(rows, RULES)
    end = int(t.occurred_at.max())
    made = make_rows(t, goal, RULES, end)
    past = Past(t, Traits([]), decisions=(), now=end + 1, end=end, quarantined=0)
    data = build(past, goal, made, split_rows(made, goal), FEATURES)
    return t, data, baselines(data, t)


def history(t, data, i, kinds):
    rows = data.rows
    return [
        at for at, kind, c in zip(t.occurred_at, t.kind, t.contact, strict=True)
        if c == rows.contact[i] and at < rows.as_of[i] and t.kinds[kind] in kinds
    ]  # fmt: skip


def test_recency_and_frequency_look_at_the_goals_own_kinds_before_as_of():
    t, data, found = scores()
    furthest = -max(-found["recency"])
    for i in range(len(data.rows)):
        orders = history(t, data, i, ("order",))
        assert found["frequency"][i] == len(orders)
        assert found["recency"][i] == pytest.approx((max(orders) - data.rows.as_of[i]) / DAY if orders else furthest)
    never = [i for i in range(len(data.rows)) if not history(t, data, i, ("order",))]
    assert never and found["recency"][never].max() < np.delete(found["recency"], never).min() - 364


def test_where_nobody_has_any_all_inbound_touchpoints_stand_in():
    t, data, found = scores(goal=replace(BUY, kinds=("contract",)))
    for i in range(len(data.rows)):
        inbound = history(t, data, i, ("order", "page_view"))
        assert found["frequency"][i] == len(inbound)


def test_a_churn_goal_turns_every_rule_around():
    _, data, buy = scores()
    _, _, churn = scores(goal=CHURN)
    for name in ("points", "recency", "frequency", "abc"):
        np.testing.assert_array_equal(churn[name], -buy[name])
    assert (data.rows.label == ~scores(goal=CHURN)[1].rows.label).all()


def test_points_are_the_points_column():
    t, data, found = scores()
    for i in range(len(data.rows)):
        assert found["points"][i] == 10 * len(history(t, data, i, ("order",))) + len(
            history(t, data, i, ("page_view",))
        )


def test_what_a_rule_learns_it_learns_on_the_training_rows():
    _, data, found = scores()
    again = replace(data, rows=replace(data.rows, label=np.where(data.split.test, ~data.rows.label, data.rows.label)))
    np.testing.assert_array_equal(baselines(again, Touchpoints.from_rows(ROWS, RULES))["logistic"], found["logistic"])
    assert found["logistic"][data.rows.label].mean() > found["logistic"][~data.rows.label].mean()


def test_a_rule_that_cannot_be_computed_is_none():
    assert scores([r for r in ROWS if r[0] == "often"])[2]["logistic"] is None


def test_abc_is_the_class_by_revenue_with_cuts_from_the_reference():
    reference = np.array([60.0, 20.0, 10.0, 5.0, 5.0, 0.0, -3.0])
    assert abc_classes(reference, reference).tolist() == [3, 3, 2, 2, 2, 1, 1]
    assert abc_classes(np.array([100.0, 19.0, 4.0]), reference).tolist() == [3, 2, 1]


@given(
    st.lists(st.floats(-100, 1e6, allow_subnormal=False), max_size=30),
    st.lists(st.floats(0, 1e6, allow_subnormal=False), max_size=30),
)
def test_abc_never_ranks_more_revenue_lower(revenue, reference):
    found = abc_classes(np.array(revenue), np.array(reference))
    assert set(found) <= {1.0, 2.0, 3.0}
    assert (np.diff(found[np.argsort(revenue, kind="stable")]) >= 0).all()
    assert all(c == 1.0 for c, r in zip(found, revenue, strict=True) if r <= 0)

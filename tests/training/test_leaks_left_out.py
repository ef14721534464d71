"""Claims about whole trainings: what was filled in for one outcome only is named and left out, what is honest stays."""

from dataclasses import replace

import numpy as np
import pytest

from features.feature_set import FeatureSet, choose
from features.times import ALWAYS, DAY, iso
from features.touchpoints.touchpoints import Touchpoints
from features.traits import Traits
from nba.settings.goals import After, Goal, Snapshots
from tests.features.worlds import RULES, row
from training import metrics
from training.dataset import make_rows
from training.fit import fit_goal
from training.past import Past
from training.rows.goal_rows import build
from training.rows.leaks import eventually, find_leaks
from training.rows.row_split import split_rows
from training.rows.telling_columns import filled_for

WON = Goal("won", ("won",), (), 60 * DAY, 1.0, snapshots=Snapshots(every_us=None, after=After("lead")))
CHURN = Goal("churn", (), ("order",), 28 * DAY, 1.0, snapshots=Snapshots(every_us=28 * DAY))
WINNERS_ONLY = ("deal", "segment", "seller", "closed_on", "is_company", "stock", "profile")


def past_of(rows, traits):
    touchpoints = Touchpoints.from_rows(sorted(rows, key=lambda r: (r[0], r[1], r[2])), RULES)
    end = int(touchpoints.occurred_at.max())
    return Past(touchpoints, Traits(traits), decisions=(), now=end + 1, end=end, quarantined=0)


def data_of(past, goal):
    made = make_rows(past.touchpoints, goal, RULES, past.end)
    split = split_rows(made, goal)
    features: FeatureSet = choose(past.touchpoints, rules=RULES, before=past.end)
    features = FeatureSet(
        kinds=features.kinds[:2], channels=(), topics=(), rules=RULES, traits=past.traits.choose(past.end)
    )
    return build(past, goal, made, split, features)


def funnel(seed, n=1500, known_at=ALWAYS):
    """Leads over three years; one in five is won, some of them long after the horizon; winners' traits are filled."""
    rng = np.random.default_rng(seed)
    rows, traits = [], []
    for i in range(n):
        at, name, size = int(rng.integers(0, 1000 * DAY)), f"crm:{i}", float(rng.lognormal())
        rows.append(row(name, at, 2 * i, "lead"))
        known = {"size": size, "origin": str(rng.choice(["web", "fair", "friend"])), "noise": float(rng.normal())}
        if rng.random() < 0.05:
            known["seldom"] = float(rng.normal())
        if rng.random() < 0.08 + 0.24 * (size > 1.0):
            after = int(rng.integers(1, 120))
            rows.append(row(name, at + after * DAY, 2 * i + 1, "won"))
            known |= {"deal": float(rng.exponential(100)), "segment": f"s{rng.integers(40)}", "seller": f"seller {i}"}
            known |= {"closed_on": iso(at + after * DAY)}
            known |= {"profile": str(rng.choice(["cat", "wolf"]))} if rng.random() < 0.6 else {}
            # Asked only of those who were won late: within the horizon, it is filled in for losers.
            known |= (
                {"is_company": bool(rng.random() < 0.5), "stock": "1-5"} if after > 60 and rng.random() < 0.4 else {}
            )
        traits.append((name, known_at, known))
    rows.append(row("last", 1200 * DAY, 9_999_999, "lead"))
    return past_of(rows, traits)


@pytest.mark.parametrize("seed", range(5))
def test_every_column_of_winners_only_is_named_and_nothing_else(seed):
    past = funnel(seed)
    data = data_of(past, WON)
    found = find_leaks(data, eventually(data, past))
    assert {leak.shown for leak in found} == {f"trait {name!r}" for name in WINNERS_ONLY}
    assert all(leak.left_out for leak in found)


def test_the_reported_auc_is_the_one_without_them():
    past = funnel(11)
    fit = fit_goal(data_of(past, WON), past)
    named = [w for w in fit.report["warnings"] if "is it filled in after the fact?" in w]
    assert len(named) == len(WINNERS_ONLY)
    without = Traits((n, at, {k: v for k, v in b.items() if k not in WINNERS_ONLY}) for n, at, b in past.traits.rows())
    honest = replace(past, traits=without)
    alone = fit_goal(data_of(honest, WON), honest)
    assert fit.report["metrics"]["model"]["auc"] == pytest.approx(alone.report["metrics"]["model"]["auc"], abs=0.02)
    assert 0.55 < fit.report["metrics"]["model"]["auc"] < 0.8
    assert not {f"trait_{name}" for name in WINNERS_ONLY} & {d["feature"] for d in fit.report["drivers"]}


def test_what_became_known_after_the_moment_is_no_leak_because_nobody_sees_it():
    past = funnel(3, known_at=1100 * DAY)
    data = data_of(past, WON)
    assert np.isnan(data.X[:, [i for i, c in enumerate(data.features.columns) if c.startswith("trait_")]]).all()
    assert find_leaks(data, eventually(data, past)) == []


def test_a_status_that_tells_the_outcome_is_named_with_its_area():
    past = funnel(4)
    label = dict.fromkeys(past.touchpoints.contacts, "open")
    won = past.touchpoints.kinds.index("won")
    label |= {past.touchpoints.contacts[c]: "won" for c in past.touchpoints.contact[past.touchpoints.kind == won]}
    told = Traits((name, at, {"quality": label[name]}) for name, at, _ in past.traits.rows())
    past = replace(past, traits=told)
    data = data_of(past, WON)
    (leak,) = find_leaks(data, eventually(data, past))
    assert str(leak).startswith("trait 'quality' alone reaches AUC ")
    assert "is it filled in after the fact?" in str(leak)


def shop(seed, n=250):
    """Customers with a rhythm of their own, a year long: who was silent for long is gone, and recency says so."""
    rng = np.random.default_rng(seed)
    rows, traits, made = [], [], 0
    for i in range(n):
        gap, at = rng.lognormal(2.0, 0.5), 0.0
        until = rng.uniform(30, 900)
        card = rng.random() < 0.5
        while at < min(365.0, until):
            made += 1
            rows.append(row(f"crm:{i}", int(at * DAY), made, "order"))
            at += rng.exponential(gap)
        known = {"age": float(rng.normal(40, 10)), "town": f"t{rng.integers(12)}"}
        known |= {"card": f"c{i}"} if card else {}
        known |= {"rare": True} if rng.random() < 0.03 else {}
        traits.append((f"crm:{i}", ALWAYS, known))
    return past_of(rows, traits)


@pytest.mark.parametrize("seed", range(8))
def test_random_traits_and_recency_are_no_leaks(seed):
    past = shop(seed)
    data = data_of(past, CHURN)
    assert find_leaks(data, eventually(data, past)) == []
    recency = data.X[:, data.features.columns.index("recency_inbound_days")].astype(float)
    assert (metrics.auc(data.rows.label, recency) or 0) > 0.8


def test_a_feature_of_touchpoints_that_is_too_good_is_named_but_stays():
    past = shop(1)
    data = data_of(past, CHURN)
    column = data.features.columns.index("gap_ratio")
    data.X[:, column] = data.rows.label + np.random.default_rng(0).normal(0, 0.3, len(data.rows))
    (leak,) = find_leaks(data, eventually(data, past))
    assert leak.column == "gap_ratio" and not leak.left_out
    assert str(leak).startswith("feature 'gap_ratio' alone reaches AUC 0.9")


def test_random_columns_are_seldom_taken_for_filled_in():
    """Over 2,000 columns filled in for anybody, none: each is believed at a chance of one in ten thousand."""
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(2000):
        outcome = rng.random(400) < rng.choice([0.05, 0.2, 0.5, 0.8])
        filled = rng.random(400) < rng.choice([0.01, 0.05, 0.5])
        wrong += filled_for(filled, outcome, 1e-4) + filled_for(filled, ~outcome, 1e-4)
    assert wrong <= 1


@pytest.mark.parametrize(("exceptions", "is_leak"), [(0, True), (4, True), (10, False)])
def test_a_few_mistakes_of_entry_do_not_hide_a_leak(exceptions, is_leak):
    outcome = np.arange(1000) < 100
    filled = outcome.copy()
    filled[100 : 100 + exceptions] = True
    assert filled_for(filled, outcome, 1e-4) is is_leak


def test_what_is_filled_in_for_the_loyal_only_nearly_always_is_no_leak():
    stayed = np.arange(1000) >= 200
    card = stayed & (np.arange(1000) % 2 == 0)
    card[0] = True
    assert not filled_for(card, stayed, 1e-4)

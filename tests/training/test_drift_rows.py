"""Drift on a world that goes on: steady while it does, and told where a source breaks."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from features.times import DAY
from tests.training.small_worlds import Small
from training.dataset import label_rows, make_rows, rows_at
from training.drift.drift import STEADY
from training.drift.rows import (
    drift_in_data,
    drift_lines,
    drift_since,
    moved_since,
    reference_of,
    references,
    tell_drift,
)
from training.plots.drift import drift_plots
from training.rows.row_split import Split


@pytest.fixture(scope="module")
def small() -> Small:
    return Small(7, days=240)


@pytest.fixture(scope="module")
def fit(small) -> Any:
    rows = small.rows
    test = rows.as_of >= small.tested_from
    data = SimpleNamespace(
        goal=small.goal, rows=rows, split=Split(small.learns, test), features=small.features, X=small.X
    )
    predicted = small.before.model.predict(small.X[test])
    return SimpleNamespace(data=data, final=small.now.model, predicted=predicted, test=test, report={})


def belief_of(small, fit) -> Any:
    return SimpleNamespace(
        manifest={"drift": references([fit], small.past)},
        own_features={},
        features=small.features,
        bundle=SimpleNamespace(propensities={"conversion": small.now.model}, stages=None),
    )


def test_what_the_bundle_keeps_is_small_and_has_scores_of_rows_the_model_had_not_seen(small, fit):
    kept = reference_of(fit, small.past)
    assert kept is not None and kept.score is not None
    assert sum(kept.score.counts) == fit.test.sum() and kept.outcome.rows == len(small.rows)
    assert len(str(kept.to_json())) < 60_000


def test_the_report_of_a_goal_says_how_its_test_differs_from_its_training(small, fit):
    within = tell_drift([fit], small.past, small.settings, belief_of(small, fit))
    drift = fit.report["drift"]
    assert drift["in_data"] == within["conversion"] == drift_in_data(fit, small.past)
    assert drift["since_champion"]["contacts"][1] > 200
    assert drift["in_data"]["score"] is not None and drift["in_data"]["outcome"]["rows"] == fit.test.sum()
    for line in drift_lines(drift):
        assert line.startswith("  drift ")
    (name, picture), *_ = drift_plots(within).items()
    assert name == "conversion-drift.png" and picture.startswith(b"\x89PNG")
    assert drift_plots({"conversion": None}) == {}


def test_a_world_that_goes_on_alike_keeps_its_scores_and_a_broken_source_does_not(small, fit):
    belief = belief_of(small, fit)
    found = drift_since(small.past, small.settings, belief)["conversion"]
    assert found["score"]["meaning"] == STEADY
    # A source that sends no more: nobody has been active lately.
    broken = replace(small.past, now=small.end + 60 * DAY)
    later = drift_since(broken, small.settings, belief)["conversion"]
    assert later["moved"] + later["moved_far"] > found["moved"] + found["moved_far"]
    (sentence,) = moved_since(broken, small.settings, belief)
    assert sentence.startswith("conversion: drift since the training")


def test_outcomes_since_the_training_are_looked_at_once_they_are_there(small, fit):
    belief = belief_of(small, fit)
    assert drift_since(small.past, small.settings, belief)["conversion"]["outcome"] is None
    later = replace(small.later, end=small.end + 30 * DAY, now=small.end + 30 * DAY)
    found = drift_since(later, small.settings, belief)["conversion"]["outcome"]
    assert found["rows"] >= 40 and 0 < found["now"] < 1


def test_a_bundle_that_kept_nothing_is_compared_with_nothing(small, fit):
    belief = belief_of(small, fit)
    belief.manifest = {}
    assert drift_since(small.past, small.settings, belief) == {}


def test_rows_at_a_moment_are_those_that_training_makes_of_it(small):
    made = make_rows(small.past.touchpoints, small.goal, small.settings.touchpoints, small.end)
    moment = int(made.as_of[len(made) // 2])
    wanted = made.only(made.as_of == moment)
    found = rows_at(small.past.touchpoints, small.goal, moment)
    assert np.array_equal(found.contact, wanted.contact) and np.array_equal(found.until, wanted.until)
    labelled = label_rows(small.past.touchpoints, small.settings.touchpoints, small.goal, found)
    assert np.array_equal(labelled.label, wanted.label) and np.array_equal(labelled.value, wanted.value)

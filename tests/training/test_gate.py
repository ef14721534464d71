"""The gate: what may not be promoted, and that chance alone is not held against a model."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from training import metrics
from training.champion import Champion, Unreadable
from training.gate import calibration_noise, judge


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_calibration_noise_is_what_a_perfect_model_shows(share):
    rng = np.random.default_rng(0)
    rows, found = 2000, []
    for _ in range(60):
        p = np.clip(rng.normal(share, share / 3, rows), 0.001, 0.999)
        error = metrics.ece((rng.random(rows) < p).astype(float), p)
        assert error is not None
        found.append(error)
    expected = calibration_noise(rows, round(share * rows))
    assert 0.8 * expected < np.mean(found) < 1.2 * expected


def test_a_gain_lies_within_its_error_for_equal_models_and_beyond_it_for_a_better_one():
    rng = np.random.default_rng(1)
    beyond = []
    for _ in range(60):
        contact = rng.integers(0, 300, 1500)
        truth = rng.normal(size=1500)
        label = truth + rng.normal(size=1500) > 1.0
        a, b = (truth + rng.normal(size=1500) for _ in range(2))
        gain, error = metrics.paired_gain(label, a, b, contact)
        beyond.append(abs(gain) > 1.96 * error)
    # Ten folds give a rough error: at most one false alarm in six, against one in twenty in the limit.
    assert np.mean(beyond) <= 1 / 6
    gain, error = metrics.paired_gain(label, truth, b, contact)
    assert gain > 1.96 * error > 0


def fit_of(*, auc: float = 0.8, low: float = 0.75, ece: float = 0.02, rows: int = 1000, positives: int = 200) -> Any:
    """Return what the gate reads of a goal's fit."""
    model = {"auc": auc, "auc_interval": [low, 1.0], "ece": ece}
    report = {"test": {"rows": rows, "positives": positives}, "metrics": {"model": model}}
    goal = SimpleNamespace(goal=SimpleNamespace(name="conversion"))
    return SimpleNamespace(data=goal, judged=object(), predicted=None, report=report)


PAST: Any = None


def test_a_sound_first_model_is_promoted_and_says_why():
    verdict = judge([fit_of()], PAST, None)
    assert verdict.promote
    assert verdict.reasons == (
        "conversion: AUC 0.800, calibration error 0.020",
        "there is no champion to compare with",
    )


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"positives": 9}, "9 of 1,000 test rows are positive"),
        ({"positives": 995}, "995 of 1,000 test rows are positive"),
        ({"low": 0.49}, "cannot be told from chance"),
        ({"ece": 0.2}, "calibration error 0.200 is above"),
        ({"auc": 0.96, "low": 0.9}, "too good to be true"),
    ],
)
def test_one_fault_of_one_goal_keeps_the_bundle_from_serving(fault, reason):
    verdict = judge([fit_of(), fit_of(**fault)], PAST, None)
    assert not verdict.promote
    assert reason in verdict.reasons[0]
    assert len(verdict.reasons) == 1


def test_no_goal_with_a_model_is_no_promotion():
    assert not judge([], PAST, None).promote


def champion(auc: float) -> Any:
    belief: Any = SimpleNamespace(goals={})
    return Champion(belief, {}, {"conversion": auc})


def test_who_let_a_suspicious_model_serve_is_not_asked_again():
    good = fit_of(auc=0.97, low=0.9)
    assert not judge([good], PAST, champion(0.9)).promote
    assert judge([good], PAST, champion(0.96)).promote


def test_a_champion_that_cannot_be_read_stands_in_nobodys_way_and_is_named():
    verdict = judge([fit_of()], PAST, Unreadable("made by an older nba; train again"))
    assert verdict.promote
    assert verdict.reasons[-1] == "the champion cannot be compared with: made by an older nba; train again"


def drift(score: str, outcome: str) -> dict[str, Any]:
    return {
        "level": score,
        "sentence": f"scores have {score}",
        "score": {"meaning": score, "psi": 0.4},
        "outcome": {"meaning": outcome},
    }


@pytest.mark.parametrize(
    ("score", "outcome", "promoted"),
    [
        ("steady", "steady", True),
        ("moved", "steady", True),
        ("moved far", "moved far", True),
        ("steady", "moved far", True),
        ("moved far", "steady", False),
    ],
)
def test_scores_that_move_far_without_the_outcomes_are_a_source_that_broke(score, outcome, promoted):
    verdict = judge([fit_of()], PAST, None, {"conversion": drift(score, outcome)})
    assert verdict.promote is promoted
    told = " ".join(verdict.reasons)
    assert ("scores have" in told) == (score != "steady")
    assert ("see what changed in the sources" in told) == (not promoted)

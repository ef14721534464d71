"""Claims about the standing comparisons: what was served against a known truth, and what cannot be said is not said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.times import DAY
from nba.settings import Settings
from tests.training.decision_worlds import settings_of
from tests.training.served_worlds import SETTINGS, log_of
from training.standing_comparisons import compare, holdout_lift, served

WORLDS = 40


def test_intervals_of_the_five_comparisons_and_of_the_holdout_cover_the_truth() -> None:
    hits: dict[str, list[bool]] = {}
    for seed in range(WORLDS):
        past, value = log_of(seed)
        found = compare(served(past, SETTINGS))
        assert found["decisions"] == 900 and not found["why"]
        for name, gain in found["over"].items():
            low, high = gain["interval"]
            hits.setdefault(name, []).append(low <= value["served"] - value[name] <= high)
        low, high = found["holdout"]["interval"]
        hits.setdefault("holdout", []).append(low <= value["policy"] - value["points"] <= high)
    assert sorted(hits) == ["holdout", "points", "propensity_only", "random", "without_levers"]
    for name, covered in hits.items():
        # Nominal 95 %; 33 of 40 is three standard errors below.
        assert np.mean(covered) >= 33 / 40, name


def test_a_policy_that_knows_more_is_shown_to_beat_points_and_chance() -> None:
    past, _ = log_of(0, n=1700)
    found = compare(served(past, SETTINGS))
    assert found["over"]["random"]["interval"][0] > 0
    assert found["over"]["points"]["interval"][0] > 0
    assert found["holdout"]["interval"][0] > 0
    # What it explores, it pays for: its own ranking without exploration earns more.
    assert found["over"]["without_levers"]["value"] < 0


def test_what_is_served_by_points_gains_nothing_over_points() -> None:
    past, _ = log_of(1)
    decisions = tuple(
        replace(row, action="mail", probability=1.0, chances={"do_nothing": 0.0, "mail": 1.0}) for row in past.decisions
    )
    found = compare(served(replace(past, decisions=decisions), SETTINGS))
    assert found["over"]["points"]["value"] == pytest.approx(0.0, abs=1e-12)
    # Nothing else was ever done, so that nothing else can be judged.
    assert found["over"]["random"] == {"value": None, "interval": None}


def test_few_decisions_are_not_compared() -> None:
    past, _ = log_of(2)
    found = compare(served(replace(past, decisions=past.decisions[:49]), SETTINGS))
    assert found["value"] is None and found["over"] == {} and "49 decisions" in found["why"]
    few_held = [row for i, row in enumerate(past.decisions) if not row.holdout or i < 100]
    lift = holdout_lift(served(replace(past, decisions=tuple(few_held)), SETTINGS))
    assert lift["value"] is None and 0 < lift["held_out"] < 50


def test_only_what_was_carried_out_and_chosen_here_counts() -> None:
    past, _ = log_of(3)
    other = (
        replace(past.decisions[0], deferred=True),
        replace(past.decisions[1], chances=None, terms=None),
        replace(past.decisions[2], decided_at=past.end - DAY),
        replace(past.decisions[3], decided_at=past.end - 120 * DAY),
        replace(past.decisions[4], policy="mandatory"),
        *past.decisions[5:],
    )
    assert len(served(replace(past, decisions=other), SETTINGS)) == len(past.decisions) - 5


def test_settings_are_not_needed_to_be_the_same_as_when_it_was_decided() -> None:
    past, _ = log_of(4)
    later: Settings = settings_of(actions={"mail": {"channel": "email"}})
    found = compare(served(past, later))
    assert found["decisions"] == 900 and found["over"]["random"]["value"] is not None

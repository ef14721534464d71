"""Claims about trends: against the right earlier scoring of the same model, and none where there is none."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.catalogue import OVERALL, TRAIT, TRAIT_DATE
from features.rows.row_types import ScoreRow
from features.store.store import Store
from features.times import DAY, HOUR, parse_time
from features.touchpoints.touchpoints import TouchpointRules
from models.estimate import Driver, Estimate, Reason
from nba.draw import Draw
from nba.engine import decide
from nba.past import Past
from nba.request import Request
from nba.trend import compared, kept, trend

NOW = parse_time("2026-06-15T10:00:00Z")
TOML = """
[goals.conversion]
kinds = ["order"]
horizon = "30d"
[actions.mail]
channel = "email"
[privacy]
protected = ["gender"]
"""
chances = st.floats(1e-4, 1 - 1e-4)


def score(as_of, p=0.2, version="3", **body):
    return ScoreRow("crm:1", as_of, None, None, {"p_conversion": p, **body}, version)


def of(scored, p=0.4, version="3"):
    return trend("conversion", p, scored, version, NOW)


@given(chances, chances)
def test_what_rises_one_way_falls_the_other(a, b):
    turned = {"rising": "falling", "falling": "rising", "steady": "steady"}
    assert compared(b, a) == turned[compared(a, b)]
    assert compared(a, a) == "steady"


@given(chances, st.lists(chances, min_size=2, max_size=5))
def test_more_never_makes_less_of_a_trend(then, now):
    order = ["falling", "steady", "rising"]
    found = [order.index(compared(each, then)) for each in sorted(now)]
    assert found == sorted(found)


def test_without_an_earlier_scoring_there_is_none_and_it_says_why():
    assert of(None)["trend"] is None and "nba score" in of(None)["trend_why"]
    for later in (NOW, NOW + DAY):
        assert of(score(later))["trend"] is None


def test_another_models_scoring_is_no_measure():
    found = of(score(NOW - 2 * DAY, version="2"))
    assert found["trend"] is None and "another model" in found["trend_why"]


def test_it_moves_against_the_previous_scoring():
    assert of(score(NOW - 2 * DAY)) == {"trend": "rising"}
    assert of(score(NOW - 2 * DAY), p=0.21) == {"trend": "steady"}
    assert of(score(NOW - 2 * DAY), p=0.1) == {"trend": "falling"}


def test_a_scoring_of_this_morning_is_too_young_where_there_is_an_older_one():
    yesterday = score(NOW - 30 * HOUR, p=0.2)
    morning = kept(score(NOW - HOUR, p=0.4), yesterday)
    assert of(morning, p=0.4) == {"trend": "rising"}
    assert of(score(NOW - HOUR, p=0.4), p=0.4) == {"trend": "steady"}


def test_scoring_again_within_a_day_keeps_the_older_one():
    rows = [score(NOW - 60 * HOUR, p=0.1), score(NOW - 2 * HOUR, p=0.4), score(NOW - HOUR, p=0.4)]
    stored = rows[0]
    for row in rows[1:]:
        stored = kept(row, stored)
    before: Any = stored.body["before"]
    assert before["as_of"] == NOW - 60 * HOUR and "before" not in before
    assert of(stored, p=0.4) == {"trend": "rising"}


def test_scoring_an_earlier_moment_keeps_nothing_later():
    assert kept(score(NOW - 5 * DAY), score(NOW)).body == score(NOW).body


def test_the_past_brings_the_score_that_the_store_keeps(tmp_path):
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store:
        store.save_scores([kept(score(NOW - HOUR), score(NOW - 2 * DAY, p=0.1))])
        past = Past.read(store, "crm:1", NOW, TouchpointRules())
        assert past.scored is not None and of(past.scored, p=0.2) == {"trend": "rising"}
        assert Past.read(store, "crm:2", NOW, TouchpointRules()).scored is None


class Believing:
    """As much of a belief as is asked for, with reasons from a protected trait among them."""

    serves, version = "points", "3"
    manifest: Mapping[str, Any] = {"goals": {"conversion": {}}}

    def estimate(self, touchpoints, traits, as_of, candidates, *, explain=False):
        found = [Reason(f"reason {i}", 0.9 - i / 10, "activity") for i in range(5)]
        found += [Reason(f"doubt {i}", -0.85 + i / 10, "activity") for i in range(5)]
        found.append(Reason("gender is f", 2.0, "trait gender", "gender"))
        drivers = [TRAIT.named("gender"), TRAIT_DATE.named("gender"), TRAIT.named("size"), OVERALL[0]]
        return Estimate(
            stage=None,
            propensities={"conversion": 0.4},
            grades={"conversion": "A"},
            propensity=np.full(len(candidates), np.nan),
            without_action=np.full(len(candidates), np.nan),
            evidence=("none",) * len(candidates),
            drivers=tuple(Driver(feature, 1.0, 0.5, "conversion") for feature in drivers) if explain else (),
            reasons={"conversion": tuple(sorted(found, key=lambda r: -abs(r.contribution)))} if explain else {},
        )


@pytest.fixture
def answer(catalogue_of, past_of, row):
    def run(language=None, **asked):
        request = replace(Request.from_json({"contact": "crm:1", **asked}), language=language)
        past = past_of(row("2026-06-01", "visit"))
        believing: Any = Believing()
        return decide(request, past, believing, catalogue_of(TOML), NOW, Draw(b"s", "k")).to_json()

    return run


def test_three_reasons_for_and_against_are_given_where_asked_for(answer):
    found = answer(explain=True)["propensities"]["conversion"]
    assert found["for"] == ["reason 0", "reason 1", "reason 2"]
    assert found["against"] == ["doubt 0", "doubt 1", "doubt 2"]
    assert not {"for", "against"} & answer()["propensities"]["conversion"].keys()


def test_what_is_read_from_a_protected_trait_never_appears(answer):
    text = json.dumps(answer(explain=True))
    assert "gender" not in text and "trait_size" in text


def test_what_drives_a_goal_is_told_in_the_readers_language_by_the_same_names(answer):
    told = {language: answer(language, explain=True)["drivers"] for language in ("en", "de")}
    assert [each["means"] for each in told["en"]] == [
        "The trait size as known at that moment.",
        "Days since the first touchpoint.",
    ]
    assert [each["means"] for each in told["de"]] == [
        "Das Merkmal „size“, wie es zu diesem Zeitpunkt bekannt war.",
        "Tage seit dem ersten Kontaktpunkt.",
    ]
    coded = [[{**each, "means": ""} for each in drivers] for drivers in told.values()]
    assert coded[0] == coded[1]

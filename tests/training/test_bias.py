"""Bias: who is in which group, no group of a few people, and figures that hold the truth."""

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.decision_worlds import BEGIN, NOW, drawn, past_of, settings_of, told, touch
from training.bias.bias import bias_lines, tell_bias
from training.bias.compared import ratio
from training.bias.groups import FEWEST, OTHER, UNKNOWN, groups_of, values_now
from training.bias.scores import score_bias, score_lines
from training.rows.decision_rows import decision_rows

PEOPLE = 1200
NAMES = [f"crm:{i}" for i in range(PEOPLE)]
SETTINGS = settings_of(privacy={"protected": ["gender", "born_on"]})


def past_with(traits: Mapping[str, Mapping[str, Any]]) -> Any:
    rows = [touch(name, BEGIN) for name in NAMES]
    return past_of(rows, [], SETTINGS, [(name, BEGIN, body) for name, body in traits.items()])


def fit_of(past: Any, p: Any, label: Any, repeats: int = 1) -> Any:
    """A goal whose test rows were predicted so; ``p`` and ``label`` by contact in the order of ``NAMES``."""
    place = {name: i for i, name in enumerate(NAMES)}
    order = np.repeat([place[name] for name in past.touchpoints.contacts], repeats)
    contact = np.repeat(np.arange(PEOPLE), repeats)
    rows = SimpleNamespace(contact=contact, cluster=contact, label=np.asarray(label)[order])
    rows.only = lambda which: rows
    goal = SimpleNamespace(name="conversion", is_absence=False)
    test = np.ones(len(contact), dtype=bool)
    data = SimpleNamespace(goal=goal, rows=rows)
    return SimpleNamespace(data=data, test=test, predicted=np.asarray(p)[order], report={"warnings": []})


def genders(women: float = 0.4, seed: int = 0) -> tuple[Any, dict[str, dict[str, Any]]]:
    is_woman = np.random.default_rng(seed).random(PEOPLE) < women
    return is_woman, {n: {"gender": "woman" if w else "man"} for n, w in zip(NAMES, is_woman, strict=True)}


def bias_of(past: Any, fit: Any) -> tuple[dict[str, Any], list[str]]:
    told_ = tell_bias([fit], past, SETTINGS, decision_rows(past, SETTINGS))
    assert json.loads(json.dumps(told_, allow_nan=False)) == told_
    return fit.report["bias"], fit.report["warnings"]


def test_who_is_selected_half_as_often_is_named_in_words_with_both_base_rates():
    is_woman, traits = genders()
    rng = np.random.default_rng(1)
    p = np.clip(rng.beta(2, 6, PEOPLE) - 0.12 * is_woman, 0.001, 0.999)
    past = past_with(traits)
    found, warnings = bias_of(past, fit_of(past, p, rng.random(PEOPLE) < 0.25))
    man, woman = found["traits"]["gender"]["groups"]
    assert (man["group"], woman["group"]) == ("man", "woman") and man["people"] + woman["people"] == PEOPLE
    assert woman["outside"] and woman["ratio_interval"][1] < 0.8 and not man["outside"]
    assert woman["calibration_interval"][1] < 0 < woman["base_rate"]
    assert woman["mean_prediction"] - woman["base_rate"] == pytest.approx(woman["calibration_difference"])
    assert len(warnings) == 1 and "'woman'" in warnings[0] and f"{woman['base_rate']:.1%}" in warnings[0]
    text = "\n".join(score_lines(found))
    assert "woman" in text and " !" in text and "by gender (protected)" in text


def test_equal_treatment_is_warned_of_no_more_often_than_chance_allows():
    warned = 0
    for seed in range(30):
        _, traits = genders(seed=seed)
        rng = np.random.default_rng(1000 + seed)
        past = past_with(traits)
        warned += bool(bias_of(past, fit_of(past, rng.beta(2, 6, PEOPLE), rng.random(PEOPLE) < 0.25))[1])
    # The interval excludes 1 in one of twenty; 5 of 30 would be beyond chance.
    assert warned <= 4


def test_intervals_of_ratios_hold_the_truth_when_people_come_again():
    held = []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        group = np.repeat(rng.random(300) < 0.4, 5).astype(np.int64)
        p = np.repeat(rng.beta(2, 8, 300), 5) * np.where(group == 1, 0.6, 1.0)
        found = ratio(rng.random(1500) < p, group, 1, 0, np.repeat(np.arange(300), 5))
        assert found is not None
        held.append(found.interval[0] <= 0.6 <= found.interval[1])
    assert 0.90 <= np.mean(held) <= 0.99


@given(st.lists(st.tuples(st.sampled_from("abcdefgh?"), st.integers(1, 45)), min_size=1, max_size=9))
def test_no_group_is_of_fewer_than_twenty_people_and_none_can_be_worked_out(parts):
    told_ = [label for label, n in parts for _ in range(n)]
    names = [str(i) for i in range(len(told_))]
    values = {name: label for name, label in zip(names, told_, strict=True) if label != "?"}
    who = np.arange(len(told_))
    found = groups_of("gender", values, names, who, who)
    assert sum(found.people) == len(told_)
    if found.largest is None:
        return
    assert min(found.people) >= FEWEST
    assert all(found.people[found.of[i]] >= FEWEST for i in who)
    assert {*found.names} <= {*told_, OTHER, UNKNOWN}


def test_a_few_people_of_whom_nothing_is_known_do_not_spoil_the_comparison():
    who = np.arange(106)
    values = {str(i): "a" if i < 60 else "b" for i in range(100)}
    found = groups_of("gender", values, [str(i) for i in range(106)], who, who)
    assert (found.names, found.people, found.joined) == (("a", "b"), (66, 40), "a")
    assert found.note == "what fewer than 20 people have counts with 'a'"


def test_rows_of_one_person_are_one_group_whatever_it_was_called():
    names = ["crm:1", "cookie:1", *(str(i) for i in range(60))]
    contact = np.arange(62)
    person = np.concatenate([[0, 0], np.arange(1, 61)])
    values = {"crm:1": "a"} | {str(i): "a" if i < 30 else "b" for i in range(60)}
    found = groups_of("gender", values, names, contact, person)
    assert found.names == ("a", "b") and found.people == (31, 30) and found.of[0] == found.of[1] == 0


def test_numbers_and_dates_are_quarters_and_truths_have_two_groups():
    who = np.arange(400)
    names = [str(i) for i in range(400)]
    ages = groups_of("age", {str(i): 20 + i % 60 for i in range(400)}, names, who, who)
    assert len(ages.names) == 4 and min(ages.people) > 80 and any(name.startswith("up to ") for name in ages.names)
    born = groups_of("born_on", {str(i): f"{1950 + i % 50}-06-01" for i in range(400)}, names, who, who)
    assert "up to 1962" in born.names or "up to 1961" in born.names
    truths = groups_of("disabled", {str(i): bool(i % 4) for i in range(400)}, names, who, who)
    assert dict(zip(truths.names, truths.people, strict=True)) == {"yes": 300, "no": 100}


def test_a_value_that_was_corrected_counts_as_it_is_now_and_an_erased_one_not():
    past = past_of(
        [touch("crm:1", BEGIN), touch("crm:2", BEGIN)],
        [],
        SETTINGS,
        [("crm:1", BEGIN, {"gender": "man"}), ("crm:1", NOW - 5, {"gender": "woman"}),
         ("crm:2", BEGIN, {"gender": "man"}), ("crm:2", NOW - 5, {"gender": None})],
    )  # fmt: skip
    assert values_now(past, "gender") == {"crm:1": "woman"}


def test_where_nothing_is_protected_or_known_one_sentence_says_so():
    past = past_with({})
    decided = decision_rows(past, SETTINGS)
    nothing = tell_bias([], past, settings_of(privacy={"protected": []}), decided)
    assert bias_lines(nothing) == ["bias: no trait is protected (privacy.protected), so none was looked for"]
    unknown = bias_lines(tell_bias([], past, SETTINGS, decided))
    assert len(unknown) == 1 and "gender or born_on" in unknown[0]


def test_too_few_people_are_said_to_be_too_few():
    past = past_with({name: {"gender": "woman"} for name in NAMES[:7]})
    found, warnings = bias_of(past, fit_of(past, np.full(PEOPLE, 0.2), np.zeros(PEOPLE, dtype=bool)))
    assert found["traits"]["gender"]["groups"] == [] and not warnings
    assert "no two groups of at least 20 people" in score_lines(found)[0] and "woman" not in json.dumps(found)


def test_a_goal_without_a_model_has_nothing_to_compare():
    fit = SimpleNamespace(predicted=None, data=SimpleNamespace(goal=SimpleNamespace(is_absence=True)))
    found = score_bias(fit, None, {"gender": {"crm:1": "man"}})  # type: ignore[arg-type]
    assert found["traits"] == {} and score_lines(found) == []


def test_what_was_recommended_is_told_by_group_and_a_difference_beyond_chance_in_words():
    touchpoints, decisions, traits = told(drawn(1200, 0, 0.25, 0.0, False, False), True)
    mailed = {row.identity: row.action == "mail" for row in decisions}
    rng = np.random.default_rng(5)
    # Of those who were mailed two thirds are women, of the others one third.
    said = [(name, BEGIN, {"gender": "woman" if rng.random() < (2 / 3 if m else 1 / 3) else "man"})
            for name, m in mailed.items()]  # fmt: skip
    past = past_of(touchpoints, decisions, SETTINGS, [*traits, *said])
    found = tell_bias([], past, SETTINGS, decision_rows(past, SETTINGS))["decisions"]
    groups = {group["group"]: group for group in found["traits"]["gender"]["groups"]}
    assert sum(group["decisions"] for group in groups.values()) == 1200
    assert sum(groups["woman"]["shares"].values()) == pytest.approx(1.0)
    assert groups["woman"]["shares"]["mail"] > 1.5 * groups["man"]["shares"]["mail"]
    assert any("'mail' was chosen" in warning for warning in found["warnings"])
    lines = bias_lines({"protected": ["gender"], "known": ["gender"], "decisions": found})
    assert any(line.lstrip().startswith("woman, ") for line in lines) and any("note: bias" in line for line in lines)

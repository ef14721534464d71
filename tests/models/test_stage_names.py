"""Claims about the names of stages: each once, along the journey, and not jumping when clusters are found anew."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.stages.names import named, stage_of

NAMES = ("unaware", "need", "evaluate", "purchase", "use", "renew")


def rows(seed: int, number: int, right: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    """Clusters and the rule's word on them, which is right that often; cluster c is stage c."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, number, 2000)
    rule = np.where(rng.random(2000) < right, codes, rng.integers(0, len(NAMES), 2000))
    return codes, rule


@settings(deadline=None)
@given(st.integers(0, 1000), st.integers(1, 6), st.integers(1, 200))
def test_names_are_used_once_and_stand_in_the_order_of_the_journey(seed, number, n):
    rng = np.random.default_rng(seed)
    codes, rule = rng.integers(0, number, n), rng.integers(0, len(NAMES), n)
    found = named(codes, rule, rng.random(n), NAMES, number)
    assert len(set(found.labels)) == number
    assert found.labels == tuple(NAMES[i] for i in found.stage)
    assert found.stage.tolist() == sorted(found.stage.tolist())
    assert sorted(found.order.tolist()) == list(range(number))


@pytest.mark.parametrize("seed", range(5))
def test_clusters_get_the_names_of_the_rules_they_agree_with_however_they_are_numbered(seed):
    codes, rule = rows(seed, 6)
    turned = np.random.default_rng(seed).permutation(6)
    found = named(turned[codes], rule, np.zeros(len(codes)), NAMES, 6)
    assert found.labels == NAMES
    assert found.order.tolist() == turned.tolist()


def test_a_frequent_rule_does_not_take_every_name():
    # Nine in ten rows are "need" by rule; the cluster that is "use" more often than chance has it is still "use".
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 2, 4000)
    rule = np.where(rng.random(4000) < np.where(codes == 1, 0.2, 0.02), 4, 1)
    assert named(codes, rule, np.zeros(4000), NAMES, 2).labels == ("need", "use")


def test_what_no_rule_tells_apart_goes_along_the_journey_by_activity():
    codes = np.repeat([0, 1, 2], 100)
    busy = np.repeat([5.0, 0.0, 9.0], 100)
    found = named(codes, np.zeros(300, dtype=int), busy, NAMES, 3)
    assert found.order.tolist() == [1, 0, 2]


def test_more_clusters_than_names_share_them_by_number():
    codes, rule = rows(1, 6)
    found = named(codes, rule % 2, np.zeros(len(codes)), ("early", "late"), 6)
    assert len(set(found.labels)) == 6
    assert {label.split()[0] for label in found.labels} == {"early", "late"}


@pytest.mark.parametrize("seed", range(5))
def test_names_that_were_given_weigh_more_than_the_rules(seed):
    codes, rule = rows(seed, 6)
    before = ("unaware", "need", "evaluate", "purchase", "use", "renew")
    # The rules have been turned round; nine tenths of the contacts are in the clusters they were in.
    rng = np.random.default_rng(seed)
    old = np.where(rng.random(len(codes)) < 0.9, codes, rng.integers(0, 6, len(codes)))
    found = named(codes, 5 - rule, np.zeros(len(codes)), NAMES, 6, (before, old))
    assert found.order.tolist() == list(range(6))


def test_a_cluster_that_hardly_overlaps_with_one_before_is_named_by_the_rules():
    codes, rule = rows(0, 6)
    old = np.random.default_rng(9).integers(0, 6, len(codes))
    assert named(codes, rule, np.zeros(len(codes)), NAMES, 6, (NAMES[::-1], old)).order.tolist() == list(range(6))


def test_names_that_are_gone_from_the_settings_are_not_carried_on():
    codes, rule = rows(0, 3)
    found = named(codes, np.minimum(rule, 2), np.zeros(len(codes)), NAMES[:3], 3, (("a", "b", "c"), codes))
    assert found.labels == NAMES[:3]


@pytest.mark.parametrize(
    ("label", "code"), [("need", 1), ("need 2", 1), ("need 12", 1), ("gone", None), ("need2", None)]
)
def test_a_numbered_name_stands_for_its_stage(label, code):
    assert stage_of(label, NAMES) == code


def test_a_stage_whose_own_name_ends_in_a_number_is_itself():
    assert stage_of("phase 2", ("phase 1", "phase 2")) == 1

"""Claims about stages: rules as written, clusters found, ordered, named, and the same for one row as many."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from features.times import DAY
from models.stages.clusters import adjusted_rand, best_number
from models.stages.rules import STAGES, StageRule, StageRules, rule_stage, rule_stages
from models.stages.stages import StageModel

RULES = StageRules()
COLUMNS = [f"c{i}" for i in range(8)]


def world(seed: int = 0, n: int = 900, groups: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Counts around `groups` clearly different levels, and the group of each row."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, n)
    means = np.random.default_rng(99).permuted(np.tile(np.arange(8) * 6.0, (groups, 1)), axis=1)
    X = rng.poisson(means[group] + 0.2).astype(np.float32)
    X[rng.random(X.shape) < 0.03] = np.nan
    return X, group


def fitted(**changes: Any) -> StageModel:
    X, group = world()
    return StageModel.fit(X, COLUMNS, group + 1, STAGES, **changes)


@pytest.mark.parametrize(
    ("days", "stage"),
    [
        ({}, "unaware"),
        ({"page_view": 90.0}, "need"),
        ({"page_view": 90.001}, "unaware"),
        ({"page_view": 0.0}, "unaware"),
        ({"page_view": 3.0, "download": 59.0}, "evaluate"),
        ({"order": 30.0, "download": 1.0}, "purchase"),
        ({"order": 1.0, "support_ticket": 60.0}, "use"),
        ({"order": np.nan, "fax": 1.0}, "unaware"),
    ],
)
def test_the_first_rule_that_holds_names_the_stage(days, stage):
    assert rule_stage(RULES, days) == stage


kinds = ["order", "page_view", "download", "support_ticket", "fax"]
days = st.lists(st.lists(st.one_of(st.just(np.nan), st.floats(0, 120)), min_size=5, max_size=5), max_size=20)


@settings(deadline=None)
@given(days)
def test_many_contacts_at_once_are_judged_as_one_by_one(rows):
    table = np.array(rows, dtype=float).reshape(-1, 5)
    by_one = [rule_stage(RULES, dict(zip(kinds, row, strict=True))) for row in table]
    assert [RULES.names[code] for code in rule_stages(RULES, kinds, table)] == by_one


def test_a_table_of_another_width_is_refused():
    with pytest.raises(ValueError, match="2 kinds"):
        rule_stages(RULES, ["a", "b"], np.zeros((3, 3)))


def test_known_groups_are_found_and_named_by_the_rules():
    X, group = world()
    model = fitted()
    assert model.names == ("need", "evaluate", "purchase", "use")
    assert (model.predict(X) == group).mean() > 0.97
    assert model.agreement > 0.97
    assert model.stability > 0.9
    assert sum(model.sizes.values()) == len(X)


def test_clusters_come_in_the_order_of_the_journey_however_they_are_found():
    X, group = world()
    backwards = StageModel.fit(X, COLUMNS, 4 - group, STAGES)
    assert backwards.names == ("need", "evaluate", "purchase", "use")
    assert (backwards.predict(X) == 3 - group).mean() > 0.97


def test_without_any_rule_stage_all_clusters_still_get_different_names_by_activity():
    rng = np.random.default_rng(5)
    level = rng.integers(0, 3, 600)
    X = rng.poisson(level[:, None] * 12.0 + 1, (600, 8)).astype(float)
    model = StageModel.fit(X, COLUMNS, np.zeros(600, dtype=int), STAGES, clusters=3)
    assert len(set(model.names)) == 3
    codes = model.predict(np.array([[1.0] * 8, [13.0] * 8, [25.0] * 8]))
    assert codes.tolist() == [0, 1, 2]


@pytest.mark.parametrize("groups", [3, 4, 5])
def test_the_number_of_stages_is_that_of_the_world(groups):
    X, group = world(groups=groups)
    assert len(StageModel.fit(X, COLUMNS, group, STAGES).names) == groups


def test_more_clusters_than_names_are_told_apart_by_a_number():
    X, group = world()
    model = StageModel.fit(X, COLUMNS, group % 2, ("early", "late"), clusters=4)
    assert len(set(model.names)) == 4
    assert {name.split()[0] for name in model.names} == {"early", "late"}


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 899), st.integers(1, 40))
def test_a_row_alone_is_judged_as_among_others(start, length):
    X, _ = world()
    rows = X[start : start + length]
    assert fitted_once().predict(rows).tolist() == [fitted_once().predict(row[None])[0] for row in rows]


_once: list[StageModel] = []


def fitted_once() -> StageModel:
    if not _once:
        _once.append(fitted(clusters=4))
    return _once[0]


def test_json_keeps_every_bit():
    model = fitted_once()
    again = StageModel.from_json(json.loads(json.dumps(model.to_json())))
    assert again.to_json() == model.to_json()
    assert (again.centres == model.centres).all()
    X, _ = world(seed=3)
    assert (again.predict(X) == model.predict(X)).all()


def test_same_rows_and_seed_give_the_same_model():
    assert fitted(seed=7).to_json() == fitted(seed=7).to_json()


def test_gaps_infinities_and_empty_or_constant_columns_do_no_harm():
    X, group = world()
    X[:, 3] = np.nan
    X[:, 4] = 5
    X[0, 0] = np.inf
    model = StageModel.fit(X, COLUMNS, group, STAGES, clusters=4)
    assert np.isfinite(model.centres).all()
    assert 0 <= model.predict(np.full((1, 8), np.nan))[0] < 4
    assert 0 <= model.predict(np.full((1, 8), -np.inf))[0] < 4


def test_one_extreme_contact_makes_no_stage_of_its_own():
    X, group = world()
    X[0] = 1e12
    model = StageModel.fit(X, COLUMNS, group, STAGES, clusters=4)
    assert min(model.sizes.values()) > 100


@pytest.mark.parametrize("clusters", [None, 4])
def test_too_few_different_contacts_are_refused(clusters):
    with pytest.raises(ValueError, match="load more contacts"):
        StageModel.fit(np.ones((50, 8)), COLUMNS, np.zeros(50), STAGES, clusters=clusters)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="shape"):
        StageModel.fit(np.ones((5, 3)), COLUMNS, np.zeros(5), STAGES)
    with pytest.raises(ValueError, match="shape"):
        fitted_once().predict(np.ones((5, 3)))
    with pytest.raises(ValueError, match="shapes"):
        StageModel.from_json(fitted_once().to_json() | {"scale": [1.0]})
    with pytest.raises(ValueError, match="shapes"):
        StageModel.from_json(fitted_once().to_json() | {"centres": [[1.0]]})


def test_stages_learnt_again_move_on_and_keep_their_names_and_places():
    X, group = world(seed=1)
    before = fitted(clusters=4, rules=RULES)
    # The rules' word has become noise; the contacts are the same four groups, a little further on.
    noise = np.random.default_rng(0).integers(0, 6, len(X))
    after = StageModel.fit(X * 1.1, COLUMNS, noise, STAGES, rules=RULES, before=before, seed=9)
    assert after.names == before.names
    assert after.space is before.space
    assert (after.centres != before.centres).any()
    assert (after.predict(X) == before.predict(X)).mean() >= 0.98
    assert (after.predict(X) == group).mean() > 0.97


def test_the_number_stays_while_it_is_about_as_steady():
    rng = np.random.default_rng(0)
    # Three groups along a line, two of them near: two or three clusters are both steady.
    line = np.repeat([0.0, 10.0, 50.0], 200)[:, None] + rng.normal(size=(600, 1))
    assert best_number(line, (2, 3), 0)[0] == 3
    assert best_number(line, (2, 3), 0, usual=2)[0] == 2
    assert best_number(line, (2, 3, 8), 0, usual=8)[0] == 3  # eight are not
    assert best_number(line, (2, 3), 0, usual=9)[0] == 3


def test_changed_rules_name_the_stages_anew():
    X, group = world(seed=1)
    before = fitted(clusters=4, rules=RULES)
    changed = StageRules(STAGES, RULES.rules[:2])
    after = StageModel.fit(X, COLUMNS, np.minimum(group + 2, 5), STAGES, 4, rules=changed, before=before)
    assert after.space is not before.space


def test_stages_that_are_no_longer_where_they_were_are_sought_anew():
    X, group = world(seed=1)
    before = fitted(clusters=4)
    turned = X[:, ::-1] ** 2
    after = StageModel.fit(turned, COLUMNS, group + 1, STAGES, 4, before=before)
    assert after.space is not before.space
    assert (after.predict(turned) == group).mean() > 0.9


def test_names_are_matched_by_the_contacts_where_the_columns_have_changed():
    X, group = world()
    before = StageModel.fit(X, COLUMNS, 4 - group, STAGES, 4)
    wider = np.column_stack([X, X[:, 0]])
    after = StageModel.fit(
        wider, [*COLUMNS, "new"], group + 1, STAGES, 4, before=before, stage_before=before.predict(X)
    )
    names = np.array(before.names)[before.predict(X)]
    assert (np.array(after.names)[after.predict(wider)] == names).mean() > 0.95


def test_stages_of_before_there_was_a_mix_are_read():
    model = fitted_once()
    plain = model.to_json()
    for later in ("recent", "usual", "weight", "rules"):
        del plain[later]
    X, _ = world(seed=3)
    assert (StageModel.from_json(plain).predict(X) == model.predict(X)).all()


def test_rules_are_written_down_with_the_names():
    model = fitted(clusters=4, rules=RULES)
    assert StageModel.from_json(json.loads(json.dumps(model.to_json()))).rules == RULES


def test_rows_of_one_contact_are_drawn_together():
    rng = np.random.default_rng(0)
    few = np.repeat(rng.normal(size=(25, 3)), 40, axis=0) + 0.01 * rng.normal(size=(1000, 3))
    alone = best_number(few, (5,), 0)[1]
    together = best_number(few, (5,), 0, np.repeat(np.arange(25), 40))[1]
    # A thousand rows of 25 contacts are no thousand contacts: which 25 there are decides.
    assert together < alone - 0.1


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=40))
def test_the_rand_index_equals_an_independent_one(pairs):
    a, b = np.array(pairs).T
    assert adjusted_rand(a, b) == pytest.approx(adjusted_rand_score(a, b))


def test_noise_has_no_steady_number_of_clusters():
    _, stability = best_number(np.random.default_rng(0).normal(size=(1500, 8)), range(3, 7), 0)
    assert stability < 0.7


def test_windows_of_rules_are_half_open():
    rules = StageRules(("a", "b"), (StageRule("b", ("order",), 2 * DAY),))
    assert rule_stage(rules, {"order": 2.0}) == "b"
    assert rule_stage(rules, {"order": 2.0000001}) == "a"

"""Claims about the columns: chosen by frequency from the past only, in any order of arrival, and kept as plain data."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.feature_set import MOST_KINDS, REST, FeatureSet, FeatureSetError, choose
from features.touchpoints.touchpoints import Touchpoints
from tests.features.worlds import FEATURES, NOW, RULES, TRAITS, histories, row


def chosen(rows, before=NOW):
    return choose(Touchpoints.from_rows(rows, RULES), rules=RULES, before=before)


def test_the_most_frequent_have_columns_and_ties_go_by_name():
    kinds = ["b"] * 3 + ["c"] * 2 + ["a"] * 2 + [f"rare{i:02}" for i in range(20)]
    rows = [row("ann", 1, n, kind, kind, topics=(kind, "t")) for n, kind in enumerate(kinds)]
    found = chosen(rows)
    assert found.kinds[:4] == ("b", "a", "c", "rare00") and len(found.kinds) == MOST_KINDS
    assert found.channels[:3] == ("b", "a", "c")
    assert found.topics[:3] == ("t", "b", "a")


def test_a_topic_has_columns_only_where_enough_contacts_share_it():
    shared = [row(f"crm:{n}", 1, n, "a", topics=("pumps",)) for n in range(20)]
    alone = [row("crm:1", 1, 100 + n, "a", topics=("ann's divorce",)) for n in range(50)]
    late = [row(f"crm:{n}", NOW, 200 + n, "a", topics=("valves",)) for n in range(20)]
    touchpoints = Touchpoints.from_rows([*shared, *alone, *late], RULES)
    assert choose(touchpoints, rules=RULES, before=NOW, sharing=20).topics == ("pumps",)
    assert choose(touchpoints, rules=RULES, before=NOW, sharing=21).topics == ()
    assert choose(touchpoints, rules=RULES, before=NOW).topics == ("ann's divorce", "pumps")


def test_what_comes_later_chooses_nothing():
    assert chosen([row("ann", 1, 1, "a"), row("ann", NOW, 2, "b")]).kinds == ("a",)


def test_a_kind_named_like_the_rest_is_part_of_the_rest():
    found = chosen([row("ann", 1, 1, REST, REST, topics=(REST,)), row("ann", 1, 2, "a")])
    assert found.kinds == ("a",) and found.channels == found.topics == ()
    assert len(set(found.columns)) == len(found.columns)


@settings(max_examples=40, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_the_columns_do_not_depend_on_the_order_of_arrival(rows, random):
    found = chosen(rows)
    random.shuffle(rows)
    assert chosen(rows) == found
    assert chosen([r for r in rows if r[1] < NOW]) == found


def test_it_survives_json():
    features = replace(FEATURES, traits=TRAITS)
    again = FeatureSet.from_json(json.loads(json.dumps(features.to_json())))
    assert again == features
    assert again.columns == features.columns and again.categorical == features.categorical


def test_one_of_another_catalogue_is_refused_with_the_reason():
    plain = FEATURES.to_json()
    older = [name for name in plain["columns"] if name != "trend_30_90"]
    with pytest.raises(FeatureSetError, match=r"1 columns \(trend_30_90 .*nba train run"):
        FeatureSet.from_json({**plain, "columns": older})
    with pytest.raises(FeatureSetError, match="says nothing of its columns"):
        FeatureSet.from_json({name: value for name, value in plain.items() if name != "columns"})


def test_columns_stand_in_the_order_history_traits_own():
    features = replace(FEATURES, traits=TRAITS)
    assert features.columns == tuple(
        f.name for f in (*features.history, *features.trait_features, *features.own_features)
    )
    assert features.categorical == ("trait_sector", "own_type", "own_channel")
    assert features.columns[-1] == "own_number_discount" and "until_since_days" in features.columns
    assert replace(features, own=False).own_features == ()
    assert len(set(features.columns)) == len(features.columns)

"""Claims about the catalogue: one line a feature, names that say their window, and columns that the kernel fills."""

import re

import pytest

from features.catalogue import CATALOGUE, OVERALL, OWN, PER_CHANNEL, PER_KIND, PER_TOPIC
from features.kernel.scratch import CHANNEL, KIND, OWN_ROW, TOPIC, TOTAL
from features.times import parse_duration

UNITS = {"days", "count", "share", "ratio", "money", "seconds", "points", "place", "as given", "code"}


def test_names_are_unique():
    names = [feature.name for feature in CATALOGUE]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("feature", CATALOGUE, ids=lambda feature: feature.name)
def test_a_line_is_whole(feature):
    assert re.fullmatch(r"[a-z][a-z0-9_{}]*", feature.name)
    assert feature.unit in UNITS
    assert feature.window in ("ever", "own", "known") or parse_duration(feature.window) > 0
    assert (feature.means[0].isupper() or feature.means[0].isdigit()) and feature.means.endswith(".")
    assert ("{}" in feature.name) == ("{}" in feature.means)


@pytest.mark.parametrize("feature", CATALOGUE, ids=lambda feature: feature.name)
def test_a_count_in_a_window_names_the_window(feature):
    last = re.search(r"_(\d+d)(_seconds)?$", feature.name)
    # A change, a season, a fading sum look further back than the number they are named by.
    if last and not re.match("change|revenue_change|n_season|faded|revenue_faded", feature.name):
        assert feature.window == last[1]


def test_there_are_about_sixty_features_of_the_contact_as_a_whole():
    assert 55 <= len(OVERALL) <= 75


def test_a_name_with_braces_in_it_is_only_a_name():
    assert PER_KIND[0].named("{x}").name == "recency_kind_{x}_days"


def test_the_kernels_records_have_a_field_for_each_line_in_order():
    for record, features in (
        (KIND, PER_KIND),
        (CHANNEL, PER_CHANNEL),
        (TOPIC, PER_TOPIC),
        (TOTAL, OVERALL),
        (OWN_ROW, OWN),
    ):
        assert record.names == tuple(feature.name.replace("_{}", "") for feature in features)
        assert record.itemsize == 4 * len(features)

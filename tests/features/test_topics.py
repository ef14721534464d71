"""Claims about topic rules: the first that fits counts, and addresses fit however they are written."""

import fnmatch
import json
import time

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.feature_set import FeatureSet
from features.topics import TopicRule, Topics, ancestors, is_within
from features.touchpoints.touchpoints import TouchpointRules

PUMPS = TopicRule("url", "pumps/industrial", matches="/produkte/pumpen/*")
SEARCH = TopicRule("search", "pumps", contains=("pumpe", "Pump"))


def topic(rule: TopicRule, properties: object) -> str | None:
    return Topics([rule]).of(orjson.dumps(properties).decode())


@pytest.mark.parametrize(
    "url",
    [
        "/produkte/pumpen/ax-7",
        "/produkte/pumpen/",
        "/produkte/pumpen",
        "/Produkte/PUMPEN/ax-7?from=mail#top",
        "https://www.example.com/produkte/pumpen/ax-7",
        "https://user@www.example.com:8080/produkte/pumpen/a/b?x=/y",
        "//www.example.com/produkte/pumpen/ax-7",
        "www.example.com/produkte/pumpen/ax-7",
        "https://example.com/produkte/pump%65n/w%C3%A4rme",
    ],
)
def test_a_path_fits_however_its_address_is_written(url):
    assert topic(PUMPS, {"url": url}) == '["pumps/industrial"]'


@pytest.mark.parametrize(
    "url",
    [
        "/produkte/pumpenteile/ax-7",
        "/en/produkte/pumpen/ax-7",
        "https://example.com/suche?seite=/produkte/pumpen/ax-7",
        "https://example.com#/produkte/pumpen/ax-7",
        "https://example.com",
        "produkte pumpen",
        "",
    ],
)
def test_another_address_does_not(url):
    assert topic(PUMPS, {"url": url}) is None


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("www.example.com/pumps/*", "https://www.example.com/pumps/1?x", True),
        ("https://*/pumps/*", "https://shop.example.com/pumps/1", True),
        ("https://*/pumps/*", "/pumps/1", False),
        ("*/wärme/*", "/w%C3%A4rme/x", True),
        ("*/W%C3%A4rme/*", "/wa\u0308rme/x", True),
        ("pump*", "Pump AX?", True),
        ("pump ax?", "Pump AX?", True),
        ("pump ax?", "Pump AX", False),
        ("*3.5 kW?", "pump 3.5 kW?", True),
        ("AX-?", "ax-7", True),
        ("AX-?", "ax-77", False),
        ("a[bc]", "ab", False),
        ("a.c", "abc", False),
        ("*", "", True),
    ],
)
def test_patterns(pattern, text, fits):
    assert TopicRule("p", "t", matches=pattern).fits(text) is fits


@settings(max_examples=500, deadline=None)
@given(st.text("ab*?", min_size=1, max_size=8), st.text("ab", max_size=10))
def test_a_pattern_means_what_it_means_everywhere(pattern, text):
    assert TopicRule("p", "t", matches=pattern).fits(text) is fnmatch.fnmatchcase(text, pattern)


def test_no_pattern_takes_long():
    rule = TopicRule("p", "t", matches="*a" * 30 + "*b")
    begun = time.process_time()
    assert not rule.fits("a" * 200_000)
    # Trying every way to share the letters out would outlast the universe.
    assert time.process_time() - begun < 30


@pytest.mark.parametrize(
    ("text", "fits"),
    [("Wärmepumpe kaufen", True), ("PUMPS", True), ("w%C3%A4rme%70umpe", True), ("säge", False), ("", False)],
)
def test_one_of_the_words_is_enough_anywhere_in_the_text(text, fits):
    assert SEARCH.fits(text) is fits


def test_a_rule_with_a_pattern_and_words_needs_both():
    both = TopicRule("url", "spares", matches="/shop/*", contains=("pump", "seal"))
    assert topic(both, {"url": "/shop/seal-7"}) == '["spares"]'
    assert topic(both, {"url": "/shop/saw"}) is None and topic(both, {"url": "/blog/pump"}) is None


@pytest.mark.parametrize(
    ("name", "properties", "fits"),
    [
        ("page.url", {"page": {"url": "x"}}, True),
        ("page.url", {"page.url": "x"}, True),
        ("page.url", {"page": {"url": {"url": "x"}}}, False),
        ("page.url", {"page": "x"}, False),
        ("page", {"page": None}, False),
        ("page", {"other": "x", "page": ["y", "x"]}, True),
        ("pagé", {"pagé": "x"}, True),
        ('a"b', {'a"b': "x"}, True),
    ],
)
def test_where_a_property_is_found(name, properties, fits):
    assert (topic(TopicRule(name, "t", matches="x"), properties) is not None) is fits


@pytest.mark.parametrize(
    ("value", "text"), [(42, "42"), (42.0, "42"), (4.5, "4.5"), (True, "true"), (False, "false"), (-1, "-1")]
)
def test_other_values_fit_as_text(value, text):
    assert topic(TopicRule("sku", "t", matches=text), {"sku": value}) == '["t"]'
    assert topic(TopicRule("sku", "t", matches=text), {"sku": {"id": value}}) is None


def test_a_name_that_stands_escaped_is_found():
    assert Topics([TopicRule("pagé", "t", matches="x")]).of(json.dumps({"pagé": "x"})) == '["t"]'


def test_the_first_rule_that_fits_counts():
    rules = [PUMPS, TopicRule("url", "shop", matches="/produkte/*"), SEARCH]
    assert Topics(rules).of('{"search":"pump","url":"/produkte/pumpen/7"}') == '["pumps/industrial"]'
    assert Topics(rules[::-1]).of('{"search":"pump","url":"/produkte/pumpen/7"}') == '["pumps"]'
    assert Topics(rules).of('{"search":"pump","url":"/produkte/saegen/7"}') == '["shop"]'


@pytest.mark.parametrize("properties", [None, "", "{}", '{"other":"/produkte/pumpen/7"}'])
def test_without_the_property_there_is_no_topic(properties):
    assert Topics([PUMPS, SEARCH]).of(properties) is None
    assert Topics([]).of(properties) is None


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["url", "search"]), st.sampled_from(["/produkte/pumpen/1", "pump", "x"])),
        max_size=20,
    )
)
def test_what_was_looked_at_before_changes_nothing(asked):
    topics = Topics([PUMPS, SEARCH])
    for properties in asked:
        text = orjson.dumps(properties).decode()
        assert topics.of(text) == Topics([PUMPS, SEARCH]).of(text)


def test_memory_stays_bounded_and_long_properties_are_not_kept():
    topics = Topics([SEARCH])
    for i in range(40_000):
        topics.of(f'{{"search":"pump {i}"}}')
    assert len(topics._known) <= 16_384
    assert topics.of('{"search":"pump ' + "x" * 5000 + '"}') == '["pumps"]'
    assert all(len(text) <= 1024 for text in topics._known)


def test_hierarchy():
    assert ancestors("a/b/c") == ("a", "a/b") and ancestors("a") == () and ancestors("/a//b/") == ("/a", "/a//b")
    assert is_within("a/b", "a") and is_within("a", "a") and is_within("a/b/c", "a/b")
    assert not is_within("a", "a/b") and not is_within("ab", "a") and not is_within("b/a", "a")


@given(st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=5).map("/".join))
def test_a_topic_lies_within_its_ancestors_and_nothing_else(name):
    above = ancestors(name)
    assert all(is_within(name, each) and each != name for each in above)
    assert len(above) == name.count("/")
    assert not any(is_within(each, name) for each in above)


def test_rules_travel_in_the_bundle():
    features = FeatureSet((), (), (), rules=TouchpointRules(topic_rules=(PUMPS, SEARCH)))
    assert FeatureSet.from_json(orjson.loads(orjson.dumps(features.to_json()))) == features
    older = features.to_json()
    del older["rules"]["topic_rules"]
    assert FeatureSet.from_json(older).rules.topic_rules == ()

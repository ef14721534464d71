"""Claims about topic rules as an owner writes them: the guide's own example, and both forms of a rule."""

import re
from pathlib import Path

import orjson
import pytest

from features.topics import TopicRule, Topics
from nba.settings import parse_settings

GUIDE = (Path(__file__).parents[2] / "docs" / "owner.md").read_text()
SECTION = GUIDE.partition("## `[topics]`")[2].partition("\n## ")[0]
TOML = SECTION.partition("```toml\n")[2].partition("```")[0]
SHOWN = re.findall(r"^\| `(url|search)` \| `([^`]+)` \| `?([^`|]+?)`? \|$", SECTION, re.MULTILINE)


@pytest.mark.parametrize(("name", "text", "topic"), SHOWN)
def test_the_guides_example_gives_the_topics_it_shows(name, text, topic):
    rules = parse_settings(TOML).touchpoints.topic_rules
    expected = None if topic == "none" else orjson.dumps([topic]).decode()
    assert Topics(rules).of(orjson.dumps({name: text}).decode()) == expected


def test_the_guide_shows_topics_of_each_rule_and_none():
    assert {topic for _, _, topic in SHOWN} == {"pumps/industrial", "pumps", "none"} and len(SHOWN) == 6


def test_a_rule_may_have_a_pattern_words_or_both():
    found = parse_settings(TOML).topics.rules
    assert found[1] == TopicRule("url", "pumps", "/blog/*", ("pump", "seal"))
    assert (found[0].contains, found[2].matches) == ((), None)
    assert parse_settings(TOML).not_built_yet == ()


def test_a_pattern_may_have_question_marks_that_stand_for_a_character():
    toml = '[topics]\nrules = [{ property = "url", topic = "a", matches = "/p/?/x?" }]'
    assert parse_settings(toml).topics.rules[0].matches == "/p/?/x?"

"""Claims about single keys set otherwise: the right place is changed, the rest stays, and what cannot be is refused."""

import copy
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import UsageError, UserError
from nba.settings import SettingsError, parse_settings
from nba.settings.changes import changed

TOML = """
[points]
kinds = { visit = 5, "page view" = 2 }
thresholds = [{ below = 250, actions = ["mail"] }, { from = 250, actions = ["call"] }]
[actions.mail]
channel = "email"
[actions.call]
channel = "phone"
[ranking]
epsilon = 0.02
"""
FILE = tomllib.loads(TOML)


@pytest.mark.parametrize(
    ("assignment", "before", "after"),
    [
        ("points.thresholds[2].from=100", 250, 100),
        ("points.thresholds[2] = { from = 100, actions = ['call'] }", FILE["points"]["thresholds"][1], None),
        ('points.kinds."page view"=7', 2, 7),
        ("points.kinds.'page view'=7.5", 2, 7.5),
        ("ranking.levers.call=50", None, 50),
        ("ranking.policy=greedy", None, "greedy"),
        ("ranking.sticky=3d", None, "3d"),
        ("ranking.policy='greedy'", None, "greedy"),
        ("contact_policy.caps=[]", None, []),
        ("contact_policy.quiet.from=20:00", None, "20:00"),
        ("points.thresholds[1].actions[1]=call", "mail", "call"),
    ],
)
def test_one_place_is_changed(assignment, before, after) -> None:
    found, changes = changed(FILE, [assignment])
    assert changes[0].before == before and (after is None or changes[0].after == after)
    undone = copy.deepcopy(found)
    path = changes[0].key.partition(".")[0]
    undone[path] = copy.deepcopy(FILE.get(path))
    assert {k: v for k, v in undone.items() if v is not None} == FILE == tomllib.loads(TOML)


def test_several_are_made_in_their_order_and_read_as_a_file_is() -> None:
    found, changes = changed(FILE, ["points.thresholds[1].below=100", "points.thresholds[2].from=100"])
    settings = parse_settings(found, folder=Path("/nowhere"), environ={})
    assert [(t.from_, t.below) for t in settings.points.thresholds] == [(None, 100), (100, None)]
    assert [(each.before, each.after) for each in changes] == [(250, 100), (250, 100)]


def test_nothing_leaves_a_key_or_an_entry_out() -> None:
    found, changes = changed(FILE, ["ranking.epsilon=", "points.thresholds[1]="])
    assert found["ranking"] == {} and len(found["points"]["thresholds"]) == 1
    assert changes[0].after is None and changes[1].before == FILE["points"]["thresholds"][0]


@pytest.mark.parametrize(
    ("assignment", "reason"),
    [
        ("ranking.epsilon", "has no `=`; write KEY=VALUE"),
        ("=3", "is not a dotted key"),
        ("a..b=3", "is not a dotted key"),
        ("points.thresholds[3].from=1", "points.thresholds has 2 entries, counted from 1; there is no [3]"),
        ("points.thresholds[0].from=1", "there is no [0]"),
        ("points.thresholds.from=1", "points.thresholds is not a table"),
        ("ranking.epsilon.more=1", "ranking.epsilon is not a table"),
        ("ranking.epsilon[1]=1", "ranking.epsilon is not a list"),
        ("contact_policy.caps[1].count=1", "contact_policy.caps is not in the file; set the whole of it"),
        ("ranking.levers={call=}", "the value is not TOML"),
        ("ranking.epsilon=1\nstore.url='x'", "more than one line"),
    ],
)
def test_what_cannot_be_changed_is_refused(assignment, reason) -> None:
    with pytest.raises(UserError) as caught:
        changed(FILE, [assignment, assignment])
    assert len(caught.value.complaints) == 2 and all(reason in each for each in caught.value.complaints)


def test_what_is_no_assignment_is_wrong_usage_and_what_the_file_does_not_hold_is_not() -> None:
    with pytest.raises(UsageError, match="has no `=`; write KEY=VALUE"):
        changed(FILE, ["no", "points.thresholds[3].from=1"])
    with pytest.raises(SettingsError, match=r"there is no \[3\]"):
        changed(FILE, ["points.thresholds[3].from=1"])


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_taken_or_refused_in_a_sentence(key: str, value: str) -> None:
    try:
        found, changes = changed(FILE, [f"{key}={value}"])
    except UserError as error:
        assert len(error.complaints) == 1
    else:
        assert len(changes) == 1 and isinstance(found, dict)

from dataclasses import replace

import pytest

from features.rows.row_types import ContactRow
from features.store.store import Store
from features.times import ALWAYS, DAY, iso, parse_time
from features.touchpoints.touchpoints import TouchpointRules
from nba.draw import Draw
from nba.engine import decide
from nba.past import Past
from nba.request import Request

NOW = parse_time("2026-06-15T10:00:00Z")
UNTIL = NOW + 3 * DAY
TOML = """
[actions.mail]
channel = "email"
[actions.call]
channel = "phone"
[actions.text]
channel = "phone"
[ranking]
epsilon = 0.0
holdout = 0.0
"""


@pytest.fixture
def removed(catalogue_of, past_of):
    """Each action that a gate removed with its rule and detail, the answer's again_at beside them."""

    def run(*rows, as_of=NOW, changed=None):
        past = replace(past_of(*rows), traits_changed_at=changed)
        request = Request.from_json({"contact": "crm:1", "explain": True})
        found = decide(request, past, None, catalogue_of(TOML), as_of, Draw(b"s"))
        return {r.action: (r.rule, r.detail) for r in found.verdict.refusals}, found.again_at

    return run


def test_a_snoozed_action_comes_back_at_its_time_and_not_before(removed, row) -> None:
    said = row(NOW - DAY, "snoozed", action="call", until=iso(UNTIL))
    found, again = removed(said)
    assert found == {"call": ("paused", "snoozed until 2026-06-18 10:00 UTC")}
    assert again == UNTIL
    assert removed(said, as_of=UNTIL - 1)[0].keys() == {"call"}
    assert removed(said, as_of=UNTIL)[0] == {}


def test_the_last_word_on_an_action_holds(removed, row) -> None:
    later = row(NOW - 2 * DAY, "snoozed", action="call", until=iso(UNTIL))
    sooner = row(NOW - DAY, "snoozed", action="call", until=iso(NOW - 1))
    assert removed(later, sooner)[0] == {}


@pytest.mark.parametrize("more", [{"until": "soon"}, {}, {"until": None}])
def test_a_snooze_without_a_time_or_an_action_stops_nothing(removed, row, more) -> None:
    assert removed(row(NOW - DAY, "snoozed", action="call", **more))[0] == {}
    assert removed(row(NOW - DAY, "snoozed", until=iso(UNTIL)))[0] == {}


@pytest.mark.parametrize("said", [{"action": "call"}, {"channel": "phone"}])
def test_a_wrong_number_blocks_its_channel_until_the_contact_changes(removed, row, said) -> None:
    at = NOW - 9 * DAY
    wrong = row(at, "wrong_number", **said)
    for changed in (None, at - DAY, at):
        found, _ = removed(wrong, changed=changed)
        assert {name: rule for name, (rule, _) in found.items()} == {"call": "paused", "text": "paused"}
        assert "2026-06-06 10:00 UTC" in found["call"][1] and "until the contact changes" in found["call"][1]
    assert removed(wrong, changed=at + 1)[0] == {}


def test_when_the_contact_changed_is_read_strictly_before(tmp_path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store:
        with store.writing() as writing:
            writing.contacts([ContactRow("c", at, {"n": at}) for at in (ALWAYS, NOW - DAY, NOW)])
            writing.contacts([ContactRow("old", ALWAYS, {"n": 1})])
        rules = TouchpointRules()
        assert Past.read(store, "c", NOW, rules).traits_changed_at == NOW - DAY
        assert Past.read(store, "c", NOW + 1, rules).traits_changed_at == NOW
        assert Past.read(store, "old", NOW, rules).traits_changed_at is None

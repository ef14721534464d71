from dataclasses import replace

import pytest

from features.times import DAY, HOUR, parse_time
from nba.actions import DO_NOTHING
from nba.draw import Draw
from nba.engine import decide
from nba.request import Request

NOW = parse_time("2026-06-15T10:00:00Z")
TOML = """
[points]
kinds = { service_call = 250 }
thresholds = [{ from = 250, actions = ["call", "mail"] }]
[actions.mail]
channel = "email"
[actions.call]
channel = "phone"
[ranking]
epsilon = 0.0
holdout = 0.0
"""


@pytest.fixture
def ask(catalogue_of, past_of, row):
    called = row("2026-06-13", "service_call")

    def run(*rows, toml=TOML, decisions=(), as_of=NOW, **asked):
        past = past_of(called, *rows, decisions=decisions)
        request = Request.from_json({"contact": "crm:1", **asked})
        return decide(request, past, None, catalogue_of(toml), as_of, Draw(b"secret"))

    return run


@pytest.fixture
def then(ask):
    """What is answered after a first choice was logged."""

    def run(*rows, after=DAY, **more):
        return ask(*rows, decisions=(ask().row(),), as_of=NOW + after, **more)

    return run


def test_a_choice_stays_the_same_and_is_not_new(ask, then) -> None:
    first, again = ask(), then()
    assert (again.decision_id, again.action, again.chances) == (first.decision_id, "call", first.chances)
    assert first.is_new and not again.is_new
    assert then(decision_id="another").decision_id == first.decision_id
    assert not then(after=7 * DAY - 1).is_new
    assert then(after=7 * DAY).is_new


def test_the_contacts_own_touchpoint_overtakes_it_and_ours_does_not(then, row) -> None:
    assert not then(row(NOW + HOUR, "newsletter_sent", direction="outbound")).is_new
    assert not then(row(NOW - 1, "visit")).is_new
    assert then(row(NOW, "visit")).is_new
    assert then(row(NOW + HOUR, "visit")).is_new


@pytest.mark.parametrize("action", ["call", DO_NOTHING])
@pytest.mark.parametrize(("kind", "back"), [("objection", "consent_given"), ("restricted", "unrestricted")])
def test_it_does_not_hold_once_more_or_less_may_be_known_of_the_contact(ask, row, action, kind, back) -> None:
    toml = TOML + QUIET * (action == DO_NOTHING)
    chosen = ask(toml=toml)
    assert (chosen.action, chosen.mode) == (action, "points")
    for word in (row(NOW - HOUR, kind), row(NOW + HOUR, kind, direction="outbound")):
        objecting = ask(word, toml=toml, decisions=(chosen.row(),), as_of=NOW + 2 * HOUR)
        assert (objecting.is_new, objecting.mode) == (True, "default")
        kept = (chosen.row(), objecting.row())
        assert not ask(word, toml=toml, decisions=kept, as_of=NOW + 3 * HOUR).is_new
        over = row(NOW + 3 * HOUR, back, direction="outbound", channel="profiling")
        found = ask(word, over, toml=toml, decisions=kept, as_of=NOW + 4 * HOUR)
        assert (found.is_new, found.mode) == (True, "points")


QUIET = "[contact_policy.quiet]\nfrom = '09:00'\nto = '08:59'\n"


def test_an_outcome_overtakes_it(ask, then, row) -> None:
    done = row(NOW + HOUR, "done", direction="outbound", decision_id=ask().decision_id)
    other = row(NOW + HOUR, "done", direction="outbound", decision_id="another")
    assert then(done).is_new
    assert not then(other).is_new


def test_an_action_that_is_allowed_no_more_is_not_repeated(then) -> None:
    found = then(exclude=["call"])
    assert (found.is_new, found.action) == (True, "mail")


def test_a_request_that_sets_the_choice_aside_does_not_replace_it(ask) -> None:
    first = ask()
    other = ask(decisions=(first.row(),), as_of=NOW + DAY, exclude=["call"])
    kept = (first.row(), other.row())
    assert kept[1].properties == {"restricted": {"placement": "outbound", "exclude": ["call"]}}
    plain = ask(decisions=kept, as_of=NOW + 2 * DAY)
    assert (plain.decision_id, plain.is_new) == (first.decision_id, False)
    again = ask(decisions=kept, as_of=NOW + 2 * DAY, exclude=["call"])
    assert (again.decision_id, again.is_new) == (other.decision_id, False)


def test_another_placement_does_not_replace_the_choice(ask) -> None:
    first = ask()
    there = ask(decisions=(first.row(),), as_of=NOW + DAY, placement="infocenter")
    assert there.is_new
    back = ask(decisions=(first.row(), there.row()), as_of=NOW + 2 * DAY)
    assert (back.decision_id, back.is_new) == (first.decision_id, False)


def test_what_is_excluded_beside_a_choice_that_is_over_is_a_choice_like_any_other(ask, row) -> None:
    over = row(NOW + HOUR, "visit")
    found = ask(over, decisions=(ask().row(),), as_of=NOW + DAY, exclude=["call"])
    assert found.row().properties is None
    assert not ask(over, decisions=(ask().row(), found.row()), as_of=NOW + 2 * DAY).is_new


def test_nobody_draws_twice_by_setting_the_choice_aside_in_new_ways(ask) -> None:
    toml = TOML.replace("epsilon = 0.0", "epsilon = 1.0")
    first = next(found for n in range(99) if (found := ask(toml=toml, as_of=NOW + n)).action == "call")
    others = [
        ask(toml=toml, decisions=(first.row(),), as_of=NOW + HOUR + n, exclude=["call", f"x{n}"]) for n in range(40)
    ]
    assert len({each.decision_id for each in others}) == 40
    assert len({each.action for each in others}) == 1


def test_an_outcome_that_came_before_its_decision_overtakes_it(ask, then, row) -> None:
    assert then(row(NOW - HOUR, "done", direction="outbound", decision_id=ask().decision_id)).is_new


def test_it_holds_where_the_action_may_stand_and_no_further(ask) -> None:
    toml = TOML.replace('"phone"', '"phone"\nplacements = ["outbound", "infocenter"]')
    kept = (ask(toml=toml).row(),)
    there = ask(toml=toml, decisions=kept, as_of=NOW + DAY, placement="infocenter")
    assert (there.is_new, there.action) == (False, "call")
    elsewhere = ask(decisions=kept, as_of=NOW + DAY, placement="infocenter")
    assert (elsewhere.is_new, elsewhere.action) == (True, DO_NOTHING)


def test_a_choice_is_not_capped_by_itself_but_counts_once_it_is_over(ask, row) -> None:
    toml = TOML + "[contact_policy]\ncaps = [{ per = '30d', count = 1 }]\n"
    kept = (ask(toml=toml).row(),)
    again = ask(toml=toml, decisions=kept, as_of=NOW + DAY)
    assert (again.is_new, again.action) == (False, "call")
    after = ask(row(NOW + 1, "visit"), toml=toml, decisions=kept, as_of=NOW + DAY)
    assert (after.is_new, after.action) == (True, DO_NOTHING)
    assert after.again_at == NOW + 30 * DAY + 1, "a new choice would find nothing before there is room"


def test_do_nothing_lasts_only_while_nothing_more_is_allowed(ask) -> None:
    toml = TOML + "[contact_policy]\nquiet = { from = '20:00', to = '08:00' }\n"
    first = ask(toml=toml, as_of=parse_time("2026-06-15T20:00:00Z"))
    assert first.action == DO_NOTHING
    assert first.again_at == parse_time("2026-06-16T06:00:00Z")
    assert not ask(toml=toml, as_of=first.again_at - 1, decisions=(first.row(),)).is_new
    morning = ask(toml=toml, as_of=first.again_at, decisions=(first.row(),))
    assert (morning.is_new, morning.action) == (True, "call")


def test_a_mandatory_action_does_not_wait(ask) -> None:
    toml = TOML + "[actions.recall]\nchannel = 'letter'\nclass = 'mandatory'\n"
    kept = (ask().row(),)
    found = ask(toml=toml, decisions=kept, as_of=NOW + DAY)
    assert (found.is_new, found.action) == (True, "recall")
    assert not ask(toml=toml, decisions=(*kept, found.row()), as_of=NOW + 2 * DAY).is_new


def test_decisions_that_were_loaded_are_never_repeated(ask) -> None:
    loaded = replace(ask().row(), chances=None, allowed=None)
    assert ask(decisions=(loaded,), as_of=NOW + DAY).is_new

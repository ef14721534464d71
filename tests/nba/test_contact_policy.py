import pytest

from features.rows.row_types import DecisionRow
from features.times import DAY, HOUR, iso, parse_time
from nba.actions import DO_NOTHING
from nba.contact_policy import Verdict

NOW = parse_time("2026-06-15T10:00:00Z")
TWO = '[actions.mail]\nchannel = "email"\ntopics = ["pumps"]\n[actions.call]\nchannel = "phone"\n'


def rules(verdict: Verdict) -> dict[str, str]:
    return {refusal.action: refusal.rule for refusal in verdict.refusals}


def decision(at: int, action: str, **more) -> DecisionRow:
    chances = {DO_NOTHING: 0.5, action: 0.5}
    return DecisionRow(f"d{at}", "crm:1", at, action, 0.5, chances=chances, **more)


def test_without_a_policy_everything_is_allowed(judge) -> None:
    verdict = judge(TWO)
    assert verdict.columns == [0, 1, 2]
    assert verdict.refusals == ()
    assert set(verdict.left.values()) == {2}


def test_the_first_gate_gives_the_only_reason_and_each_gate_says_how_many_it_left(judge) -> None:
    toml = (
        TWO.replace('topics = ["pumps"]', "needs = { points_from = 100 }")
        + "[actions.letter]\nchannel = 'letter'\n[actions.visit]\nchannel = 'phone'\n"
        + "[contact_policy]\ncaps = [{ per = '7d', count = 0 }]\n"
        + "[contact_policy.consent]\nemail = 'opt_in'\nletter = 'opt_in'\n"
    )
    verdict = judge(toml, request={"exclude": ["call", "mail"]}, points=20.0)
    assert rules(verdict) == {
        "mail": "eligibility",
        "call": "cap:all/7d",
        "letter": "consent",
        "visit": "cap:all/7d",
    }
    assert dict(verdict.left) == {
        "actions": 4,
        "eligibility": 3,
        "owned": 3,
        "season": 3,
        "suitability": 3,
        "consent": 2,
        "preference": 2,
        "partner": 2,
        "hold": 2,
        "quiet": 2,
        "calendar": 2,
        "cap": 0,
        "paused": 0,
        "capacity": 0,
        "excluded": 0,
    }
    assert verdict.refusals[0].to_json() == {
        "action": "mail",
        "rule": "eligibility",
        "detail": "needs 100 points, has 20",
    }


def test_placement_season_stage_and_exclusion(judge) -> None:
    toml = (
        "[actions.box]\nchannel = 'web'\nplacements = ['infocenter']\n"
        "[actions.early]\nchannel = 'email'\nvalid = { from = '2026-06-16', to = '2026-07-01' }\n"
        "[actions.late]\nchannel = 'email'\nvalid = { to = '2026-06-15' }\n"
        "[actions.stage]\nchannel = 'email'\nstages = ['renew', 'use']\n"
        "[actions.needs_stage]\nchannel = 'email'\nneeds = { stage = 'renew' }\n"
        "[actions.out]\nchannel = 'email'\n"
    )
    verdict = judge(toml, request={"exclude": ["out"]}, stage="evaluate")
    assert rules(verdict) == {
        "box": "eligibility",
        "early": "season",
        "late": "season",
        "stage": "suitability",
        "needs_stage": "suitability",
        "out": "excluded",
    }
    assert verdict.refusals[1].until == parse_time("2026-06-16")
    assert "renew, use" in verdict.refusals[3].detail
    there = judge(toml, request={"placement": "infocenter"}, stage="renew")
    assert rules(there).keys() == {"early", "late", "stage", "needs_stage", "out"}


@pytest.mark.parametrize(("when", "expected"), [("2026-06-01", True), ("2026-06-30T23:59:59.9Z", True)])
def test_a_season_is_half_open(judge, when: str, expected: bool) -> None:
    toml = "[actions.a]\nchannel = 'email'\nvalid = { from = '2026-06-01', to = '2026-07-01' }\n"
    assert judge(toml, as_of=parse_time(when)).allowed[1] == expected
    assert not judge(toml, as_of=parse_time("2026-07-01")).allowed[1]
    assert not judge(toml, as_of=parse_time("2026-06-01") - 1).allowed[1]


def test_an_action_that_waits_for_an_occasion_is_not_offered_without_one(judge) -> None:
    toml = "[actions.card]\nchannel = 'letter'\nwhen = { trait = 'born_on', every = '1y', within = '3d' }\n"
    assert rules(judge(toml)) == {"card": "eligibility"}


CAPPED = TWO + "[contact_policy]\ncaps = [{ channel = 'email', per = '7d', count = 2 }, { per = '30d', count = 3 }]\n"


def test_caps_count_every_sender_within_a_half_open_window(judge, row) -> None:
    first, second = NOW - 7 * DAY, NOW - DAY
    sent = [
        row(first, "email_sent", channel="email"),
        row(second, "promo", channel="email", direction="outbound"),
    ]
    verdict = judge(CAPPED, *sent)
    assert rules(verdict) == {"mail": "cap:email/7d"}
    assert verdict.refusals[0].detail == "2 of 2 in 7d"
    free = verdict.refusals[0].until
    assert free == NOW + 1
    assert judge(CAPPED, *sent, as_of=free).allowed[1]


def test_inbound_does_not_count_and_the_direction_of_the_source_wins(judge, row) -> None:
    inbound = [row(NOW - DAY * d, "email_sent", channel="email", direction="inbound") for d in (1, 2, 3)]
    assert judge(CAPPED, *inbound).refusals == ()


def test_a_cap_over_all_channels_counts_every_channel_and_those_without_one(judge, row) -> None:
    sent = [
        row(NOW - 20 * DAY, "letter_sent", channel="letter"),
        row(NOW - 19 * DAY, "call_made"),
        row(NOW - 18 * DAY, "email_sent", channel="email"),
    ]
    verdict = judge(CAPPED, *sent)
    assert rules(verdict) == {"mail": "cap:all/30d", "call": "cap:all/30d"}
    assert verdict.refusals[0].until == NOW + 10 * DAY + 1


def test_a_touchpoint_without_channel_counts_on_its_actions_channel(judge, row) -> None:
    sent = [row(NOW - DAY * d, "done", direction="outbound", action="mail") for d in (1, 2)]
    assert rules(judge(CAPPED, *sent)) == {"mail": "cap:email/7d"}


def test_decisions_count_once_until_their_touchpoint_comes_and_when_deferred_only_once_shown(judge, row) -> None:
    made = [decision(NOW - DAY, "mail"), decision(NOW - 2 * DAY, "mail")]
    assert rules(judge(CAPPED, decisions=made)) == {"mail": "cap:email/7d"}
    sent = row(NOW - HOUR, "email_sent", channel="email", decision_id=made[0].decision_id)
    came = row(NOW - HOUR + 1, "visit")
    assert rules(judge(CAPPED, sent, came, decisions=made)) == {"mail": "cap:email/7d"}
    assert judge(CAPPED, sent, came, decisions=made[:1]).allowed[1]
    deferred = [decision(NOW - DAY, "mail", deferred=True), decision(NOW - 2 * DAY, "mail", deferred=True)]
    assert judge(CAPPED, decisions=deferred).allowed[1]
    shown = [decision(NOW - d * DAY, "mail", deferred=True, activated_at=NOW - HOUR) for d in (1, 2)]
    assert rules(judge(CAPPED, decisions=shown)) == {"mail": "cap:email/7d"}


def test_what_was_loaded_or_shown_where_the_contact_came_by_itself_is_no_approach(judge) -> None:
    loaded = [DecisionRow(f"d{d}", "crm:1", NOW - d * DAY, "mail") for d in (1, 2)]
    in_the_infocenter = [decision(NOW - d * DAY, "mail", placement="infocenter") for d in (1, 2)]
    nothing = [decision(NOW - d * DAY, DO_NOTHING) for d in (1, 2, 3, 4)]
    assert judge(CAPPED, decisions=[*loaded, *in_the_infocenter, *nothing]).refusals == ()


def test_caps_and_quiet_hours_are_about_approaching_a_contact(judge, row) -> None:
    toml = CAPPED.replace('channel = "email"\n', 'channel = "email"\nplacements = ["outbound", "infocenter"]\n')
    toml += "quiet = { from = '00:00', to = '23:59' }\n"
    sent = [row(NOW - d * DAY, "email_sent", channel="email") for d in (1, 2)]
    assert rules(judge(toml, *sent))["mail"] == "quiet"
    assert judge(toml, *sent, request={"placement": "infocenter"}).allowed[1]


def test_mandatory_skips_caps_but_never_consent_and_transactional_is_neither_counted_nor_capped(judge, row) -> None:
    toml = CAPPED + "[actions.recall]\nchannel = 'email'\nclass = 'mandatory'\n"
    toml += "[actions.receipt]\nchannel = 'email'\nclass = 'transactional'\n"
    sent = [row(NOW - d * DAY, "email_sent", channel="email") for d in (1, 2)]
    assert rules(judge(toml, *sent)) == {"mail": "cap:email/7d"}
    assert rules(judge(toml, *sent, row(NOW - HOUR, "unsubscribed", channel="email"))) == {
        "mail": "consent",
        "recall": "consent",
        "receipt": "consent",
    }
    receipts = [row(NOW - d * DAY, "email_sent", channel="email", action="receipt") for d in (1, 2)]
    recalls = [row(NOW - d * DAY, "email_sent", channel="email", action="recall") for d in (1, 2)]
    assert judge(toml, *receipts).refusals == ()
    assert rules(judge(toml, *recalls)) == {"mail": "cap:email/7d"}


QUIET = (
    TWO + "[contact_policy]\ntimezone = 'Europe/Zurich'\n"
    "quiet = { from = '20:00', to = '08:00', channels = ['phone'] }\n"
)


def test_quiet_hours_go_by_the_contacts_own_time_zone_else_the_settings(judge) -> None:
    evening = parse_time("2026-06-15T18:30:00Z")
    verdict = judge(QUIET, as_of=evening)
    assert rules(verdict) == {"call": "quiet"}
    assert iso(verdict.refusals[0].until) == "2026-06-16T06:00:00Z"
    assert judge(QUIET, as_of=evening, traits={"timezone": "America/New_York"}).refusals == ()
    assert rules(judge(QUIET, as_of=evening, traits={"timezone": "Mars/Olympus"})) == {"call": "quiet"}


def paused(scope: str, **more) -> str:
    extra = "".join(f", {key} = {value!r}" for key, value in more.items())
    return TWO + (
        "[actions.more_mail]\nchannel = 'email'\ntopics = ['pumps/industrial']\n"
        f"[contact_policy]\npauses = [{{ outcome = 'rejected', pause = '60d', scope = '{scope}'{extra} }}]\n"
    )


@pytest.mark.parametrize(
    ("scope", "expected"),
    [("action", {"mail"}), ("channel", {"mail", "more_mail"}), ("topic", {"mail", "more_mail"})],
)
def test_a_pause_covers_its_scope(judge, row, scope: str, expected: set[str]) -> None:
    said = row(NOW - DAY, "rejected", channel="email", action="mail")
    verdict = judge(paused(scope), said)
    assert rules(verdict) == dict.fromkeys(expected, "paused")
    assert verdict.refusals[0].until == NOW + 59 * DAY


def test_a_pause_needs_its_number_of_outcomes_within_its_time_and_ends(judge, row) -> None:
    toml = paused("action", count=3, within="30d")
    days = [40, 39, 10]
    spread = [row(NOW - d * DAY, "rejected", action="mail") for d in days]
    assert not judge(toml, *spread).refusals, "the three span exactly 30 days, which no window holds"
    close = [row(NOW - d * DAY, "rejected", action="mail") for d in (59, 40, 31)]
    verdict = judge(toml, *close)
    assert rules(verdict) == {"mail": "paused"}
    assert verdict.refusals[0].until == NOW + 29 * DAY
    assert judge(toml, *close, as_of=NOW + 29 * DAY).refusals == ()
    assert rules(judge(toml, *close, as_of=NOW + 29 * DAY - 1)) == {"mail": "paused"}


def test_do_nothing_is_allowed_whatever_happens(judge, row) -> None:
    verdict = judge(CAPPED, row(NOW - DAY, "objection"), request={"exclude": [DO_NOTHING, "mail", "call"]})
    assert verdict.columns == [0]

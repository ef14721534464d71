import json

import pytest

from features.times import parse_time
from models.saying.tongues import say
from nba.consent import Ledger
from nba.settings import parse_settings
from nba.stitching import consent_word

NOW = parse_time("2026-06-01")
CHANNELS = {"newsletter": "email"}


def allowed(past_of, rows, asked="opt_in", channel="email", as_of=NOW, person=None) -> bool:
    consent = parse_settings({"contact_policy": {"consent": {channel: asked}}}).contact_policy.consent
    return Ledger(past_of(*rows).touchpoints, as_of, CHANNELS).refusal(consent, channel, person) is None


@pytest.mark.parametrize(
    ("asked", "said", "expected"),
    [
        ("opt_out", [], True),
        ("opt_out", ["consent_withdrawn"], False),
        ("opt_out", ["consent_withdrawn", "consent_given"], True),
        ("opt_in", [], False),
        ("opt_in", ["consent_given"], True),
        ("opt_in", ["consent_confirmed"], True),
        ("opt_in", ["consent_given", "unsubscribed"], False),
        ("opt_in", ["unsubscribed", "consent_given"], True),
        ("double_opt_in", ["consent_given"], False),
        ("double_opt_in", ["consent_given", "consent_confirmed"], True),
        ("double_opt_in", ["consent_given", "consent_confirmed", "consent_withdrawn"], False),
        (
            "double_opt_in",
            ["consent_given", "consent_confirmed", "consent_withdrawn", "consent_given"],
            False,
        ),
        ("double_opt_in", ["consent_confirmed", "consent_given"], True),
    ],
)
def test_later_wins(past_of, row, asked: str, said: list[str], expected: bool) -> None:
    rows = [row(f"2026-05-{day:02}", kind, channel="email") for day, kind in enumerate(said, start=1)]
    assert allowed(past_of, rows, asked) is expected


def test_at_the_same_instant_a_withdrawal_wins(past_of, row) -> None:
    rows = [row("2026-05-01", kind, channel="email") for kind in ("consent_withdrawn", "consent_given")]
    assert not allowed(past_of, rows)
    assert not allowed(past_of, rows[::-1])


def test_consent_at_as_of_is_not_known_yet(past_of, row) -> None:
    rows = [row(NOW, "consent_given", channel="email")]
    assert not allowed(past_of, rows)
    assert allowed(past_of, rows, as_of=NOW + 1)


def test_presumed_needs_a_recorded_ground_and_a_business(past_of, row) -> None:
    asked = {"business": "presumed", "consumer": "opt_in"}
    grounded = [row("2026-05-01", "consent_presumed", channel="phone", ground="asked for an offer")]
    bare = [row("2026-05-01", "consent_presumed", channel="phone", ground=" ")]
    assert allowed(past_of, grounded, asked, "phone", person="business")
    assert not allowed(past_of, bare, asked, "phone", person="business")
    assert not allowed(past_of, grounded, asked, "phone", person="consumer")
    assert not allowed(past_of, grounded, asked, "phone")
    withdrawn = [*grounded, row("2026-05-02", "consent_withdrawn", channel="phone")]
    assert not allowed(past_of, withdrawn, asked, "phone", person="business")
    again = row("2026-05-03", "consent_presumed", channel="phone", ground="asked for an offer")
    assert not allowed(past_of, [*withdrawn, again], asked, "phone", person="business"), "a no outweighs any ground"
    assert allowed(past_of, [*withdrawn, row("2026-05-03", "consent_given", channel="phone")], asked, "phone")


def test_consent_is_per_channel_and_a_withdrawal_without_one_takes_all(past_of, row) -> None:
    given = [row("2026-05-01", "consent_given", channel=channel) for channel in ("email", "phone")]
    assert not allowed(past_of, [row("2026-05-01", "consent_given")])
    assert not allowed(past_of, given[:1], channel="phone")
    assert allowed(past_of, [*given, row("2026-05-02", "unsubscribed", channel="email")], channel="phone")
    assert not allowed(past_of, [*given, row("2026-05-02", "unsubscribed")], channel="phone")
    again = [*given, row("2026-05-02", "unsubscribed"), row("2026-05-03", "consent_given", channel="phone")]
    assert allowed(past_of, again, channel="phone")
    assert not allowed(past_of, again, channel="email")


def test_the_channel_may_stand_in_a_property_or_come_from_the_action(past_of, row) -> None:
    form = row("2026-05-01", "consent_given", channel="web")
    assert not allowed(past_of, [form])
    stated = (*row("2026-05-01", "consent_given")[:13], '{"channel": "email"}')
    assert allowed(past_of, [stated])
    assert allowed(past_of, [(*form[:13], '{"channel": "email"}')])
    left = [stated, row("2026-05-02", "unsubscribed", action="newsletter")]
    assert not allowed(past_of, left)
    assert allowed(past_of, [*left[:1], row("2026-05-01", "consent_given", channel="phone"), left[1]], channel="phone")


@pytest.mark.parametrize(
    ("kind", "channel", "expected"),
    [
        ("objection", None, False),
        ("objection", "profiling", False),
        ("consent_withdrawn", "profiling", False),
        ("objection", "email", True),
        ("unsubscribed", None, True),
        ("consent_withdrawn", None, True),
    ],
)
def test_objection_to_profiling(past_of, row, kind: str, channel: str | None, expected: bool) -> None:
    consent = parse_settings({}).contact_policy.consent
    ledger = Ledger(past_of(row("2026-05-01", kind, channel=channel)).touchpoints, NOW, CHANNELS)
    assert ledger.may_profile(consent) is expected


def test_an_objection_without_channel_closes_every_channel(past_of, row) -> None:
    assert not allowed(past_of, [row("2026-05-01", "objection")], "opt_out")


def test_profiling_can_be_opt_in(past_of, row) -> None:
    consent = parse_settings({"contact_policy": {"consent": {"profiling": "opt_in"}}}).contact_policy.consent
    assert not Ledger(past_of().touchpoints, NOW, CHANNELS).may_profile(consent)
    agreed = past_of(row("2026-05-01", "consent_given", channel="profiling"))
    assert Ledger(agreed.touchpoints, NOW, CHANNELS).may_profile(consent)


def test_a_refusal_says_what_is_missing(past_of, row) -> None:
    consent = parse_settings({"contact_policy": {"consent": {"email": "double_opt_in"}}}).contact_policy.consent
    pending = past_of(row("2026-05-01", "consent_given", channel="email"))
    said = Ledger(pending.touchpoints, NOW, CHANNELS).refusal(consent, "email", None)
    assert said is not None and say(said) == "email needs double_opt_in: double opt-in is not confirmed yet"


def test_a_restriction_closes_every_channel_and_profiling_until_it_is_lifted(past_of, row) -> None:
    said = (("01", "restricted"), ("03", "unrestricted"), ("05", "unrestricted"), ("05", "restricted"))
    past = past_of(*[row(f"2026-05-{day}", kind) for day, kind in said])
    asked = parse_settings({}).contact_policy.consent
    for day, is_open in (("01", True), ("02", False), ("03", False), ("04", True), ("06", False)):
        ledger = Ledger(past.touchpoints, parse_time(f"2026-05-{day}"), CHANNELS)
        assert ledger.is_restricted is not is_open and ledger.may_profile(asked) is is_open
        assert (ledger.refusal(asked, "email", None) is None) is is_open


OPEN = {"newsletter": "email", "call": "phone"}


def ledger_of(past_of, *rows) -> Ledger:
    return Ledger(past_of(*rows).touchpoints, NOW, OPEN)


@pytest.mark.parametrize("kind", ["unsubscribed", "Unsubscribed", "Consent-Withdrawn", "consent withdrawn"])
@pytest.mark.parametrize("named", ["email", "Email", "EMAIL", "E-Mail", " e mail ", "e_mail"])
def test_a_withdrawal_counts_however_it_is_spelt(past_of, row, kind: str, named: str) -> None:
    consent = parse_settings({}).contact_policy.consent
    by_column = row("2026-05-01", kind, channel=named)
    by_property = (*row("2026-05-01", kind, channel="web")[:13], json.dumps({"channel": named}))
    for each in (by_column, by_property):
        ledger = ledger_of(past_of, each)
        assert ledger.refusal(consent, "email", None) is not None and ledger.channels == ("email",)
        assert ledger.refusal(consent, "phone", None) is None
    again = row("2026-05-02", "Consent Given", channel=named)
    assert ledger_of(past_of, by_column, again).refusal(consent, "email", None) is None


@pytest.mark.parametrize("kind", ["unsubscribed", "consent_withdrawn", "objection"])
def test_a_withdrawal_from_a_channel_that_nobody_knows_takes_back_everything(past_of, row, kind: str) -> None:
    consent = parse_settings({}).contact_policy.consent
    given = [row("2026-05-01", "consent_given", channel=channel) for channel in ("email", "phone", "mail")]
    ledger = ledger_of(past_of, *given, row("2026-05-02", kind, channel="mail"))
    assert all(ledger.refusal(consent, name, None) is not None for name in ("email", "phone", "mail"))
    assert ledger.may_profile(consent)
    back = ledger_of(
        past_of, *given, row("2026-05-02", kind, channel="mail"), row("2026-05-03", "consent_given", channel="email")
    )
    assert back.refusal(consent, "email", None) is None
    assert back.refusal(consent, "phone", None) is not None


def test_a_channel_that_has_a_rule_is_known_without_an_action(past_of, row) -> None:
    said = row("2026-05-02", "unsubscribed", channel="sms")
    consent = parse_settings({"contact_policy": {"consent": {"SMS": "opt_in"}}}).contact_policy.consent
    assert ledger_of(past_of, said).refusal(consent, "email", None) is None
    assert consent.asks("sms", None) == "opt_in"


def test_consent_to_a_channel_that_nobody_knows_gives_nothing(past_of, row) -> None:
    assert not allowed(past_of, [row("2026-05-01", "consent_given", channel="mail")])
    left = [row("2026-05-01", "unsubscribed", channel="mail"), row("2026-05-02", "consent_given", channel="mail")]
    assert not allowed(past_of, left, "opt_out")


def test_a_withdrawal_from_stitching_leaves_the_channels(past_of, row) -> None:
    assert allowed(past_of, [row("2026-05-01", "consent_withdrawn", channel="stitching")], "opt_out")
    assert consent_word((*row("2026-05-01", "Consent Withdrawn", channel="Stitching"), "")) is not None

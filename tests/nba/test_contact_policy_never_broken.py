"""No allowed action ever breaks a rule, judged by an independent reading of the same random past."""

from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from features.times import DAY, HOUR, parse_time, to_datetime
from nba.actions import DO_NOTHING
from nba.draw import Draw
from nba.engine import decide
from nba.request import Request
from tests.examples import examples

TOML = """
[goals.conversion]
kinds = ["order"]
horizon = "30d"
[points]
kinds = { visit = 5, download = 100 }
thresholds = [{ below = 100, actions = ["mail"] }, { from = 100, actions = ["call", "mail"] }]
[actions.mail]
channel = "email"
topics = ["pumps"]
[actions.other_mail]
channel = "email"
topics = ["valves"]
[actions.call]
channel = "phone"
value = 100
[actions.receipt]
channel = "email"
class = "transactional"
[contact_policy]
timezone = "Europe/Zurich"
caps = [{ channel = "email", per = "7d", count = 2 }, { per = "30d", count = 4 }]
quiet = { from = "20:00", to = "08:00", channels = ["phone"] }
pauses = [{ outcome = "rejected", count = 2, within = "30d", pause = "60d", scope = "action" }]
[contact_policy.consent]
email = "double_opt_in"
phone = "opt_in"
"""
CHANNEL = {"mail": "email", "other_mail": "email", "call": "phone", "receipt": "email"}
KINDS = [
    "visit", "download", "order", "email_sent", "call_made", "rejected", "consent_given", "consent_confirmed",
    "consent_withdrawn", "unsubscribed", "objection",
]  # fmt: skip

START = parse_time("2026-01-01")


@st.composite
def histories(draw: st.DrawFn):
    as_of = START + draw(st.integers(0, 400 * DAY))
    # Consent at the start is likely, so that something is allowed often enough for rules to matter.
    rows: list[tuple[int, str, str | None, str | None]] = [
        (START - 90 * DAY, kind, channel, None)
        for kind, channel in (
            ("consent_given", "phone"),
            ("consent_given", "email"),
            ("consent_confirmed", "email"),
        )
        if draw(st.booleans())
    ]
    for _ in range(draw(st.integers(0, 12))):
        back = draw(st.integers(0, 40) | st.sampled_from([7, 30, 60]))
        kind = draw(st.sampled_from(KINDS))
        channel = draw(st.sampled_from(["email", "phone", None]))
        action = draw(st.sampled_from([None, *CHANNEL])) if kind in ("rejected", "email_sent") else None
        rows.append(
            (
                as_of - back * DAY + draw(st.integers(-2, 2)) * draw(st.sampled_from([1, HOUR])),
                kind,
                channel,
                action,
            )
        )
    return as_of, [each for each in rows if each[0] < as_of]


@settings(max_examples=examples(300), deadline=None)
@given(
    given=histories(),
    zone=st.sampled_from([None, "America/New_York", "Asia/Kathmandu"]),
    exclude=st.lists(st.sampled_from(sorted(CHANNEL)), max_size=2),
    caller=st.text(max_size=5),
)
def test_no_rule_is_ever_broken(past_of, row, catalogue_of, given, zone, exclude, caller) -> None:
    as_of, rows = given
    past = past_of(
        *(row(at, kind, channel=channel, action=action) for at, kind, channel, action in rows),
        traits={} if zone is None else {"timezone": zone},
    )
    request = Request.from_json({"contact": "crm:1", "exclude": exclude, "explain": True})
    decision = decide(request, past, None, catalogue_of(TOML), as_of, Draw(b"secret", caller))

    chances = decision.chances
    assert abs(sum(chances.values()) - 1) < 1e-12
    assert DO_NOTHING in chances
    removed = {refusal.action: refusal for refusal in decision.verdict.refusals}
    assert removed.keys() | chances.keys() == {*CHANNEL, DO_NOTHING}
    assert not removed.keys() & chances.keys()
    assert all(refusal.rule and refusal.detail for refusal in removed.values())
    assert decision.action in chances and chances[decision.action] > 0
    assert {each.action for each in decision.recommendations} <= chances.keys()
    for action in chances.keys() - {DO_NOTHING}:
        assert action not in exclude
        check_consent(rows, CHANNEL[action])
        check_quiet(CHANNEL[action], as_of, zone)
        check_pause(rows, action, as_of)
        if action != "receipt":
            check_caps(rows, CHANNEL[action], as_of)
    for refusal in removed.values():
        assert refusal.until is None or refusal.until > as_of


def check_consent(rows, channel) -> None:
    withdrawn = [
        at
        for at, kind, where, action in rows
        if kind in ("consent_withdrawn", "unsubscribed", "objection")
        and (where or CHANNEL.get(action)) in (None, channel)
    ]
    proof = ["consent_confirmed"] if channel == "email" else ["consent_given", "consent_confirmed"]
    agreed = [at for at, kind, where, _ in rows if kind in proof and where == channel]
    assert agreed and max(agreed) > max(withdrawn, default=-(2**62))


def check_quiet(channel, as_of, zone) -> None:
    local = to_datetime(as_of).astimezone(ZoneInfo(zone or "Europe/Zurich"))
    assert channel != "phone" or 8 <= local.hour < 20


def check_caps(rows, channel, as_of) -> None:
    sent = [
        (at, where or CHANNEL.get(action))
        for at, kind, where, action in rows
        if kind in ("email_sent", "call_made") and action != "receipt"
    ]
    week, month = timedelta(days=7), timedelta(days=30)
    age = [to_datetime(as_of) - to_datetime(at) for at, _ in sent]
    if channel == "email":
        assert sum(a <= week for a, (_, where) in zip(age, sent, strict=True) if where == "email") < 2
    assert sum(a <= month for a in age) < 4


def check_pause(rows, action, as_of) -> None:
    times = sorted(at for at, kind, _, what in rows if kind == "rejected" and what == action)
    for first, second in pairwise(times):
        assert second - first >= 30 * DAY or as_of >= second + 60 * DAY


@settings(deadline=None)
@given(seed=st.integers(0, 10**6))
def test_what_is_drawn_follows_the_chances(past_of, row, catalogue_of, seed: int) -> None:
    past = past_of(
        row(START, "consent_given", channel="phone"),
        row(START, "consent_confirmed", channel="email"),
        row(START, "download"),
    )
    noon = START + DAY + 12 * HOUR
    first, second = (
        decide(Request("crm:1", decision_id=str(seed)), past, None, catalogue_of(TOML), noon, Draw(b"secret"))
        for _ in range(2)
    )
    assert first == second
    assert np.isclose(first.chances["call"], 0.98 * 0.98 + 0.02 + 0.98 * 0.02 / 5)

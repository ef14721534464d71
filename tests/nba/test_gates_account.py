from collections.abc import Sequence
from dataclasses import dataclass

from features.times import DAY, HOUR, parse_time
from nba.tables.surroundings import Alone

NOW = parse_time("2026-06-15T10:00:00Z")
TOML = """
[actions.mail]
channel = "email"
[actions.call]
channel = "phone"
[actions.recall]
channel = "letter"
class = "mandatory"
[actions.receipt]
channel = "email"
class = "transactional"
[contact_policy]
caps = [{ account = true, per = "7d", count = 3 }, { account = true, channel = "phone", per = "30d", count = 1 }]
"""
MINE = {"account": "acme"}


@dataclass(frozen=True)
class Colleagues(Alone):
    """Somebody whose colleagues were approached at these times on these channels."""

    found: Sequence[tuple[int, str | None]] = ()

    def account_approaches(self, since: int):
        return [each for each in sorted(self.found) if each[0] >= since]


def rules(verdict) -> dict[str, str]:
    return {refusal.action: refusal.rule for refusal in verdict.refusals}


def test_colleagues_of_the_same_account_count_together(judge, row) -> None:
    mail = row(NOW - 5 * DAY, "email_sent", channel="email")
    theirs = Colleagues([(NOW - 6 * DAY, "email"), (NOW - DAY, "email")])
    verdict = judge(TOML, mail, traits=MINE, around=theirs)
    assert rules(verdict) == {"mail": "cap:account:all/7d", "call": "cap:account:all/7d"}
    assert verdict.refusals[0].detail == "3 of 3 in 7d"
    assert verdict.refusals[0].until == NOW + DAY + 1
    assert judge(TOML, mail, traits=MINE, around=theirs, as_of=NOW + DAY + 1).refusals == ()
    assert judge(TOML, traits=MINE, around=theirs).refusals == ()
    same = Colleagues([(NOW - 5 * DAY, "email")] * 2)
    assert set(rules(judge(TOML, mail, traits=MINE, around=same)).values()) == {"cap:account:all/7d"}


def test_a_cap_of_an_account_on_a_channel_counts_that_channel(judge, row) -> None:
    called = Colleagues([(NOW - 20 * DAY, "phone")])
    assert rules(judge(TOML, traits=MINE, around=called)) == {"call": "cap:account:phone/30d"}
    assert judge(TOML, traits=MINE, around=Colleagues([(NOW - 20 * DAY, "email")])).refusals == ()
    assert rules(judge(TOML, row(NOW - HOUR, "call_made"), traits=MINE)) == {}, "no channel is known of it"


def test_without_an_account_there_is_nobody_to_count_with(judge, row) -> None:
    theirs = Colleagues([(NOW - HOUR, "email")] * 3)
    sent = [row(NOW - days * DAY, "email_sent", channel="email") for days in (1, 2, 3)]
    assert judge(TOML, *sent, around=theirs).refusals == ()


def test_where_the_contact_comes_by_itself_nothing_is_counted(judge) -> None:
    toml = TOML.replace('channel = "email"\n[actions.call]', 'channel = "email"\nplacements = ["web"]\n[actions.call]')
    theirs = Colleagues([(NOW - HOUR, "email")] * 3)
    verdict = judge(toml, traits=MINE, around=theirs, request={"placement": "web"})
    assert verdict.allowed[1] and set(rules(verdict).values()) == {"eligibility"}

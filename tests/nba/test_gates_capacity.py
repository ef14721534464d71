from dataclasses import dataclass, field

import pytest

from features.rows.row_types import DecisionRow
from features.times import ALWAYS, HOUR, iso, parse_time
from nba.actions import DO_NOTHING
from nba.tables.surroundings import Alone

NOW = parse_time("2026-06-15T10:00:00Z")
CALL = "[actions.call]\nchannel = 'phone'\n"
DAILY = CALL + "capacity = { per = '1d', count = 2, by = 'owner' }\n"


@dataclass(frozen=True)
class Everybody(Alone):
    """Somebody among others for whom the action was taken at these times; notes what is asked."""

    at: tuple[int, ...] = ()
    asked: list[tuple[str, int, str | None]] = field(default_factory=list)

    def taken(self, action: str, since: int, by: str | None) -> int:
        self.asked.append((action, since, by))
        return sum(at >= since for at in self.at)


def decision(at: int, **more) -> DecisionRow:
    return DecisionRow("mine", "crm:1", at, "call", 0.5, chances={DO_NOTHING: 0.5, "call": 0.5}, **more)


def test_a_day_is_a_day_of_the_calendar_where_the_settings_are(judge) -> None:
    yesterday, today = parse_time("2026-06-14T21:59:59Z"), parse_time("2026-06-14T22:00:00Z")
    assert judge(DAILY, around=Everybody((yesterday, yesterday, today))).allowed[1]
    full = Everybody((today, NOW - HOUR))
    verdict = judge(DAILY, around=full)
    assert full.asked == [("call", today, "owner")]
    refusal = verdict.refusals[0]
    assert (refusal.rule, iso(refusal.until)) == ("capacity", "2026-06-15T22:00:00Z")
    assert refusal.detail == (
        "0 of 2 of this owner left, 2 taken since 2026-06-14 22:00 UTC, again from 2026-06-15 22:00 UTC"
    )
    assert judge(DAILY, around=full, as_of=refusal.until).allowed[1]


@pytest.mark.parametrize(
    ("capacity", "more", "since"),
    [
        ("{ per = '7d', count = 1 }", "", "2026-06-08T22:00:00Z"),
        ("{ per = '4h', count = 1 }", "", "2026-06-15T06:00:00Z"),
        ("{ total = 1 }", "valid = { from = '2026-06-01', to = '2026-07-01' }\n", "2026-06-01T00:00:00Z"),
    ],
)
def test_other_capacities_look_back_as_far_as_they_say(judge, capacity: str, more: str, since: str) -> None:
    toml, begins = CALL + f"capacity = {capacity}\n{more}", parse_time(since)
    full = Everybody((begins,))
    assert judge(toml, around=full).refusals[0].rule == "capacity"
    assert full.asked == [("call", begins, None)]
    assert judge(toml, around=Everybody((begins - 1,))).allowed[1]


def test_seats_in_total_are_counted_from_ever(judge) -> None:
    seats = Everybody((ALWAYS, NOW - 1))
    assert judge(CALL + "capacity = { total = 3 }\n", around=seats).allowed[1]
    refusal = judge(CALL + "capacity = { total = 2 }\n", around=seats).refusals[0]
    assert (refusal.detail, refusal.until) == ("0 of 2 left, 2 taken in total", None)
    assert not judge(CALL + "capacity = { total = 0 }\n").allowed[1]


def test_a_duty_is_done_also_where_there_is_no_room(judge) -> None:
    full = Everybody((NOW - HOUR,) * 9)
    assert judge(DAILY + "class = 'mandatory'\n", around=full).allowed[1]
    assert not judge(DAILY + "class = 'transactional'\n", around=full).allowed[1]


def test_a_choice_that_is_given_again_does_not_take_its_own_place(judge) -> None:
    mine, others = NOW - 2 * HOUR, NOW - HOUR
    full = Everybody((mine, others))
    assert judge(DAILY, around=full, held=decision(mine)).allowed[1]
    assert not judge(DAILY, around=full, held=decision(mine, placement="infocenter")).allowed[1]
    assert not judge(DAILY, around=full, held=decision(mine, deferred=True)).allowed[1]
    assert judge(DAILY, around=full, held=decision(mine, deferred=True, activated_at=others)).allowed[1]
    assert not judge(DAILY, around=Everybody((others, others)), held=decision(NOW - 30 * HOUR)).allowed[1]


def test_nobody_is_asked_where_no_action_has_a_capacity(judge) -> None:
    around = Everybody()
    judge(CALL, around=around)
    assert around.asked == []

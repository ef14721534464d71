"""Claims about occasions by events and by touchpoints: whom they call, for which event, and what follows a visit."""

import pytest

from features.times import DAY, HOUR, iso
from nba.tables.tables import Event
from tests.nba.occasion_worlds import CONTACT, Around, World, decided, toml, touch, us

FAIR = toml('event = "starts_at", from = "-21d", to = "-3d"')
FOLLOW_UP = toml('after = "fair_visit", from = "1d", to = "10d"')


def event(name: str, starts: str, **more) -> Event:
    return Event(name, us(starts), **more)


def invited(*events: Event, rows=(), settings: str = FAIR, **more) -> World:
    return World(settings, rows, around=Around(events=events), **more)


def test_an_event_calls_in_its_window() -> None:
    world = invited(event("fair", "2026-12-20T09:00:00Z", place="Bern"))
    found = world.now("2026-12-01")
    assert (iso(found.begins), iso(found.ends)) == ("2026-11-29T09:00:00Z", "2026-12-17T09:00:00Z")
    assert (found.event_id, found.about) == ("fair", "fair (Bern) begins on 2026-12-20")
    assert world.now(found.begins - 1) is None and world.now(found.ends) is None
    assert world.refusal(found.begins - 1).until == found.begins
    assert world.answer("2026-12-01").recommendations[0].valid_until == found.ends


def test_the_earliest_event_that_suits_is_meant() -> None:
    events = [event("late", "2026-12-22"), event("soon", "2026-12-18"), event("gone", "2026-12-02")]
    assert invited(*events).now("2026-12-01").event_id == "soon"
    used = [decided("2026-11-30", "event:soon")]
    assert invited(*events, decisions=used).now("2026-12-01T12:00:00Z").event_id == "late"


@pytest.mark.parametrize(
    ("touched", "theirs", "calls"),
    [
        ("pumps", ("pumps",), True), ("pumps/vacuum", ("pumps",), True), ("pumps", ("valves", "pumps/vacuum"), True),
        ("valves", ("pumps",), False), (None, ("pumps",), False), (None, (), True), ("pumps-used", ("pumps",), False),
    ],
)  # fmt: skip
def test_an_event_is_for_those_who_may_be_interested(touched, theirs, calls) -> None:
    rows = [touch("2026-11-20", topics=[touched] if touched else [])]
    assert (invited(event("fair", "2026-12-20", topics=theirs), rows=rows).now("2026-12-05") is not None) is calls


def test_our_own_touchpoints_are_no_interest() -> None:
    rows = [touch("2026-11-20", "email_sent", topics=["pumps"])]
    assert invited(event("fair", "2026-12-20", topics=("pumps",)), rows=rows).now("2026-12-05") is None


def test_interest_fades_within_three_half_lives() -> None:
    touched = us("2026-09-10T12:00:00Z")
    world = invited(event("fair", "2026-12-20", topics=("pumps",)), rows=[touch(touched, topics=["pumps"])])
    found = world.now("2026-12-05")
    assert found.ends == touched + 90 * DAY + 1
    assert world.now(found.ends - 1) is not None and world.now(found.ends) is None
    short = FAIR + "[topics]\nhalf_life = '1w'\n"
    assert (
        invited(event("fair", "2026-12-20", topics=("pumps",)), rows=world.rows, settings=short).now("2026-12-05")
        is None
    )


@pytest.mark.parametrize(
    ("spoken", "theirs", "calls"),
    [
        ("de", "de", True), ("de-CH", "de", True), ("DE", "de_AT", True), ("fr", "de", False), (None, "de", True),
        ("fr", None, True), ("", "de", True), (7, "de", True),
    ],
)  # fmt: skip
def test_an_event_is_in_the_contacts_language_where_both_are_known(spoken, theirs, calls) -> None:
    world = invited(event("fair", "2026-12-20", language=theirs), traits={"language": spoken} if spoken else {})
    assert (world.now("2026-12-05") is not None) is calls


def test_an_action_about_topics_is_for_events_about_these() -> None:
    settings = toml('event = "starts_at", from = "-21d", to = "-3d"', action="topics = ['valves']")
    rows = [touch("2026-11-20", topics=["valves", "pumps"])]
    for topics, calls in ((("pumps",), False), (("pumps", "valves/ball"), True), ((), True)):
        world = invited(event("fair", "2026-12-20", topics=topics), rows=rows, settings=settings)
        assert (world.now("2026-12-05") is not None) is calls


def seats(*taken: tuple[str, int, str, str], seats: int | None = 2, settings: str = FAIR, **more) -> World:
    around = Around(events=[event("fair", "2026-12-20", seats=seats)], seats_at=taken)
    return World(settings, around=around, **more)


def test_seats_are_counted_from_the_beginning_of_the_window_and_the_own_one_is_kept() -> None:
    begins = us("2026-12-20") - 21 * DAY
    taken = [("fair", begins + day * DAY - 1, "act", f"crm:{9 + day}") for day in range(3)]
    for n, calls in ((2, False), (3, True), (0, False), (None, True)):
        assert (seats(*taken, seats=n).now("2026-12-05") is not None) is calls
    held = decided(begins + DAY, "event:fair")
    mine = ("fair", begins + DAY, "act", CONTACT)
    assert seats(*taken[:2], mine, decisions=[held]).now("2026-12-05", held=held).event_id == "fair"


def test_seats_are_those_of_the_event_and_not_of_the_action() -> None:
    begins = us("2026-12-20") - 21 * DAY
    others = [("open day", begins + DAY, "act", f"crm:{n}") for n in range(9)]
    assert seats(*others).now("2026-12-05") is not None, "who was invited elsewhere has no seat here"
    twice = [("fair", begins + n * DAY, "act", "crm:9") for n in range(3)]
    assert seats(*twice).now("2026-12-05") is not None, "who was asked twice has one seat"


def test_a_series_of_invitations_shares_seats_and_reminds_those_who_have_one() -> None:
    settings = (
        "[actions.act]\nchannel = 'email'\nwhen = { event = 'starts_at', from = '-21d', to = '-3d' }\n"
        "[actions.remind]\nchannel = 'email'\nwhen = { event = 'starts_at', from = '-10d', to = '-1d' }\n"
    )
    early = us("2026-12-20") - 20 * DAY
    full = [("fair", early, "act", "crm:8"), ("fair", early, "act", "crm:9")]
    world = seats(*full, settings=settings)
    assert world.refusal("2026-12-12", "act") is not None and world.refusal("2026-12-12", "remind") is not None
    mine = seats(full[0], ("fair", early, "act", CONTACT), settings=settings)
    assert mine.refusal("2026-12-12", "remind") is None


def test_events_also_call_after_they_end() -> None:
    settings = toml('event = "ends_at", from = "1d", to = "5d"')
    world = invited(
        event("fair", "2026-12-20", ends_at=us("2026-12-22")), event("open", "2026-12-20"), settings=settings
    )
    assert world.now("2026-12-22T23:59:59Z") is None
    assert world.now("2026-12-23").about == "fair ends on 2026-12-22"


def test_an_invitation_series_is_several_actions_each_once() -> None:
    settings = (
        "[actions.first]\nchannel = 'email'\nwhen = { event = 'starts_at', from = '-21d', to = '-10d' }\n"
        "[actions.second]\nchannel = 'email'\nwhen = { event = 'starts_at', from = '-10d', to = '-3d' }\n"
    )
    world = World(settings, around=Around(events=[event("fair", "2026-12-20")]))
    for day, first, second in (("2026-11-30", True, False), ("2026-12-10", False, True), ("2026-12-17", False, False)):
        assert (world.refusal(day, "first") is None, world.refusal(day, "second") is None) == (first, second)


def test_after_a_touchpoint_its_window_opens_and_closes() -> None:
    at = us("2026-11-10T15:00:00Z")
    world = World(FOLLOW_UP, [touch(at, "fair_visit", topics=["pumps"])])
    found = world.now(at + DAY)
    assert (found.begins, found.ends, found.topics) == (at + DAY, at + 10 * DAY, ("pumps",))
    assert found.about == "fair_visit on 2026-11-10"
    assert world.now(at + DAY - 1) is None and world.now(at + 10 * DAY) is None
    assert world.refusal(at + HOUR).until == at + DAY
    assert world.refusal("2026-11-01").detail == "waits for its occasion: no fair_visit lies the right time back"


def test_at_once_is_just_after() -> None:
    world = World(toml('after = "basket_left", from = "0d", to = "2d"'), [touch("2026-11-10", "basket_left")])
    assert world.now(us("2026-11-10")) is None
    assert world.now(us("2026-11-10") + 1).begins == us("2026-11-10") + 1


def test_our_own_touchpoints_may_be_followed_up_too() -> None:
    world = World(
        toml('after = "offer_sent", from = "7d", to = "14d"'), [touch("2026-11-10", "offer_sent", direction="outbound")]
    )
    assert world.now("2026-11-18") is not None


def test_each_visit_is_followed_up_once() -> None:
    rows = [touch("2026-11-10", "fair_visit"), touch("2026-11-14", "fair_visit")]
    assert World(FOLLOW_UP, rows, decisions=[decided("2026-11-12")]).now("2026-11-14T23:00:00Z") is None
    assert World(FOLLOW_UP, rows, decisions=[decided("2026-11-12")]).now("2026-11-15") is not None
    assert World(FOLLOW_UP, rows, decisions=[decided("2026-11-16")]).now("2026-11-17") is None


def test_a_follow_up_points_to_the_next_event_that_is_similar() -> None:
    events = [
        event("visited", "2026-11-09", topics=("pumps",)),
        event("again", "2027-03-01", topics=("pumps/vacuum",), place="Basel"),
        event("earlier", "2027-02-01", topics=("valves",)),
        event("later", "2027-05-01", topics=("pumps",)),
        event("full", "2027-02-01", topics=("pumps",), seats=0),
        event("foreign", "2027-02-01", topics=("pumps",), language="fr"),
        event("open", "2027-01-01"),
    ]
    world = World(
        FOLLOW_UP, [touch("2026-11-10", "fair_visit", event_id="visited")], {"language": "de"}, Around(events)
    )
    found = world.now("2026-11-12")
    assert found.event_id == "again"
    assert found.about == "fair_visit on 2026-11-10; again (Basel) on 2027-03-01 is similar"
    alone = World(FOLLOW_UP, [touch("2026-11-10", "fair_visit", topics=["pumps"])], around=Around(events[:1]))
    assert alone.now("2026-11-12").event_id is None


def test_who_signed_up_for_an_event_is_pointed_to_another() -> None:
    events = [event("booked", "2026-12-01", topics=("pumps",)), event("next", "2027-02-01", topics=("pumps",))]
    world = World(FOLLOW_UP, [touch("2026-11-10", "fair_visit", event_id="booked")], around=Around(events))
    assert world.now("2026-11-12").event_id == "next"

"""Claims about which partner takes a lead: who fits and has room, learnt from what came of the leads before."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.times import DAY, parse_time
from nba.partners.lead_load import LoadEffect
from nba.partners.lead_offers import SETTLES, Offer, offers_of
from nba.partners.routing import Lead, Routing, covers, refused_by
from nba.partners.track_record import Rates, TrackRecord
from nba.tables.tables import Partner

NOW = parse_time("2026-06-15T10:00:00Z")


def partners(*rows: Partner) -> dict[str, Partner]:
    return {row.partner: row for row in rows}


def record_of(*offers: Offer, at: int = NOW) -> TrackRecord:
    return TrackRecord.of(offers, at)


def lost(partner: str, n: int, topic: str = "pumps") -> list[Offer]:
    at = NOW - 2 * SETTLES
    return [Offer(partner, at, topic, True, at, None, at + DAY) for _ in range(n)]


def won(partner: str, n: int, topic: str = "pumps") -> list[Offer]:
    at = NOW - 2 * SETTLES
    return [Offer(partner, at, topic, True, at, at + 20 * DAY) for _ in range(n)]


def test_a_territory_is_places_or_their_beginnings():
    north = Partner("north", territory=("CH-ZH", "80*"))
    for traits, is_covered in (
        ({"territory": "ch-zh"}, True),
        ({"postcode": "8005"}, True),
        ({"zip": 8005}, True),
        ({"country": "FR"}, False),
        ({"postcode": "9000", "region": "CH-ZH"}, True),
        ({}, True),
        ({"postcode": ""}, True),
    ):
        assert covers(north, traits) == is_covered, traits
    assert covers(Partner("everywhere"), {"country": "FR"})


def test_who_wins_more_of_a_topic_comes_first():
    record = record_of(*won("a", 15), *lost("a", 5), *won("b", 5), *lost("b", 15), *lost("a", 20, "valves"))
    routing = Routing(partners(Partner("a"), Partner("b")), record, NOW)
    first, second = routing.rank(Lead("ann", topic="pumps/industrial"))
    assert (first.partner, second.partner) == ("a", "b") and first.wins > 0.6 > 0.4 > second.wins
    assert first.reasons == (
        "judged by 20 leads about pumps/industrial that it was offered, 20 of them taken and settled",
    )
    other = routing.rank(Lead("ann", topic="valves"))
    assert {each.partner: each.wins for each in other}["a"] < 0.2


def test_who_has_no_room_or_declined_or_does_not_fit_gets_none():
    in_hand = [Offer("full", NOW - DAY, "pumps", True, NOW - DAY), Offer("full", NOW - DAY, "pumps")]
    rows = partners(
        Partner("full", capacity=2),
        Partner("said_no"),
        Partner("elsewhere", territory=("FR",)),
        Partner("over", agreement_to=NOW),
        Partner("other_topic", topics=("valves",)),
        Partner("other_language", language="fr"),
        Partner("fits", language="de", topics=("pumps",), territory=("CH",)),
    )
    lead = Lead("ann", {"country": "CH", "language": "de"}, "pumps", frozenset({"said_no"}))
    routing = Routing(rows, record_of(*in_hand), NOW)
    assert [each.partner for each in routing.rank(lead)] == ["fits"]
    without = {name: row for name, row in rows.items() if name != "fits"}
    assert [each.partner for each in Routing(without, record_of(*in_hand), NOW).rank(lead)] == ["other_language"]
    del without["other_language"]
    assert [each.partner for each in Routing(without, record_of(*in_hand), NOW).rank(lead)] == ["other_topic"]
    del without["other_topic"]
    assert Routing(without, record_of(*in_hand), NOW).rank(lead) == []


def test_a_declined_lead_goes_to_the_next():
    record = record_of(*won("a", 9), *lost("b", 9))
    routing = Routing(partners(Partner("a"), Partner("b")), record, NOW)
    offers = [Offer("a", NOW - DAY, "pumps", False)]
    assert routing.rank(Lead("ann", refused=refused_by(offers)))[0].partner == "b"


@settings(deadline=None)
@given(
    room=st.lists(st.integers(0, 3), min_size=1, max_size=4),
    regions=st.lists(st.sampled_from(["north", "south"]), max_size=12),
    homes=st.lists(st.sampled_from(["north", "south", None]), min_size=4, max_size=4),
)
def test_nobody_gets_more_than_there_is_room_for_and_nobody_waits_in_vain(room, regions, homes):
    rows = partners(
        *(
            Partner(f"p{i}", capacity=n, territory=(home,) if home else ())
            for i, (n, home) in enumerate(zip(room, homes, strict=False))
        )
    )
    routing = Routing(rows, record_of(*won("p0", 3), *lost("p1", 3)), NOW)
    leads = [Lead(f"l{i}", {"region": region}) for i, region in enumerate(regions)]
    found = routing.assign(leads)
    given_to = [routed.partner for routed in found.values()]
    assert all(given_to.count(name) <= (row.capacity or 0) for name, row in rows.items())
    left = {name: (row.capacity or 0) - given_to.count(name) for name, row in rows.items()}
    for lead in leads:
        if lead.contact in found:
            assert covers(rows[found[lead.contact].partner], lead.traits)
        else:
            assert not any(left[name] > 0 and covers(row, lead.traits) for name, row in rows.items())
    assert routing.assign(reversed(leads)) == found


# --- what came of the leads before


@pytest.fixture
def told(row, past_of):
    def make(*words: tuple[float, str, str | None], at: int = NOW) -> list[Offer]:
        rows = [
            row(NOW - int(days * DAY), kind, topics=["pumps"], **({"partner": who} if who else {}))
            for days, kind, who in words
        ]
        return offers_of(past_of(*rows), ["order"], at)

    return make


def test_offers_are_read_from_touchpoints(told):
    t = NOW - 10 * DAY
    assert told((10, "lead_offered", "a")) == [Offer("a", t, "pumps", False)]
    assert told((3, "lead_offered", "a")) == [Offer("a", NOW - 3 * DAY, "pumps")]
    taken = told((10, "lead_offered", "a"), (9, "lead_accepted", "a"))
    assert taken == [Offer("a", t, "pumps", True, NOW - 9 * DAY)] and taken[0].is_open(NOW)
    found = told((10, "lead_offered", "a"), (9, "lead_accepted", "a"), (5, "order", None))
    assert found == [Offer("a", t, "pumps", True, NOW - 9 * DAY, NOW - 5 * DAY)] and not found[0].is_open(NOW)
    assert told((10, "lead_offered", "a"), (9.5, "order", None), (9, "lead_accepted", "a"))[0].won_at is None
    gone = told((10, "lead_offered", "a"), (9, "lead_accepted", "a"), (5, "lead_lost", "a"))
    assert gone[0].lost_at == NOW - 5 * DAY and not gone[0].is_open(NOW)
    assert told((10, "lead_offered", "a"), (9, "lead_declined", "a"))[0].taken is False
    assert told((10, "lead_offered", "a"), (9, "lead_accepted", "b"))[0].taken is False
    assert told((10, "lead_offered", None)) == [] and told((10, "order", None)) == []


def test_what_went_on_to_the_next_is_the_next_ones(told):
    first, second = told(
        (20, "lead_offered", "a"),
        (19, "lead_accepted", "a"),
        (12, "lead_offered", "b"),
        (11, "lead_accepted", "b"),
        (2, "order", None),
    )
    assert (first.won_at, first.lost_at) == (None, NOW - 12 * DAY) and second.won_at == NOW - 2 * DAY
    assert refused_by(told((20, "lead_offered", "a"), (1, "lead_offered", "b"))) == {"a"}


def test_a_lead_in_hand_counts_as_lost_as_far_as_leads_are_won_by_its_age():
    base = NOW - 40 * DAY
    quick = [Offer("a", base, None, True, base, base + days * DAY) for days in (10, 20, 30, 40)]
    young = Offer("b", NOW - 25 * DAY, None, True, NOW - 25 * DAY)
    rate = record_of(*quick, young).won.rate("b", None)
    assert rate.cases == 0.5
    assert record_of(young).won.rate("b", None).cases == 0.0
    old = Offer("b", NOW - SETTLES, None, True, NOW - SETTLES)
    assert record_of(*quick, old).won.rate("b", None).cases == 1.0


def loaded_offers(rng: np.random.Generator, *chances: float) -> list[Offer]:
    """Offers to four partners with room for six, each taken with the chance of its third of the load."""
    found: list[Offer] = []
    held: dict[str, list[int]] = {f"p{i}": [] for i in range(4)}
    for day in range(400):
        at = NOW - (800 - day) * DAY
        name = f"p{day % 4}"
        held[name] = [end for end in held[name] if end > at]
        if len(held[name]) < 6:
            taken = bool(rng.random() < chances[min(len(held[name]) // 2, 2)])
            end = at + 30 * DAY
            found.append(Offer(name, at, None, True, at, None, end) if taken else Offer(name, at, None, False))
            if taken:
                held[name].append(end)
    return found


def test_who_has_much_in_hand_takes_less_where_that_was_so() -> None:
    rng, room = np.random.default_rng(7), {f"p{i}": 6 for i in range(4)}
    steep = [TrackRecord.of(loaded_offers(rng, 0.9, 0.6, 0.3), NOW, room).load for _ in range(8)]
    even = [TrackRecord.of(loaded_offers(rng, 0.7, 0.7, 0.7), NOW, room).load for _ in range(8)]
    drop = [[load.on(0.6, 0.1) - load.on(0.6, 0.9) for load in loads] for loads in (steep, even)]
    assert min(drop[0]) > 0.05 > abs(float(np.mean(drop[1])))
    assert TrackRecord.of(loaded_offers(rng, 0.9, 0.6, 0.3), NOW).load.on(0.5, 0.9) == 0.5


def test_a_partner_with_room_comes_before_one_that_is_nearly_full() -> None:
    loaded = [Offer("a", NOW - 1, None, True, NOW - 1) for _ in range(5)]
    rows = partners(Partner("a", capacity=6), Partner("b", capacity=6))
    record = replace(TrackRecord.of(loaded, NOW, {"a": 6, "b": 6}), load=LoadEffect((0.0, -1.0, -2.0)))
    assert Routing(rows, record, NOW).rank(Lead("ann"))[0].partner == "b"


def ratio(truth: np.ndarray, rng: np.random.Generator) -> float:
    """Mean squared error of the rates as a part of that of plain shares, twelve cases a cell."""
    cases = [
        (f"p{i}", f"t{k}", bool(rng.random() < chance), 1.0)
        for (i, k), chance in np.ndenumerate(truth)
        for _ in range(12)
    ]
    rates, counts = Rates(cases), np.zeros(truth.shape)
    for partner, topic, success, _ in cases:
        counts[int(partner[1:]), int(topic[1:])] += success / 12
    found = np.array([[rates.rate(f"p{i}", f"t{k}").chance for k in range(truth.shape[1])] for i in range(len(truth))])
    return float(np.mean((found - truth) ** 2) / np.mean((counts - truth) ** 2))


def test_rates_lean_on_others_as_far_as_others_tell() -> None:
    alike, additive, free = [], [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        alike.append(ratio(np.full((12, 4), 0.3), rng))
        own, topic, rest = rng.normal(size=(12, 1)), 0.5 * rng.normal(size=(1, 4)), 0.4 * rng.normal(size=(12, 4))
        additive.append(ratio(1 / (1 + np.exp(-(own + topic + rest))), rng))
        free.append(ratio(rng.uniform(0.1, 0.9, size=(12, 4)), rng))
    assert max(alike) < 0.3 and np.mean(additive) < 0.75 and np.mean(free) < 1.0


def test_of_nobody_nothing_is_known() -> None:
    assert Rates([]).rate("anybody", "pumps").chance == pytest.approx(0.5)
    assert Rates([]).rate("anybody", None).cases == 0

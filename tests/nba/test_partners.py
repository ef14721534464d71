"""Claims about whose contact it is, and who may act for it: by the terms of the agreement, at every moment."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.partners import partners_of
from features.times import DAY, iso, parse_time
from nba.contact_policy import GATES
from nba.draw import Draw
from nba.engine import decide
from nba.partners.partners import VETO_US, agreement, veto_of
from nba.request import Request
from nba.settings.people import LONGEST_VETO_US, MODES, Partners
from nba.tables.surroundings import Alone
from nba.tables.tables import Partner, Tables

NOW = parse_time("2026-06-15T10:00:00Z")
TOML = """
[goals.conversion]
kinds = ["order"]
horizon = "30d"
[points]
kinds = { visit = 5 }
thresholds = [{ from = 0, actions = ["dealer_call", "mail"] }]
[actions.mail]
channel = "email"
[actions.own_call]
channel = "phone"
executor = "sales"
[actions.dealer_call]
channel = "phone"
executor = "partner"
[actions.shown]
channel = "web"
placements = ["infocenter"]
[ranking]
epsilon = 0.3
sticky = "0d"
"""
DUTY = '[actions.duty]\nchannel = "email"\nclass = "mandatory"\n'
OWN = {"mail", "own_call"}


@dataclass(frozen=True)
class Around(Alone):
    known: Tables = field(default_factory=Tables)

    def tables(self) -> Tables:
        return self.known


@pytest.fixture(scope="session")
def ask(catalogue_of, past_of):
    def answer(*rows, mode="partner_first", partner="north", at=NOW, toml=TOML, decisions=(), traits=None, **row):
        known = {"north": Partner("north", mode=mode, **row)}
        past = past_of(*rows, traits={"partner": partner, **(traits or {})}, decisions=decisions)
        past = replace(past, around=Around(Tables(partners=known)))
        request = Request(contact="crm:1", limit=9, explain=True)
        return decide(request, past, None, catalogue_of(toml), at, Draw(b"s"))

    return answer


def refused(decision):
    return {each.action: each for each in decision.verdict.refusals if each.rule == "partner"}


def said(row, kind, days, partner="north", **more):
    return row(NOW - int(days * DAY), kind, partner=partner, **more)


def test_the_gate_stands_between_consent_and_hold():
    names = [name for name, _, _ in GATES]
    assert names.index("consent") < names.index("partner") < names.index("quiet")


@pytest.mark.parametrize("mode", MODES)
def test_modes_without_an_offer(ask, row, mode):
    visit = row(NOW - DAY, "visit")
    found = ask(visit, mode=mode)
    assert set(refused(found)) == (OWN if mode in ("partner_only", "partner_first") else set())
    assert "dealer_call" in found.chances
    offered = found.to_json()["recommendations"]
    told = {each["action"]: each["inform"] for each in offered}
    assert told.pop("dealer_call", None) is None
    assert set(told.values()) <= {"north" if mode == "inform" else None}
    assert (mode in ("inform", "direct")) == bool(told) or found.action == "do_nothing"


def test_a_mode_that_there_is_not_protects_most(ask, row):
    assert set(refused(ask(row(NOW - DAY, "visit"), mode="somehow"))) == OWN


def test_mandatory_actions_and_other_placements_do_not_skip_it(ask, row):
    found = ask(row(NOW - DAY, "visit"), mode="partner_only", toml=TOML + DUTY)
    assert set(refused(found)) == OWN | {"duty"} and found.policy != "mandatory"


def test_the_partners_own_row_wins_over_the_settings():
    settings = Partners(mode="direct", visible_to_owner="contact")
    terms = agreement({"partner": "north"}, {"north": Partner("north", mode="inform", visible=())}, settings, NOW)
    assert terms is not None and (terms.mode, terms.visible) == ("inform", frozenset())
    usual = agreement({"partner": "south"}, {}, settings, NOW)
    assert usual is not None and (usual.mode, usual.visible) == ("direct", None)


def test_the_dealer_is_a_customer_too(ask, row):
    staff = ask(row(NOW - DAY, "visit"), mode="partner_only", traits={"account": "north gmbh"}, account="north gmbh")
    assert not refused(staff)
    executors = {each["executor"] for each in staff.to_json()["recommendations"]}
    assert "partner" not in executors
    other = ask(row(NOW - DAY, "visit"), mode="partner_only", traits={"account": "acme"}, account="north gmbh")
    assert set(refused(other)) == OWN


@pytest.mark.parametrize("rest", [-1, 0, 1])
def test_the_agreement_ends_to_the_microsecond(ask, row, rest):
    found = ask(row(NOW - DAY, "visit"), mode="partner_only", agreement_to=NOW + rest)
    assert bool(refused(found)) == (rest > 0)
    assert all(each.until == NOW + rest for each in refused(found).values())


@settings(deadline=None)
@given(
    begins=st.none() | st.integers(-3, 3),
    ends=st.none() | st.integers(-3, 3),
    at=st.integers(-3, 3),
)
def test_it_says_what_the_history_of_partners_says(begins, ends, at):
    told = {name: iso(us * DAY) for name, us in (("agreement_from", begins), ("agreement_to", ends)) if us is not None}
    spells = partners_of([("ann", -9 * DAY, {"partner": "north"})], [("north", -9 * DAY, told)])
    row = Partner(
        "north",
        agreement_from=None if begins is None else begins * DAY,
        agreement_to=None if ends is None else ends * DAY,
    )
    found = agreement({"partner": "north"}, {"north": row}, Partners(), at * DAY)
    assert (None if found is None else found.name) == spells.value_of("ann", at * DAY)


# --- the partner's time


@pytest.mark.parametrize(("days", "may"), [(6.99, False), (7, True), (8, True)])
def test_the_owner_may_act_once_the_time_is_over(ask, row, days, may):
    found = ask(said(row, "lead_offered", days))
    assert bool(refused(found)) != may
    for each in refused(found).values():
        assert each.until == NOW - int(days * DAY) + VETO_US and "acts first until" in each.detail


def test_the_row_says_how_long(ask, row):
    assert refused(ask(said(row, "lead_offered", 2), more={"veto": "3d"}))
    assert not refused(ask(said(row, "lead_offered", 3), more={"veto": "3d"}))
    assert (
        veto_of(Partner("p", more={"veto": "soon"})) == LONGEST_VETO_US == veto_of(Partner("p", more={"veto": "2w0"}))
    )
    assert veto_of(Partner("p", more={"veto": "900d"})) == LONGEST_VETO_US


def test_who_declines_or_gives_up_lets_the_owner_act_at_once(ask, row):
    offered = said(row, "lead_offered", 2)
    assert not refused(ask(offered, said(row, "lead_declined", 1)))
    assert not refused(ask(offered, said(row, "lead_accepted", 1.5), said(row, "lead_lost", 1)))
    assert refused(ask(offered, said(row, "lead_declined", 1, partner="south")))


def test_acting_and_accepting_begin_the_time_anew(ask, row):
    offered = said(row, "lead_offered", 10)
    assert not refused(ask(offered))
    assert refused(ask(offered, said(row, "lead_accepted", 6)))
    assert not refused(ask(offered, said(row, "lead_accepted", 7)))
    assert refused(ask(offered, said(row, "call_made", 6)))
    assert refused(ask(offered, row(NOW - 6 * DAY, "call_made", action="dealer_call")))
    assert not refused(ask(offered, row(NOW - 6 * DAY, "call_made", action="own_call")))


def test_an_offer_begins_a_time_only_when_none_is_running(ask, row):
    offered = said(row, "lead_offered", 8)
    assert not refused(ask(offered, said(row, "lead_offered", 4)))
    assert refused(ask(offered, said(row, "lead_offered", 0.5)))


def test_an_objection_holds_until_it_says_or_the_next_offer(ask, row):
    offered = said(row, "lead_offered", 20)
    for_ever = said(row, "partner_veto", 15)
    assert "objects" in next(iter(refused(ask(offered, for_ever)).values())).detail
    assert refused(ask(offered, for_ever, said(row, "call_made", 14)))
    assert not refused(ask(offered, for_ever, said(row, "lead_offered", 8)))
    ended = said(row, "partner_veto", 15, until=iso(NOW - DAY))
    assert not refused(ask(offered, ended))
    running = refused(ask(offered, said(row, "partner_veto", 15, until=iso(NOW + DAY))))
    assert {each.until for each in running.values()} == {NOW + DAY}


def test_another_dealer_has_a_time_of_its_own(ask, row):
    assert set(refused(ask(said(row, "lead_offered", 30, partner="south")))) == OWN
    assert set(refused(ask(row(NOW - 30 * DAY, "lead_offered")))) == OWN


def test_a_decision_for_the_partner_is_an_offer(ask, row):
    first = next(
        found
        for at in range(50)
        if (found := ask(row(NOW - 30 * DAY, "visit"), at=NOW - 8 * DAY + at)).action == "dealer_call"
    )
    logged = first.row()
    assert logged.properties == {"partner": "north"}
    found = ask(row(NOW - 30 * DAY, "visit"), decisions=(logged,))
    assert not refused(found)
    assert {each["inform"] for each in found.to_json()["recommendations"] if each["executor"] != "partner"} <= {"north"}
    elsewhere = replace(logged, properties={"partner": "south"})
    assert refused(ask(row(NOW - 30 * DAY, "visit"), decisions=(elsewhere,)))


KINDS = ("lead_offered", "lead_accepted", "lead_declined", "lead_lost", "partner_veto", "call_made", "visit")


@settings(deadline=None)
@given(
    said_so=st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from(KINDS), st.sampled_from(["north", "south", None])), max_size=8
    ),
    mode=st.sampled_from(MODES),
)
def test_the_owner_never_acts_out_of_turn(ask, row, said_so, mode):
    rows = [row(NOW - days * DAY - 1, kind, **({"partner": who} if who else {})) for days, kind, who in said_so]
    found = ask(row(NOW - 60 * DAY, "visit"), *rows, mode=mode)
    may = mode in ("inform", "direct")
    if mode == "partner_first":
        # Told day by day, the latest word last: an independent reading of the guide's table.
        left: int | None = None
        vetoed = False
        # Words of one moment are told apart by their kind: an offer is first.
        for days, kind, who in sorted(said_so, key=lambda each: (-each[0], each[1] != "lead_offered", _late(each[1]))):
            if who != "north":
                continue
            since_end = None if left is None else left - days
            running = vetoed or (since_end is not None and since_end < 7)
            if kind == "lead_offered" and (vetoed or not running):
                left, vetoed = days, False
            elif kind in ("lead_declined", "lead_lost"):
                left, vetoed = days + 7, False
            elif kind == "partner_veto":
                left, vetoed = None, True
            elif kind in ("lead_accepted", "call_made") and left is not None and not vetoed:
                left = days
        may = left is not None and left >= 7
    assert (not refused(found)) == may
    assert all(found.chances.get(action, 0.0) == 0.0 for action in refused(found))
    assert sum(found.chances.values()) == pytest.approx(1.0)


def _late(kind):
    return {"call_made": "acted"}.get(kind, kind)

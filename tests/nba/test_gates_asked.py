"""A gate is asked only about the actions that it may remove; which these are is worked out once from the settings."""

from hypothesis import given, settings
from hypothesis import strategies as st

from features.times import DAY, HOUR, parse_time
from nba.consent import Ledger
from nba.contact_policy import GATES, allowed
from nba.request import Request
from nba.situation import Situation
from nba.tables.surroundings import Alone
from nba.tables.tables import Partner, Tables
from tests.examples import examples

TOML = """
[goals.conversion]
kinds = ["order"]
horizon = "30d"
[actions.mail]
channel = "email"
topics = ["pumps"]
[actions.needy]
channel = "email"
needs = { points_from = 50, seen = ["download"], traits = { country = ["CH"] } }
[actions.staged]
channel = "letter"
stages = ["need"]
[actions.only_for_stage]
channel = "letter"
needs = { stage = "use" }
[actions.after_a_fair]
channel = "email"
when = { after = "fair_visit", from = "1d", to = "10d" }
class = "transactional"
[actions.in_season]
channel = "letter"
valid = { from = "2026-03-01", to = "2026-09-01" }
[actions.contract]
channel = "phone"
unless_owned = "service_contract"
executor = "sales"
[actions.seats]
channel = "phone"
capacity = { total = 3 }
executor = "partner"
[actions.to_read]
channel = "web"
placements = ["infocenter"]
[actions.both]
channel = "email"
placements = ["outbound", "infocenter"]
class = "mandatory"
[contact_policy]
timezone = "Europe/Zurich"
caps = [{ channel = "email", per = "7d", count = 2 }, { per = "30d", count = 4 }]
quiet = { from = "20:00", to = "08:00", channels = ["phone"] }
calendar = { days = ["mon", "tue", "wed", "thu", "fri"] }
pauses = [{ outcome = "rejected", count = 2, within = "30d", pause = "60d", scope = "action" }]
holds = [{ open = "complaint", until = "complaint_closed", except = ["mail"] }]
[contact_policy.consent]
letter = "opt_in"
[partners]
mode = "partner_first"
"""
KINDS = [
    "visit", "download", "order", "email_sent", "rejected", "consent_given", "unsubscribed", "fair_visit", "complaint",
    "complaint_closed", "done", "wrong_number", "preference",
]  # fmt: skip
START = parse_time("2026-01-01")


class Around(Alone):
    """A partner, and some seats that are taken."""

    def __init__(self, taken: int) -> None:
        self._taken = taken

    def tables(self) -> Tables:
        return Tables(partners={"north": Partner("north", mode="partner_only")})

    def taken(self, action: str, since: int, by: str | None) -> int:
        return self._taken


@st.composite
def histories(draw: st.DrawFn):
    as_of = START + draw(st.integers(0, 365 * DAY))
    seen = st.tuples(
        st.integers(1, 40 * 24), st.sampled_from(KINDS), st.sampled_from(["email", "phone", "letter", None]),
        st.sampled_from([None, "mail", "seats", "needy"]),
    )  # fmt: skip
    return as_of, [(as_of - hours * HOUR, *rest) for hours, *rest in draw(st.lists(seen, max_size=10))]


def through_every_gate(situation: Situation):
    """Ask every gate about every action that is still there: by column the first refusal."""
    found, left = {}, {"actions": len(situation.catalogue.actions)}
    for name, gate, _ in GATES:
        for column, action in situation.catalogue.numbered:
            refusal = gate(action, situation) if column not in found else None
            if refusal is not None:
                found[column] = refusal
        left[name] = len(situation.catalogue.actions) - len(found)
    return found, left


@settings(max_examples=examples(150), deadline=None)
@given(
    given=histories(),
    traits=st.fixed_dictionaries(
        {},
        optional={
            "partner": st.sampled_from(["north", "south"]),
            "service_contract": st.booleans(),
            "country": st.just("CH"),
        },
    ),
    placement=st.sampled_from(["outbound", "infocenter", "elsewhere"]),
    exclude=st.lists(st.sampled_from(["mail", "seats"]), max_size=1),
    stage=st.sampled_from([None, "need", "use"]),
    points=st.sampled_from([0.0, 60.0]),
    taken=st.integers(0, 4),
)
def test_no_gate_would_remove_what_it_is_not_asked_about(
    past_of, row, catalogue_of, given, traits, placement, exclude, stage, points, taken
) -> None:
    as_of, rows = given
    seen = (row(at, kind, channel=channel, action=action) for at, kind, channel, action in rows)
    past, catalogue = past_of(*seen, traits=traits, around=Around(taken)), catalogue_of(TOML)
    request = Request.from_json({"contact": "crm:1", "exclude": exclude, "placement": placement})
    ledger = Ledger(past.touchpoints, as_of, catalogue.channel_of)
    situation = Situation(catalogue, request, past, past, as_of, ledger, points=points, stage=stage)

    verdict, (found, left) = allowed(situation), through_every_gate(situation)

    assert verdict.refusals == tuple(found[column] for column in sorted(found))
    assert verdict.left == left
    assert [column for column, may in enumerate(verdict.allowed) if not may] == sorted(found)

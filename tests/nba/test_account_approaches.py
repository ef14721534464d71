"""What is read of an account at once is what is read of its contacts one by one."""

from collections import Counter
from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.lake.history import contact_touchpoints
from features.rows.row_types import ContactRow, DecisionRow, LinkRow, TouchpointRow
from features.store.contact import read_contact
from features.store.store import Store
from features.times import ALWAYS
from features.touchpoints.touchpoints import TouchpointRules
from nba.actions import Catalogue
from nba.past import Past
from nba.settings import parse_settings
from nba.tables.around_store import StoreSurroundings
from tests.examples import examples

RULES = TouchpointRules(outbound=("email_sent", "by_machine"))
COUNTED = Catalogue.of(
    parse_settings("""
[actions.mail]
channel = "email"
[actions.service_due]
channel = "letter"
class = "transactional"
""")
).approach_rule
ACCOUNTS = count()
AS_OF = 20
NAMES = ("a", "b", "c")

ids = st.sampled_from([f"d{n}" for n in range(6)])
touchpoints = st.tuples(
    st.sampled_from(NAMES),
    st.integers(0, 24),
    st.sampled_from(["email_sent", "visit", "by_machine"]),
    st.sampled_from([None, "", "email"]),
    st.sampled_from([None, None, "", "inbound", "outbound"]),
    st.none() | ids,
    st.sampled_from([None, None, "", "mail", "service_due", "gone"]),
)
decisions = st.builds(
    DecisionRow,
    decision_id=ids,
    identity=st.sampled_from(NAMES),
    decided_at=st.integers(0, 24),
    action=st.sampled_from(["mail", "mail", "service_due", "do_nothing"]),
    chances=st.sampled_from([None, {"mail": 1.0}, {"mail": 1.0}]),
    placement=st.sampled_from([None, "outbound", "website"]),
    activated_at=st.none() | st.integers(0, 24),
    deferred=st.booleans(),
    topics=st.sampled_from([None, ("pumps",)]),
    properties=st.sampled_from([None, {"event_id": "e"}]),
    terms=st.sampled_from([None, {"mail": {"cost": 1.0}}]),
    answer=st.sampled_from([None, b"{}"]),
)


@pytest.fixture
def store(store_url):
    with Store.open(store_url) as found:
        yield found


def stored(
    store: Store, told: Sequence[tuple[Any, ...]], made: Sequence[DecisionRow], *, is_linked: bool
) -> dict[str, str]:
    """Store a world under new names; returns them by the old ones."""
    n = next(ACCOUNTS)
    named = {each: f"{each}{n}" for each in ("me", *NAMES)}
    with store.writing() as writing:
        writing.contacts([ContactRow(name, 0, {"account": f"acme{n}"}) for name in named.values()])
        writing.touchpoints(
            [
                TouchpointRow(
                    named[who], at, f"{n}-{i}", kind, channel, direction,
                    decision_id=decision and f"{n}-{decision}", action=action,
                )
                for i, (who, at, kind, channel, direction, decision, action) in enumerate(told)
            ]
        )  # fmt: skip
        if is_linked:
            writing.links([LinkRow(named["a"], named["b"], 0, "login")])
    with store.writing() as writing:
        for row in made:
            fields = {name: getattr(row, name) for name in row.__slots__}
            ours = {"decision_id": f"{n}-{row.decision_id}", "identity": named[row.identity]}
            writing.decisions([DecisionRow(**fields | ours)])
    return named


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.lists(touchpoints, max_size=12),
    made=st.lists(decisions, max_size=6),
    since=st.integers(0, AS_OF),
    is_linked=st.booleans(),
)
def test_approaches_of_an_account_are_those_of_its_contacts(store, told, made, since, is_linked):
    named = stored(store, told, made, is_linked=is_linked)
    for seen, before in ((None, AS_OF), (store, 2**62)):
        wanted = []
        # Whoever is linked is one contact, whose touchpoints are those of both.
        for names in (("a", "b"), ("c",)) if is_linked else (("a",), ("b",), ("c",)):
            whole = Past.read(store, named[names[0]], AS_OF, RULES).touchpoints
            own = [row for name in names for row in store.decisions_of(named[name], before)]
            wanted += [(each.at, each.channel) for each in COUNTED.approaches(whole, own, before, since=since)]
        around = Past.read(store, named["me"], AS_OF, RULES, counted=COUNTED).around
        assert isinstance(around, StoreSurroundings)
        found = around.account_approaches(since, seen)
        assert [at for at, _ in found] == sorted(at for at, _ in wanted)
        assert Counter(found) == Counter(wanted)


@settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(touchpoints, max_size=12), made=st.lists(decisions, max_size=6), since=st.integers(0, AS_OF))
def test_a_contact_read_at_once_is_as_read_bit_by_bit(store, told, made, since):
    name = stored(store, told, made, is_linked=True)["a"]
    with store.writing() as writing:
        writing.contacts([ContactRow(name, 5, {"role": "buyer"}), ContactRow(name, AS_OF, {"role": "chef"})])
        writing.repack(name, RULES)
    found = read_contact(store, name, AS_OF, since)
    assert found.decisions == store.decisions_of(name, AS_OF, since)
    brief = read_contact(store, name, AS_OF, since, whole_decisions=False)
    assert brief.decisions == [row.brief for row in found.decisions]
    assert brief._replace(decisions=[]) == found._replace(decisions=[])
    assert found.traits == [row[1:] for row in store.traits_of(name, AS_OF)]
    assert found.changed_at == store.traits_changed_at(name, AS_OF) == 5
    assert found.scored is None and found.has_links and (found.packed or None) == store.packed(name)
    nobody = read_contact(store, f"{name}?", ALWAYS, ALWAYS)
    assert nobody.changed_at is None and nobody == ([], [], b"", None, False)
    read = contact_touchpoints(store, name, AS_OF, RULES, found.packed)
    assert read.occurred_at.tolist() == contact_touchpoints(store, name, AS_OF, RULES).occurred_at.tolist()

"""What bound callers send while nobody can tell whom they mean acts, when it is stored, on their own contacts only."""

import orjson
import pytest

from features.rows.row_types import ContactRow, DecisionRow, LinkRow, OutcomeRow, RecordRow, TouchpointRow
from features.store.store import Store
from nba.partners.visibility import Viewer
from nba.settings import parse_settings
from serving.deeds import Activate, Arrive, Learn, Meant, deed_of
from serving.intake.delivery import Delivery, Message
from serving.own_names import own_name
from tests.serving.conftest import SETTINGS

BEFORE, CAME, EVER = 1_000, 5_000, 2**60
NORTH = Viewer(partner="north")


@pytest.fixture
def settings(tmp_path):
    return parse_settings(SETTINGS, folder=tmp_path, environ={})


@pytest.fixture
def store(store_url):
    with Store.open(store_url) as found:
        with found.writing() as writing:
            for name in ("north", "south"):
                writing.contacts([ContactRow(f"crm:{name}", BEFORE, {"partner": name})])
                row = DecisionRow(f"of {name}", f"crm:{name}", BEFORE, "sales_call", probability=1.0)
                writing.decisions([row])
        yield found


def stored(store, settings, *deeds):
    """Store deeds as a journal gives them back, in one transaction."""
    with store.writing() as writing:
        return [deed_of(deed.record(), settings)(writing) for deed in deeds]


def told(settings, decision_id, feedback_id="f", at=CAME):
    return Meant(Learn(OutcomeRow(feedback_id, decision_id, "rejected", at, at), settings), NORTH, settings, at)


def test_feedback_counts_for_its_own_decisions_only(store, settings):
    receipts = stored(store, settings, *(told(settings, f"of {name}", f"f {name}") for name in ("north", "south", "x")))
    assert [receipt.is_pending for receipt in receipts] == [False, True, True]
    assert [len(store.outcomes_of(f"of {name}")) for name in ("north", "south", "x")] == [1, 0, 0]
    assert len(store.outcomes_of(own_name(NORTH, "of south"))) == 1
    assert [row[3] for row in store.history("crm:north", EVER)] == ["rejected"]
    assert list(store.history("crm:south", EVER)) == []
    # A second time changes nothing, nor does another caller's feedback with the same id meet it.
    assert not stored(store, settings, told(settings, "of north", "f north"))[0].is_new
    assert stored(store, settings, Learn(OutcomeRow("f south", "of south", "done", CAME, CAME), settings))[0].is_new


def test_one_id_for_several_things_is_each_of_them_once_also_out_of_a_journal(store, settings):
    rows = [OutcomeRow("task-1", f"of {name}", outcome, CAME, CAME) for name, outcome in _STEPS]
    deeds = [Learn(row, settings) for row in rows] + [
        Meant(Learn(row, settings), NORTH, settings, CAME) for row in rows
    ]
    assert [found.is_new for found in stored(store, settings, *deeds, *deeds)] == [True] * 8 + [False] * 8
    assert sorted(row[3] for row in store.history("crm:north", EVER)) == sorted([*_ON_NORTH, *_ON_NORTH])
    assert [row[3] for row in store.history("crm:south", EVER)] == ["rejected"]


_ON_NORTH = ["clicked", "unsubscribed"]
_STEPS = [("north", "clicked"), ("south", "rejected"), ("north", "unsubscribed"), ("x", "unsubscribed")]


def test_shown_is_said_of_its_own_decisions_only(store, settings):
    deeds = [Meant(Activate(f"of {name}", CAME), NORTH, settings, CAME) for name in ("north", "south", "x")]
    assert stored(store, settings, *deeds) == [True, False, False]
    assert [store.decision(f"of {name}").activated_at for name in ("north", "south")] == [CAME, None]


def test_who_belonged_to_whom_when_it_came_is_what_counts(store, settings):
    with store.writing() as writing:
        writing.contacts([ContactRow("crm:south", CAME + 1, {"partner": "north"})])
        writing.contacts([ContactRow("crm:north", CAME + 1, {"partner": "south"})])
    receipts = stored(store, settings, told(settings, "of south"), told(settings, "of north", "f2"))
    assert [receipt.is_pending for receipt in receipts] == [True, False]


def test_terms_that_the_same_transaction_has_written_hold(store, settings):
    with store.writing() as writing:
        writing.records("partners", [RecordRow("north", BEFORE, {"agreement_to": "1970-01-01T00:00:00Z"})])
        assert told(settings, "of north")(writing).is_pending


def test_touchpoints_and_links_stay_with_its_own_contacts(store, settings):
    messages = [
        Message(n, b"{}", "till", TouchpointRow(f"crm:{name}", BEFORE, f"t{n}", "unsubscribed", source="till"))
        for n, name in enumerate(("north", "south"))
    ]
    messages.append(
        Message(2, b"{}", "till", message_id="m", links=(LinkRow("crm:north", "crm:south", BEFORE, "login", 1.0),))
    )
    arrival = Arrive(Delivery(True, messages), settings, CAME, "POST /v1/touchpoints", is_public=False)
    (found,) = stored(store, settings, Meant(arrival, NORTH, settings, CAME))
    assert found.stored == 3
    assert len(store.history("crm:north", EVER)) == 1 and len(store.history("crm:south", EVER)) == 0
    own = own_name(NORTH, "crm:south")
    assert len(store.history(own, EVER)) == 1 and store.traits(own, EVER) == {"partner": "north"}
    assert store.links_of("crm:south", EVER, 9) == []


def test_records_without_whose_they_are_are_those_of_older_journals(settings):
    record = Learn(OutcomeRow("f", "d", "done", 1, 2), settings).record()
    assert "partner" not in orjson.loads(record)[2]
    assert isinstance(deed_of(record, settings), Learn)

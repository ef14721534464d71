"""Every operation, every scope, every side: what is let through, and that a foreign contact looks like nobody."""

import asyncio
import re
from collections import Counter
from contextlib import contextmanager
from typing import Any
from unittest import mock

import httpx
import orjson
import pytest

from features.rows.row_types import ContactRow, DecisionRow, TouchpointRow
from features.store import keys, selects
from features.store.store import Store
from features.times import DAY
from nba.settings import parse_settings
from serving import in_force
from serving.app import OPERATIONS, create_app
from serving.caller import SCOPES
from serving.issuing import Rights, issue
from tests.serving.conftest import NOW, SETTINGS

SIDES: dict[str, dict[str, Any]] = {"north": {"partner": "north"}, "jane": {"owner": "jane"}}
"""Two bound callers: what is south's, or john's, is foreign to both."""

OWN = {"north": "crm:north", "jane": "crm:jane"}
FOREIGN, NOBODY = "crm:south", "crm:nobody"
DECISION = "0b51f6a3c1f04b58"
_EXAMPLES = (("crm:4711", "contact"), (DECISION, "decision"), ("acme", "account"))

IN_A_PROCESS_OF_ITS_OWN = ("exportRecommendationsParquet",)
"""What takes seconds for every call."""

PERSON_BY_PERSON = ("getAccount",)
"""What asks of every member whether the caller may see it."""

ALL = [each for each in OPERATIONS if each.scope is not None]
ROUTES = [each for each in ALL if each.id not in IN_A_PROCESS_OF_ITS_OWN]
SLOW = [each for each in ALL if each.id in IN_A_PROCESS_OF_ITS_OWN]


def decision_of(contact):
    return f"decision of {contact}"


def asked(operation, contact):
    """The operation's own example, about this contact, its decision and its account."""
    said = {"contact": contact, "decision": decision_of(contact), "account": f"account of {contact}"}

    def about(text):
        for example, what in _EXAMPLES:
            text = text.replace(example, said[what])
        return text

    values = {each.name: about(str(each.example)) for each in operation.parameters if each.example is not None}
    path = re.sub(r"\{(\w+)\}", lambda found: values[found[1]].replace("/", "%2F"), operation.path)
    given = {each.name: values[each.name] for each in operation.parameters if each.place == "query" and each.example}
    body = about(orjson.dumps(operation.request_example).decode()) if operation.request is not None else None
    return {"method": operation.method, "url": path, "params": given, "content": body}


def normal(answer, contact):
    """What an answer says, without what the caller itself said, ids and times."""
    text = answer.text
    for said in (decision_of(contact), f"account of {contact}", contact):
        text = text.replace(said, "~").replace(orjson.dumps(said).decode()[1:-1], "~")
    text = re.sub(r"\b[0-9a-f]{32}\b", "id", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)", "time", text)
    headers = {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "content-length")}
    return answer.status_code, text.replace("%20", " "), headers


class World:
    """A service with keys of every scope for nobody in particular, for a partner and for an owner.

    Parameters
    ----------
    contacts
        Whom each side asks about: all worlds are the same but for that.
    with_all
        Whether every key tries every operation, and not only those it is for.
    """

    def __init__(self, folder, contacts, with_all=False, routes=ROUTES):
        self.contacts, self.with_all, self.routes = contacts, with_all, routes
        self.settings = parse_settings(SETTINGS, folder=folder, environ={})
        self.keys = {}
        self.answers = {}
        self.reads = {}
        self.before = self.after = None
        self._now = NOW
        with Store.open(self.settings.store.url) as store:
            for scope in SCOPES:
                for name, side in {"all": {}, **SIDES}.items():
                    if side and scope == "admin":
                        continue
                    rights = Rights(f"{name}-{scope}", (scope,), **side)
                    self.keys[name, scope] = issue(store, rights, by="test", now_us=NOW).key
            with store.writing() as writing:
                writing.contacts(
                    [
                        ContactRow("crm:north", NOW - 90 * DAY, {"partner": "north"}),
                        ContactRow("crm:jane", NOW - 90 * DAY, {"owner": "jane"}),
                        ContactRow(
                            FOREIGN,
                            NOW - 90 * DAY,
                            {"partner": "south", "owner": "john", "account": f"account of {FOREIGN}"},
                        ),
                    ]
                )
                for contact in (*OWN.values(), FOREIGN):
                    writing.touchpoints(
                        [
                            TouchpointRow(
                                contact, NOW - day * DAY, f"{contact} {day}", "service_call", topics='["pumps"]'
                            )
                            for day in (1, 2, 3)
                        ]
                    )
                    decision = DecisionRow(decision_of(contact), contact, NOW - DAY, "sales_call", 0.5, deferred=True)
                    writing.decisions([decision])
        self.store_url = self.settings.store.url

    def clock(self):
        self._now += 1
        return self._now

    def run(self):
        asyncio.run(self._run())

    async def _run(self):
        app = create_app(self.settings, clock=self.clock)
        transport = httpx.ASGITransport(app=app)
        async with app.router.lifespan_context(app):
            async with httpx.AsyncClient(transport=transport, base_url="http://nba.example") as client:
                for operation in self.routes:
                    await self._ask(client, operation)

    async def _ask(self, client, operation):
        if self.with_all:
            self.answers[operation.id, "no key"] = await client.request(**asked(operation, NOBODY))
        for (side, scope), key in self.keys.items():
            if not self.with_all and (side == "all" or scope != operation.scope):
                continue
            contact = self.contacts.get(side, "crm:somebody")
            headers = {"Authorization": f"Bearer {key}"}
            with counted_reads() as reads:
                answer = await client.request(**asked(operation, contact), headers=headers)
            self.answers[operation.id, side, scope] = answer
            self.reads[operation.id, side, scope] = reads


@contextmanager
def counted_reads():
    """Count the statements that the service reads by; not those that only the clock calls for."""
    found: Counter[str] = Counter()
    reading = Store._all

    def counting(store, statement, parameters=()):
        if statement not in (selects.CHANGES, selects.LAKES, keys._ALL):
            found[str(statement.text(store._dialect))] += 1
        return reading(store, statement, parameters)

    with mock.patch.object(Store, "_all", counting):
        yield found


def kept_of(store, contact):
    """Everything the store has of a contact."""
    decisions = store.decisions_of(contact, 2**62)
    return (
        store.history(contact, 2**62),
        store.traits_of(contact, 2**62),
        decisions,
        [store.outcomes_of(each.decision_id) for each in decisions],
        store.links_of(contact, 2**62, 99),
    )


def worlds_in(tmp_path_factory, routes):
    found = {}
    for name, contacts in {
        "foreign": dict.fromkeys(SIDES, FOREIGN),
        "nobody": dict.fromkeys(SIDES, NOBODY),
        "own": OWN,
    }.items():
        world = found[name] = World(tmp_path_factory.mktemp(name), contacts, name == "nobody", routes)
        with Store.open(world.store_url) as store:
            world.before = kept_of(store, FOREIGN)
        # What the clock alone calls for would be counted with what a request reads.
        with (
            mock.patch("serving.acts.LOOK_SECONDS", 3600.0),
            mock.patch.object(in_force.watch, "__defaults__", (3600.0,)),
        ):
            world.run()
        with Store.open(world.store_url) as store:
            world.after = kept_of(store, FOREIGN)
    return found


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    """Of a foreign contact, of nobody, and of everybody's own."""
    return worlds_in(tmp_path_factory, ROUTES)


@pytest.fixture
def world(worlds):
    return worlds["nobody"]


by_operation = pytest.mark.parametrize("operation", ROUTES, ids=lambda each: each.id)


@by_operation
def test_without_a_key_nothing_is_told(world, operation):
    if operation.without_key:
        return
    answer = world.answers[operation.id, "no key"]
    assert (answer.status_code, answer.json()["code"]) == (401, "no-valid-key")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@by_operation
@pytest.mark.parametrize("side", ["all", *SIDES])
def test_only_its_scope_opens_an_operation(world, operation, side):
    for scope in SCOPES:
        check_scope(world, operation, side, scope)


def check_scope(world, operation, side, scope):
    answer = world.answers.get((operation.id, side, scope))
    if answer is None:
        assert side != "all" and scope == "admin"
    elif scope == operation.scope:
        # What is told of everybody together is not told to who sees a part of them.
        assert answer.status_code < 500 and (answer.status_code not in (401, 403) or side != "all")
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "missing-scope")


@by_operation
@pytest.mark.parametrize("side", SIDES)
def test_a_foreign_contact_looks_like_nobody(worlds, operation, side):
    check_foreign(worlds, operation, side)


def check_foreign(worlds, operation, side):
    asked = operation.id, side, operation.scope
    foreign, nobody = (worlds[name].answers.get(asked) for name in ("foreign", "nobody"))
    if foreign is not None:
        assert normal(foreign, FOREIGN) == normal(nobody, NOBODY)


@by_operation
@pytest.mark.parametrize("side", SIDES)
def test_as_much_is_read_for_a_foreign_contact_as_for_nobody(worlds, operation, side):
    if operation.id in PERSON_BY_PERSON:
        return
    asked = operation.id, side, operation.scope
    foreign, nobody = (worlds[name].reads.get(asked) for name in ("foreign", "nobody"))
    assert foreign == nobody


def test_nothing_of_a_foreign_contact_was_changed(worlds):
    assert worlds["foreign"].after == worlds["foreign"].before


@pytest.mark.parametrize("side", SIDES)
def test_its_own_contacts_are_there(worlds, side):
    asked = {
        "getContact": "read",
        "recommend": "recommend",
        "activateDecision": "recommend",
        "postFeedback": "feedback",
    }
    found = {name: worlds["own"].answers[name, side, scope] for name, scope in asked.items()}
    assert all(answer.status_code == 200 for answer in found.values())
    assert found["getContact"].json()["touchpoints"] >= 3
    assert found["recommend"].json()["mode"] != "default"
    assert found["postFeedback"].json()["pending"] is False


@pytest.mark.slow
def test_what_is_answered_by_another_process_is_guarded_too(tmp_path_factory):
    worlds = worlds_in(tmp_path_factory, SLOW)
    for operation in SLOW:
        for side in ("all", *SIDES):
            for scope in SCOPES:
                check_scope(worlds["nobody"], operation, side, scope)
        for side in SIDES:
            check_foreign(worlds, operation, side)

"""The service's description: sound in both versions, its examples right, and its operations true to it."""

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import ignored_auth

from features.rows.row_types import KeyRow, RecordRow
from features.store.keys import store_key
from features.store.store import Store
from features.times import parse_time
from serving.app import OPERATIONS
from serving.caller import SCOPES
from serving.keys import digest_of, new_key
from serving.openapi import document, in_version_3_0

KEY = new_key()
WITHOUT_PROOF = ("/v1/webhooks/", "/me/")
"""Operations whose example lacks what only the settings bring, or a signature."""


@pytest.fixture
def opened(local_with):
    """The application with a key for everything, and what its examples are about."""
    local = local_with("")
    # The examples are of this day.
    local.now = parse_time("2026-11-21T10:00:00Z", None)
    with Store.open(local.settings.store.url) as store, store.writing() as writing:
        row = KeyRow("k", "all", digest_of(KEY), SCOPES, None, None, False, (), None, 1)
        store_key(writing, row)
        writing.contacts([RecordRow("crm:4711", 1, {"account": "acme", "country": "DE"})])
    return local


def described():
    return document(OPERATIONS, "1")


@pytest.mark.parametrize("version", [lambda found: found, in_version_3_0], ids=["3.1", "3.0"])
def test_the_description_is_sound(version):
    found = schemathesis.openapi.from_dict(version(described()))
    found.validate()
    assert len(list(found.get_all_operations())) == len(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.id)
def test_examples_are_what_their_schemas_say(operation):
    pairs = [(each.schema, each.example) for each in operation.parameters if each.example is not None]
    if operation.request is not None:
        pairs.append((operation.request, operation.request_example))
    if operation.media_type == "application/json":
        pairs.append((operation.response, operation.response_example))
    for schema, example in pairs:
        jsonschema_rs.validator_for(schema).validate(example)


def test_every_example_is_accepted_by_its_own_operation(opened):
    async def journey(client):
        client.headers["Authorization"] = f"Bearer {KEY}"
        call = opened.touchpoint("t", "service_call", contact="crm:4711")
        assert (await client.post("/v1/touchpoints", json=call)).status_code == 200
        for operation in sorted(OPERATIONS, key=lambda each: each.method == "DELETE"):
            if operation.id == "activateDecision":
                decided = next(each.example for each in operation.parameters if each.name == "decision_id")
                ask = {"contact": "crm:4711", "decision_id": decided}
                assert (await client.post("/v1/recommend", json=ask)).status_code == 200
            yield operation, await answer(client, operation)

    async def collected(client):
        return [each async for each in journey(client)]

    for operation, found in opened.run(collected):
        refused = (operation.id, found.status_code, found.text[:300])
        assert found.status_code == (404 if operation.path.startswith(WITHOUT_PROOF) else 200), refused


async def answer(client, operation):
    path, query = operation.path, {}
    for each in operation.parameters:
        if each.place == "path":
            path = path.replace(f"{{{each.name}}}", str(each.example))
        elif each.example is not None:
            query[each.name] = each.example
    form = "json" if operation.request_type == "application/json" else "data"
    sent = {} if operation.request is None else {form: operation.request_example}
    return await client.request(operation.method, path, params=query, **sent)


@pytest.mark.slow
def test_a_few_generated_requests_are_answered_as_described(opened):
    """The quick form of ``tests/journeys/test_http_generated.py``."""
    config = SchemathesisConfig.from_path("tests/journeys/schemathesis.toml")
    found = schemathesis.openapi.from_dict(described(), config=config)
    operations = [each.ok() for each in found.get_all_operations() if isinstance(each, Ok)]
    assert len(operations) == len(OPERATIONS)

    async def journey(client):
        client.headers["Authorization"] = f"Bearer {KEY}"
        for operation in operations:
            for case in cases(operation):
                told = case.as_transport_kwargs(base_url="http://localhost")
                headers = {name: value for name, value in told.pop("headers").items() if value is not None}
                if not isinstance(told.get("data", {}), dict):
                    told["content"] = told.pop("data")
                told.pop("cookies", None)
                answered = await client.request(**told, headers=headers)
                # What is not asked with a key is asked with many, in another test.
                case.validate_response(answered, excluded_checks=[ignored_auth])

    opened.run(journey)


def cases(operation):
    found = []

    @seed(1)
    @settings(
        max_examples=5, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(operation.as_strategy())
    def collect(case):
        found.append(case)

    collect()
    return found

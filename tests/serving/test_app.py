import asyncio
import json
import subprocess
import sys

import pytest

from features.errors import UserError
from serving.app import OPERATIONS, create_app
from serving.openapi import document, in_version_3_0
from serving.operations import Operation, OperationRoute, reply
from serving.problems import MEDIA_TYPE


def test_what_is_heavy_stays_out_of_the_server():
    program = (
        "import sys, serving.app, serving.run, serving.commands.serve\n"
        "heavy = ('mlflow', 'pandas', 'sklearn', 'lightgbm', 'matplotlib')\n"
        "sys.exit(', '.join(name for name in heavy if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("path", ["/nope", "/v1/recommend/", "/v1", "/docs", "/redoc", "/v1/contacts/"])
def test_an_unknown_address_is_a_problem(local, path):
    async def journey(client):
        return await client.get(path)

    answer = local.run(journey)
    assert (answer.status_code, answer.headers["content-type"]) == (404, MEDIA_TYPE)
    assert {"type", "title", "status", "detail", "instance", "code", "message", "errors"} == set(answer.json())


def test_a_wrong_method_is_a_problem(local):
    async def journey(client):
        return await client.put("/v1/recommend", json={})

    answer = local.run(journey)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["code"] == "method-not-allowed"


def test_a_wrong_method_is_told_every_one_that_the_path_knows(local):
    async def journey(client):
        return await client.put("/me/a.b")

    assert local.run(journey).headers["allow"] == "GET, HEAD, POST"


def test_a_mistake_of_ours_is_told_without_what_it_holds(local, caplog):
    async def broken(request):
        raise KeyError("a person's name")

    operation = Operation("broken", "GET", "/broken", broken, "Fails.", {}, {})
    local.app.router.routes.append(operation.route())

    async def journey(client):
        return await client.get("/broken")

    answer = local.run(journey)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert "name" not in answer.text.replace("test_app", "")
    assert "a person's name" not in caplog.text and "KeyError at" in caplog.text


def test_a_user_error_that_no_handler_knows_is_a_problem_of_the_request(local):
    async def refusing(request):
        raise UserError(["goal: is odd", "no field is named here"])

    local.app.router.routes.append(Operation("r", "GET", "/refusing", refusing, "", {}, {}).route())

    async def journey(client):
        return await client.get("/refusing")

    assert [fault["place"] for fault in local.run(journey).json()["errors"]] == ["/goal", "body"]


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"Content-Encoding": "gzip"}, b"{}", 415),
        ({"Content-Encoding": "identity"}, b'{"contact": "a"}', 200),
        ({"Content-Type": "text/plain"}, b'{"contact": "a"}', 200),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b'{"contact": "a"}', 200),
        ({}, b" " * 1_048_577, 413),
        ({}, b'{"contact": "a"}' + b" " * 1_000_000, 200),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_body_is_read_whatever_it_is_called_and_bounded(local, headers, content, status):
    async def journey(client):
        return await client.post("/v1/recommend", content=content, headers=headers)

    assert local.run(journey).status_code == status


def test_a_body_without_a_length_is_bounded_too(local):
    async def endless():
        for _ in range(100):
            yield b" " * 100_000

    async def journey(client):
        return await client.post("/v1/recommend", content=endless())

    answer = local.run(journey)
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")


def test_every_route_is_described_with_an_example(local):
    async def journey(client):
        return [(await client.get(path)).json() for path in ("/openapi.json", "/openapi-3.0.json", "/")]

    newest, older, index = local.run(journey)
    assert (newest["openapi"], older["openapi"]) == ("3.1.0", "3.0.3")
    routes = {
        (route.path.replace(":path}", "}"), method.lower())
        for route in local.app.router.routes
        for method in route.methods - {"HEAD"}
        # Pages are for people, and no program's contract.
        if isinstance(route, OperationRoute) and not route.path.startswith("/openapi")
    }
    assert routes == {(path, method) for path, methods in newest["paths"].items() for method in methods}
    described = [each for methods in newest["paths"].values() for each in methods.values()]
    assert len({each["operationId"] for each in described}) == len(described)
    for each in described:
        [content] = each["responses"]["200"]["content"].values()
        assert "example" in content
        if "requestBody" in each:
            [content] = each["requestBody"]["content"].values()
            assert "example" in content
    assert set(index) == {f"{each.method} {each.path}" for each in OPERATIONS}


def test_the_older_document_has_no_lists_of_types():
    def types(value):
        if isinstance(value, dict):
            yield value.get("type")
            for inner in value.values():
                yield from types(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from types(inner)

    newest = document(OPERATIONS, "1")
    assert any(isinstance(found, list) for found in types(newest))
    assert not any(isinstance(found, list) for found in types(in_version_3_0(newest)))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.id)
def test_an_example_has_what_its_schema_requires(operation):
    for schema, example in (
        (operation.request, operation.request_example),
        (operation.response, operation.response_example),
    ):
        if schema is not None and isinstance(example, dict):
            assert set(schema.get("required", ())) <= set(example)
            if schema.get("additionalProperties") is False:
                assert set(example) <= set(schema["properties"])


def test_an_answer_has_what_its_schema_requires(local):
    schema = next(each for each in OPERATIONS if each.id == "recommend").response

    async def journey(client):
        return (await client.post("/v1/recommend", json={"contact": "a"})).json()

    found = local.run(journey)
    assert set(schema["required"]) <= set(found) <= set(schema["properties"])


def test_nothing_is_opened_before_the_lifespan(tmp_path, local):
    before = sorted(tmp_path.iterdir())
    create_app(local.settings)
    assert sorted(tmp_path.iterdir()) == before


def test_bytes_are_answered_as_they_are():
    assert asyncio.run(_body(reply(b"[1]"))) == b"[1]"
    assert json.loads(asyncio.run(_body(reply({"a": 1})))) == {"a": 1}


async def _body(response):
    return response.body

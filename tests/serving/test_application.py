import pytest
from starlette.responses import Response

from serving.app import OPERATIONS
from serving.operations import Operation


def told(name, calls):
    async def handler(request):
        calls.append((name, request.path_params))
        return Response(status_code=204)

    return handler


def route(path, calls, method="GET"):
    return Operation(f"{method} {path}", method, path, told(path, calls), "", {}, {}).route()


def ask(local, method, path):
    async def journey(client):
        return await client.request(method, path)

    return local.run(journey)


@pytest.mark.parametrize(
    ("path", "meant", "parts"),
    [
        ("/t/fixed", "/t/fixed", {}),
        ("/t/other", "/t/{name}", {"name": "other"}),
        ("/t/late", "/t/{name}", {"name": "late"}),
    ],
)
def test_an_address_leads_where_the_router_would_lead(local, path, meant, parts):
    calls: list[tuple[str, dict[str, str]]] = []
    local.app.router.routes.extend(route(each, calls) for each in ("/t/fixed", "/t/{name}", "/t/late"))
    assert ask(local, "GET", path).status_code == 204
    assert calls == [(meant, parts)]


def test_one_path_has_several_methods_and_answers_heads_as_gets(local):
    calls: list[tuple[str, dict[str, str]]] = []
    local.app.router.routes.extend([route("/u", calls), route("/u", calls, "POST")])
    assert [ask(local, method, "/u").status_code for method in ("GET", "POST", "HEAD", "PUT")] == [204, 204, 204, 405]
    assert len(calls) == 3


@pytest.mark.parametrize("path", sorted({each.path for each in OPERATIONS if "{" not in each.path}))
def test_every_answer_carries_what_every_answer_must(local, path):
    answer = ask(local, "DELETE", path)
    assert answer.status_code == 405 and answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"] and answer.headers["cache-control"] == "no-store"

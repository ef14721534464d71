import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from serving.door import Door, Locks
from serving.keys import Keys, Ring
from serving.loopback import NotLoopbackError, require_loopback
from serving.places import Places


async def hello(request):
    return PlainTextResponse("hello")


KEYS = Keys(lambda: 0)
KEYS.ring = Ring()
APP = Door(Starlette(routes=[Route("/", hello)]), Locks(KEYS, Places(())))


def get(headers):
    async def call():
        transport = httpx.ASGITransport(app=APP)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get("/", headers=headers)

    return asyncio.run(call())


@pytest.mark.parametrize("host", ["localhost", "LocalHost:8000", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:65535"])
def test_this_machine_is_answered(host):
    assert get({"Host": host}).text == "hello"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "example.com"},
        {"Host": "localhost.example.com"},
        {"Host": "localhost:80@example.com"},
        {"Host": "127.0.0.1.nip.io:8000"},
        {"Host": "127.0.0.2"},
        {"Host": ""},
        {"Host": "[::1"},
        {"Origin": "http://localhost:8000"},
        {"Origin": "null"},
        {"Forwarded": "for=10.0.0.1"},
        {"X-Forwarded-For": "10.0.0.1"},
        {"X-Forwarded-Host": "localhost"},
        {"x-forwarded-anything": ""},
    ],
    ids=str,
)
def test_elsewhere_is_refused(headers):
    answer = get(headers)
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "loopback-only"


def test_a_host_that_is_sent_twice_is_refused():
    assert get([("Host", "localhost"), ("Host", "localhost")]).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.8.8.8"])
def test_loopback_hosts_may_be_listened_on(host):
    require_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "example.com", "", "192.168.1.1"])
def test_other_hosts_may_not(host):
    with pytest.raises(NotLoopbackError, match=r"without a key.*127\.0\.0\.1"):
        require_loopback(host)

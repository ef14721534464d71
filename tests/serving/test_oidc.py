"""Tokens of an issuer that really publishes its keys, over HTTP on this machine."""

import asyncio
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from nba.partners.visibility import Viewer
from nba.settings import parse_settings
from serving.app import create_app
from serving.oidc import AUDIENCE, ISSUER, SCOPE_CLAIM, Issuer, OidcError, read_issuer
from tests.serving.conftest import SETTINGS

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = rsa.generate_private_key(65537, 2048)
STRANGER = ec.generate_private_key(ec.SECP256R1())


class Provider:
    """An issuer; ``keys`` is what it publishes, ``asked`` how often it was asked for them."""

    def __init__(self):
        self.keys, self.asked, self.is_down = {"k1": KEY}, 0, False
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = provider.answer(self.path)
                self.send_response(503 if body is None else 200)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever).start()

    def answer(self, path):
        if self.is_down:
            return None
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.address, "jwks_uri": f"{self.address}/keys"}
        self.asked += 1
        return {"keys": [self.public(name, key) for name, key in self.keys.items()]}

    @staticmethod
    def public(name, key):
        algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
        return json.loads(algorithm.to_jwk(key.public_key())) | {"kid": name, "use": "sig"}

    def token(self, key=KEY, kid="k1", algorithm="ES256", **claims):
        told = {"iss": self.address, "aud": "nba", "sub": "robot", "exp": time.time() + 600, "scope": "read recommend"}
        told = {name: value for name, value in (told | claims).items() if value is not None}
        return jwt.encode(told, key, algorithm, headers={"kid": kid})


@pytest.fixture(scope="module")
def server():
    found = Provider()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def provider(server):
    server.keys, server.asked, server.is_down = {"k1": KEY}, 0, False
    return server


def callers(issuer, *tokens):
    async def all_of_them():
        return [await issuer.caller(token) for token in tokens]

    return asyncio.run(all_of_them())


def issuer_of(provider, **more):
    return Issuer(provider.address, "nba", "scope", **more)


def test_a_token_tells_who_calls(provider):
    tokens = [
        provider.token(),
        provider.token(scope=["feedback", "admin", "openid"]),
        provider.token(nba_partner="north", scope="read admin"),
        provider.token(nba_owner="jane"),
    ]
    whole, listed, partner, owner = callers(issuer_of(provider), *tokens)
    assert whole.key == "oidc:robot" and whole.scopes == {"read", "recommend"} and not whole.is_bound
    assert listed.scopes == {"feedback", "admin"}
    assert partner.viewer == Viewer(partner="north") and partner.scopes == {"read"}
    assert owner.viewer == Viewer(owner="jane")
    assert provider.asked == 1


def test_nothing_else_is_a_token(provider):
    secret = provider.public("k1", KEY)["x"]
    tokens = {
        "another key": provider.token(STRANGER),
        "an unknown key": provider.token(kid="k2"),
        "expired": provider.token(exp=time.time() - 60),
        "not yet": provider.token(nbf=time.time() + 600),
        "for ever": provider.token(exp=None),
        "another audience": provider.token(aud="other"),
        "another issuer": provider.token(iss="https://evil.example"),
        "nobody": provider.token(sub=None),
        "unsigned": provider.token(None, algorithm="none"),
        "signed with what is public": provider.token(secret, algorithm="HS256"),
        "two sides": provider.token(nba_partner="north", nba_owner="jane"),
        "an empty side": provider.token(nba_partner=""),
        "a side that is no text": provider.token(nba_partner=["north"]),
        "no token": "a.b.c",
        "no dots": "nba_abc",
        "dots": "..",
    }
    found = dict(zip(tokens, callers(issuer_of(provider), *tokens.values()), strict=True))
    assert {name: caller for name, caller in found.items() if caller is not None} == {}


def test_a_new_key_is_asked_for_and_strangers_cost_the_issuer_nothing(provider):
    clock = [0.0]
    issuer = issuer_of(provider, ticks=lambda: clock[0])
    strangers = [provider.token(STRANGER, kid=f"x{n}") for n in range(20)]
    assert callers(issuer, provider.token(), *strangers)[0] is not None and provider.asked == 1
    provider.keys = {"k2": OTHER}
    renewed = provider.token(OTHER, kid="k2", algorithm="RS256")
    assert callers(issuer, renewed) == [None]
    clock[0] += 31
    assert callers(issuer, renewed)[0] is not None and provider.asked == 2
    assert callers(issuer, provider.token()) == [None]


def test_keys_hold_while_the_issuer_is_away(provider, caplog):
    clock = [0.0]
    issuer = issuer_of(provider, ticks=lambda: clock[0])
    assert callers(issuer, provider.token())[0] is not None
    provider.is_down = True
    clock[0] += 7200
    assert callers(issuer, provider.token())[0] is not None
    assert "cannot be read" in caplog.text


def test_the_environment_names_the_issuer(provider):
    assert read_issuer({}) is None
    found = read_issuer({ISSUER: provider.address, AUDIENCE: "nba", SCOPE_CLAIM: "scope"})
    assert found is not None and found.address == provider.address
    with pytest.raises(OidcError, match="is not an https") as refused:
        read_issuer({ISSUER: "http://login.example"})
    assert AUDIENCE in str(refused.value)


def test_the_door_lets_tokens_in(provider, tmp_path, monkeypatch):
    monkeypatch.setenv(ISSUER, provider.address)
    monkeypatch.setenv(AUDIENCE, "nba")
    app = create_app(parse_settings(SETTINGS, folder=tmp_path, environ={}))

    async def journey():
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="https://nba.example") as client:
                given = [None, provider.token(), provider.token(scope="ingest"), provider.token(scope="openid")]
                headers = [{} if token is None else {"Authorization": f"Bearer {token}"} for token in given]
                return [(await client.get("/v1/model", headers=each)).status_code for each in headers]

    assert asyncio.run(journey()) == [401, 200, 403, 401]

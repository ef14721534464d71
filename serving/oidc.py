"""Bearer tokens of an OpenID Connect issuer that the owner trusts, judged by the keys that it publishes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import orjson

from features.errors import UserError
from nba.partners.visibility import Viewer
from serving.caller import SCOPES, Caller
from serving.loopback import is_loopback

if TYPE_CHECKING:
    from jwt import PyJWK

ISSUER, AUDIENCE, SCOPE_CLAIM = "NBA_OIDC_ISSUER", "NBA_OIDC_AUDIENCE", "NBA_OIDC_SCOPE_CLAIM"
_PARTNER, _OWNER = "nba_partner", "nba_owner"

_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""With a pair of keys only: what we verify by must not be enough to sign."""

_LEEWAY = 30
"""Seconds that clocks may differ."""
_KEYS_HOLD, _ASKED_AGAIN = 3600.0, 30.0
"""Seconds for which published keys are used, and before an unknown one lets the issuer be asked again."""
_TIMEOUT, _LARGEST = 5.0, 1024 * 1024

log = logging.getLogger("nba.serving")


class OidcError(UserError):
    """Tokens cannot be taken as the environment asks for."""


def read_issuer(environ: Mapping[str, str]) -> Issuer | None:
    """Return the issuer that the environment names; None where it names none.

    Raises
    ------
    OidcError
        Where something is missing: its audience, a safe address, the library.
    """
    issuer = environ.get(ISSUER, "")
    if not issuer:
        return None
    audience = environ.get(AUDIENCE, "")
    faults = [] if audience else [f"{AUDIENCE} is missing; name what the tokens are issued for, as in their claim aud"]
    parts = urlsplit(issuer)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        faults.append(f"{ISSUER} {issuer!r} is not an https:// address; whoever is in between could sign tokens")
    try:
        import jwt  # noqa: F401
    except ModuleNotFoundError:
        faults.append(f"{ISSUER} needs pyjwt; install it with `pip install 'nba-service[sso]'`")
    if faults:
        raise OidcError(faults)
    return Issuer(issuer, audience, environ.get(SCOPE_CLAIM) or "scope")


class Issuer:
    """Whose tokens are taken.

    Parameters
    ----------
    address
        As in the claim ``iss``.
    audience
        What the claim ``aud`` has to name.
    scope_claim
        The claim with the scopes, a list or a text with blanks.
    ticks
        Seconds since some moment.
    """

    def __init__(
        self, address: str, audience: str, scope_claim: str, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self.address = address
        self._audience, self._scope_claim, self._ticks = audience, scope_claim, ticks
        self._keys: Mapping[str | None, PyJWK] = {}
        self._read_at = self._asked_at = -_KEYS_HOLD
        self._asking = asyncio.Lock()

    async def caller(self, token: str) -> Caller | None:
        """Return who holds a token; None where it is no valid one."""
        import jwt

        if token.count(".") != 2:
            return None
        try:
            key = await self._key(jwt.get_unverified_header(token).get("kid"))
            if key is None:
                return None
            claims = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                audience=self._audience,
                issuer=self.address,
                leeway=_LEEWAY,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            return None
        return _caller(claims, self._scope_claim)

    async def _key(self, name: str | None) -> PyJWK | None:
        """Return a published key; the issuer is asked where it may have a newer one, by one request at a time."""
        if not self._is_due(name):
            return self._keys.get(name)
        async with self._asking:
            if self._is_due(name):
                self._asked_at = self._ticks()
                try:
                    self._keys = await asyncio.to_thread(_published, self.address)
                    self._read_at = self._ticks()
                except (OSError, ValueError, KeyError, TypeError) as error:
                    log.error("the keys of the issuer of tokens cannot be read: %s", type(error).__name__)
        return self._keys.get(name)

    def _is_due(self, name: str | None) -> bool:
        # Anybody can send a token with an unknown key, and the issuer must not pay for that.
        now = self._ticks()
        return (name not in self._keys or now - self._read_at > _KEYS_HOLD) and now - self._asked_at > _ASKED_AGAIN


def _published(address: str) -> Mapping[str | None, PyJWK]:
    from jwt import PyJWKSet

    described = _read(f"{address.rstrip('/')}/.well-known/openid-configuration")
    if described["issuer"] != address:
        raise ValueError("it describes another issuer")
    return {key.key_id: key for key in PyJWKSet.from_dict(_read(described["jwks_uri"])).keys}


def _read(address: str) -> dict[str, Any]:
    parts = urlsplit(address)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ValueError("it is not read by https")
    with urlopen(Request(address, headers={"Accept": "application/json"}), timeout=_TIMEOUT) as answer:
        found = orjson.loads(answer.read(_LARGEST))
    if not isinstance(found, dict):
        raise ValueError("it is not an object")
    return found


def _caller(claims: Mapping[str, Any], scope_claim: str) -> Caller | None:
    """Return who the claims describe; None where they say for whom, but not so that it can be understood."""
    partner, owner, told = claims.get(_PARTNER), claims.get(_OWNER), claims.get(scope_claim, ())
    sides = [side for side in (partner, owner) if side is not None]
    if len(sides) > 1 or not all(isinstance(side, str) and side for side in sides):
        return None
    given = told.split() if isinstance(told, str) else told if isinstance(told, list) else ()
    scopes = {scope for scope in SCOPES if scope in given and not (sides and scope == "admin")}
    name = f"oidc:{claims['sub']}"
    return Caller(name, name, frozenset(scopes), Viewer(partner=partner, owner=owner))

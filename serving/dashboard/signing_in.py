"""Signing in and out, and the switch of the language."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import parse_qs

from starlette.responses import RedirectResponse, Response

from serving.dashboard import session
from serving.dashboard.languages import COOKIE, LANGUAGES
from serving.dashboard.pages import SIGN_IN, Page
from serving.dashboard.visit import SEALS, Visit
from serving.intake.body import read_body
from serving.keys import Ring
from serving.places import NOTHING_HERE
from serving.problems import Problem

_MOST_BYTES = 4_096
_A_YEAR = 365 * 24 * 3600


class HasRing(Protocol):
    """Whatever knows the keys there are at the moment."""

    ring: Ring


class SigningIn:
    """What turns a key into a sign-in.

    Parameters
    ----------
    keys
        Anything with the present ``ring`` of keys.
    """

    def __init__(self, keys: HasRing) -> None:
        self._keys = keys

    async def show(self, visit: Visit) -> Response:
        """Ask for the key."""
        return visit.shown("sign_in.html", next=own_address(visit.query("next")), wrong=False)

    async def enter(self, visit: Visit) -> Response:
        """Begin a sign-in, where the key opens something."""
        _refuse_foreign(visit)
        fields = parse_qs((await read_body(visit.request, _MOST_BYTES)).decode("utf-8", "replace"))
        key, wanted = (fields.get(name, [""])[-1].strip() for name in ("key", "next"))
        caller = self._keys.ring.caller(key, visit.now)
        if caller is None or caller.is_public:
            return visit.shown("sign_in.html", 401, next=own_address(wanted), wrong=True)
        token, now = session.new_token(), visit.now
        await visit.service.writer.write(lambda writing: session.begin(writing, token, caller.key_id, now))
        answer = RedirectResponse(own_address(wanted), 303, headers=SEALS)
        _set(answer, visit, session.COOKIE, token, None)
        return answer


async def leave(visit: Visit) -> Response:
    """End the sign-in."""
    await visit.form()
    token = visit.token
    if token is not None:
        await visit.service.writer.write(lambda writing: session.end(writing, token))
    answer = RedirectResponse(SIGN_IN, 303, headers=SEALS)
    answer.delete_cookie(session.COOKIE, path="/")
    return answer


async def nothing(visit: Visit) -> Response:
    """Say that nothing is there, to whoever came to an address that no page has."""
    raise Problem(404, "no-such-name", visit.words.no_such)


async def switch(visit: Visit) -> Response:
    """Remember the language that the reader has chosen."""
    language = visit.request.path_params["language"]
    if language not in LANGUAGES:
        raise Problem(404, "no-such-name", visit.words.no_such)
    answer = RedirectResponse(own_address(visit.query("next")), 303, headers=SEALS)
    _set(answer, visit, COOKIE, language, _A_YEAR)
    return answer


def own_address(wanted: str) -> str:
    r"""Return an address of our own to go on with, whatever was asked for.

    Examples
    --------
    >>> own_address("/today?owner=ann"), own_address("//elsewhere.example"), own_address("https://elsewhere.example")
    ('/today?owner=ann', '/', '/')
    >>> own_address("/\\elsewhere.example"), own_address("")
    ('/', '/')
    """
    is_own = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if is_own and "\\" not in wanted else "/"


def _refuse_foreign(visit: Visit) -> None:
    """Refuse a form that another site has sent, so that nobody is signed in as somebody else unawares."""
    headers = visit.request.headers
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    is_own = origin is None or origin.partition("://")[2] == headers.get("host")
    if not is_own or site not in (None, "same-origin", "none"):
        raise Problem(403, "foreign-form", visit.words.foreign_form)


def _set(answer: Response, visit: Visit, name: str, value: str, seconds: int | None) -> None:
    is_safe = visit.request.url.scheme == "https" or visit.request.headers.get("x-forwarded-proto") == "https"
    answer.set_cookie(name, value, max_age=seconds, path="/", secure=is_safe, httponly=True, samesite="lax")


def pages(keys: HasRing) -> tuple[Page, ...]:
    """Return what everybody may open."""
    enter = SigningIn(keys)
    return (
        Page("sign_in", SIGN_IN, enter.show, scope=None),
        Page("sign_in", SIGN_IN, enter.enter, method="POST", scope=None),
        Page("sign_in", "/sign-out", leave, method="POST", scope=None),
        Page("sign_in", "/language/{language}", switch, scope=None),
        Page("sign_in", NOTHING_HERE, nothing, scope=None),
    )

"""Pages as routes: who may open them, and what a reader sees where something is wrong."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from features.store.store import StoreError
from serving.caller import NOBODY, THIS_MACHINE, Caller, caller_of, let_in
from serving.dashboard import session
from serving.dashboard.visit import SEALS, Visit, visit_of
from serving.keys import Ring
from serving.limits import bounded
from serving.problems import HANDLED, Problem, unexpected
from serving.queried import check_path
from serving.service import service_of
from serving.underway import underway

Handler = Callable[[Visit], Awaitable[Response]]
SIGN_IN = "/sign-in"
_TOLD: tuple[type[Exception], ...] = (*HANDLED, StoreError)
"""Errors that a reader can do something about."""
_MISSING = frozenset({"no-such-contact", "no-such-account", "no-such-name"})
"""What programs are told of in English, and a reader in words of the page."""

log = logging.getLogger("nba.serving")


@dataclass(frozen=True)
class Page:
    """One page, or what a form of it does.

    Attributes
    ----------
    name
        Of its words.
    scope
        What the reader's key must allow; None: everybody may open it.
    title
        The word for it in the menu; None: it is not there.
    for_bound
        Whether a key that is bound to a partner or an owner may open it.
    """

    name: str
    path: str
    handler: Handler
    method: str = "GET"
    scope: str | None = "read"
    title: str | None = None
    for_bound: bool = True

    def opens_for(self, caller: Caller) -> bool:
        """Whether a reader may open it."""
        if self.scope is None:
            return True
        return self.scope in caller.scopes and (self.for_bound or not caller.is_bound)


def routes(pages: Sequence[Page], ring: Callable[[], Ring]) -> list[Route]:
    """Make the routes.

    Parameters
    ----------
    ring
        Returns the keys there are at the moment.
    """
    menu = tuple(page for page in pages if page.title is not None)
    return [
        Route(page.path, _endpoint(page, menu, ring), methods=[page.method], name=f"{page.method} {page.path}")
        for page in pages
    ]


def _endpoint(page: Page, menu: Sequence[Page], ring: Callable[[], Ring]) -> Callable[[Request], Awaitable[Response]]:
    async def inside(request: Request) -> Response:
        caller, token = _reader(request, ring())
        let_in(request.scope, caller)
        if page.scope is not None and not caller.is_known:
            return _to_sign_in(request)
        opened = tuple((each.path, each.title or "") for each in menu if each.opens_for(caller))
        visit = visit_of(request, caller, page.name, opened, token)
        try:
            if not page.opens_for(caller):
                raise Problem(403, "missing-scope", visit.words.not_allowed)
            if request.path_params:
                check_path(request)
            return await page.handler(visit)
        except ClientDisconnect:
            return Response(status_code=400)
        except _TOLD as error:
            return _in_words(visit, error)
        except Exception as error:  # A reader sees a page even then; the log has the place.
            return visit.shown("problem.html", unexpected(error).status, detail=visit.words.our_fault, faults=())

    handler = bounded(inside, "looking", has_body=page.method == "POST")

    async def endpoint(request: Request) -> Response:
        underway().route = f"{page.method} {page.path}"
        try:
            return await handler(request)
        except Problem as problem:
            return problem.response(request.url.path)

    return endpoint


def _reader(request: Request, ring: Ring) -> tuple[Caller, str | None]:
    """Find out who reads: by a key that was brought, by the cookie of a sign-in, or this machine without any keys."""
    caller = caller_of(request)
    if caller is THIS_MACHINE or caller.is_known:
        return caller, None
    token, service = request.cookies.get(session.COOKIE), service_of(request)
    now = service.now_us()
    key_id = session.key_of(service.store, token, now)
    found = None if key_id is None else ring.holder(key_id, now)
    return (NOBODY, None) if found is None else (found, token)


def _to_sign_in(request: Request) -> Response:
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    target = f"{SIGN_IN}?next={quote(asked, safe='')}" if request.method == "GET" and asked != "/" else SIGN_IN
    if request.headers.get("hx-request") == "true":
        # A script would put the form into the middle of the page.
        return Response(status_code=204, headers={**SEALS, "HX-Redirect": SIGN_IN})
    return RedirectResponse(target, 303, headers=SEALS)


def _in_words(visit: Visit, error: Exception) -> Response:
    if isinstance(error, Problem):
        if error.code in _MISSING:
            return visit.shown("problem.html", error.status, detail=visit.words.no_such, faults=())
        return visit.shown("problem.html", error.status, detail=error.detail, faults=error.errors)
    if isinstance(error, StoreError):
        log.warning("a page could not be made, because the store cannot be read: %s", error)
        return visit.shown("problem.html", 503, detail=visit.words.store_away, faults=())
    return visit.shown("problem.html", 422, detail=str(error), faults=())

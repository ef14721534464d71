"""One request for a page: who reads, in which language, as of when, and how an answer is laid out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urlencode
from zoneinfo import ZoneInfo

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from nba.partners.visibility import Viewer
from serving.caller import Caller
from serving.dashboard import session
from serving.dashboard.languages import COOKIE, Words, language_for, words_of
from serving.dashboard.numbers import Numbers
from serving.dashboard.rendering import template
from serving.intake.body import read_body
from serving.problems import Problem
from serving.service import Service, service_of

SEAL = "seal"
"""The field of every form that says that it comes from a page of ours."""
SEALS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}
_MOST_BYTES = 2 * 1024 * 1024
_LONGEST = 20_000


@dataclass(frozen=True)
class Visit:
    """A request for a page.

    Attributes
    ----------
    menu
        (path, name) of the pages that this reader may open.
    token
        What stands in the cookie of the sign-in; None where there is none, as on a machine without any keys.
    """

    request: Request
    service: Service
    caller: Caller
    page: str
    menu: tuple[tuple[str, str], ...] = ()
    token: str | None = None

    @property
    def viewer(self) -> Viewer:
        """Whose contacts are seen."""
        return self.caller.viewer

    @cached_property
    def now(self) -> int:
        """The moment as of which the page is true."""
        return self.service.now_us()

    @cached_property
    def language(self) -> str:
        """The reader's language."""
        headers, usual = self.request.headers, self.service.settings.serving.language
        return language_for(self.request.cookies.get(COOKIE), headers.get("accept-language", ""), usual)

    @cached_property
    def words(self) -> Words:
        """The page's words in it."""
        return words_of(self.page, self.language)

    @cached_property
    def numbers(self) -> Numbers:
        """How figures are written."""
        return Numbers(self.language, ZoneInfo(self.service.settings.contact_policy.timezone), self.now)

    @property
    def may_write(self) -> bool:
        """Whether forms work: without a key nothing can be told from what a foreign page sends."""
        return self.token is not None

    @property
    def is_part(self) -> bool:
        """Whether a script asks for a part of the page that is there."""
        return self.request.headers.get("hx-request") == "true"

    def query(self, name: str, usual: str = "") -> str:
        """Return what stands in the address; what is too long for a name is none."""
        found = self.request.query_params.get(name, usual).strip()
        return found if len(found) <= 500 and found.isprintable() else usual

    def here(self, **changed: str | int | None) -> str:
        """Return the address of this page with other parameters; None takes one away."""
        found = {name: value for name, value in self.request.query_params.items() if name not in changed}
        found |= {name: str(value) for name, value in changed.items() if value is not None}
        return self.request.url.path + (f"?{urlencode(found)}" if found else "")

    async def form(self) -> Mapping[str, str]:
        """Return the fields of a form that one of our own pages has sent.

        Raises
        ------
        Problem
            403 where it does not carry the seal of this sign-in, 422 where it is no form.
        """
        body = await read_body(self.request, _MOST_BYTES)
        try:
            found = parse_qs(body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=200)
        except ValueError:
            raise Problem(422, "invalid-request", "this is not what a form sends; use the form on the page") from None
        fields = {name: values[-1].strip() for name, values in found.items()}
        sealed = self.token is not None and session.is_sealed(self.service.secret, self.token, fields.get(SEAL, ""))
        if not sealed:
            raise Problem(403, "foreign-form", self.words.foreign_form)
        if any(len(value) > _LONGEST or "\0" in value for value in fields.values()):
            raise Problem(422, "invalid-request", f"a field has more than {_LONGEST:,} characters; shorten it")
        return fields

    def allows(self, scope: str) -> bool:
        """Whether the reader's key may do something."""
        return scope in self.caller.scopes

    def shown(self, name: str, status: int = 200, **given: Any) -> Response:
        """Lay out a page or a part of one.

        Parameters
        ----------
        name
            Of the template.
        given
            What it stands on, beside this visit.
        """
        return HTMLResponse(self.text(name, **given), status, headers=SEALS)

    def text(self, name: str, **given: Any) -> str:
        """Return the HTML of a template."""
        seal = "" if self.token is None else session.seal_of(self.service.secret, self.token)
        sealed = Markup('<input type="hidden" name="{}" value="{}">').format(SEAL, seal)
        return template(name).render(v=self, w=self.words, n=self.numbers, sealed=sealed, **given)

    def back(self, path: str) -> Response:
        """Send the reader to a page after a form was taken."""
        return RedirectResponse(path, 303, headers=SEALS)


def visit_of(
    request: Request, caller: Caller, page: str, menu: tuple[tuple[str, str], ...], token: str | None
) -> Visit:
    """Begin a visit."""
    return Visit(request, service_of(request), caller, page, menu, token)

"""The page that a person's signed link opens; what is chosen there becomes a touchpoint, as from any other source."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qs

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from features.rows.row_types import TouchpointRow
from nba.consent import GIVEN, OBJECTION, PROFILING
from nba.privacy.person import Person, UnknownPersonError, person_of
from nba.privacy.tokens import identity_in
from nba.wishes import ANY, NEVER, PREFERENCE
from serving import schemas
from serving.event_schemas import FORM
from serving.hearing import hear
from serving.intake.body import read_body
from serving.operations import Operation, Parameter
from serving.problems import Problem
from serving.self_service.page import RHYTHMS, page, person_shown, style_seal
from serving.self_service.words import language_of
from serving.service import Service, service_of

SOURCE = "self_service"
TEXT_VERSION = "self_service 2"
"""Which text of ``serving.self_service.words`` was agreed to; it changes with the text."""

_WITHDRAWN = "consent_withdrawn"
_MOST_BYTES = 4_096
_LONGEST = 200
_SEALS = {
    "Content-Security-Policy": f"default-src 'none'; style-src '{style_seal()}'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}


async def get_me(request: Request) -> Response:
    """Show a person what is known, and what may be chosen."""
    service, now = service_of(request), service_of(request).now_us()
    language = _language(request, service)
    person = await _person(service, request.path_params["token"], now)
    if person is None:
        return HTMLResponse(page(None, language), 404, headers=_SEALS)
    shown = await asyncio.to_thread(person_shown, service.store, person, service.settings, now, language)
    saved = request.query_params.get("saved") == "1"
    return HTMLResponse(page(shown, language, saved=saved), headers=_SEALS)


async def post_me(request: Request) -> Response:
    """Note what a person chose, and show the page again."""
    service, now = service_of(request), service_of(request).now_us()
    person = await _person(service, request.path_params["token"], now)
    if person is None:
        return HTMLResponse(page(None, _language(request, service)), 404, headers=_SEALS)
    form = _form(await read_body(request, _MOST_BYTES))
    row = _chosen(form, person, service, now)
    await service.writer.write(lambda writing: writing.touchpoints([row]))
    hear(service, [row])
    return RedirectResponse("?saved=1", 303, headers=_SEALS)


async def _person(service: Service, token: str, now: int) -> Person | None:
    identity = identity_in(service.secret, token, now)
    if identity is None:
        return None
    try:
        found = await asyncio.to_thread(person_of, service.store, identity, service.settings.touchpoints)
    except UnknownPersonError:
        return None
    return None if found.was_erased else found


def _language(request: Request, service: Service) -> str:
    return language_of(request.headers.get("accept-language", ""), service.settings.serving.language)


def _form(raw: bytes) -> Mapping[str, str]:
    try:
        found = parse_qs(raw.decode(), strict_parsing=True, max_num_fields=8)
    except ValueError as error:
        raise Problem(400, "malformed-body", "the body is not a form") from error
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def _chosen(form: Mapping[str, str], person: Person, service: Service, now: int) -> TouchpointRow:
    """Return the touchpoint that a choice is.

    Raises
    ------
    Problem
        422 for a choice that the page does not offer.
    """
    do, proof = form.get("do", ""), {"text_version": TEXT_VERSION, "source": SOURCE}
    kind, said = _WITHDRAWN, {}
    if do == "rhythm" and form.get("at_most") in RHYTHMS:
        kind, said = PREFERENCE, {"at_most": form["at_most"]}
    elif do in ("topic_no", "topic_yes") and _is_name(form.get("topic")):
        kind, said = PREFERENCE, {"topic": form["topic"], "at_most": NEVER if do == "topic_no" else ANY}
    elif do in ("yes", "no") and _is_name(form.get("about")):
        about = form["about"]
        if about not in (*service.catalogue.channels, PROFILING):
            raise _not_offered()
        kind = GIVEN if do == "yes" else OBJECTION if about == PROFILING else _WITHDRAWN
        said = {"channel": about}
    elif do != "all_no":
        raise _not_offered()
    return TouchpointRow(
        person.contact.contact_id,
        now,
        f"{do}:{now}",
        kind,
        direction="inbound",
        properties=orjson.dumps({**said, **proof}, option=orjson.OPT_SORT_KEYS).decode(),
        source=SOURCE,
    )


def _is_name(value: str | None) -> bool:
    return value is not None and 0 < len(value) <= _LONGEST and value.isprintable()


def _not_offered() -> Problem:
    detail = "the page offers no such choice"
    return Problem(422, "invalid-request", detail, errors=[("body", detail)])


_TOKEN = Parameter("token", "What the link was signed with.", schemas.NAME, "WyJjcm06NDcxMSIsMV0.c2VhbA")

OPERATIONS = (
    Operation(
        id="showMe",
        method="GET",
        path="/me/{token}",
        handler=get_me,
        means="The page of a person's signed link: what is known and why, channels, rhythm, topics.",
        parameters=(
            _TOKEN,
            Parameter("saved", "1 where a choice was noted just now.", schemas.TEXT, "1", place="query"),
        ),
        response=schemas.TEXT,
        response_example="<!doctype html>",
        media_type="text/html",
        without_key=True,
        # Tools that send mails add words of their own to every link in them.
        any_query=True,
        answers=(404,),
    ),
    Operation(
        id="chooseForMe",
        method="POST",
        path="/me/{token}",
        handler=post_me,
        means="What a person chose on that page, as its forms send it.",
        parameters=(_TOKEN,),
        request=FORM,
        request_example={"do": "rhythm", "at_most": "1/30d"},
        request_type="application/x-www-form-urlencoded",
        response=schemas.TEXT,
        response_example="",
        media_type="text/html",
        without_key=True,
        any_query=True,
        answers=(303, 400, 404, 413, 415, 422),
    ),
)

"""Note: a talk at a fair, a till or a customer's site becomes a touchpoint at once, or once there is a network."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from starlette.responses import JSONResponse, Response

from features.frozen import Frozen
from features.times import to_datetime
from serving.dashboard import session
from serving.dashboard.assets import address_of, content_of
from serving.dashboard.numbers import days_from
from serving.dashboard.pages import Page
from serving.dashboard.visit import SEAL, SEALS, Visit
from serving.noted import TRAITS, NoteError, kinds_of, next_of, read_note, topics_of
from serving.people import people
from serving.problems import Problem
from serving.seen_contact import seen_contact
from serving.taken import Taken, next_for, take

PATH = "/note"
OFFLINE = "/note/offline"
WORKER = "/note-worker.js"
_QUEUED = "nba-note"
"""The header by which the page's script says that it sends a note."""
_MADE_OF = ("style.css", "htmx.min.js", "pages.js", "notes.js", "note-worker.js", "icon.svg")
_NO_FIELDS: Mapping[str, str] = Frozen()
_FIELDS = (*TRAITS, "contact", "kind", "topic", "words", "stage", "next", "until", "value", "at")


async def note(visit: Visit) -> Response:
    """Show the form, and after a note what is best to do next."""
    asked, saved = visit.query("contact"), visit.query("saved")
    fields: Mapping[str, str] = _NO_FIELDS
    next_ = None
    if asked:
        seen = await asyncio.to_thread(seen_contact, visit.service, visit.viewer, asked, visit.now)
        if seen is None:
            raise Problem(404, "no-such-contact", visit.words.no_such)
        fields = {"contact": asked, "name": seen.name or asked}
    if saved and visit.allows("read"):
        next_ = await asyncio.to_thread(next_for, visit.service, visit.viewer, saved, visit.language, visit.now)
    found = await _people(visit)
    return _form(visit, fields, found=found, saved=saved, next=next_)


async def suggest(visit: Visit) -> Response:
    """Show who is meant by what was typed so far."""
    return visit.shown("note_people.html", found=await _people(visit), typed=visit.query("q"), fields=_NO_FIELDS)


async def write(visit: Visit) -> Response:
    """Take a note."""
    fields = await visit.form()
    try:
        given = read_note(fields, visit.service.settings, visit.now)
        if given.kind is None:
            raise NoteError([("kind", "not_offered")])
        taken = await take(visit.request, [given], f"POST {PATH}")
    except NoteError as error:
        if _is_queued(visit):
            faults = [f"{visit.words['field_' + field]}: {visit.words['rule_' + rule]}" for field, rule in error.faults]
            return JSONResponse({"refused": faults}, 422, headers=SEALS)
        return _form(visit, fields, status=422, faults=error.faults)
    said = _said(taken)
    if _is_queued(visit):
        return JSONResponse({"said": said, "next": f"{PATH}?{said}"}, headers=SEALS)
    return visit.back(f"{PATH}?{said}")


async def ready(visit: Visit) -> Response:
    """Say whose sign-in this is, and what a note that waited on the phone has to carry."""
    seal = "" if visit.token is None else session.seal_of(visit.service.secret, visit.token)
    return JSONResponse({"who": visit.caller.name, SEAL: seal}, headers=SEALS)


async def offline(visit: Visit) -> Response:
    """Show the empty form that a phone keeps for halls without a network: there is nothing of anybody in it."""
    return _form(visit, _NO_FIELDS, is_kept=True)


async def worker(visit: Visit) -> Response:
    """Answer with the script that keeps the empty form."""
    headers = {**SEALS, "Cache-Control": "no-cache", "Service-Worker-Allowed": PATH}
    return Response(content_of("note-worker.js"), media_type="text/javascript", headers=headers)


def _form(visit: Visit, fields: Mapping[str, str], *, status: int = 200, **given: Any) -> Response:
    settings = visit.service.settings
    version = "".join(address_of(name)[-16:-4] for name in _MADE_OF)
    shown: dict[str, Any] = {
        "fields": {name: fields.get(name, "") for name in _FIELDS},
        "faults": (),
        "found": None,
        "typed": visit.query("q"),
        "saved": "",
        "next": None,
        "is_kept": False,
        **given,
    }
    return visit.shown(
        "note.html",
        status,
        note_id=fields.get("note_id") or ("" if shown["is_kept"] else secrets.token_hex(16)),
        kinds=kinds_of(settings),
        topics=topics_of(settings),
        stages=settings.stages.names,
        actions=next_of(settings),
        tomorrow=days_from(visit.now, 1, visit.numbers.zone),
        today=f"{to_datetime(visit.now).astimezone(visit.numbers.zone):%Y-%m-%dT%H:%M}",
        worker=f"{WORKER}?{urlencode({'language': visit.language, 'v': version})}",
        **shown,
    )


async def _people(visit: Visit) -> list[dict[str, Any]] | None:
    """Return whom the typed words may mean; None where nothing was typed."""
    typed = visit.query("q")
    if len(typed) < 2 or not visit.allows("read"):
        return None
    return await asyncio.to_thread(people, visit.service, visit.viewer, typed, visit.now)


def _said(taken: Taken) -> str:
    """Return what the page is to say, as parameters of its address."""
    said = "left_out" if taken.left_out else "stored" if taken.stored else "known"
    return f"saved={quote(taken.contacts[0], safe='')}&said={said}"


def _is_queued(visit: Visit) -> bool:
    return visit.request.headers.get(_QUEUED) is not None


PAGES = (
    Page("note", PATH, note, scope="ingest", title="note"),
    Page("note", PATH, write, method="POST", scope="ingest"),
    Page("note", "/note/people", suggest, scope="read"),
    Page("note", "/note/ready", ready, scope="ingest"),
    Page("note", OFFLINE, offline, scope=None),
    Page("note", WORKER, worker, scope=None),
)

"""Notes taken in: whom they are about, stored as everything else that comes in, and what is best to do next."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request

from features.rows.cells import RowError
from nba.draw import Draw
from nba.engine import decide
from nba.in_line import is_for_people
from nba.partners.seen_answer import seen_answer
from nba.partners.visibility import OWNER_SIDE, Viewer
from nba.request import MOST_RECOMMENDATIONS
from nba.request import Request as Question
from nba.worklist import sober
from serving.caller import caller_of
from serving.noted import Note, NoteError, delivery_of
from serving.people import account_called, same_people
from serving.receiving import frame_of, receive
from serving.seen_contact import Seen, seen_contact
from serving.service import Service, service_of

_KNOWN = ("email", "phone")


@dataclass(frozen=True)
class Taken:
    """What became of notes: how many things were new and how many known, and what was left out, in sentences."""

    contacts: tuple[str, ...]
    stored: int
    known: int
    left_out: tuple[str, ...] = ()


async def take(request: Request, notes: Sequence[Note], place: str) -> Taken:
    """Store notes: each once, however often it is sent.

    Parameters
    ----------
    place
        The form it came by, as the quarantine names it.

    Raises
    ------
    NoteError
        Where a contact is named that the caller does not know; where a value cannot be stored.
    Problem
        429 where nothing can be stored at the moment.
    """
    meant = await asyncio.to_thread(_all_meant, request, notes)
    return await take_meant(request, meant, place)


async def take_meant(request: Request, notes: Sequence[Note], place: str) -> Taken:
    """Store notes of which it is known whom they are about."""
    frame, caller = frame_of(request), caller_of(request)
    try:
        delivery = delivery_of(notes, frame, caller.name)
    except RowError as error:
        raise NoteError([("words", "unreadable")]) from error
    came = await receive(request, delivery, now_us=frame.now_us, place=place)
    left_out = tuple(each["message"] for each in came["errors"])
    return Taken(tuple(dict.fromkeys(note.identity for note in notes)), came["stored"], came["duplicate"], left_out)


def meant(service: Service, viewer: Viewer, note: Note, now: int) -> Note:
    """Return a note about whom it is: the contact that it names, else who is known by its address or number.

    Raises
    ------
    NoteError
        Where it names a contact that nobody knows, or that the viewer may not see: both look alike.
    """
    if note.contact is not None:
        seen = seen_contact(service, viewer, note.contact, now)
        if seen is None:
            raise NoteError([("contact", "no_such")])
        return note.of(seen.identity, seen.past.traits, seen.name)
    seen = seen_contact(service, viewer, note.identity, now)
    if seen is None and note.traits.keys() & set(_KNOWN):
        seen = _found(service, viewer, note, now)
    if seen is None:
        return _at_account(service, viewer, note, now)
    return note.of(seen.identity, seen.past.traits, seen.name)


def _all_meant(request: Request, notes: Sequence[Note]) -> list[Note]:
    service, viewer = service_of(request), caller_of(request).viewer
    now = service.now_us()
    return [meant(service, viewer, note, now) for note in notes]


def _at_account(service: Service, viewer: Viewer, note: Note, now: int) -> Note:
    """Return a note about somebody new with the account by its key, where the owner's side named one that there is."""
    named = note.traits.get("account")
    if named is None or viewer != OWNER_SIDE or service.store.record("accounts", named, now):
        return note
    account = account_called(service, named, now)
    return note if account is None else replace(note, traits={**note.traits, "account": account})


def _found(service: Service, viewer: Viewer, note: Note, now: int) -> Seen | None:
    """Return the only contact with the same address or number; None where there is none, or more."""
    found = same_people(service, viewer, note.traits, now)
    return seen_contact(service, viewer, found[0], now) if len(found) == 1 else None


def next_for(service: Service, viewer: Viewer, name: str, language: str, now: int) -> dict[str, Any] | None:
    """Say what is best to do next for a contact; nothing is drawn, and nothing is logged.

    Returns
    -------
    dict or None
        The answer of a recommendation, as far as the viewer sees it, with the contact's ``name``; None where there
        is no such contact.
    """
    seen = seen_contact(service, viewer, name, now)
    if seen is None:
        return None
    question = Question(contact=seen.identity, limit=MOST_RECOMMENDATIONS, language=language)
    found = decide(question, seen.past, service.bundles.current, sober(service.settings), now, Draw(b"", "note"))
    answer = seen_answer(found.to_json(), seen.sight, seen.identity, service.settings, found.language)
    actions = service.settings.actions
    for_people = [each for each in answer["recommendations"] if is_for_people(actions.get(each["action"]))]
    return answer | {"name": seen.name or name, "contact_id": seen.identity, "for_people": for_people}


def lifted(service: Service, viewer: Viewer, names: Sequence[str], language: str, now: int) -> int:
    """Count the contacts for which there is something to do now."""
    found = (next_for(service, viewer, name, language, now) for name in names)
    return sum(1 for each in found if each is not None and each["recommendations"])

"""A list of contacts instead of single notes: looked through first, stored once it was looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from serving.dashboard.pages import Page
from serving.dashboard.uploads import upload
from serving.dashboard.visit import Visit
from serving.listed import MOST_BYTES, MOST_ROWS, Listed, ListError, Refused, read_list, text_in
from serving.noted import Note, NoteError, kinds_of
from serving.taken import lifted, meant, take_meant

PATH = "/note/list"
STORE = "/note/list/store"
_SHOWN = 50
_LOOKED_AT = 200
"""Contacts of a list that are looked at for what it was good for."""
_FIELDS = ("contact", "name", "email", "phone", "account", "kind", "topic", "words", "stage", "at")


async def ask(visit: Visit) -> Response:
    """Ask for the list."""
    return _shown(visit)


async def look(visit: Visit) -> Response:
    """Show what would be stored, and what is wrong with the rest; nothing is stored yet."""
    fields = await upload(visit, MOST_BYTES)
    text, kind = text_in(fields.get("file", b"")), _kind(visit, fields)
    try:
        found = await _read(visit, text, kind)
    except ListError as error:
        return _shown(visit, 422, fault=str(error))
    return _shown(visit, text=text, kind=kind, found=found)


async def store(visit: Visit) -> Response:
    """Store the rows that are right, and say what that was good for."""
    fields = await upload(visit, 3 * MOST_BYTES)
    text, kind = fields.get("list", b"").decode("utf-8", "replace"), _kind(visit, fields)
    try:
        found = await _read(visit, text, kind)
    except ListError as error:
        return _shown(visit, 422, fault=str(error))
    try:
        taken = await take_meant(visit.request, [note for _, note in found.notes], f"POST {STORE}")
    except NoteError:
        return _shown(visit, 422, fault="unreadable")
    names = taken.contacts[:_LOOKED_AT]
    now, useful = visit.service.now_us(), None
    if visit.allows("read"):
        useful = await asyncio.to_thread(lifted, visit.service, visit.viewer, names, visit.language, now)
    done = {"contacts": len(taken.contacts), "new": taken.stored, "useful": useful, "of": len(names)}
    return _shown(visit, done=done | {"refused": len(found.refused), "left_out": len(taken.left_out)})


async def _read(visit: Visit, text: str, kind: str) -> Listed:
    """Read a list, and find out whom its rows mean."""
    found = await asyncio.to_thread(read_list, text, kind, visit.service.settings, visit.now)
    return await asyncio.to_thread(_meant, visit, found)


def _meant(visit: Visit, found: Listed) -> Listed:
    kept: list[tuple[int, Note]] = []
    for line, note in found.notes:
        try:
            kept.append((line, meant(visit.service, visit.viewer, note, visit.now)))
        except NoteError as error:
            found.refused.append(Refused(line, str(note.contact), error.faults))
    found.notes = kept
    found.refused.sort(key=lambda each: each.line)
    return found


def _kind(visit: Visit, fields: Mapping[str, bytes]) -> str:
    kind = fields.get("kind", b"").decode("utf-8", "replace")
    return kind if kind in kinds_of(visit.service.settings) else ""


def _shown(visit: Visit, status: int = 200, **given: Any) -> Response:
    usual: dict[str, Any] = {"text": "", "kind": "", "found": None, "fault": None, "done": None}
    return visit.shown(
        "note_list.html",
        status,
        kinds=kinds_of(visit.service.settings),
        columns=_FIELDS,
        most=_SHOWN,
        most_rows=MOST_ROWS,
        **{**usual, **given},
    )


PAGES = (
    Page("note_list", PATH, ask, scope="ingest"),
    Page("note_list", PATH, look, method="POST", scope="ingest"),
    Page("note_list", STORE, store, method="POST", scope="ingest"),
)

"""Pages of the worklist: scored contacts in their line, and among them those that got a decision since."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from features.rows.row_types import DecisionRow, ScoreRow
from features.store.line import scored_at, scores_in_line, unscored
from features.times import ALWAYS, iso
from nba.in_line import BEGIN, Place, is_for_people, place_of
from nba.partners.visibility import Viewer
from nba.worklist import OPEN_FOR, Wanted, Worklist
from serving.cursor import opened, sealed
from serving.problems import Problem
from serving.service import Service

LIST = "worklist"
MOST_LOOKED_AT = 400
"""Contacts that are looked at for one page at most: behind many that are done a page is short."""
MOST_UNSCORED = 1_000
_CHUNK = 64


@dataclass(frozen=True)
class Candidate:
    """Somebody in the line; without a score because of an open decision."""

    place: Place
    scored: ScoreRow | None


@dataclass(frozen=True)
class Line:
    """The line behind a place, as far as a viewer may have anything to do with it."""

    service: Service
    viewer: Viewer
    wanted: Wanted
    scored_at: int | None
    as_of: int

    def behind(self, place: Place) -> Iterator[Candidate]:
        """Return everybody behind a place, in order."""
        scored = self._scored(place)
        is_narrow = self.wanted.stage is not None or self.wanted.action is not None
        others = iter(()) if is_narrow else self._unscored(place)
        yield from heapq.merge(scored, others, key=lambda each: each.place)

    def _scored(self, place: Place) -> Iterator[Candidate]:
        owner, partner = self.viewer.owner or self.wanted.owner, self.viewer.partner or self.wanted.partner
        while True:
            rows = scores_in_line(
                self.service.store,
                place,
                _CHUNK,
                owner=owner,
                partner=partner,
                stage=self.wanted.stage,
                work=self.wanted.action,
            )
            for row in rows:
                if row.as_of != self.scored_at:
                    raise _outdated()
                place = _place(row)
                yield Candidate(place, row)
            if len(rows) < _CHUNK:
                return

    def _unscored(self, place: Place) -> Iterator[Candidate]:
        """Return those who came after everybody was scored, and for whom something was decided."""
        since = max(self.as_of - OPEN_FOR, ALWAYS if self.scored_at is None else self.scored_at)
        found: dict[str, Candidate] = {}
        for name, action in self.service.settings.actions.items():
            if is_for_people(action):
                for row in unscored(self.service.store, name, since, self.as_of, MOST_UNSCORED):
                    found.setdefault(row.identity, Candidate(_decided_place(row), None))
        yield from sorted((each for each in found.values() if each.place > place), key=lambda each: each.place)


async def page(
    service: Service,
    viewer: Viewer,
    wanted: Wanted,
    limit: int,
    cursor: str | None,
    language: str | None = None,
    looked_at: int = MOST_LOOKED_AT,
) -> dict[str, Any]:
    """Return a page of the worklist, and the cursor of the next one.

    Others are answered between any two contacts.

    Parameters
    ----------
    language
        What reasons are told in; None: the settings' language.
    looked_at
        How many contacts are looked at for it at most.

    Raises
    ------
    Problem
        404 where the cursor is none of this list's, 409 where everybody has been scored anew since it was given.
    """
    now, last = service.now_us(), scored_at(service.store)
    found: list[dict[str, Any]] = []
    place, looked, is_end = BEGIN, 0, True
    if cursor is not None:
        then, *at = opened(service.secret, LIST, cursor)
        if then != last:
            raise _outdated()
        place = (float(at[0]), float(at[1]), str(at[2]))
    if not _contradicts(viewer, wanted):
        line = Line(service, viewer, wanted, last, now)
        kept, changes = service.kept_rows, service.store.record_changes()
        catalogue = kept.catalogue(service.settings)
        rows = Worklist(service.store, catalogue, service.bundles.current, viewer, now, language)
        for each in line.behind(place):
            if len(found) == limit or looked == looked_at:
                is_end = False
                break
            place, looked = each.place, looked + 1
            row = kept.row(rows, each.place[2], each.scored, wanted, changes)
            if row is not None:
                found.append(row)
            await asyncio.sleep(0)
    return {
        "as_of": iso(now),
        "scored_at": None if last is None else iso(last),
        "contacts": found,
        "next_cursor": None if is_end else sealed(service.secret, LIST, (last, *place)),
    }


def _contradicts(viewer: Viewer, wanted: Wanted) -> bool:
    """Whether somebody asks for others' contacts than its own."""
    pairs = ((viewer.owner, wanted.owner), (viewer.partner, wanted.partner))
    return any(own is not None and asked is not None and own != asked for own, asked in pairs)


def _place(row: ScoreRow) -> Place:
    return (row.behind or 0.0, row.behind_by_points or 0.0, row.contact_id)


def _decided_place(row: DecisionRow) -> Place:
    terms = (row.terms or {}).get(row.action) or {}
    return place_of(terms.get("priority"), None, row.identity)


def _outdated() -> Problem:
    detail = "contacts were scored anew since this list was begun; read it again from its beginning"
    return Problem(409, "cursor-outdated", detail, errors=[("query cursor", detail)])

"""Partners: for a dealer its own leads and what came of them, for the owner what is shared of everybody's."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from starlette.responses import Response

from serving.dashboard.pages import Page
from serving.dashboard.visit import Visit
from serving.leads import ANSWERS, MOST_LEADS, WITHIN, answer_of, offer_to, own_leads, tallies
from serving.problems import Problem
from serving.receiving import frame_of, receive

PATH = "/partners"


async def partners(visit: Visit) -> Response:
    """Show a partner itself, and the owner everybody as far as is shared."""
    service, viewer = visit.service, visit.viewer
    if viewer.partner is not None:
        own = await asyncio.to_thread(own_leads, service, viewer, visit.now)
        return visit.shown(
            "partners_own.html", own=own, said=visit.query("said"), most=MOST_LEADS, since=visit.now - WITHIN
        )
    rows = [] if viewer.owner is not None else await asyncio.to_thread(tallies, service, visit.now)
    return visit.shown("partners.html", rows=rows, is_bound=viewer.owner is not None, since=visit.now - WITHIN)


async def answer(visit: Visit) -> Response:
    """Take what a partner says to an offer."""
    fields = await visit.form()
    if not visit.allows("ingest"):
        raise Problem(403, "missing-scope", visit.words.not_allowed)
    contact, said, at = (fields.get(name, "") for name in ("contact", "answer", "at"))
    if visit.viewer.partner is None or said not in ANSWERS or not at.isdecimal() or len(at) > 18:
        raise Problem(422, "invalid-request", visit.words.which_answer)
    stands = await asyncio.to_thread(offer_to, visit.service, visit.viewer, contact, int(at), visit.now)
    if stands is None:
        raise Problem(404, "no-such-contact", visit.words.no_such)
    if stands == ("accepted" if said == "lost" else "waiting"):
        frame = frame_of(visit.request)
        delivery = answer_of(contact, ANSWERS[said], visit.viewer.partner, int(at), frame)
        await receive(visit.request, delivery, now_us=frame.now_us, place=f"POST {PATH}")
    return visit.back(f"{PATH}?said={quote(said)}")


PAGES = (
    Page("partners", PATH, partners, title="partners"),
    Page("partners", PATH, answer, method="POST"),
)

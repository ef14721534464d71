"""From a request's body to the bytes of its answer, logged durably in between."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace
from enum import Enum
from functools import partial

import orjson

from features.rows.row_types import DecisionRow
from features.store.store import Writing
from features.times import SECOND
from nba.decision import Decision
from nba.draw import Draw
from nba.engine import decide
from nba.partners.seen_answer import seen_answer
from nba.partners.visibility import OWNER_SIDE, Viewer, sight_in
from nba.past import Past
from nba.request import Request
from nba.settings import Settings
from nba.shared_limits import Claim
from serving.feedback import settle_feedback
from serving.problems import Problem
from serving.repeats import repeat_row
from serving.service import Service

_TRIES = 20

log = logging.getLogger("nba.serving")


async def answer(service: Service, body: object, viewer: Viewer = OWNER_SIDE) -> bytes:
    """Decide, log the decision with the chances of all allowed actions, and answer.

    The same decision id again gives the same bytes, also when many ask at once and after a restart. What was decided
    is logged whole, and answered as far as the viewer may see it.

    Raises
    ------
    RequestError
        Where the request is not what it must be; every fault at once.
    Problem
        422 where the decision id was used before for another request.
    StoreError
        Where the decision cannot be logged.
    """
    began = service.ticks()
    request = Request.from_json(body)
    asked = _hash(body)
    if request.decision_id is not None:
        before = service.store.decision(request.decision_id)
        if before is not None:
            return _repeated(before, asked)
    as_of = service.now_us()
    for tried in range(_TRIES):
        past = Past.read(
            service.store,
            request.contact,
            as_of,
            service.settings.touchpoints,
            memory_us=service.catalogue.memory_of(request.placement),
            counted=service.catalogue.approach_rule,
        )
        decision = decision_of(service, request, past, as_of, began)
        # A caller finds its own id in the answer, also where an earlier decision is given again under it.
        named = replace(decision, decision_id=request.decision_id or decision.decision_id)
        sight = sight_in(viewer, past, service.settings.partners, as_of)
        shown = seen_answer(named.to_json(), sight, request.contact, service.settings)
        found = orjson.dumps(shown, option=orjson.OPT_SERIALIZE_NUMPY)
        row = _row(decision, request, asked, found)
        if row is None and request.decision_id is None:
            return found
        if row is not None:
            claim = Claim.of(decision, request, past, service.catalogue)
            stored = await service.writer.write(partial(_store, service.settings, row, claim))
            if stored is Stored.NOW:
                return found
            if stored is Stored.NEVER:
                # Others took the last place while this was decided, so it is decided again, after theirs: other
                # machines' clocks may be ahead.
                as_of = max(service.now_us(), as_of + 2**tried * SECOND // 1000)
                continue
        # Somebody else was first with this id, before the writer came to it or while the past was read.
        before = service.store.decision(request.decision_id or decision.decision_id)
        if before is not None and (request.decision_id is not None or before.request_hash == asked):
            return _repeated(before, asked)
        # Two questions about one contact came in the same microsecond: this one counts as a later one.
        as_of += 1
    raise Problem(503, "too-many-at-once", "too many requests for this contact at once", headers={"Retry-After": "1"})


def decision_of(service: Service, request: Request, past: Past, as_of: int, began: float | None = None) -> Decision:
    """Decide; past the deadline by points.

    Parameters
    ----------
    began
        When the request came, in the service's ticks; None where there is no deadline.
    """
    draw = Draw(service.secret)
    belief = service.bundles.current

    def is_late() -> bool:
        return began is not None and service.ticks() - began > service.settings.serving.deadline_us / 1e6

    if belief is not None and not is_late():
        found = decide(request, past, belief, service.catalogue, as_of, draw, report=_report)
        if not is_late():
            return found
    return decide(request, past, None, service.catalogue, as_of, draw, degraded=belief is not None)


def _report(error: Exception) -> None:
    # Values may be a person's data, so the message of the error stays out of the log.
    log.error("the model could not answer, so the points table did: %s", type(error).__name__)


def _row(decision: Decision, request: Request, asked: str, found: bytes) -> DecisionRow | None:
    """Lay out what is to be logged; None where an earlier decision is given again under no new id."""
    if decision.is_new:
        return decision.row(request_hash=asked, answer=found)
    if request.decision_id is None or request.decision_id == decision.decision_id:
        return None
    return repeat_row(request.decision_id, decision, asked, found)


class Stored(Enum):
    """What became of a decision that was to be stored."""

    NOW = "now"
    BEFORE = "before"
    """Something was stored under its id before."""
    NEVER = "never"
    """Others took what it claims."""


def _store(settings: Settings, row: DecisionRow, claim: Claim | None, writing: Writing) -> Stored:
    if claim is not None and writing.seen.decision(row.decision_id) is None and claim.is_lost(writing.seen):
        return Stored.NEVER
    if writing.decisions([row]) == 0:
        return Stored.BEFORE
    settle_feedback(writing, row.decision_id, settings)
    return Stored.NOW


def _hash(body: object) -> str:
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _repeated(before: DecisionRow, asked: str) -> bytes:
    if before.request_hash != asked or before.answer is None:
        raise Problem(
            422,
            "decision-id-used",
            f"decision_id {before.decision_id!r} was used before for another request; take a new one",
            errors=[("/decision_id", "was used before for another request")],
        )
    return before.answer

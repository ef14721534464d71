"""From a request's body to the bytes of its answer, logged durably in between."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace

import orjson

from features.rows.row_types import DecisionRow
from features.store.store import StoreAwayError
from features.times import SECOND
from nba.decision import Decision
from nba.draw import Draw
from nba.engine import decide
from nba.partners.seen_answer import seen_answer
from nba.past import Past
from nba.request import Request
from nba.settings.actions import INFOCENTER
from nba.shared_limits import Claim
from serving.caller import THIS_MACHINE, Caller
from serving.deeds import Activate, Decide, Stored
from serving.knowing import (
    Known,
    decision_before,
    known_of,
    remembered_of,
    seconds_left,
    tell_unreadable,
    unknown,
)
from serving.own_names import own_name
from serving.problems import RETRY_SECONDS, Problem
from serving.repeats import repeat_row, shown_at_last
from serving.service import Service
from serving.underway import underway

_TRIES = 20

log = logging.getLogger("nba.serving")


async def answer(service: Service, body: object, caller: Caller = THIS_MACHINE, language: str | None = None) -> bytes:
    """Decide, log the decision with the chances of all allowed actions, and answer.

    The same decision id again gives the same bytes, also when many ask at once and after a restart. What was decided
    is logged whole, and answered as far as the caller may see it.

    Parameters
    ----------
    language
        What the reader wishes to read; None: that of the settings. The same id again is answered in the first one's.

    Raises
    ------
    RequestError
        Where the request is not what it must be; every fault at once.
    Problem
        422 where the decision id was used before for another request, or with another key; 503 where what was decided
        under it is stored and cannot be read.
    StoreError
        Where the decision can neither be stored nor kept in the journal.
    """
    began = service.ticks()
    request = Request.from_json(body)
    if language is not None:
        request = replace(request, language=language)
    asked = _hash(body)
    if request.decision_id is not None:
        before = decision_before(service, request.decision_id)
        if before is not None:
            return _repeated(before, asked, caller)
    as_of = service.now_us()
    for tried in range(_TRIES):
        known, decision = _decided(service, caller, request, as_of, began)
        found, row = _answered(service, caller, request, known, decision, asked)
        shown = shown_at_last(decision, known.past)
        if row is None and request.decision_id is None:
            if shown is not None:
                await service.writer.write(Activate(shown, as_of))
            _count(service, decision, request)
            return found
        if row is not None:
            claim = Claim.of(decision, known.request, known.past, service.catalogue)
            waiting = _waiting(caller, request)
            stored = await service.writer.write(Decide(row, service.settings, claim, waiting, shown))
            if stored is Stored.REFUSED:
                return _for_erased(service, request, as_of)
            if stored is Stored.NOW:
                service.recent.decided(row)
                _count(service, decision, request)
                return found
            if stored is Stored.NEVER:
                # Others took the last place while this was decided, so it is decided again, after theirs: other
                # machines' clocks may be ahead.
                as_of = max(service.now_us(), as_of + 2**tried * SECOND // 1000)
                continue
        # Somebody else was first with this id, before the writer came to it or while the past was read.
        before = decision_before(service, request.decision_id or decision.decision_id)
        if before is not None and (request.decision_id is not None or before.request_hash == asked):
            return _repeated(before, asked, caller)
        if before is None and request.decision_id is not None and tried:
            # What is answered under its id stands already; another answer would never be found again.
            raise _unreadable(request.decision_id)
        # Two questions about one contact came in the same microsecond: this one counts as a later one.
        as_of += 1
    raise Problem(503, "too-many-at-once", "too many requests for this contact at once", headers={"Retry-After": "1"})


def _decided(service: Service, caller: Caller, request: Request, as_of: int, began: float) -> tuple[Known, Decision]:
    """Decide on what the store knows, where that cannot be read in time on what is remembered, else on nothing."""
    if not service.store.is_out:
        try:
            with service.store.patience.within(seconds_left(service, began)):
                known = known_of(service, caller, request, as_of)
                decision = decision_of(service, known.request, known.past, as_of, began, caller.key)
        except StoreAwayError as error:
            log.warning("the store cannot be read, so that what is remembered has to do: %s", error)
        except Exception as error:
            tell_unreadable("what is stored of a contact", error)
        else:
            if known.is_whole:
                service.recent.keep(known.request.contact, known.past, as_of)
            return known, decision if known.is_whole else replace(decision, degraded=True)
    try:
        known = remembered_of(service, caller, request, as_of)
        decision = decision_of(service, known.request, known.past, as_of, began, caller.key)
    except Exception as error:
        tell_unreadable("what is remembered of a contact", error)
        known = unknown(service, caller, request, as_of)
        decision = decision_of(service, known.request, known.past, as_of, began, caller.key)
    return known, replace(decision, degraded=True)


def _answered(
    service: Service, caller: Caller, request: Request, known: Known, decision: Decision, asked: str
) -> tuple[bytes, DecisionRow | None]:
    """Lay out the answer, as far as the caller may see it, and what is to be logged."""
    # A caller finds its own id in the answer, also where an earlier decision is given again under it.
    named = _named(decision, request)
    shown = seen_answer(named.to_json(), known.sight, request.contact, service.settings, named.language)
    if known.request.contact != request.contact:
        shown["contact_id"] = request.contact
    found = orjson.dumps(shown, option=orjson.OPT_SERIALIZE_NUMPY)
    return found, _row(decision, request, asked, found, caller.key)


def _named(decision: Decision, request: Request) -> Decision:
    """Return a decision under the id that its caller chose."""
    if request.decision_id in (None, decision.decision_id):
        return decision
    return replace(decision, decision_id=request.decision_id)


def _count(service: Service, decision: Decision, request: Request) -> None:
    removed = [refusal.rule for refusal in decision.verdict.refusals]
    service.metrics.decided(decision.mode, decision.degraded, decision.model_version, removed)
    underway().decided(request.decision_id or decision.decision_id)


def _for_erased(service: Service, request: Request, as_of: int) -> bytes:
    """Answer that there is nothing to do for somebody who was erased; nothing of it is kept."""
    nothing = replace(request, exclude=(*service.settings.actions, INFOCENTER))
    decision = decision_of(service, nothing, Past.nothing(), as_of)
    _count(service, decision, request)
    named = _named(decision, request)
    return orjson.dumps(named.to_json(), option=orjson.OPT_SERIALIZE_NUMPY)


def _waiting(caller: Caller, request: Request) -> str | None:
    """Name what a bound caller's feedback waits under that came before its decision; None where none can."""
    if not caller.is_bound or request.decision_id is None:
        return None
    return own_name(caller.viewer, request.decision_id)


def decision_of(
    service: Service, request: Request, past: Past, as_of: int, began: float | None = None, key: str | None = None
) -> Decision:
    """Decide; past the deadline by points.

    Parameters
    ----------
    began
        When the request came, in the service's ticks; None where there is no deadline.
    key
        Name of the caller's key, whose chance it is; None without one.
    """
    draw = Draw(service.secret, key or "")
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


def _row(decision: Decision, request: Request, asked: str, found: bytes, key: str | None) -> DecisionRow | None:
    """Lay out what is to be logged; None where an earlier decision is given again under no new id."""
    if decision.is_new:
        return decision.row(key=key, request_hash=asked, answer=found)
    if request.decision_id is None or request.decision_id == decision.decision_id:
        return None
    return replace(repeat_row(request.decision_id, decision, asked, found), key=key)


def _hash(body: object) -> str:
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _unreadable(decision_id: str) -> Problem:
    return Problem(
        503,
        "store-unavailable",
        f"a decision is stored under decision_id {decision_id!r}, and it cannot be read at the moment; try again in "
        f"{RETRY_SECONDS} seconds, or take a new id",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


def _repeated(before: DecisionRow, asked: str, caller: Caller) -> bytes:
    if before.key != caller.key or before.request_hash != asked or before.answer is None:
        raise Problem(
            422,
            "decision-id-used",
            f"decision_id {before.decision_id!r} was used before for another request; take a new one",
            errors=[("/decision_id", "was used before for another request")],
        )
    underway().decided(before.decision_id)
    return before.answer

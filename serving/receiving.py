"""Taking deliveries in: stored durably before the answer, the same for every way in."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request

from features.store.store import StoreError
from serving.caller import caller_of
from serving.deed import Deed
from serving.deeds import Arrive
from serving.hearing import hear
from serving.intake.delivery import Delivery
from serving.intake.event_touchpoint import Frame
from serving.intake.storing import Stored
from serving.meaning import as_meant
from serving.problems import RETRY_SECONDS, Problem
from serving.service import service_of
from serving.writer import WriterClosedError


def frame_of(request: Request, source: str | None = None) -> Frame:
    """Return what holds for all events of a call: its time, the rules, and whose key it came with.

    Parameters
    ----------
    source
        Whose events they are, where that is not the key.
    """
    service, caller = service_of(request), caller_of(request)
    return Frame(
        now_us=service.now_us(),
        rules=service.settings.touchpoints,
        source=caller.name if source is None else source,
        is_public=caller.is_public,
    )


async def receive(request: Request, delivery: Delivery, *, now_us: int, place: str) -> dict[str, Any]:
    """Store a delivery and say what became of it.

    Parameters
    ----------
    now_us
        When it came.
    place
        The operation, as the quarantine names it.

    Raises
    ------
    Problem
        400 where the only event of a call is bad. 429 where it cannot be stored at the moment: clients of others
        send again after a while, where many take 503 for the end.
    """
    service, is_public = service_of(request), caller_of(request).is_public
    try:
        deed = await _meant(request, Arrive(delivery, service.settings, now_us, place, is_public))
        stored: Stored = await service.writer.write(deed)
    except (StoreError, WriterClosedError) as error:
        raise _later() from error
    if isinstance(deed, Arrive):
        # While it is open whom its caller means, nobody's past may change by it.
        delivery = deed.delivery
        hear(service, [each.touchpoint for each in delivery.messages if each.touchpoint is not None])
    service.metrics.intake(stored=stored.stored, duplicate=stored.duplicate, quarantined=stored.quarantined)
    if not delivery.is_list and delivery.refused:
        reason = delivery.refused[0].reason
        raise Problem(400, "invalid-event", f"the event is refused: {reason}", errors=[("body", reason)])
    return _counts(delivery, stored)


async def _meant(request: Request, deed: Arrive) -> Deed[Stored]:
    """Return an arrival as its caller means it; a bound one means its own contacts."""
    service, caller = service_of(request), caller_of(request)
    return await asyncio.to_thread(as_meant, service, caller, deed, deed.now_us) if caller.is_bound else deed


def _later() -> Problem:
    detail = f"nothing can be stored at the moment; send it again in {RETRY_SECONDS} seconds"
    return Problem(429, "store-unavailable", detail, headers={"Retry-After": str(RETRY_SECONDS)})


def _counts(delivery: Delivery, stored: Stored) -> dict[str, Any]:
    return {
        "success": True,
        "received": delivery.received,
        "stored": stored.stored,
        "duplicate": stored.duplicate,
        "quarantined": stored.quarantined,
        "errors": [{"index": index, "message": sentence} for index, sentence in stored.errors],
    }

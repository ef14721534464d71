"""What a decision is made on: the store, and while that is away what is remembered and what the journal keeps."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from features.rows.row_types import DecisionRow
from features.store.store import StoreAwayError
from nba.approach_rule import OUTBOUND
from nba.partners.visibility import Sight, sight_in
from nba.past import Past
from nba.request import Request
from nba.tables.memory import tables_read
from serving.caller import Caller
from serving.deeds import decision_in
from serving.logs import where_raised
from serving.own_names import own_name
from serving.reach import Reach
from serving.service import Service

SHORTEST_READ = 0.1
"""Seconds that reading may take at least, however short the deadline."""

log = logging.getLogger("nba.serving")


@dataclass(frozen=True)
class Known:
    """What is known of the contact that a request means.

    ``request`` names it as the store does. ``is_whole`` says that the store was asked: else others may have done
    something since that is not in it.
    """

    request: Request
    past: Past
    sight: Sight
    is_whole: bool = True


def known_of(service: Service, caller: Caller, request: Request, as_of: int) -> Known:
    """Return what is known strictly before a moment, of whom the caller means.

    While something waits in the journal the store does not know of it, so that what is remembered is better. To what
    the store says of others is added what waits of them.

    Raises
    ------
    StoreAwayError
        Where the store cannot be asked.
    Exception
        Where it cannot be read.
    """
    keeps = service.writer.keeps
    if keeps:
        if (found := _remembered(service, caller, request, as_of)) is not None:
            return found
        if service.recent.lacks_waiting or service.writer.keeps_others:
            return unknown(service, caller, request, as_of)
    else:
        service.recent.stored()
    if caller.is_bound:
        reach = Reach(service.store, caller.viewer, service.settings, as_of)
        request = replace(request, contact=reach.contact(request.contact))
    past = Past.read(
        service.store,
        request.contact,
        as_of,
        service.settings.touchpoints,
        memory_us=service.catalogue.memory_of(request.placement),
        counted=service.catalogue.approach_rule,
        whole_decisions=False,
    )
    if keeps:
        past = service.recent.joined(request.contact, past, as_of, service.settings.touchpoints)
    return Known(request, past, sight_in(caller.viewer, past, service.settings.partners, as_of))


def remembered_of(service: Service, caller: Caller, request: Request, as_of: int) -> Known:
    """Return what is known without the store.

    Of somebody who is not remembered nothing is known, not even whether they have unsubscribed: no action that goes
    out may be taken for them.
    """
    found = _remembered(service, caller, request, as_of)
    return unknown(service, caller, request, as_of) if found is None else found


def unknown(service: Service, caller: Caller, request: Request, as_of: int) -> Known:
    """Return what is known of somebody whom nothing can be found out about."""
    if request.placement == OUTBOUND:
        request = replace(request, exclude=tuple(service.settings.actions))
    past = Past.nothing()
    contact = own_name(caller.viewer, request.contact)
    sight = sight_in(caller.viewer, past, service.settings.partners, as_of)
    return Known(replace(request, contact=contact), past, sight, is_whole=False)


def decision_before(service: Service, decision_id: str) -> DecisionRow | None:
    """Return the decision that stands under an id, wherever it is kept; None where none is known, or can be read."""
    try:
        record = service.writer.kept(decision_id)
        return service.store.decision(decision_id) if record is None else decision_in(record)
    except StoreAwayError:
        pass
    except Exception as error:
        tell_unreadable("a decision", error)
    return service.recent.decision(decision_id)


def tell_unreadable(what: str, error: Exception) -> None:
    """Log that something cannot be read, without a value of it: that may be a person's."""
    log.error(
        "%s cannot be read, so that what is remembered has to do: %s", what, where_raised(error.__cause__ or error)
    )


def seconds_left(service: Service, began: float) -> float:
    """Return how long reading may take for a request that came at ``began``, in the service's ticks."""
    return max(began + service.settings.serving.deadline_us / 1e6 - service.ticks(), SHORTEST_READ)


def _remembered(service: Service, caller: Caller, request: Request, as_of: int) -> Known | None:
    rules, tables = service.settings.touchpoints, tables_read(service.store)
    for name in dict.fromkeys((request.contact, own_name(caller.viewer, request.contact))):
        past = service.recent.past(name, as_of, rules, tables)
        if past is None:
            continue
        sight = sight_in(caller.viewer, past, service.settings.partners, as_of)
        # A bound caller means somebody else's contact by no name.
        if not caller.is_bound or not sight.is_nothing:
            return Known(replace(request, contact=name), past, sight, is_whole=False)
    return None

"""What was acknowledged counts at once: it is added to what is remembered for when the store is away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from features.frozen import Frozen
from features.rows.row_types import DecisionRow, OutcomeRow, TouchpointRow
from serving.feedback import DONE, touchpoint_of
from serving.knowing import decision_before
from serving.repeats import earlier_id
from serving.service import Service

_NO_IDS: Mapping[str, str] = Frozen()


def hear(service: Service, rows: Iterable[TouchpointRow]) -> None:
    """Take note of touchpoints that were acknowledged just now."""
    service.recent.came(rows, waits=service.writer.keeps)


def hear_feedback(service: Service, row: OutcomeRow, ids: Mapping[str, str] = _NO_IDS) -> None:
    """Take note of the touchpoint that a piece of feedback is, where its decision is known.

    Parameters
    ----------
    ids
        Of what it is about, as ``serving.feedback.read_ids`` found them.
    """
    decision = _behind(service, row.decision_id)
    if decision is None:
        return
    found = touchpoint_of(row._replace(decision_id=decision.decision_id), decision, service.settings, ids)
    if found is not None:
        # An id may stand for something else already, and then another one is stored.
        own = found if row.outcome == DONE else found._replace(touchpoint_id=f"{row.feedback_id}\0{row.outcome}")
        hear(service, [own])


def _behind(service: Service, decision_id: str) -> DecisionRow | None:
    found = decision_before(service, decision_id)
    earlier = None if found is None else earlier_id(found)
    return found if earlier is None else decision_before(service, earlier) or found

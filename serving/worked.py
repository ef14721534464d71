"""What somebody did about a contact of their list: feedback on the decision that the list stands for.

A list shows what is best by what is known now, and nothing is drawn for it. Who works an item off has decided for it:
where no decision waits for its outcome yet, that one is logged, as certain (a chance of 1) and under a policy of its
own, so that its outcome can be learnt from and is never taken for one that was drawn.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson

from features.rows.row_types import OutcomeRow
from features.store.line import scored_at
from nba.draw import Draw
from nba.engine import decide
from nba.past import Past
from nba.request import MOST_RECOMMENDATIONS, Request
from nba.worklist import Worklist
from serving.deeds import Decide, Learn
from serving.feedback import check_feedback, read_feedback
from serving.hearing import hear_feedback
from serving.problems import Problem

if TYPE_CHECKING:
    from features.rows.row_types import DecisionRow
    from serving.caller import Caller
    from serving.service import Service

POLICY = "worklist"


@dataclass(frozen=True)
class Told:
    """What came of an item: an outcome as in feedback, with its reason, note and moment to come back at."""

    outcome: str
    reason: str | None = None
    note: str | None = None
    until: str | None = None


async def work_off(service: Service, caller: Caller, identity: str, action: str, told: Told) -> OutcomeRow:
    """Store what came of an item of the list; the same told twice is stored once.

    Parameters
    ----------
    identity, action
        Of the item, as the list names them.

    Raises
    ------
    Problem
        409 where the item is no longer in the list: somebody else has done it, or a rule stands against it now.
    FeedbackError
        Every wrong field at once.
    """
    now = service.now_us()
    catalogue = service.kept_rows.catalogue(service.settings)
    rows = Worklist(service.store, catalogue, service.bundles.current, caller.viewer, now)
    past = Past.read(service.store, identity, now, service.settings.touchpoints)
    row = rows.row(identity, past.scored)
    if row is None or row["action"] != action:
        service.kept_rows.forget(identity)
        raise Problem(
            409, "not-in-the-list", f"{action!r} is no longer to be done for {identity!r}; load the list again"
        )
    decision_id = row["decision_id"]
    if decision_id is None:
        decided = _decided(service, caller, past, identity, action, now)
        await service.writer.write(Decide(decided, service.settings))
        service.recent.decided(decided)
        decision_id = decided.decision_id
    given = {"decision_id": decision_id, "action": action, "outcome": told.outcome}
    given |= {name: value for name in ("reason", "note", "until") if (value := getattr(told, name))}
    feedback = read_feedback(given, now)
    check_feedback(service.store, feedback, service.settings)
    await service.writer.write(Learn(feedback, service.settings))
    hear_feedback(service, feedback)
    return feedback


def _decided(service: Service, caller: Caller, past: Past, identity: str, action: str, now: int) -> DecisionRow:
    """Lay out the decision for an item as it is logged."""
    catalogue = service.kept_rows.catalogue(service.settings)
    request = Request(contact=identity, limit=MOST_RECOMMENDATIONS)
    found = decide(request, past, service.bundles.current, catalogue, now, Draw(service.secret, POLICY))
    offered = tuple(each for each in found.recommendations if each.action == action)
    if not offered:
        raise Problem(
            409, "not-in-the-list", f"{action!r} is not allowed for {identity!r} any more; load the list again"
        )
    asked = f"{POLICY}\0{found.contact}\0{action}\0{scored_at(service.store)}\0{len(past.decisions)}"
    chosen = replace(
        found,
        decision_id=hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()[:32],
        action=action,
        chances={"do_nothing": 0.0, action: 1.0},
        terms={name: terms for name, terms in found.terms.items() if name == action},
        recommendations=tuple(each._replace(probability=1.0) for each in offered),
        policy=POLICY,
    )
    answer = orjson.dumps(chosen.to_json(), option=orjson.OPT_SERIALIZE_NUMPY)
    return chosen.row(key=caller.key, request_hash=None, answer=answer)

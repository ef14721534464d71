"""Decision ids that stand for an earlier decision.

A sticky choice is logged once. A caller that named an id of its own when it got such a choice again may ask
with that id once more when the choice no longer holds, and must get the same answer; and it reports under it.
"""

from __future__ import annotations

from features.rows.row_types import DecisionRow
from features.store.reading import Reading
from nba.decision import Decision
from nba.past import Past

POLICY = "repeat"
"""The policy of rows that hold no decision of their own: they have no chances, and are judged by nobody."""

_OF = "repeats"


def repeat_row(decision_id: str, decision: Decision, asked: str, found: bytes) -> DecisionRow:
    """Tie an id to a decision that was made before under another."""
    return DecisionRow(
        decision_id=decision_id,
        identity=decision.contact,
        decided_at=decision.as_of,
        action=decision.action,
        policy=POLICY,
        properties={_OF: decision.decision_id},
        request_hash=asked,
        answer=found,
        as_of=decision.as_of,
    )


def shown_at_last(decision: Decision, past: Past) -> str | None:
    """Name the earlier decision that is given again and was deferred till now, while this call defers nothing.

    Whoever calls without ``defer`` shows what is answered. None where there is no such decision.
    """
    if decision.is_new or decision.defer:
        return None
    waits = (
        row.deferred and row.activated_at is None for row in past.decisions if row.decision_id == decision.decision_id
    )
    return decision.decision_id if any(waits) else None


def decision_behind(store: Reading, decision_id: str) -> DecisionRow | None:
    """Return the decision that an id stands for; None where it is not known."""
    found = store.decision(decision_id)
    earlier = None if found is None else earlier_id(found)
    return found if earlier is None else store.decision(earlier) or found


def earlier_id(row: DecisionRow) -> str | None:
    """Return the id of the decision that one stands for; None where it stands for itself."""
    return str(row.properties[_OF]) if row.policy == POLICY and row.properties else None

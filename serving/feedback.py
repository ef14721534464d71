"""Feedback: what came of a decision, as an outcome and as the touchpoint that it is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import orjson

from features.cells import RowError, cell
from features.errors import UserError
from features.history_reading import contact_rows
from features.members import members_of
from features.row_types import DecisionRow, OutcomeRow, TouchpointRow
from features.schema import Column
from features.store import Writing
from features.store_reading import Reading
from features.times import iso
from features.touchpoints import TouchpointRules
from nba.actions import DO_NOTHING
from nba.settings import Settings
from nba.settings.actions import Action
from serving.repeats import decision_behind

OUTCOMES = (
    "shown", "delivered", "opened", "clicked", "done", "accepted", "converted", "rejected", "snoozed",
    "not_reached", "wrong_person", "wrong_number", "not_responsible", "no_need", "unsubscribed",
)  # fmt: skip

SOURCE = "feedback"
DONE = "done"

_NOT_BY_THE_CONTACT = ("shown", "delivered", "not_reached")
"""Nothing that the contact did: as an inbound touchpoint they would count as an answer."""

_COLUMNS = (
    Column("decision_id", required=True),
    Column("action"),
    Column("outcome", required=True, choices=OUTCOMES),
    Column("reason"),
    Column("note"),
    Column("until", "time"),
    Column("value", "number"),
    Column("occurred_at", "past"),
    Column("feedback_id"),
)
_UNTIL = Column("until", "past")
_LONGEST = {"note": 10_000}
_LONGEST_TEXT = 500
_EVER = 2**62


class FeedbackError(UserError):
    """A sentence for every field that is wrong, each naming it."""


@dataclass(frozen=True)
class Receipt:
    """What became of a piece of feedback."""

    is_new: bool
    is_pending: bool


def read_feedback(given: object, now_us: int) -> OutcomeRow:
    """Read a piece of feedback; one without an id gets one from its content, so that a repeat is the same.

    Raises
    ------
    FeedbackError
        Every wrong field at once.
    """
    if not isinstance(given, Mapping):
        raise FeedbackError('the feedback is not an object; send {"decision_id": "...", "outcome": "..."}')
    names = [column.name for column in _COLUMNS]
    complaints = [_unknown(name, names) for name in given if name not in names]
    found: dict[str, Any] = {}
    for column in _COLUMNS:
        try:
            found[column.name] = _field(given, column, now_us)
        except RowError as error:
            complaints.append(f"{column.name}: {str(error).removeprefix(column.name).strip()}")
    if found.get("outcome") == "snoozed" and given.get("until") in (None, ""):
        complaints.append("until: is missing; snoozed needs the time to come back at")
    if complaints:
        raise FeedbackError(complaints)
    return OutcomeRow(
        feedback_id=found["feedback_id"] or _content_id(given),
        decision_id=found["decision_id"],
        outcome=found["outcome"],
        occurred_at=now_us if found["occurred_at"] is None else found["occurred_at"],
        received_at=now_us,
        action=found["action"],
        reason=found["reason"],
        note=found["note"],
        until=found["until"],
        value=found["value"],
    )


def check_action(store: Reading, row: OutcomeRow, settings: Settings) -> None:
    """Refuse feedback on an action that there is not.

    Raises
    ------
    FeedbackError
        Where the action is neither in the settings nor the decision's own.
    """
    if row.action is None or row.action == DO_NOTHING or row.action in settings.actions:
        return
    decision = decision_behind(store, row.decision_id)
    # An action that was taken out of the settings since is still the decision's own.
    if decision is None or decision.action != row.action:
        near = get_close_matches(row.action, settings.actions, n=1)
        way = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(settings.actions)}"
        raise FeedbackError(f"action: {row.action!r} is neither the decision's action nor in the settings; {way}")


def store_feedback(writing: Writing, row: OutcomeRow, settings: Settings) -> Receipt:
    """Write an outcome and, where the decision is known, its touchpoint.

    A repeat stores nothing. Of a decision that is not known nothing but the outcome is kept until it is.
    """
    # What the same transaction stored before counts too: both may have come at the same moment.
    decision = decision_behind(writing.seen, row.decision_id)
    if decision is not None:
        row = row._replace(decision_id=decision.decision_id)
    is_new = writing.outcomes([row]) == 1
    if is_new and decision is not None:
        _store_touchpoint(writing, row, decision, settings)
    return Receipt(is_new, decision is None)


def settle_feedback(writing: Writing, decision_id: str, settings: Settings) -> None:
    """Let feedback take effect that came before its decision; once, when the decision has been stored.

    Parameters
    ----------
    decision_id
        The id that feedback was sent under; it may stand for an earlier decision.
    """
    waiting = writing.seen.outcomes_of(decision_id)
    decision = decision_behind(writing.seen, decision_id) if waiting else None
    if decision is None:
        return
    if decision.decision_id != decision_id:
        writing.redirect_outcomes(decision_id, decision.decision_id)
    for row in waiting:
        _store_touchpoint(writing, row._replace(decision_id=decision.decision_id), decision, settings)


def already_done(store: Reading, row: TouchpointRow, rules: TouchpointRules) -> bool:
    """Whether a touchpoint says what feedback has said before: that the decision's action was carried out."""
    if row.decision_id is None or not rules.is_outbound(row.kind, row.direction):
        return False
    decision = decision_behind(store, row.decision_id)
    return decision is not None and any(outcome.outcome == DONE for outcome in store.outcomes_of(decision.decision_id))


def _field(given: Mapping[str, Any], column: Column, now_us: int) -> object:
    # What is to come may lie far ahead, which a time that has passed may not.
    if column.name == "until":
        found = cell(given, _UNTIL, now_us=_EVER, zone=None)
    else:
        found = cell(given, column, now_us=now_us, zone=None)
    longest = _LONGEST.get(column.name, _LONGEST_TEXT)
    if isinstance(found, str) and len(found) > longest:
        raise RowError(column.name, None, f"is longer than {longest:,} characters")
    return found


def _unknown(name: object, names: list[str]) -> str:
    near = get_close_matches(str(name), names, n=1)
    return f"{str(name)[:60]}: is not a field; " + (
        f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
    )


def _content_id(given: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(given, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def _touchpoint(row: OutcomeRow, decision: DecisionRow, actions: Mapping[str, Action]) -> TouchpointRow | None:
    name = row.action or decision.action
    is_done = row.outcome == DONE
    if row.outcome in _NOT_BY_THE_CONTACT or (is_done and name == DO_NOTHING):
        return None
    properties = {
        "reason": row.reason,
        "until": None if row.until is None else iso(row.until),
        "action": None if name == DO_NOTHING else name,
    }
    kept = {key: value for key, value in properties.items() if value is not None}
    action = actions.get(name)
    return TouchpointRow(
        identity=decision.identity,
        occurred_at=row.occurred_at,
        # One for a decision, however often it is said to be done.
        touchpoint_id=f"done:{row.decision_id}" if is_done else row.feedback_id,
        kind=row.outcome,
        channel=action.channel if action else None,
        direction="outbound" if is_done else "inbound",
        topics=orjson.dumps(decision.topics).decode() if decision.topics else None,
        value=row.value,
        decision_id=row.decision_id,
        action=kept.get("action"),
        properties=orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode() if kept else None,
        source=SOURCE,
    )


def _store_touchpoint(writing: Writing, row: OutcomeRow, decision: DecisionRow, settings: Settings) -> None:
    touchpoint = _touchpoint(row, decision, settings.actions)
    if touchpoint is not None and not _is_reported(writing.seen, row, decision.identity, settings.touchpoints):
        writing.touchpoints([touchpoint])


def _is_reported(store: Reading, row: OutcomeRow, identity: str, rules: TouchpointRules) -> bool:
    """Whether another system has reported that the decision was carried out, as feedback now says."""
    if row.outcome != DONE:
        return False
    members = members_of(store, identity, _EVER, rules).members
    return any(
        found[11] == row.decision_id and rules.is_outbound(found[3], found[5])
        for member in members
        for found in contact_rows(store, member, _EVER)
    )

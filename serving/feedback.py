"""Feedback: what came of a decision, as an outcome and as the touchpoint that it is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import orjson

from features.errors import UserError
from features.frozen import Frozen
from features.identity.members import members_of
from features.lake.history import contact_rows
from features.rows.cells import RowError, cell
from features.rows.row_types import DecisionRow, OutcomeRow, TouchpointRow
from features.rows.schema import Column
from features.store.own_names import bare
from features.store.reading import Reading
from features.store.store import Writing
from features.store.tombstones import REFUSED, of_outcome
from features.times import iso
from features.touchpoints.touchpoints import TouchpointRules
from nba.actions import DO_NOTHING
from nba.settings import Settings
from nba.settings.actions import Action
from serving.offered import IDS, Offered, narrowed, offered
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
    *map(Column, IDS),
)
_UNTIL = Column("until", "past")
_LONGEST = {"note": 10_000}
_LONGEST_TEXT = 500
_EVER = 2**62
_NO_IDS: Mapping[str, str] = Frozen()


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


def read_ids(given: object) -> Mapping[str, str]:
    """Return the ids of what checked feedback says that it is about."""
    found = given if isinstance(given, Mapping) else {}
    return {name: str(found[name]) for name in IDS if found.get(name)}


def check_feedback(store: Reading, row: OutcomeRow, settings: Settings, ids: Mapping[str, str] = _NO_IDS) -> None:
    """Refuse feedback on what its decision did not offer.

    Parameters
    ----------
    ids
        Of what it is about, as ``read_ids`` found them.

    Raises
    ------
    FeedbackError
        Where the decision is known and offered no such action, or none with such an id; where it is not known yet
        and the action is not in the settings.
    """
    decision = decision_behind(store, row.decision_id)
    if decision is not None:
        _check_offered(decision, row, ids)
    elif row.action is not None and row.action != DO_NOTHING and row.action not in settings.actions:
        near = get_close_matches(row.action, settings.actions, n=1)
        way = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(settings.actions)}"
        raise FeedbackError(f"action: {row.action!r} is not in the settings; {way}")


def store_feedback(writing: Writing, row: OutcomeRow, settings: Settings, ids: Mapping[str, str] = _NO_IDS) -> Receipt:
    """Write an outcome and, where the decision is known, its touchpoint.

    A repeat stores nothing: the same id, said of the same decision with the same outcome and action. Of a decision that
    is not known nothing but the outcome is kept until it is.

    Raises
    ------
    FeedbackError
        Where the decision came only just now and offered no such thing; where it was for somebody who was erased.
    """
    # What the same transaction stored before counts too: both may have come at the same moment.
    decision = decision_behind(writing.seen, row.decision_id)
    said = row
    if decision is not None:
        _check_offered(decision, row, ids)
        row = row._replace(decision_id=decision.decision_id)
    if writing.erased.among(of_outcome(row)):
        raise FeedbackError(f"decision_id: {REFUSED}")
    is_new = writing.outcomes([row]) == 1
    if not is_new and not _is_told(writing.seen, row):
        row = row._replace(feedback_id=_another_id(said))
        is_new = writing.outcomes([row]) == 1
    if is_new and decision is not None:
        _store_touchpoint(writing, row, decision, settings, ids)
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


def _another_id(row: OutcomeRow) -> str:
    """Name what is said under an id that stands for something else already, as a task's id does at each step.

    The decision goes by what the caller calls it: what it stands for becomes known later than the feedback.
    """
    told = [row.feedback_id, bare(row.decision_id), row.outcome, row.action]
    return hashlib.sha256(orjson.dumps(told)).hexdigest()[:32]


def _is_told(store: Reading, row: OutcomeRow) -> bool:
    """Whether what is stored under an id says the same."""
    same = row.feedback_id, row.outcome, row.action
    return any((each.feedback_id, each.outcome, each.action) == same for each in store.outcomes_of(row.decision_id))


def _check_offered(decision: DecisionRow, row: OutcomeRow, ids: Mapping[str, str]) -> None:
    if narrowed(decision, row.action, ids) is not None:
        return
    there = offered(decision)
    names = list(dict.fromkeys(each.action for each in there))
    way = "feedback is about what its decision offered; send what was done besides as a touchpoint"
    if row.action is not None and row.action not in names:
        near = get_close_matches(row.action, names, n=1)
        meant = f"did you mean {near[0]!r}?" if near else f"it offered {', '.join(names)}"
        raise FeedbackError(f"action: {row.action!r} is nothing that the decision offered, {meant}; {way}")
    field = next(iter(ids))
    known = sorted({each.ids[field] for each in there if field in each.ids})
    raise FeedbackError(
        f"{field}: {ids[field]!r} is nothing that the decision offered, it offered {', '.join(known) or 'none'}; {way}"
    )


def touchpoint_of(
    row: OutcomeRow, decision: DecisionRow, settings: Settings, ids: Mapping[str, str] = _NO_IDS
) -> TouchpointRow | None:
    """Return the touchpoint that an outcome is; None where it is none, or not of what its decision offered."""
    # Feedback may have waited for a decision that then offered no such thing.
    about = narrowed(decision, row.action, ids)
    return None if about is None else _touchpoint(row, decision, about, settings.actions)


def _touchpoint(
    row: OutcomeRow, decision: DecisionRow, about: Offered, actions: Mapping[str, Action]
) -> TouchpointRow | None:
    name = about.action
    is_done = row.outcome == DONE
    if row.outcome in _NOT_BY_THE_CONTACT or (is_done and name == DO_NOTHING):
        return None
    properties = {
        **about.ids,
        "reason": row.reason,
        "until": None if row.until is None else iso(row.until),
        "action": None if name == DO_NOTHING else name,
    }
    kept = {key: value for key, value in properties.items() if value is not None}
    action, topics = actions.get(name), decision.topics if about.topics is None else about.topics
    return TouchpointRow(
        identity=decision.identity,
        occurred_at=row.occurred_at,
        # One for a decision, however often it is said to be done.
        touchpoint_id=f"done:{row.decision_id}" if is_done else row.feedback_id,
        kind=row.outcome,
        channel=action.channel if action else None,
        direction="outbound" if is_done else "inbound",
        topics=orjson.dumps(list(topics)).decode() if topics else None,
        value=row.value,
        decision_id=row.decision_id,
        action=None if name == DO_NOTHING else name,
        properties=orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode() if kept else None,
        source=SOURCE,
    )


def _store_touchpoint(
    writing: Writing, row: OutcomeRow, decision: DecisionRow, settings: Settings, ids: Mapping[str, str] = _NO_IDS
) -> None:
    touchpoint = touchpoint_of(row, decision, settings, ids)
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

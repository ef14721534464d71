"""A note: what somebody tells of a talk at a fair, a till or a customer's site, read field by field.

It becomes a touchpoint of the kind that was chosen. What is told of the contact besides becomes traits, as when a
tracking client identifies somebody. An id that is made where the note is written makes sure that it is stored once,
however often it is sent.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from features.errors import UserError
from features.frozen import Frozen
from features.identity.person_keys import mailbox, phone
from features.rows.cells import RowError
from features.rows.rows import contact_row
from features.times import MINUTE, iso, parse_time, to_datetime
from nba.consent import KINDS as CONSENT_KINDS
from nba.in_line import is_for_people
from nba.request import LONGEST_TEXT, UNFIT
from nba.settings import Settings
from nba.stops import SNOOZED
from serving.intake.admission import admit_contact
from serving.intake.clock import occurred_at, sent_at
from serving.intake.delivery import Delivery, Message
from serving.intake.event_touchpoint import Frame, event_touchpoint

SOURCE = "note"
CHANNELS: Mapping[str, str] = Frozen(
    {"fair_visit": "fair", "shop_visit": "shop", "customer_visit": "visit", "phone_call": "phone"}
)
"""Kinds of talks that a note can always tell, and where each takes place."""
TRAITS = ("name", "email", "phone", "account")
_SHORT, _LONG = 200, 5_000
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:(?:\.[0-9]{3})+|(?:,[0-9]{3})+)")
_MORNING = "T07:00:00"


class NoteError(UserError):
    """A note that cannot be stored.

    Attributes
    ----------
    faults
        (field, rule) by the names that the words of the page have for them.
    """

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        self.faults = tuple(faults)
        super().__init__([f"{field}: {rule.replace('_', ' ')}" for field, rule in faults])


@dataclass(frozen=True)
class Note:
    """What was told; ``at`` and ``until`` in microseconds, ``kind`` None where only the contact was told."""

    note_id: str
    contact: str | None
    traits: Mapping[str, str]
    kind: str | None
    at: int
    topic: str | None = None
    words: str | None = None
    stage: str | None = None
    value: float | None = None
    next: str | None = None
    until: int | None = None
    called: str | None = None
    """What the contact is called, where it is known and may be told."""

    @property
    def identity(self) -> str:
        """Whom it is about: somebody known, else who is known from now on by address, number, or this note."""
        if self.contact is not None:
            return self.contact
        found, number = mailbox(self.traits.get("email")), phone(self.traits.get("phone"))
        if found is not None and not found.is_role:
            return f"email:{found.exact}"
        return f"phone:{number}" if number is not None else f"note:{self.note_id}"

    def of(self, contact: str, known: Mapping[str, object], called: str | None) -> Note:
        """Return the same note about somebody who is known: of what is told of them only what is new stays."""
        new = {name: value for name, value in self.traits.items() if known.get(name) in (None, "")}
        return replace(self, contact=contact, traits=new, called=called)


def kinds_of(settings: Settings) -> tuple[str, ...]:
    """Return the kinds that a note may be of: talks first, then what the settings know that contacts do."""
    named = [kind for goal in settings.goals.values() for kind in goal.kinds]
    named += [*settings.points.kinds, *(kind for rule in settings.stages.rules.rules for kind in rule.seen)]
    rules = settings.touchpoints
    return tuple(
        kind
        for kind in dict.fromkeys([*CHANNELS, *sorted(named)])
        if not rules.is_outbound(kind, None) and kind not in CONSENT_KINDS
    )


def topics_of(settings: Settings) -> tuple[str, ...]:
    """Return the topics that the settings name."""
    named = [topic for action in settings.actions.values() for topic in action.topics]
    return tuple(sorted({*named, *(topic for each in settings.segments.values() for topic in each.topics)}))


def next_of(settings: Settings) -> tuple[str, ...]:
    """Return the actions that a person may wish for later."""
    return tuple(name for name, action in settings.actions.items() if is_for_people(action))


def read_note(fields: Mapping[str, str], settings: Settings, now: int) -> Note:
    """Read the fields of a form, or of a row of a list.

    Parameters
    ----------
    now
        When it came, in microseconds.

    Raises
    ------
    NoteError
        Every field that is wrong.
    """
    faults: list[tuple[str, str]] = []

    def text(name: str, longest: int = _SHORT) -> str | None:
        found = fields.get(name, "").strip() or None
        if found is not None and (len(found) > longest or any(c < " " and c not in "\r\n\t" for c in found)):
            faults.append((name, "too_long" if len(found) > longest else "unreadable"))
            return None
        return found

    def among(name: str, names: Sequence[str]) -> str | None:
        found = text(name)
        if found is not None and found not in names:
            faults.append((name, "not_offered"))
        return found

    contact = text("contact", LONGEST_TEXT)
    traits = {name: value for name in TRAITS if (value := text(name)) is not None}
    if contact is None and not {"name", "email", "phone"} & traits.keys():
        faults.append(("name", "nobody"))
    if "email" in traits and mailbox(traits["email"]) is None:
        faults.append(("email", "no_address"))
    if "phone" in traits and phone(traits["phone"]) is None:
        faults.append(("phone", "no_number"))
    action, day = among("next", next_of(settings)), text("until")
    zone = ZoneInfo(settings.contact_policy.timezone)
    note = Note(
        note_id=text("note_id") or _digest(fields),
        contact=contact,
        traits=Frozen(traits),
        kind=among("kind", kinds_of(settings)),
        at=_at(fields, zone, now, faults),
        topic=text("topic"),
        words=text("words", _LONG),
        stage=among("stage", settings.stages.names),
        value=_value(text("value"), faults),
        next=action,
        until=_until(action, day, zone, now, faults),
    )
    if not faults:
        # Of a list such a row alone is refused, and not all that stand beside it.
        named = {"email" if contact is None else "contact": note.identity, "account": traits.get("account", "")}
        faults += [(name, "unreadable") for name, said in named.items() if UNFIT.search(said) is not None]
    if faults:
        raise NoteError(faults)
    return note


def delivery_of(notes: Sequence[Note], frame: Frame, by: str) -> Delivery:
    """Return what is stored of notes, as any other way in brings it.

    Parameters
    ----------
    by
        Whose key it was.

    Raises
    ------
    RowError
        Where a value is not what its column holds.
    """
    delivery = Delivery(is_list=True)
    for index, note in enumerate(notes):
        delivery.messages += _messages(note, index, replace(frame, source=SOURCE), by)
    return delivery


def _messages(note: Note, index: int, frame: Frame, by: str) -> list[Message]:
    found, at = [], to_datetime(note.at)
    if note.traits:
        raw = {**note.traits, "identity": note.identity, "known_at": at}
        row = admit_contact(contact_row(raw, now_us=frame.now_us, zone=None))
        found.append(Message(index, b"", SOURCE, message_id=f"{note.note_id}:contact", contacts=(row,)))
    if note.kind is not None:
        told = {"note": note.words, "said_stage": note.stage, "topic": note.topic, "noted_by": by, "value": note.value}
        found.append(_message(note, index, frame, note.kind, note.note_id, told))
    if note.next is not None and note.until is not None:
        wish = {"action": note.next, "until": iso(note.until), "direction": "inbound", "noted_by": by}
        found.append(_message(note, index, frame, SNOOZED, f"{note.note_id}:next", wish))
    return found


def _message(note: Note, index: int, frame: Frame, kind: str, id_: str, told: Mapping[str, object]) -> Message:
    row = event_touchpoint(
        frame,
        identity=note.identity,
        at=to_datetime(note.at),
        kind=kind,
        message_id=id_,
        properties={name: value for name, value in told.items() if value is not None},
        channel=CHANNELS.get(kind),
    )
    return Message(index, b"", SOURCE, row)


def _at(fields: Mapping[str, str], zone: ZoneInfo, now: int, faults: list[tuple[str, str]]) -> int:
    """Return when it happened: as the form says, else when it was written by the clock of the phone."""
    said = fields.get("at", "").strip()
    try:
        if said:
            found = parse_time(said, zone)
        else:
            told = {"timestamp": fields.get("noted_at", "")}
            # What was written while nothing could be sent happened then, and not after it came.
            found = min(parse_time(occurred_at(told, sent_at(fields.get("sent_at")), now)), now)
    except (ValueError, OverflowError, RowError):
        faults.append(("at", "no_time"))
        return now
    if found > now + MINUTE:
        faults.append(("at", "to_come"))
    return min(found, now)


def _until(action: str | None, day: str | None, zone: ZoneInfo, now: int, faults: list[tuple[str, str]]) -> int | None:
    if action is None or day is None:
        if action is not None:
            faults.append(("until", "no_time"))
        return None
    try:
        found = parse_time(day + _MORNING if len(day) == len("2026-11-22") else day, zone)
    except (ValueError, OverflowError):
        faults.append(("until", "no_time"))
        return None
    if found <= now:
        faults.append(("until", "passed"))
    return found


def _value(said: str | None, faults: list[tuple[str, str]]) -> float | None:
    if said is None:
        return None
    plain = said.replace("'", "").replace("’", "").replace(" ", "")
    if _THOUSANDS.fullmatch(plain):
        # No amount of money has three places behind its point or comma.
        plain = plain.replace(".", "").replace(",", "")
    elif "," in plain:
        # 1.234,50 is written where a comma parts the cents; 1,234.50 where a point does.
        plain = (
            plain.replace(".", "").replace(",", ".") if plain.rfind(",") > plain.rfind(".") else plain.replace(",", "")
        )
    try:
        found = float(plain)
    except ValueError:
        found = float("nan")
    if not abs(found) < 1e12:
        faults.append(("value", "no_amount"))
        return None
    return found


def _digest(fields: Mapping[str, str]) -> str:
    """Return an id for a note that came without one: the same for the same note."""
    told = "\0".join(f"{name}={fields[name]}" for name in sorted(fields) if name not in ("seal", "sent_at"))
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]

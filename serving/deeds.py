"""The deeds there are: a decision, its activation, feedback, and what tracking clients and event sources bring."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

import orjson

from features.frozen import Frozen
from features.rows.row_types import ContactRow, DecisionRow, LinkRow, OutcomeRow, RecordRow, TouchpointRow
from features.store.store import Writing
from nba.settings import Settings
from nba.shared_limits import Claim
from serving.deed import Deed
from serving.feedback import Receipt, settle_feedback, store_feedback
from serving.intake.delivery import Delivery, Message, Refusal
from serving.intake.storing import Stored as Delivered
from serving.intake.storing import store
from serving.repeats import decision_behind


class Stored(Enum):
    """What became of a decision that was to be stored."""

    NOW = "now"
    BEFORE = "before"
    """Something was stored under its id before."""
    NEVER = "never"
    """Others took what it claims."""
    REFUSED = "refused"
    """It is about somebody whose data were erased: nothing of it is kept."""


@dataclass(frozen=True)
class Decide(Deed[Stored]):
    """Store a decision, unless others took what it claims.

    What it claims cannot be looked at while the store is away: a decision that was kept stands, and counts against
    others from the moment it is stored. ``waiting`` is the id that feedback may have waited under.
    """

    row: DecisionRow
    settings: Settings
    claim: Claim | None = None
    waiting: str | None = None

    name = "decision"

    @property
    def key(self) -> str | None:
        """The decision's id."""
        return self.row.decision_id

    def __call__(self, writing: Writing) -> Stored:
        """Store it with the feedback that waited for it."""
        row, claim, waiting = self.row, self.claim, self.waiting
        if claim is not None and writing.seen.decision(row.decision_id) is None and claim.is_lost(writing.seen):
            return Stored.NEVER
        if waiting is not None and writing.seen.decision(row.decision_id) is None:
            writing.redirect_outcomes(waiting, row.decision_id)
        if writing.decisions([row]) == 0:
            return Stored.REFUSED if writing.seen.decision(row.decision_id) is None else Stored.BEFORE
        settle_feedback(writing, row.decision_id, self.settings)
        return Stored.NOW

    def presumed(self) -> Stored:
        """Return that it was stored: nobody is known to have been first."""
        return Stored.NOW

    def told(self) -> Any:
        """Return the row, its answer as text, and the id that feedback may wait under."""
        told = {name: _plain(getattr(self.row, name)) for name in _DECISION}
        answer = None if self.row.answer is None else self.row.answer.decode()
        return {"row": {**told, "answer": answer}, "waiting": self.waiting}

    @classmethod
    def of(cls, told: Any, settings: Settings) -> Decide:
        """Make it again, without its claim."""
        return cls(decision_row(told["row"]), settings, waiting=told["waiting"])


def decision_row(told: Mapping[str, Any]) -> DecisionRow:
    """Return the decision that ``Decide.told`` laid out."""
    lists = {name: None if told[name] is None else tuple(told[name]) for name in ("allowed", "topics")}
    answer = None if told["answer"] is None else told["answer"].encode()
    return DecisionRow(**{**told, **lists, "answer": answer})


@dataclass(frozen=True)
class Arrive(Deed[Delivered]):
    """Store a delivery; ``place`` is the operation it came by, ``now_us`` when."""

    delivery: Delivery
    settings: Settings
    now_us: int
    place: str
    is_public: bool

    name = "arrival"

    def __call__(self, writing: Writing) -> Delivered:
        """Store what is good and new."""
        rules = self.settings.touchpoints
        return store(writing, self.delivery, rules, now_us=self.now_us, place=self.place, is_public=self.is_public)

    def presumed(self) -> Delivered:
        """Return that everything good is new: repeats are told apart when it is stored."""
        refused = self.delivery.refused
        errors = sorted((each.index, each.reason) for each in refused)
        return Delivered(len(self.delivery.messages), 0, len(refused), errors)

    def told(self) -> Any:
        """Return everything that came, bytes in base 64."""
        return {
            "is_list": self.delivery.is_list,
            "messages": [_message_told(each) for each in self.delivery.messages],
            "refused": [
                [each.index, _text(each.raw), _sayable(each.reason), _sayable(each.rule), each.is_object]
                for each in self.delivery.refused
            ],
            "now_us": self.now_us,
            "place": self.place,
            "is_public": self.is_public,
        }

    @classmethod
    def of(cls, told: Any, settings: Settings) -> Arrive:
        """Make it again."""
        messages = [_message(each) for each in told["messages"]]
        refused = [Refusal(index, _bytes(raw), *rest) for index, raw, *rest in told["refused"]]
        delivery = Delivery(told["is_list"], messages, refused)
        return cls(delivery, settings, told["now_us"], told["place"], told["is_public"])


@dataclass(frozen=True)
class Learn(Deed[Receipt]):
    """Store a piece of feedback and the touchpoint that it is."""

    row: OutcomeRow
    settings: Settings
    ids: Mapping[str, str] = Frozen()

    name = "feedback"

    def __call__(self, writing: Writing) -> Receipt:
        """Store it once."""
        return store_feedback(writing, self.row, self.settings, self.ids)

    def presumed(self) -> Receipt:
        """Return that it is new, and that its decision is not looked up yet."""
        return Receipt(is_new=True, is_pending=True)

    def told(self) -> Any:
        """Return the row and what it is about."""
        return {"row": list(self.row), "ids": dict(self.ids)}

    @classmethod
    def of(cls, told: Any, settings: Settings) -> Learn:
        """Make it again."""
        return cls(OutcomeRow._make(told["row"]), settings, Frozen(told["ids"]))


@dataclass(frozen=True)
class Activate(Deed[bool]):
    """Note that a deferred decision was really shown; returns whether there is such a decision."""

    decision_id: str
    at: int

    name = "activation"

    def __call__(self, writing: Writing) -> bool:
        """Note it; of several times the first stays."""
        # An id that stands for an earlier decision says that this one was shown: it is the one that caps count.
        behind = decision_behind(writing.seen, self.decision_id)
        if behind is not None:
            writing.activate(behind.decision_id, self.at)
        return writing.activate(self.decision_id, self.at)

    def presumed(self) -> bool:
        """Return that there is: it cannot be looked up."""
        return True

    def told(self) -> Any:
        """Return id and time."""
        return {"decision_id": self.decision_id, "at": self.at}

    @classmethod
    def of(cls, told: Any, settings: Settings) -> Activate:
        """Make it again."""
        return cls(told["decision_id"], told["at"])


_DEEDS = Frozen({kind.name: kind for kind in (Decide, Arrive, Learn, Activate)})
_DECISION = tuple(each.name for each in fields(DecisionRow))


def deed_of(record: bytes, settings: Settings) -> Deed[Any]:
    """Make a deed of its record again.

    Raises
    ------
    ValueError
        For a record of another version of this program.
    """
    name, _, told = orjson.loads(record)
    if name not in _DEEDS:
        raise ValueError(f"nothing called {name!r} is known; another version of nba kept it")
    found: Deed[Any] = _DEEDS[name].of(told, settings)
    return found


def decision_in(record: bytes) -> DecisionRow | None:
    """Return the decision that a record keeps; None where it keeps something else."""
    name, _, told = orjson.loads(record)
    return decision_row(told["row"]) if name == Decide.name else None


def _message_told(message: Message) -> dict[str, Any]:
    return {
        "index": message.index,
        "raw": _text(message.raw),
        "source": message.source,
        "touchpoint": None if message.touchpoint is None else list(message.touchpoint),
        "message_id": message.message_id,
        "contacts": [_record_told(row) for row in message.contacts],
        "accounts": [_record_told(row) for row in message.accounts],
        "links": [list(row) for row in message.links],
        "left_out": [_sayable(each) for each in message.left_out],
    }


def _message(told: Mapping[str, Any]) -> Message:
    return Message(
        index=told["index"],
        raw=_bytes(told["raw"]),
        source=told["source"],
        touchpoint=None if told["touchpoint"] is None else TouchpointRow._make(told["touchpoint"]),
        message_id=told["message_id"],
        contacts=tuple(ContactRow._make(row) for row in told["contacts"]),
        accounts=tuple(RecordRow._make(row) for row in told["accounts"]),
        links=tuple(LinkRow._make(row) for row in told["links"]),
        left_out=tuple(told["left_out"]),
    )


def _record_told(row: RecordRow) -> list[Any]:
    return [row.key, row.known_at, _plain(row.body)]


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)


def _sayable(text: str) -> str:
    """Spell out what no encoding can hold, as the store would."""
    return text.encode(errors="backslashreplace").decode()

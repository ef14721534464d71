"""The deeds there are: a decision, its activation, feedback, and what tracking clients and event sources bring.

Of a caller that is bound to a partner or an owner, each says whom it means by the names in it; while the store is away
that is put off (`Meant`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import Any, Self

import orjson

from features.frozen import Frozen
from features.rows.row_types import DecisionRow, OutcomeRow
from features.store.store import Writing
from nba.partners.visibility import Viewer
from nba.settings import Settings
from nba.shared_limits import Claim
from serving.deed import Deed
from serving.feedback import Receipt, settle_feedback, store_feedback
from serving.intake.delivery import Delivery
from serving.intake.delivery_told import delivery_of, told_of
from serving.intake.storing import Stored as Delivered
from serving.intake.storing import store
from serving.intake.within_reach import within_reach
from serving.logs import where_raised
from serving.own_names import own_name
from serving.reach import Reach
from serving.repeats import decision_behind

_UNREADABLE = ArithmeticError, LookupError, TypeError, ValueError
"""What reading rows raises that are not what they must be; an error of the database is none of these."""

log = logging.getLogger("nba.serving")


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
    others from the moment it is stored. ``waiting`` is the id that feedback may have waited under,
    ``shown`` that of an earlier decision which is given again and was deferred till now.
    """

    row: DecisionRow
    settings: Settings
    claim: Claim | None = None
    waiting: str | None = None
    shown: str | None = None

    name = "decision"

    @property
    def key(self) -> str | None:
        """The decision's id."""
        return self.row.decision_id

    def __call__(self, writing: Writing) -> Stored:
        """Store it with the feedback that waited for it."""
        row, waiting = self.row, self.waiting
        if self._is_lost(writing) and not self._is_there(writing):
            return Stored.NEVER
        if waiting is not None and not self._is_there(writing):
            writing.redirect_outcomes(waiting, row.decision_id)
        found = writing.decision(row)
        if found is None:
            return Stored.BEFORE if self._is_there(writing) else Stored.REFUSED
        if found:
            settle_feedback(writing, row.decision_id, self.settings)
        if self.shown is not None:
            writing.activate(self.shown, row.decided_at)
        return Stored.NOW

    def _is_lost(self, writing: Writing) -> bool:
        """Whether others took what it claims; it stands where that cannot be found out, as it does in the journal."""
        try:
            return self.claim is not None and self.claim.is_lost(writing.seen)
        except _UNREADABLE as error:
            log.error("what a decision takes cannot be compared with what is stored: %s", where_raised(error))
            return False

    def _is_there(self, writing: Writing) -> bool:
        """Whether something is stored under its id, also where that cannot be read."""
        try:
            return writing.seen.decision(self.row.decision_id) is not None
        except _UNREADABLE:
            return True

    def presumed(self) -> Stored:
        """Return that it was stored: nobody is known to have been first."""
        return Stored.NOW

    def repeated(self) -> Stored:
        """Return that somebody was first."""
        return Stored.BEFORE

    def told(self) -> Any:
        """Return the row, its answer as text, the id that feedback may wait under, and what is shown at last."""
        told = {name: _plain(getattr(self.row, name)) for name in _DECISION}
        answer = None if self.row.answer is None else self.row.answer.decode()
        return {"row": {**told, "answer": answer}, "waiting": self.waiting, "shown": self.shown}

    @classmethod
    def of(cls, told: Any, settings: Settings) -> Decide:
        """Make it again, without its claim."""
        # Older journals say nothing of what is shown.
        return cls(decision_row(told["row"]), settings, waiting=told["waiting"], shown=told.get("shown"))


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
        """Return everything that came."""
        more = {"now_us": self.now_us, "place": self.place, "is_public": self.is_public}
        return {**told_of(self.delivery), **more}

    @classmethod
    def of(cls, told: Any, settings: Settings) -> Arrive:
        """Make it again."""
        return cls(delivery_of(told), settings, told["now_us"], told["place"], told["is_public"])

    def meant(self, reach: Reach) -> Self:
        """Return it about the contacts that its caller means."""
        return replace(self, delivery=within_reach(self.delivery, reach, self.now_us))


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

    def meant(self, reach: Reach) -> Self:
        """Return it with the decision that its caller means, and an id that meets no other caller's."""
        row = self.row
        decision_id, feedback_id = reach.decision(row.decision_id), own_name(reach.viewer, row.feedback_id)
        return replace(self, row=row._replace(decision_id=decision_id, feedback_id=feedback_id))


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

    def meant(self, reach: Reach) -> Self:
        """Return it with the decision that its caller means."""
        return replace(self, decision_id=reach.decision(self.decision_id))


@dataclass(frozen=True)
class Meant(Deed[Any]):
    """What a bound caller sent while nobody could tell whom it means: that is found out when it is stored.

    So it is about what it would have been about at the time: about somebody else's contact no more than then.

    Attributes
    ----------
    at
        When it came, in microseconds; what became known since does not count.
    """

    deed: Arrive | Learn | Activate
    viewer: Viewer
    settings: Settings
    at: int

    name = "meant"

    def __call__(self, writing: Writing) -> Any:
        """Find out whom it means, and store that."""
        return self.deed.meant(Reach(writing.seen, self.viewer, self.settings, self.at))(writing)

    def presumed(self) -> Any:
        """Return what the deed itself presumes."""
        return self.deed.presumed()

    def told(self) -> Any:
        """Return the deed, and for whom."""
        whose = {"partner": self.viewer.partner, "owner": self.viewer.owner}
        return {"deed": self.deed.name, "told": self.deed.told(), "at": self.at, **whose}

    @classmethod
    def of(cls, told: Any, settings: Settings) -> Meant:
        """Make it again."""
        viewer = Viewer(partner=told["partner"], owner=told["owner"])
        return cls(_OF_CALLERS[told["deed"]].of(told["told"], settings), viewer, settings, told["at"])


_OF_CALLERS: Mapping[str, type[Arrive | Learn | Activate]] = Frozen(
    {one.name: one for one in (Arrive, Learn, Activate)}
)
_DEEDS: Mapping[str, type[Decide | Meant | Arrive | Learn | Activate]] = Frozen(
    {**_OF_CALLERS, Decide.name: Decide, Meant.name: Meant}
)
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


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value

"""One contact's history as its sources told it, before any rule of ours is applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.codes import NONE, Codes
from features.texts import Texts, chained
from features.touchpoints.rows import TopicLists, TouchpointTuple

NOT_ASKED, GIVEN, BY_RULE = 0, 1, 2
"""Where the topics of a touchpoint come from: not looked for yet, its source, or our rules."""
INBOUND, OUTBOUND = 1, 2
_DIRECTIONS: Mapping[str | None, int] = {None: 0, "": 0, "outbound": OUTBOUND}

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """Names that histories may have in common; those with the same names share one object."""

    kinds: list[str]
    channels: list[str]
    actions: list[str]
    topics: list[str]
    currencies: list[str]
    is_ours: dict[tuple[str, ...], NDArray[np.bool_]] = field(default_factory=dict)
    """Whether a touchpoint of each kind, and of none, is made by us: found once for each list of such kinds."""

    def lists(self) -> list[list[str]]:
        """Return all of them."""
        return [self.kinds, self.channels, self.actions, self.topics, self.currencies]


# Not frozen, because to make a frozen object of so many fields takes longer than to read all of them.
@dataclass(slots=True, eq=False)
class Told:
    """Columns in (occurred_at, touchpoint_id) order; one that says nothing is None.

    ``direction`` is 0 where the source says none, 1 inbound, 2 outbound. ``asked`` says where the topics of each
    touchpoint come from, ``fingerprint`` under which rules those of ``BY_RULE`` were found, and ``unasked`` how many
    touchpoints with properties and without topics were not looked at. ``is_open`` is false where no touchpoint names a
    decision that may become known later.
    """

    identity: str
    names: Names
    decisions: list[str]
    occurred_at: I64
    kind: I32
    ids: Texts[str]
    channel: I32 | None = None
    decision: I32 | None = None
    action: I32 | None = None
    currency: I32 | None = None
    direction: NDArray[np.int8] | None = None
    value: F64 | None = None
    margin: F64 | None = None
    duration: F64 | None = None
    topic_start: I64 | None = None
    topic: I32 | None = None
    asked: NDArray[np.int8] | None = None
    properties: Texts[str | None] | None = None
    fingerprint: int = 0
    unasked: int = 0
    is_open: bool = True

    def __len__(self) -> int:
        return len(self.occurred_at)

    @classmethod
    def of(cls, rows: Sequence[TouchpointTuple], before: Told | None = None) -> Told:
        """Columns of one identity's rows, which are in order and at least one.

        Parameters
        ----------
        before
            What was told earlier: its names keep their codes.
        """
        kind, channel, action, topic, currency = map(Codes, before.names.lists() if before else [()] * 5)
        decision, lists = Codes(before.decisions if before else ()), TopicLists(topic)
        columns = list(zip(*rows, strict=True))
        number = lists.all(columns[6])
        topic_start, topics = lists.laid_out(number)
        has_properties = columns[13].count(None) < len(rows)
        found: dict[str, Any] = {
            "kind": kind.all(columns[3]),
            "channel": _codes(channel, columns[4]),
            "currency": _codes(currency, columns[8]),
            "decision": _codes(decision, columns[11]),
            "action": _codes(action, columns[12]),
            "value": _numbers(columns[7]),
            "margin": _numbers(columns[9]),
            "duration": _numbers(columns[10]),
        }
        if any(columns[5]):
            found["direction"] = np.array([_DIRECTIONS.get(text, INBOUND) for text in columns[5]], dtype=np.int8)
        if len(topics):
            found |= {"topic_start": topic_start, "topic": topics}
        if has_properties:
            found["properties"] = Texts.of(columns[13])
            found["asked"] = (number > 0).astype(np.int8)
            found["unasked"] = sum(
                text is None and bool(more) for text, more in zip(columns[6], columns[13], strict=True)
            )
        return cls(
            identity=columns[0][0],
            names=Names(kind.names, channel.names, action.names, topic.names, currency.names),
            decisions=decision.names,
            occurred_at=np.array(columns[1], dtype=np.int64),
            ids=Texts.of(columns[2]),
            **found,
        )

    def is_before(self, rows: Sequence[TouchpointTuple]) -> bool:
        """Whether rows, in order, come later than everything that is told here."""
        last = int(self.occurred_at[-1])
        first: int = rows[0][1]
        return last < first or (last == first and bool(self.ids[-1] < rows[0][2]))

    def followed_by(self, rows: Sequence[TouchpointTuple]) -> Told:
        """Return this and the rows of the same identity that come later."""
        more = Told.of(rows, self)
        found: dict[str, Any] = {
            "names": more.names,
            "decisions": more.decisions,
            "unasked": self.unasked + more.unasked,
        }
        for name, absent in _ABSENT.items():
            mine, theirs = getattr(self, name), getattr(more, name)
            if mine is not None or theirs is not None:
                found[name] = np.concatenate([filled(mine, len(self), absent), filled(theirs, len(more), absent)])
        if self.topic is not None or more.topic is not None:
            found["topic"] = np.concatenate([filled(self.topic, 0, np.int32(0)), filled(more.topic, 0, np.int32(0))])
            starts = [filled(each.topic_start, len(each) + 1, np.int64(0)) for each in (self, more)]
            found["topic_start"] = np.concatenate([starts[0], starts[1][1:] + starts[0][-1]])
        found["ids"] = chained([self.ids.trimmed(), more.ids])
        if self.properties is not None or more.properties is not None:
            found["properties"] = chained([_properties(self).trimmed(), _properties(more)])
            found["asked"] = np.concatenate([asked(self), asked(more)])
        return replace(self, **found)

    def until(self, before: int) -> Told:
        """Return what happened strictly before a moment; nothing is copied."""
        if self.occurred_at[-1] < before:
            return self
        n = int(np.searchsorted(self.occurred_at, before))
        found: dict[str, Any] = {
            name: column[:n]
            for name in (*_ABSENT, "ids", "properties", "asked")
            if (column := getattr(self, name)) is not None
        }
        if self.topic_start is not None and self.topic is not None:
            found["topic_start"] = self.topic_start[: n + 1]
            found["topic"] = self.topic[: self.topic_start[n]]
        return replace(self, **found)

    def undecided(self) -> list[str]:
        """Decisions that touchpoints without an action of their own name."""
        if self.decision is None:
            return []
        without = self.decision if self.action is None else self.decision[self.action < 0]
        return [self.decisions[code] for code in np.unique(without[without >= 0]).tolist()]

    def decided(self, actions: Mapping[str, str]) -> Told:
        """Give touchpoints without an action that of the decision they name, where it is known."""
        if self.decision is None or not actions:
            return self
        codes = Codes(self.names.actions)
        of = np.array([*(codes(actions.get(name)) for name in self.decisions), NONE], dtype=np.int32)
        action = filled(self.action, len(self), np.int32(NONE))
        kinds, channels, _, topics, currencies = self.names.lists()
        names = Names(kinds, channels, codes.names, topics, currencies)
        return replace(self, names=names, action=np.where(action < 0, of[self.decision], action))


_ABSENT: Mapping[str, Any] = {
    "occurred_at": np.int64(0),
    "value": np.float64(np.nan),
    "margin": np.float64(np.nan),
    "duration": np.float64(np.nan),
    "kind": np.int32(NONE),
    "channel": np.int32(NONE),
    "decision": np.int32(NONE),
    "action": np.int32(NONE),
    "currency": np.int32(NONE),
    "direction": np.int8(0),
}
"""Columns of one number per touchpoint, and what stands for one that is absent."""


def filled(column: NDArray[Any] | None, n: int, absent: Any) -> NDArray[Any]:
    """Return a column, or ``n`` times what stands for one that is absent."""
    return np.full(n, absent) if column is None else column


def asked(told: Told) -> NDArray[np.int8]:
    """Return where the topics of each touchpoint come from."""
    if told.asked is not None:
        return told.asked
    if told.topic_start is None:
        return np.zeros(len(told), dtype=np.int8)
    return (told.topic_start[1:] > told.topic_start[:-1]).astype(np.int8)


def _properties(told: Told) -> Texts[str | None]:
    return Texts.alike(None, len(told)) if told.properties is None else told.properties


def _codes(codes: Codes, names: Sequence[str | None]) -> I32 | None:
    return codes.all(names) if any(names) else None


def _numbers(values: Sequence[float | None]) -> F64 | None:
    return None if values.count(None) == len(values) else np.array(values, dtype=np.float64)

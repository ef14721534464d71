"""The matrix: one row of features per (contact, as_of), the same for one contact in a request and for millions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.answers import link_answers
from features.catalogue import OWN
from features.feature_set import FeatureSet
from features.own import fill_own
from features.times import DAY
from features.touchpoints import NONE, Touchpoints
from features.traits import Traits
from features.windows import Events, fill_history

ANSWER_WITHIN = 14 * DAY
"""How long after an outbound touchpoint an inbound one on the same channel is taken as its answer."""


_MOST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Own:
    """What rows are about themselves: an action that may be taken, or the touchpoint a row was made after.

    ``type`` and ``channel`` are names per row, ``topics`` a tuple of names per row, ``numbers`` the numeric
    properties per row by name.
    """

    type: Sequence[str]
    channel: Sequence[str | None]
    topics: Sequence[tuple[str, ...]]
    numbers: Sequence[Mapping[str, float]]


class History:
    """Touchpoints made ready for the kernel: encoded once, then asked for any rows."""

    def __init__(self, touchpoints: Touchpoints, features: FeatureSet) -> None:
        self.touchpoints = touchpoints
        self.features = features
        self._type_of: dict[str, int] = {}
        self._topic_of: dict[str, int] | None = None
        self.events = self._encode()
        self._contact_of: dict[str, int] | None = None

    def contact(self, name: str) -> int:
        """Code of a contact, -1 for one without a touchpoint."""
        if self._contact_of is None:
            self._contact_of = {name: i for i, name in enumerate(self.touchpoints.contacts)}
        return self._contact_of.get(name, NONE)

    def matrix(
        self,
        contact: NDArray[np.int64],
        as_of: NDArray[np.int64],
        *,
        traits: Traits | None = None,
        own: Own | None = None,
    ) -> NDArray[np.float32]:
        """Features of each row, strictly before its ``as_of``.

        Parameters
        ----------
        contact
            Codes of contacts, shape (n,); -1 has no history.
        as_of
            Microseconds, shape (n,).
        traits
            What is known of the contacts, and since when.
        own
            What each row is about; needed where the feature set has ``own``.

        Returns
        -------
        ndarray of float32, shape (n, len(features.columns)); NaN is "not known".
        """
        features = self.features
        out = np.empty((len(as_of), len(features.columns)), dtype=np.float32)
        self._fill_history(contact, as_of, out)
        at = len(features.history)
        if features.traits:
            at += len(features.traits)
            values = traits.values(self, contact, as_of, features.traits) if traits else np.nan
            out[:, len(features.history) : at] = values
        if features.own:
            if own is None:
                raise ValueError("this feature set has columns about a row's own action; give `own`")
            self._fill_own(contact, as_of, own, at, out)
        return out

    def with_own(self, features: FeatureSet) -> History:
        """Look at the same encoded touchpoints under a feature set that adds columns about rows themselves."""
        other = copy(self)
        other.features = features
        return other

    def actions(self, row: NDArray[np.float32], contact: int, as_of: int, own: Own) -> NDArray[np.float32]:
        """One contact's row, repeated for each action in ``own`` with that action's own columns.

        ``row`` has the history and trait columns filled, shape (columns,) or (1, columns).
        """
        n = len(own.type)
        out = np.repeat(np.atleast_2d(row), n, axis=0)
        at = len(self.features.history) + len(self.features.traits)
        contacts = np.full(n, contact, dtype=np.int64)
        self._fill_own(contacts, np.full(n, as_of, dtype=np.int64), own, at, out)
        return out

    def _fill_history(self, contact: NDArray[np.int64], as_of: NDArray[np.int64], out: NDArray[np.float32]) -> None:
        features = self.features
        fill_history(
            self.events,
            np.ascontiguousarray(contact, dtype=np.int64),
            np.ascontiguousarray(as_of, dtype=np.int64),
            len(features.kinds) + 1,
            len(features.channels) + 1,
            len(features.topics) + 1,
            _rate(features.topic_half_life),
            _rate(features.points.half_life),
            out,
        )

    def _fill_own(
        self,
        contact: NDArray[np.int64],
        as_of: NDArray[np.int64],
        own: Own,
        at: int,
        out: NDArray[np.float32],
    ) -> None:
        features = self.features
        own_start, own_topic = self._own_topics(own.topics)
        fill_own(
            self.events,
            np.ascontiguousarray(contact, dtype=np.int64),
            np.ascontiguousarray(as_of, dtype=np.int64),
            np.array([self._type_of.get(name, NONE) for name in own.type], dtype=np.int32),
            own_start,
            own_topic,
            _rate(features.topic_half_life),
            at,
            out,
        )
        at += len(OWN)
        out[:, at] = _known_codes(own.type, features.types)
        out[:, at + 1] = _known_codes(own.channel, features.own_channels)
        for i, name in enumerate(features.numbers):
            given = np.array([numbers.get(name, np.nan) for numbers in own.numbers], dtype=np.float64)
            out[:, at + 2 + i] = np.clip(given, -_MOST, _MOST)

    def _own_topics(self, topics: Sequence[tuple[str, ...]]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        if self._topic_of is None:
            self._topic_of = {name: i for i, name in enumerate(self.touchpoints.topics)}
        known = self._topic_of
        beyond = np.iinfo(np.int32).max
        coded: dict[tuple[str, ...], list[int]] = {}
        codes: list[int] = []
        start = np.zeros(len(topics) + 1, dtype=np.int64)
        for i, names in enumerate(topics):
            if names not in coded:
                coded[names] = [known.get(name, beyond) for name in dict.fromkeys(names)]
            codes.extend(coded[names])
            start[i + 1] = len(codes)
        return start, np.array(codes, dtype=np.int32)

    def _encode(self) -> Events:
        t, features = self.touchpoints, self.features
        rules, points = features.rules, features.points
        is_money = _flags(t.kinds, rules.money)
        is_return = _flags(t.kinds, rules.returns)
        is_attention = _flags(t.kinds, rules.attention)
        weight = np.array([points.kinds.get(kind, 0.0) for kind in t.kinds], dtype=np.float64)
        money, returned = is_money[t.kind] & ~t.outbound, is_return[t.kind] & ~t.outbound
        amount = np.where(np.isnan(t.value), 0.0, t.value)
        sign = np.where(returned, -1.0, 1.0) * (money | returned)
        margin = np.where(np.isnan(t.margin), amount * rules.margin, t.margin)
        answers = np.full(len(t), NONE, dtype=np.int64)
        first_answer = np.zeros(len(t), dtype=np.bool_)
        link_answers(
            t.start, t.occurred_at, t.outbound, t.channel, t.decision,
            len(t.channels), len(t.decisions), ANSWER_WITHIN, answers, first_answer,
        )  # fmt: skip
        scored = weight[t.kind]
        for kind in points.once:
            if kind in t.kinds:
                scored = np.where((t.kind == t.kinds.index(kind)) & ~_first_of_contact(t, kind), 0.0, scored)
        return Events(
            start=t.start,
            occurred_at=t.occurred_at,
            kind=t.kind,
            kind_slot=_slots(t.kinds, features.kinds),
            channel=t.channel,
            channel_slot=_slots(t.channels, features.channels),
            outbound=t.outbound,
            money=money,
            returned=returned,
            # Systems write a return as 20 or as -20; either way it takes 20 away.
            revenue=np.where(returned, np.abs(amount), amount) * sign,
            margin=np.where(returned, np.abs(margin), margin) * sign,
            dwell=np.where(is_attention[t.kind] & ~np.isnan(t.duration), t.duration, 0.0),
            points=scored,
            answers=answers,
            first_answer=first_answer,
            type=self._types(),
            topic_start=t.topic_start,
            topic=t.topic,
            topic_slot=_slots(t.topics, features.topics),
        )

    def _types(self) -> NDArray[np.int32]:
        """Codes of what an outbound touchpoint was: its action where that is known, else its kind."""
        t = self.touchpoints
        for name in (*t.actions, *t.kinds):
            self._type_of.setdefault(name, len(self._type_of))
        of_kind = np.array([self._type_of[name] for name in t.kinds], dtype=np.int32)
        of_action = np.array([self._type_of[name] for name in t.actions] + [NONE], dtype=np.int32)
        known: NDArray[np.int32] = np.where(t.action >= 0, of_action[t.action], of_kind[t.kind])
        return known.astype(np.int32)


def _rate(half_life: int | None) -> float:
    return 0.0 if half_life is None else float(np.log(2.0) / half_life)


def _flags(names: Sequence[str], wanted: Sequence[str]) -> NDArray[np.bool_]:
    return np.array([name in wanted for name in names], dtype=np.bool_)


def _slots(names: Sequence[str], slots: Sequence[str]) -> NDArray[np.int32]:
    """Find the slot of each name; what has none falls into the rest, the last slot."""
    of = {name: i for i, name in enumerate(slots)}
    return np.array([of.get(name, len(slots)) for name in names], dtype=np.int32)


def _known_codes(names: Sequence[str | None], known: Sequence[str]) -> list[float]:
    of: dict[str | None, float] = {name: float(i) for i, name in enumerate(known)}
    return [of.get(name, float("nan")) for name in names]


def _first_of_contact(t: Touchpoints, kind: str) -> NDArray[np.bool_]:
    at = np.flatnonzero(t.kind == t.kinds.index(kind))
    contact: NDArray[Any] = t.contact[at]
    first = np.zeros(len(t), dtype=np.bool_)
    first[at[np.r_[True, contact[1:] != contact[:-1]]] if len(at) else at] = True
    return first

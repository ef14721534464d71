"""Rows as the store reads them made into columns, a chunk at a time."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from features.amounts import known
from features.codes import NONE, Codes
from features.texts import GrowingTexts, alike, is_alike
from features.topics import Topics
from features.touchpoints.columns import ordered
from features.touchpoints.order import Columns, chained, ranges

if TYPE_CHECKING:
    from features.touchpoints.touchpoints import TouchpointRules

TouchpointTuple = tuple[Any, ...]
"""identity, occurred_at (us), touchpoint_id, kind, channel, direction, topics (JSON), value, currency,
margin, duration, decision_id, action, properties (JSON); everything after ``kind`` may be None."""

_NOT_KNOWN = np.full(1, np.nan)
CHUNK = 32_768
"""Rows that are held as Python objects at a time; fewer than these keep their texts as they are."""

log = logging.getLogger("nba.features")


def from_rows(rows: Iterable[TouchpointTuple], rules: TouchpointRules) -> Columns:
    """Fields of ``Touchpoints`` from rows; see ``Touchpoints.from_rows``."""
    source = iter(rows)
    growing = _Growing(rules)
    chunk = list(islice(source, CHUNK))
    growing.extend(chunk)
    if len(chunk) < CHUNK:
        return growing.columns(*_texts(chunk))
    ids, properties = GrowingTexts(), GrowingTexts()
    while chunk:
        columns = _texts(chunk)
        ids.extend(columns[0])
        properties.extend(columns[1])
        chunk = list(islice(source, CHUNK))
        growing.extend(chunk)
    return growing.columns(ids.texts(), properties.texts())


def _texts(rows: Sequence[TouchpointTuple]) -> tuple[list[str], list[str | None]]:
    return [row[2] for row in rows], [row[13] for row in rows]


class _Growing:
    """Columns of numbers that rows are put into; everything but the texts of a touchpoint."""

    def __init__(self, rules: TouchpointRules) -> None:
        self._rules = rules
        self._topics = Topics(rules.topic_rules) if rules.topic_rules else None
        self._contact, self._kind, self._channel, self._decision, self._action = (Codes() for _ in range(5))
        self._contact_codes: dict[str, int] = {}
        self._topic = Codes()
        self._lists = TopicLists(self._topic)
        self._rates: dict[str | None, float] = {None: 1.0}
        self._parts: dict[str, list[NDArray[Any]]] = {}

    def extend(self, rows: Sequence[TouchpointTuple]) -> None:
        """Put rows behind those that are there."""
        if not rows and self._parts:
            return
        (identity, at, _, kind, channel, direction, topics, value, currency, margin, duration, decision, action,
         properties) = zip(*rows, strict=True) if rows else ((),) * 14  # fmt: skip
        rates = self._rates_of(currency)
        kinds = self._kind.all(kind)
        topics = topics if self._topics is None else _by_rules(topics, properties, self._topics)
        for name, part in (
            ("contact", self._contacts(identity)),
            ("occurred_at", np.array(at, dtype=np.int64)),
            ("kind", kinds),
            ("channel", self._channel.all(channel)),
            ("outbound", self._outbound(kind, kinds, direction)),
            ("value", _worth(_numbers(value), rates)),
            ("margin", _worth(_numbers(margin), rates)),
            ("duration", _numbers(duration)),
            ("decision", self._decision.all(decision)),
            ("action", self._action.all(action)),
            ("topics", self._lists.all(topics)),
        ):
            self._parts.setdefault(name, []).append(part)

    def columns(self, ids: Sequence[str], properties: Sequence[str | None]) -> Columns:
        """All of it in (identity, occurred_at, touchpoint_id) order."""
        contact, at = self._taken("contact"), self._taken("occurred_at")
        topic_start, topic = self._lists.laid_out(self._taken("topics"))
        found: Columns = {
            name: self._taken(name)
            for name in ("kind", "channel", "outbound", "value", "margin", "duration", "decision", "action")
        }
        found |= {"touchpoint_id": ids, "properties": properties, "topic_start": topic_start, "topic": topic}
        found |= {
            "kinds": self._kind.names,
            "channels": self._channel.names,
            "decisions": self._decision.names,
            "actions": self._action.names,
            "topics": self._topic.names,
        }
        names = list(self._contact_codes)
        if len(names) <= 1 and bool((at[1:] > at[:-1]).all()):
            # One contact's history straight from the store: there is nothing to bring into order.
            return {"contacts": names, "start": np.array([0, len(at)] if names else [0]), "occurred_at": at, **found}
        by_name = sorted(range(len(names)), key=names.__getitem__)
        rank = np.empty(len(names), dtype=np.int32)
        rank[by_name] = np.arange(len(names), dtype=np.int32)
        return ordered([names[i] for i in by_name], rank[contact], at, found)

    def _taken(self, name: str) -> NDArray[Any]:
        parts = self._parts.pop(name)
        return chained(parts)

    def _contacts(self, identities: tuple[str, ...]) -> NDArray[np.int32]:
        # An identity may be the empty text, which is no absent one here.
        known = self._contact_codes
        if identities and identities.count(identities[0]) == len(identities):
            return np.full(len(identities), known.setdefault(identities[0], len(known)), dtype=np.int32)
        return np.array([known.setdefault(name, len(known)) for name in identities], dtype=np.int32)

    def _outbound(
        self, kind: tuple[str, ...], kinds: NDArray[np.int32], direction: tuple[str | None, ...]
    ) -> NDArray[np.bool_]:
        rules = self._rules
        if direction.count(None) == len(direction) and "" not in kind:
            return np.array([rules.is_outbound(name, None) for name in self._kind.names], dtype=np.bool_)[kinds]
        ours = {pair: rules.is_outbound(*pair) for pair in set(zip(kind, direction, strict=True))}
        return np.array([ours[pair] for pair in zip(kind, direction, strict=True)], dtype=np.bool_)

    def _rates_of(self, currencies: tuple[str | None, ...]) -> NDArray[np.float64] | None:
        if currencies.count(None) == len(currencies):
            return None
        for currency in set(currencies) - self._rates.keys():
            self._rates[currency] = known_rate(currency, self._rules)
        return np.array([self._rates[currency] for currency in currencies], dtype=np.float64)


class TopicLists:
    """Lists of topics, as the store keeps them, as numbers; each list is read once."""

    def __init__(self, topic: Codes) -> None:
        self._topic = topic
        self._of: dict[str | None, int] = {None: 0}
        self._lists: list[list[int]] = [[]]

    def all(self, texts: Sequence[str | None]) -> NDArray[np.int64]:
        """Return the number of each list."""
        known = self._of
        for text in dict.fromkeys(texts):
            if text is not None and text not in known:
                known[text] = len(self._lists)
                self._lists.append([self._topic(name) for name in dict.fromkeys(orjson.loads(text)) if name])
        return np.fromiter(map(known.__getitem__, texts), dtype=np.int64, count=len(texts))

    def laid_out(self, number: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """``topic_start`` and ``topic`` of touchpoints with these lists."""
        start = np.zeros(len(number) + 1, dtype=np.int64)
        size = np.array([len(each) for each in self._lists], dtype=np.int64)
        if size.max() <= 1:
            only = np.array([each[0] if each else NONE for each in self._lists], dtype=np.int32)[number]
            has_one = only != NONE
            np.cumsum(has_one, out=start[1:])
            return start, only[has_one]
        every = np.array([code for each in self._lists for code in each], dtype=np.int32)
        length = size[number]
        np.cumsum(length, out=start[1:])
        return start, every[ranges((np.cumsum(size) - size)[number], length)]


def known_rate(currency: str | None, rules: TouchpointRules) -> float:
    """Return what one unit of a currency is worth in base currency.

    NaN where that is not known, which the log tells once: what was stored while there was a rate stays readable, and
    its value is one that nobody knows, in training as in an answer.
    """
    rate = rules.rate(currency)
    if rate is None:
        _miss(currency, rules.base)
        return math.nan
    return rate


@lru_cache(maxsize=1024)
def _miss(currency: str | None, base: str) -> None:
    log.error(
        "no rate for currency %r, so that values in it are not known; give one under [money] rates in nba.toml "
        "(one %s in %s)",
        currency,
        currency,
        base,
    )


def _by_rules(
    given: tuple[str | None, ...], properties: tuple[str | None, ...], topics: Topics
) -> tuple[str | None, ...]:
    return tuple(
        topics.of(property) if text is None else text for text, property in zip(given, properties, strict=True)
    )


def _worth(amounts: NDArray[np.float64], rates: NDArray[np.float64] | None) -> NDArray[np.float64]:
    return amounts if rates is None or is_alike(amounts) else amounts * rates


def _numbers(values: tuple[float | None, ...]) -> NDArray[np.float64]:
    if values.count(None) == len(values):
        return alike(_NOT_KNOWN, len(values))
    return known(np.array(values, dtype=np.float64))  # None becomes NaN

"""Touchpoints as columns: the same shape for one contact's history and for everybody's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

TouchpointTuple = tuple[Any, ...]
"""identity, occurred_at (us), touchpoint_id, kind, channel, direction, topics (JSON), value, currency,
margin, duration, decision_id, action, properties (JSON); everything after ``kind`` may be None."""

NONE = -1
"""The code of an absent text."""


@dataclass(frozen=True)
class TouchpointRules:
    """What kinds mean, and what money is counted in: [touchpoints] and [money] of ``nba.toml``."""

    outbound: tuple[str, ...] = ("email_sent", "letter_sent", "call_made", "visit_made", "invitation_sent")
    money: tuple[str, ...] = ("order",)
    returns: tuple[str, ...] = ("return",)
    attention: tuple[str, ...] = ("page_view",)
    base: str = "EUR"
    rates: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    margin: float = 1.0
    stitch_limit: int = 25
    visitor_stitching: bool = False

    def rate(self, currency: str | None) -> float | None:
        """Return what one unit of ``currency`` is worth in base currency; None where that is not known."""
        if currency is None or currency == "" or currency == self.base:
            return 1.0
        return self.rates.get(currency)

    def is_outbound(self, kind: str, direction: str | None) -> bool:
        """Whether we made the touchpoint; what the source says wins over the list of kinds."""
        return direction == "outbound" if direction else kind in self.outbound


class Codes:
    """Texts numbered in the order of their first appearance; None is -1."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._of: dict[str | None, int] = {None: NONE, "": NONE}

    def __call__(self, name: str | None) -> int:
        """Return the code of a text, a new one where it is new."""
        code = self._of.get(name)
        if code is None and name is not None:
            code = self._of[name] = len(self.names)
            self.names.append(name)
        return NONE if code is None else code


@dataclass(frozen=True)
class Touchpoints:
    """Columns of touchpoints in (contact, occurred_at, touchpoint_id) order.

    ``start[c]:start[c + 1]`` are the rows of contact ``c``; ``topic_start`` and ``topic`` are laid out alike.
    Codes index the lists of names beside them; -1 is "none". Numbers that are absent are NaN.
    ``value`` and ``margin`` are in base currency.
    """

    contacts: list[str]
    start: NDArray[np.int64]
    occurred_at: NDArray[np.int64]
    touchpoint_id: list[str]
    kind: NDArray[np.int32]
    kinds: list[str]
    channel: NDArray[np.int32]
    channels: list[str]
    outbound: NDArray[np.bool_]
    value: NDArray[np.float64]
    margin: NDArray[np.float64]
    duration: NDArray[np.float64]
    decision: NDArray[np.int32]
    decisions: list[str]
    action: NDArray[np.int32]
    actions: list[str]
    topic_start: NDArray[np.int64]
    topic: NDArray[np.int32]
    topics: list[str]
    properties: list[str | None]

    def __len__(self) -> int:
        return len(self.occurred_at)

    @property
    def contact(self) -> NDArray[np.int32]:
        """The contact's code of each touchpoint."""
        return np.repeat(np.arange(len(self.contacts), dtype=np.int32), np.diff(self.start))

    @classmethod
    def from_rows(cls, rows: Iterable[TouchpointTuple], rules: TouchpointRules) -> Touchpoints:
        """Columns of rows as the store reads them.

        Parameters
        ----------
        rows
            In any order; sorted here where they are not in (identity, occurred_at, touchpoint_id) order.
        rules
            Direction by kind, and rates of exchange.

        Raises
        ------
        ValueError
            Where a currency has no rate.
        """
        listed = list(rows)
        if any(a[:3] > b[:3] for a, b in pairwise(listed)):
            listed.sort(key=lambda row: row[:3])
        return _from_sorted(listed, rules)


def _from_sorted(rows: list[TouchpointTuple], rules: TouchpointRules) -> Touchpoints:
    n = len(rows)
    columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) if n else [()] * 14
    kind, channel, decision, action, topic = Codes(), Codes(), Codes(), Codes(), Codes()
    contacts, start = _runs(columns[0])
    rates = _rates(columns[8], rules)
    value = _numbers(columns[7]) * rates
    topic_of: dict[str, tuple[int, ...]] = {}
    topic_codes: list[int] = []
    topic_start = np.zeros(n + 1, dtype=np.int64)
    for i, text in enumerate(columns[6]):
        if text is not None:
            codes = topic_of.get(text)
            if codes is None:
                codes = topic_of[text] = tuple(topic(name) for name in dict.fromkeys(orjson.loads(text)))
            topic_codes.extend(codes)
        topic_start[i + 1] = len(topic_codes)
    return Touchpoints(
        contacts=contacts,
        start=start,
        occurred_at=np.array(columns[1], dtype=np.int64),
        touchpoint_id=list(columns[2]),
        kind=_codes(columns[3], kind),
        kinds=kind.names,
        channel=_codes(columns[4], channel),
        channels=channel.names,
        outbound=np.array(
            [rules.is_outbound(k, d) for k, d in zip(columns[3], columns[5], strict=True)], dtype=np.bool_
        ),
        value=value,
        margin=_numbers(columns[9]) * rates,
        duration=_numbers(columns[10]),
        decision=_codes(columns[11], decision),
        decisions=decision.names,
        action=_codes(columns[12], action),
        actions=action.names,
        topic_start=topic_start,
        topic=np.array(topic_codes, dtype=np.int32),
        topics=topic.names,
        properties=list(columns[13]),
    )


def _runs(identities: tuple[str, ...]) -> tuple[list[str], NDArray[np.int64]]:
    contacts: list[str] = []
    start: list[int] = []
    last = None
    for i, identity in enumerate(identities):
        if identity != last:
            contacts.append(identity)
            start.append(i)
            last = identity
    return contacts, np.array([*start, len(identities)], dtype=np.int64)


def _codes(names: tuple[str | None, ...], codes: Codes) -> NDArray[np.int32]:
    return np.fromiter((codes(name) for name in names), dtype=np.int32, count=len(names))


def _numbers(values: tuple[float | None, ...]) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)  # None becomes NaN


def _rates(currencies: tuple[str | None, ...], rules: TouchpointRules) -> NDArray[np.float64]:
    known: dict[str | None, float] = {}
    for currency in set(currencies):
        rate = rules.rate(currency)
        if rate is None:
            raise ValueError(
                f"no rate for currency {currency!r}; give one under [money] rates in nba.toml "
                f"(one {currency} in {rules.base})"
            )
        known[currency] = rate
    return np.fromiter((known[c] for c in currencies), dtype=np.float64, count=len(currencies))

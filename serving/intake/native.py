"""Touchpoints in our own words: one object or a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from features.rows.cells import RowError
from features.rows.row_types import QuarantineRow, TouchpointRow
from features.rows.rows import content_digest, content_id, touchpoint_row
from features.rows.schema import TOUCHPOINTS
from features.touchpoints.touchpoints import TouchpointRules
from serving.intake.strict_json import MalformedBody, elements, parse
from serving.problems import Problem

MOST_EVENTS = 2_500
"""How many touchpoints one call may bring."""

MOST_KEPT = 32 * 1024
"""How many bytes of a refused touchpoint are kept."""


@dataclass(frozen=True)
class Refusal:
    """One touchpoint that is refused; ``index`` counts from 0 in the list."""

    index: int
    raw: bytes
    reason: str
    rule: str
    is_object: bool

    def row(self, now_us: int, source: str, nth: int) -> QuarantineRow:
        """Lay it out for the quarantine; ``nth`` counts equal ones before it in the same call."""
        return QuarantineRow(
            table=TOUCHPOINTS.name,
            raw=self._kept(),
            reason=self.reason,
            rule=self.rule,
            refused_at=now_us,
            file=source,
            line=self.index + 1,
            nth=nth,
        )

    def _kept(self) -> str:
        """JSON: the object itself where it can be read, else its bytes spelt out in a text."""
        if self.is_object and len(self.raw) <= MOST_KEPT:
            return self.raw.decode()
        text = self.raw[:MOST_KEPT].decode(errors="backslashreplace").replace("\0", "\\x00")
        return orjson.dumps(text).decode()


@dataclass
class Intake:
    """What a body brought."""

    is_list: bool
    rows: list[TouchpointRow] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    @property
    def received(self) -> int:
        """How many touchpoints came, good and bad."""
        return len(self.rows) + len(self.refused)

    def quarantine(self, now_us: int, source: str) -> list[QuarantineRow]:
        """Rows for the quarantine."""
        seen: Counter[bytes] = Counter()
        rows = []
        for refusal in self.refused:
            rows.append(refusal.row(now_us, source, seen[refusal.raw]))
            seen[refusal.raw] += 1
        return rows


def read_touchpoints(raw: bytes, *, now_us: int, rules: TouchpointRules) -> Intake:
    """Sort the touchpoints of a body into good and bad.

    Parameters
    ----------
    raw
        The body: an object, or a list of objects.
    now_us
        When it arrived.

    Raises
    ------
    Problem
        413 for more than ``MOST_EVENTS``.
    """
    try:
        found = parse(raw)
    except MalformedBody as error:
        return _read_apart(raw, error, now_us, rules)
    if not isinstance(found, list):
        return _judge(Intake(is_list=False), [found], [raw], now_us, rules)
    _bound(len(found))
    return _judge(Intake(is_list=True), found, None, now_us, rules, body=raw)


def _bound(n: int) -> None:
    if n > MOST_EVENTS:
        raise Problem(413, "too-many-touchpoints", f"{n:,} touchpoints in one call; send at most {MOST_EVENTS:,}")


def _read_apart(raw: bytes, error: MalformedBody, now_us: int, rules: TouchpointRules) -> Intake:
    """Read each element of a list by itself, so that only those are refused which are at fault."""
    cut = elements(raw)
    if cut is None:
        return Intake(is_list=False, refused=[Refusal(0, raw, str(error), "is not strict JSON", False)])
    _bound(len(cut))
    found: list[Any] = []
    for element in cut:
        try:
            found.append(parse(element))
        except MalformedBody as fault:
            found.append(fault)
    return _judge(Intake(is_list=True), found, cut, now_us, rules)


def _judge(
    intake: Intake,
    found: list[Any],
    cut: list[bytes] | None,
    now_us: int,
    rules: TouchpointRules,
    body: bytes = b"",
) -> Intake:
    seen: Counter[bytes] = Counter()
    for i, item in enumerate(found):
        try:
            row = _row(item, now_us, rules)
        except (MalformedBody, RowError) as error:
            # The bytes are cut out only once they are needed: most bodies have no fault.
            cut = cut or elements(body) or []
            rule = error.rule if isinstance(error, RowError) else "is not strict JSON"
            intake.refused.append(Refusal(i, cut[i], str(error), rule, isinstance(item, dict)))
            continue
        if row.touchpoint_id is None:
            digest = content_digest(row)
            row = row._replace(touchpoint_id=content_id(digest, seen[digest]))
            seen[digest] += 1
        intake.rows.append(row)
    return intake


def _row(item: Any, now_us: int, rules: TouchpointRules) -> TouchpointRow:
    if isinstance(item, MalformedBody):
        raise item
    if not isinstance(item, Mapping):
        raise RowError("touchpoint", item, 'is not a JSON object; send one such as {"identity": ...}')
    return touchpoint_row(item, now_us=now_us, zone=None, rules=rules)

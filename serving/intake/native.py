"""Touchpoints in our own words: one object or a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from features.rows.cells import RowError
from features.rows.row_types import TouchpointRow
from features.rows.rows import content_digest, content_id, touchpoint_row
from features.touchpoints.touchpoints import TouchpointRules
from serving.intake.admission import admit, check_source
from serving.intake.delivery import Delivery, Message, Refusal
from serving.intake.strict_json import MalformedBody, elements, parse
from serving.problems import Problem

MOST_EVENTS = 2_500
"""How many touchpoints one call may bring."""

Reader = Callable[[Any], TouchpointRow]


def read_touchpoints(raw: bytes, *, now_us: int, rules: TouchpointRules, is_public: bool = False) -> Delivery:
    """Sort the touchpoints of a body into good and bad.

    Parameters
    ----------
    raw
        The body: an object, or a list of objects.
    now_us
        When it arrived.
    is_public
        Whether it came with a key that everybody can read.

    Raises
    ------
    Problem
        413 for more than ``MOST_EVENTS``.
    """
    read = partial(_row, now_us=now_us, rules=rules, is_public=is_public)
    try:
        found = parse(raw)
    except MalformedBody as error:
        return _read_apart(raw, error, read)
    if not isinstance(found, list):
        return _judge(Delivery(is_list=False), [found], [raw], read)
    _bound(len(found))
    return _judge(Delivery(is_list=True), found, None, read, body=raw)


def _bound(n: int) -> None:
    if n > MOST_EVENTS:
        raise Problem(413, "too-many-touchpoints", f"{n:,} touchpoints in one call; send at most {MOST_EVENTS:,}")


def _read_apart(raw: bytes, error: MalformedBody, read: Reader) -> Delivery:
    """Read each element of a list by itself, so that only those are refused which are at fault."""
    cut = elements(raw)
    if cut is None:
        return Delivery(is_list=False, refused=[Refusal(0, raw, str(error), "is not strict JSON", False)])
    _bound(len(cut))
    found: list[Any] = []
    for element in cut:
        try:
            found.append(parse(element))
        except MalformedBody as fault:
            found.append(fault)
    return _judge(Delivery(is_list=True), found, cut, read)


def _judge(
    delivery: Delivery,
    found: list[Any],
    cut: list[bytes] | None,
    read: Reader,
    body: bytes = b"",
) -> Delivery:
    seen: Counter[bytes] = Counter()
    for i, item in enumerate(found):
        try:
            row = read(item)
        except (MalformedBody, RowError) as error:
            # The bytes are cut out only once they are needed: most bodies have no fault.
            cut = cut or elements(body) or []
            rule = error.rule if isinstance(error, RowError) else "is not strict JSON"
            delivery.refused.append(Refusal(i, cut[i], str(error), rule, isinstance(item, dict)))
            continue
        if row.touchpoint_id is None:
            digest = content_digest(row)
            row = row._replace(touchpoint_id=content_id(digest, seen[digest]))
            seen[digest] += 1
        delivery.messages.append(Message(i, b"", row.source, row))
    return delivery


def _row(item: Any, *, now_us: int, rules: TouchpointRules, is_public: bool) -> TouchpointRow:
    if isinstance(item, MalformedBody):
        raise item
    if not isinstance(item, Mapping):
        raise RowError("touchpoint", item, 'is not a JSON object; send one such as {"identity": ...}')
    row = touchpoint_row(item, now_us=now_us, zone=None, rules=rules)
    check_source(row.source)
    return admit(row, is_public=is_public)

"""The row rules: a raw row of any source becomes a row of the store or is refused with its reason."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, cast
from zoneinfo import ZoneInfo

import orjson

from features.rows.cells import RowError, cell, clean, extra
from features.rows.row_types import ContactRow, DecisionRow, LinkRow, RecordRow, TouchpointRow
from features.rows.schema import CONTACTS, DECISIONS, LINKS, TABLES, TOUCHPOINTS, Table
from features.times import ALWAYS
from features.touchpoints.touchpoints import TouchpointRules

ALWAYS_ALLOWED = frozenset({"do_nothing", "nothing", "none", "no_action", "control"})
"""Names of leaving a contact alone, which needs no permission."""


def _cells(table: Table, raw: Mapping[str, object], now_us: int, zone: ZoneInfo | None) -> dict[str, Any]:
    return {column.name: cell(raw, column, now_us=now_us, zone=zone) for column in table.columns}


def _extras(table: Table, raw: Mapping[str, object]) -> dict[str, object]:
    known = table.names
    found = {clean(name, "a column's name"): extra(raw[name], name) for name in raw if name not in known}
    return {name: value for name, value in found.items() if value is not None}


def _json(value: object, name: str) -> str:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except (TypeError, ValueError) as error:
        raise RowError(name, None, f"cannot be kept as JSON: {error}") from error


def _properties(table: Table, raw: Mapping[str, object]) -> dict[str, object]:
    """Extra columns, and those of an object ``properties`` where the source has one."""
    extras = _extras(table, raw)
    given = extras.pop("properties", None)
    if isinstance(given, str):
        try:
            given = orjson.loads(given)
        except orjson.JSONDecodeError:
            given = False
    if given is None:
        return extras
    if not isinstance(given, dict):
        raise RowError("properties", raw["properties"], "is not a JSON object")
    inner = {name: extra(value, name) for name, value in given.items()}
    return {name: value for name, value in {**inner, **extras}.items() if value is not None}


def touchpoint_row(
    raw: Mapping[str, object], *, now_us: int, zone: ZoneInfo | None, rules: TouchpointRules
) -> TouchpointRow:
    """Make a touchpoint from the columns of the contract; other columns become properties.

    Parameters
    ----------
    raw
        Column to value; None and "" are absent.
    now_us
        When the row arrived; what lies more than a day later is refused.
    zone
        The zone of times that name none; UTC when None.
    rules
        The currencies that have a rate.

    Raises
    ------
    RowError
        The column, its value and the rule.
    """
    found = _cells(TOUCHPOINTS, raw, now_us, zone)
    currency = found["currency"]
    if currency is not None and rules.rate(currency) is None:
        raise RowError("currency", currency, "has no rate; give one under [money] rates in nba.toml")
    topics = list(dict.fromkeys([*filter(None, [found["topic"]]), *(found["topics"] or ())]))
    properties = _properties(TOUCHPOINTS, raw)
    return TouchpointRow(
        found["identity"],
        found["occurred_at"],
        found["touchpoint_id"],
        found["kind"],
        found["channel"],
        found["direction"],
        _json(topics, "topics") if topics else None,
        found["value"],
        currency,
        found["margin"],
        found["duration"],
        found["decision_id"],
        action_of(properties.get("action")),
        _json(properties, "properties") if properties else None,
        found["source"] or "",
    )


def action_of(value: object) -> str | None:
    """Return the action that a touchpoint's own property ``action`` names."""
    return (value.strip() or None) if isinstance(value, str) else None


def record_row(table: str, raw: Mapping[str, object], *, now_us: int, zone: ZoneInfo | None) -> RecordRow:
    """Make a row of a table that is kept by key and the time it is known since; extra columns are traits.

    Raises
    ------
    RowError
        The column, its value and the rule.
    """
    spec = TABLES[table]
    found = _cells(spec, raw, now_us, zone)
    for names in spec.either:
        if not any(found[name] is not None for name in names):
            raise RowError(" or ".join(names), None, "is missing; every row needs one")
    key = cast(str, found.pop(spec.key))
    known_at = found.pop("known_at")
    body = {name: value for name, value in {**found, **_extras(spec, raw)}.items() if value is not None}
    _json(body, "traits")
    return RecordRow(key, ALWAYS if known_at is None else known_at, body)


def contact_row(raw: Mapping[str, object], *, now_us: int, zone: ZoneInfo | None) -> ContactRow:
    """Make a contact's traits; without ``known_at`` they are taken as always known.

    Raises
    ------
    RowError
        The column, its value and the rule.
    """
    return record_row(CONTACTS.name, raw, now_us=now_us, zone=zone)


def link_row(raw: Mapping[str, object], *, now_us: int, zone: ZoneInfo | None) -> LinkRow:
    """Evidence that two identities are one contact.

    Raises
    ------
    RowError
        The column, its value and the rule.
    """
    found = _cells(LINKS, raw, now_us, zone)
    if found["identity_a"] == found["identity_b"]:
        raise RowError("identity_b", found["identity_b"], "is identity_a itself; a link joins two identities")
    properties = _properties(LINKS, raw)
    return LinkRow(
        found["identity_a"],
        found["identity_b"],
        found["seen_at"],
        found["how"] or "",
        found["confidence"],
        _json(properties, "properties") if properties else None,
    )


def decision_row(raw: Mapping[str, object], *, now_us: int, zone: ZoneInfo | None) -> DecisionRow:
    """Make a past choice; its ``decision_id`` is "" until the loader has given one.

    Raises
    ------
    RowError
        The column, its value and the rule.
    """
    found = _cells(DECISIONS, raw, now_us, zone)
    allowed = found["allowed"]
    if allowed is not None and found["action"] not in allowed and found["action"] not in ALWAYS_ALLOWED:
        raise RowError("allowed", allowed, "lacks the action that was taken")
    properties = _properties(DECISIONS, raw)
    _json(properties, "properties")
    return DecisionRow(
        found["decision_id"] or "",
        found["identity"],
        found["decided_at"],
        found["action"],
        found["probability"],
        None if allowed is None else tuple(allowed),
        found["policy"],
        None if found["topics"] is None else tuple(found["topics"]),
        properties or None,
    )


def content_digest(row: TouchpointRow | tuple[Any, ...]) -> bytes:
    """SHA-256 of everything a touchpoint says but its id.

    The first bytes are those of its identity alone, so that ids of one contact lie together in their index.
    """
    content = hashlib.sha256(orjson.dumps((*row[:2], *row[3:]))).digest()
    return hashlib.sha256(row[0].encode()).digest()[:4] + content[:28]


def content_id(digest: bytes, nth: int) -> str:
    """Return the id of a row that has none: its content, and its number among equal rows of the file."""
    return f"{digest.hex()[:32]}-{nth}" if nth else digest.hex()[:32]

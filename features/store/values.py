"""Rows of the program as the values that the tables hold, and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from features.rows.row_types import DecisionRow, QuarantineRow, ScoreRow
from features.store import tables

QUARANTINE_COLUMNS = [column.name for column in tables.QUARANTINE.c if column.name != "number"]


def json_of(value: object) -> str:
    """Return JSON with sorted keys: equal values are equal texts."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY).decode()


def _json_or_none(value: object) -> str | None:
    return None if value is None else json_of(value)


def _unordered(value: Mapping[str, object] | None) -> str | None:
    # The order of the chances is the order the action was drawn in: a replay needs it.
    return None if value is None else orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def decided(row: DecisionRow) -> tuple[Any, ...]:
    """Return the values of a row of ``decisions``."""
    return (
        row.decision_id,
        row.identity,
        row.decided_at,
        row.action,
        row.probability,
        _json_or_none(row.allowed),
        row.policy,
        _json_or_none(row.topics),
        _json_or_none(row.properties),
        _unordered(row.chances),
        row.mode,
        row.placement,
        row.model_version,
        _json_or_none(row.terms),
        row.key,
        row.request_hash,
        row.answer,
        row.as_of,
        row.activated_at,
        row.deferred,
        row.holdout,
        row.features_sha,
    )


def decision_of(row: Sequence[Any]) -> DecisionRow:
    """Read a row of ``decisions``, whose columns are the fields of the row in their order."""
    found = list(row)
    for place in (5, 7):
        found[place] = None if row[place] is None else tuple(orjson.loads(row[place]))
    for place in (8, 9, 13):
        found[place] = None if row[place] is None else orjson.loads(row[place])
    for place in (19, 20):
        found[place] = bool(row[place])
    return DecisionRow(*found)


def scored(row: ScoreRow) -> tuple[Any, ...]:
    """Return the values of a row of ``scores``."""
    return (*row[:4], json_of(row[4]), *row[5:])


def score_of(row: Sequence[Any]) -> ScoreRow:
    """Read a row of ``scores``."""
    return ScoreRow._make((*row[:4], orjson.loads(row[4]), *row[5:]))


def quarantined(row: QuarantineRow) -> tuple[Any, ...]:
    """Return the values of ``QUARANTINE_COLUMNS``; equal rows have the same fingerprint."""
    content = json.dumps([row.table, row.raw, row.nth]).encode()
    fingerprint = hashlib.sha256(content).hexdigest()[:32]
    named = {
        "fingerprint": fingerprint,
        "table_name": row.table,
        "raw": row.raw,
        "reason": row.reason.encode(errors="backslashreplace").decode(),
        "rule": row.rule.encode(errors="backslashreplace").decode(),
        "refused_at": row.refused_at,
        "file": row.file.encode(errors="backslashreplace").decode(),
        "line": row.line,
        "zone": row.zone,
        "nth": row.nth,
    }
    return tuple(named[name] for name in QUARANTINE_COLUMNS)

"""Touchpoints from a lake's columns, without an object per row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.amounts import known
from features.codes import NONE, Codes, translation
from features.lake.columns import NARROW, PLAIN, SCHEMA, in_order
from features.lake.manifest import Part
from features.texts import Texts, alike, is_alike
from features.topics import Topics
from features.touchpoints.rows import known_rate
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints, TouchpointTuple

Actions = Mapping[str, str | None]
"""Action of each decision, by its id."""

_NO_ACTIONS: Actions = {}


def read_partition(folder: Path, parts: Sequence[Part], before: int | None, *, texts: bool) -> pa.Table:
    """Rows of one partition strictly before a moment, in order."""
    wanted = [part for part in parts if before is None or part.first < before]
    # What tells the order of several files is needed to merge them.
    names = None if texts or len(wanted) > 1 else NARROW
    tables = [_before(_read(folder / part.path, names), part, before) for part in wanted]
    if not tables:
        return SCHEMA.empty_table()
    if len(tables) == 1:
        return tables[0]
    return in_order(pa.concat_tables(tables).cast(PLAIN)).cast(SCHEMA)


def rows_of(folder: Path, parts: Sequence[Part], identity: str, before: int) -> list[TouchpointTuple]:
    """One identity's rows strictly before a moment, as the store would give them, in order."""
    found: list[TouchpointTuple] = []
    for part in parts:
        if part.first < before:
            file = pq.ParquetFile(folder / part.path)
            groups = [i for i in range(file.metadata.num_row_groups) if _may_hold(file.metadata.row_group(i), identity)]
            if groups:
                table = file.read_row_groups(groups, use_threads=False)
                found += tuples(table.filter(pc.equal(table.column("identity"), identity)))
    found = [row for row in found if row[1] < before]
    return sorted(found, key=lambda row: row[:3]) if len(parts) > 1 else found


def _read(path: Path, names: Sequence[str] | None) -> pa.Table:
    """Columns of a file; of some columns, those without a value in it are left out."""
    # A group at a time, because only within one does Arrow give the texts of lists as codes.
    with pq.ParquetFile(path, read_dictionary=[_TOPIC]) as file:
        told = names if names is None else _told(file.metadata, names)
        groups = range(file.metadata.num_row_groups)
        return pa.concat_tables(file.read_row_group(i, columns=told, use_threads=False) for i in groups)


def _told(metadata: Any, names: Sequence[str]) -> list[str]:
    """Those columns that have a value in some row group, as far as the file says so."""
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    at = {groups[0].column(i).path_in_schema: i for i in range(metadata.num_columns)} if groups else {}
    return [
        name
        for name in names
        if name not in at or name in _ALWAYS or any(_has_value(group.column(at[name])) for group in groups)
    ]


def _has_value(column: Any) -> bool:
    statistics = column.statistics
    if statistics is None or not statistics.has_null_count:
        return True
    return bool(statistics.null_count < column.num_values)


def columns_of(table: pa.Table, rules: TouchpointRules, actions: Actions = _NO_ACTIONS) -> Touchpoints:
    """Touchpoints of a table in the order of a partition.

    Parameters
    ----------
    table
        With the columns of the lake, sorted.
    rules
        Direction by kind, rates of exchange, topics by rule.
    actions
        What a touchpoint that names a decision, and no action, is about.
    """
    table = table.unify_dictionaries().combine_chunks()
    identity, identities = _coded(table, "identity")
    start = np.flatnonzero(np.diff(identity, prepend=-1, append=-1)).astype(np.int64) if len(identity) else _ZERO
    kind, kinds = _coded(table, "kind")
    decision, decisions = _coded(table, "decision_id")
    action, action_names = _actions(table, decision, decisions, actions)
    channel, channels = _coded(table, "channel")
    rate = _rates(table, rules)
    topic_start, topic, topics = _topics(table, rules)
    return Touchpoints(
        contacts=[identities[code] for code in identity[start[:-1]].tolist()],
        start=start,
        occurred_at=_one(table, "occurred_at").cast(pa.int64()).to_numpy(),
        touchpoint_id=_texts(table, "touchpoint_id", ""),
        kind=kind,
        kinds=kinds,
        channel=channel,
        channels=channels,
        outbound=_outbound(table, kind, kinds, rules),
        value=_money(table, "value", rate),
        margin=_money(table, "margin", rate),
        duration=_numbers(table, "duration"),
        decision=decision,
        decisions=decisions,
        action=action,
        actions=action_names,
        topic_start=topic_start,
        topic=topic,
        topics=topics,
        properties=_texts(table, "properties", None),
    )


_ZERO = np.zeros(1, dtype=np.int64)
_NONES = np.full(1, NONE, dtype=np.int32)
_NANS = np.full(1, np.nan)
_INWARD = np.zeros(1, dtype=np.bool_)
_TOPIC = "topics.list.element"
_ALWAYS = ("identity", "occurred_at", "kind")


def _before(table: pa.Table, part: Part, before: int | None) -> pa.Table:
    if before is None or part.last < before:
        return table
    return table.filter(pc.less(table.column("occurred_at").cast(pa.int64()), before))


def _may_hold(group: Any, identity: str) -> bool:
    statistics = group.column(0).statistics
    if statistics is None or not statistics.has_min_max:
        return True
    return bool(statistics.min <= identity <= statistics.max)


def tuples(table: pa.Table) -> list[TouchpointTuple]:
    """Rows as the store would give them."""
    columns = [table.column(name).to_pylist() for name in PLAIN.names if name not in ("occurred_at", "source")]
    columns.insert(1, table.column("occurred_at").cast(pa.int64()).to_pylist())
    columns[6] = [None if topics is None else orjson.dumps(topics).decode() for topics in columns[6]]
    return list(zip(*columns, strict=True))


def _one(table: pa.Table, name: str) -> Any:
    column = table.column(name)
    return column.chunk(0) if column.num_chunks else pa.array([], column.type)


def _coded(table: pa.Table, name: str) -> tuple[NDArray[np.int32], list[str]]:
    if name not in table.column_names:
        return alike(_NONES, table.num_rows), []
    column = _one(table, name)
    codes = column.indices.fill_null(NONE) if column.null_count else column.indices
    return codes.to_numpy(zero_copy_only=False).astype(np.int32, copy=False), column.dictionary.to_pylist()


def _numbers(table: pa.Table, name: str) -> NDArray[np.float64]:
    if name not in table.column_names:
        return alike(_NANS, table.num_rows)
    found: NDArray[np.float64] = _one(table, name).to_numpy(zero_copy_only=False)  # a missing one becomes NaN
    return known(found)


def _money(table: pa.Table, name: str, rate: NDArray[np.float64] | None) -> NDArray[np.float64]:
    numbers = _numbers(table, name)
    return numbers if rate is None or is_alike(numbers) else numbers * rate


def _texts(table: pa.Table, name: str, absent: str | None) -> Texts[Any]:
    """Texts where Arrow has them: no text is decoded before somebody asks for it."""
    if name not in table.column_names:
        return Texts.alike(absent, table.num_rows)
    column = _one(table, name)
    n = len(column)
    _, offsets, heap = column.buffers()
    if offsets is None or n == 0:
        return Texts.alike(None, n)
    at = np.frombuffer(offsets, dtype=np.int32)[column.offset : column.offset + n + 1]
    begin, end = at[:-1], at[1:]
    if column.null_count:
        end = np.where(column.is_null().to_numpy(zero_copy_only=False), begin - 1, end).astype(np.int32)
    return Texts(memoryview(heap) if heap is not None else b"", begin, end)


def _outbound(
    table: pa.Table, kind: NDArray[np.int32], kinds: Sequence[str], rules: TouchpointRules
) -> NDArray[np.bool_]:
    by_kind = np.array([name in rules.outbound for name in kinds], dtype=np.bool_)
    if "direction" not in table.column_names:
        return by_kind[kind] if by_kind.any() else alike(_INWARD, table.num_rows)
    direction, directions = _coded(table, "direction")
    given = np.array([bool(name) for name in directions] + [False], dtype=np.bool_)
    outbound = np.array([name == "outbound" for name in directions] + [False], dtype=np.bool_)
    return np.where(given[direction], outbound[direction], by_kind[kind])


def _rates(table: pa.Table, rules: TouchpointRules) -> NDArray[np.float64] | None:
    """Return what one unit of each touchpoint's currency is worth; None where all are in the base currency."""
    currency, currencies = _coded(table, "currency")
    if not currencies:
        return None
    rate = np.ones(len(currencies) + 1)
    for code in np.unique(currency[currency >= 0]).tolist():
        rate[code] = known_rate(currencies[code], rules)
    found: NDArray[np.float64] = rate[currency]
    return found


def _actions(
    table: pa.Table, decision: NDArray[np.int32], decisions: Sequence[str], actions: Actions
) -> tuple[NDArray[np.int32], list[str]]:
    code, names = _coded(table, "action")
    if not actions or not (names or decisions):
        return code, names
    codes = Codes()
    for name in names:
        codes(name)
    of = np.array([codes(actions.get(name)) for name in decisions] + [NONE], dtype=np.int32)
    return np.where(code == NONE, of[decision], code).astype(np.int32), codes.names


def _topics(table: pa.Table, rules: TouchpointRules) -> tuple[NDArray[np.int64], NDArray[np.int32], list[str]]:
    if "topics" not in table.column_names:
        return np.zeros(table.num_rows + 1, dtype=np.int64), np.zeros(0, dtype=np.int32), []
    column = _one(table, "topics")
    start = _list_start(column)
    coded = column.flatten()
    coded = coded if pa.types.is_dictionary(coded.type) else pc.dictionary_encode(coded)
    codes = Codes()
    topic = translation(coded.dictionary.to_pylist(), codes)[coded.indices.to_numpy(zero_copy_only=False)]
    if rules.topic_rules:
        length = np.diff(start)
        rows, found = _by_rule(table, length, codes, rules)
        topic = np.insert(topic, start[rows], found)
        length[rows] = 1
        start = np.concatenate([[0], np.cumsum(length)])
    return start, topic.astype(np.int32, copy=False), codes.names


def _list_start(column: Any) -> NDArray[np.int64]:
    """Where the entries of each list begin among all entries, and where the last ones end."""
    if column.null_count:
        length = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
        return np.concatenate([_ZERO, np.cumsum(length, dtype=np.int64)])
    if not len(column):
        return _ZERO
    start: NDArray[np.int64] = column.offsets.to_numpy(zero_copy_only=False).astype(np.int64)
    return start - start[0] if start[0] else start


def _by_rule(
    table: pa.Table, length: NDArray[np.int64], codes: Codes, rules: TouchpointRules
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Rows without a topic that get one by a rule, and its code; equal properties are looked at once."""
    topics = Topics(rules.topic_rules)
    bare = np.flatnonzero(length == 0)
    coded = pc.dictionary_encode(_one(table, "properties").take(pa.array(bare)))
    found = [topics.of(properties) for properties in coded.dictionary.to_pylist()]
    of = np.array([NONE if text is None else codes(orjson.loads(text)[0]) for text in found] + [NONE], dtype=np.int32)
    given = of[coded.indices.fill_null(NONE).to_numpy(zero_copy_only=False)]
    return bare[given >= 0], given[given >= 0]

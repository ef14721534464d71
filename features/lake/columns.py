"""The columns of a lake, as Arrow and Parquet hold them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.partitions import partition_codes

ORDER = ("identity", "occurred_at", "touchpoint_id", "source")
"""What a partition is sorted by; texts by their bytes, which is the order of their characters."""

_CODED = pa.dictionary(pa.int32(), pa.string())
_MOMENT = pa.timestamp("us", tz="UTC")

PLAIN = pa.schema(
    [
        ("identity", pa.string()),
        ("occurred_at", _MOMENT),
        ("touchpoint_id", pa.string()),
        ("kind", pa.string()),
        ("channel", pa.string()),
        ("direction", pa.string()),
        ("topics", pa.list_(pa.string())),
        ("value", pa.float64()),
        ("currency", pa.string()),
        ("margin", pa.float64()),
        ("duration", pa.float64()),
        ("decision_id", pa.string()),
        ("action", pa.string()),
        ("properties", pa.string()),
        ("source", pa.string()),
    ]
)
"""Columns while they are on their way into the lake."""

_TEXTS = {"identity", "kind", "channel", "direction", "currency", "decision_id", "action", "source"}
SCHEMA = pa.schema([field.with_type(_CODED) if field.name in _TEXTS else field for field in PLAIN])
"""Columns in the lake: texts that repeat are kept as codes."""

REPEATING = [*sorted(_TEXTS), "topics.list.element"]
"""Columns whose values repeat, as Parquet names them."""

NARROW = [field.name for field in SCHEMA if field.name not in ("touchpoint_id", "properties", "source")]
"""Columns that features look at."""


def table_of(columns: Sequence[Sequence[Any]]) -> pa.Table:
    """Columns of ``TouchpointRow`` as the loader makes them."""
    listed: dict[str | None, Any] = {None: None}
    arrays = [
        pa.array([_listed(text, listed) for text in values] if field.name == "topics" else values, field.type)
        for field, values in zip(PLAIN, columns, strict=True)
    ]
    return pa.table(arrays, schema=PLAIN)


def _listed(text: str | None, known: dict[str | None, Any]) -> Any:
    if text not in known:
        known[text] = list(dict.fromkeys(orjson.loads(text))) if text is not None else None
    return known[text]


def partitions_of(identities: Any, partitions: int) -> NDArray[np.int32]:
    """Partition of each identity of an Arrow column, each different one hashed once."""
    coded = pc.dictionary_encode(identities)
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    coded = coded.chunk(0) if isinstance(coded, pa.ChunkedArray) else coded
    of = partition_codes(coded.dictionary.to_pylist(), partitions)
    found: NDArray[np.int32] = of[coded.indices.to_numpy(zero_copy_only=False)]
    return found


def in_order(table: pa.Table) -> pa.Table:
    """Rows in the order of a partition."""
    return table.take(pc.sort_indices(table, sort_keys=[(name, "ascending") for name in ORDER]))


def encoded(table: pa.Table) -> pa.Table:
    """Columns as the lake keeps them."""
    return table.cast(SCHEMA)


def times(table: pa.Table) -> tuple[int, int]:
    """Earliest and latest time of a table, in microseconds."""
    found = pc.min_max(table.column("occurred_at").cast(pa.int64())).as_py()
    return found["min"], found["max"]


def without_nulls(texts: Any) -> Iterable[str]:
    """Texts of an Arrow column, none for a missing one."""
    return (text or "" for text in texts.to_pylist())

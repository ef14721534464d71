"""The rows of a view that BI tools read, for whoever tells the same figures elsewhere."""

from __future__ import annotations

from typing import Any

from features.store.reading import Reading
from features.store.view_types import MOMENT
from features.store.views import VIEWS


def read_view(store: Reading, name: str) -> list[dict[str, Any]]:
    """Return every row of a view; days as text, times in microseconds alone.

    Raises
    ------
    KeyError
        Where there is no such view.
    StoreError
        Where the store cannot be read.
    """
    view = {view.name: view for view in VIEWS}[name]
    columns = [column.name for column in view.columns if column.type != MOMENT]
    rows = store._all(f"SELECT {', '.join(columns)} FROM {name}")
    return [_row(columns, row) for row in rows]


def _row(columns: list[str], row: tuple[Any, ...]) -> dict[str, Any]:
    found = dict(zip(columns, row, strict=True))
    if "day" in found:
        found["day"] = str(found["day"])
    return found

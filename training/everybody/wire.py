"""Contacts as bytes, for another process: what decisions need of them, once what is the same for all is there."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

from features.touchpoints.wire import from_bytes, to_bytes
from nba.past import Past
from nba.tables.tables import Tables
from training.everybody.everybody import Everybody


def packed(part: Everybody, *more: Any) -> bytes:
    """Return a part of everybody as bytes, and what goes along with it."""
    # The tables are the same for all, and go along once.
    around = replace(part.surrounding, tables=Tables())
    bare = replace(part, touchpoints=Past.nothing().touchpoints, surrounding=around)
    return pickle.dumps((bare, to_bytes(part.touchpoints, properties=True), more), protocol=5)


def unpacked(blob: bytes, tables: Tables) -> tuple[Everybody, tuple[Any, ...]]:
    """Return what ``packed`` wrote.

    Parameters
    ----------
    tables
        Those that everybody has.
    """
    bare, columns, more = pickle.loads(blob)
    around = replace(bare.surrounding, tables=tables)
    return replace(bare, touchpoints=from_bytes(columns), surrounding=around), more

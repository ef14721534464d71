"""What the store's tables are made of: columns of texts and numbers, and where all tables are written down."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Double, MetaData, Text, text
from sqlalchemy.dialects import postgresql

METADATA = MetaData()
"""All tables; whole for whoever imports ``features.store.tables``."""

# Texts are compared byte by byte everywhere, so that every database has the same order, which is Python's too.
TEXT = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def texts(*names: str) -> list[Column[Any]]:
    """Return columns of texts that may be missing."""
    return [Column(name, TEXT) for name in names]


def numbers(*names: str) -> list[Column[Any]]:
    """Return columns of numbers that may be missing."""
    return [Column(name, Double) for name in names]


def only_where(condition: str) -> dict[str, Any]:
    """Return what makes an index one of those rows alone."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}

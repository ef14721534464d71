"""Which database a URL names."""

from __future__ import annotations

import re

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from features.store.dialect import Dialect, StoreError


def dialect_of(url: str) -> Dialect:
    """Return the database of a URL, not connected to yet.

    Raises
    ------
    StoreError
        Where it is no such URL, or of a database that is not known or not installed.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        # A port that is no number is a ValueError; what cannot be parsed may still hold a password.
        shown = re.sub(r":[^:@]*@", ":***@", url)
        raise StoreError(f"store.url {shown!r} is not a database URL; write one such as sqlite:///nba.db") from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        from features.store.sqlite import Sqlite

        return Sqlite(parsed)
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        return _postgresql(parsed)
    shown = parsed.render_as_string(hide_password=True)
    raise StoreError(
        f"store.url {shown!r} is of no supported database; write sqlite:///nba.db or postgresql://user@host/db"
    )


def _postgresql(url: URL) -> Dialect:
    try:
        from features.store.postgresql import Postgresql
    except ImportError as error:
        raise StoreError(
            "a store in PostgreSQL needs psycopg; `pip install 'nba-service[postgresql]'` brings it"
        ) from error
    return Postgresql(url)

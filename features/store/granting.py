"""Who may read the views: a role of PostgreSQL that sees them and nothing else."""

from __future__ import annotations

from features.store.store import Store, StoreError
from features.store.views import VIEWS


def grants(store: Store, role: str) -> list[str]:
    """Return the statements that let a role read the views.

    Raises
    ------
    StoreError
        For a store in SQLite, which has no roles, and for a role that there is not.
    """
    if store._dialect.name != "postgresql":
        raise StoreError(
            f"the store {store._dialect.where} is a file of SQLite, which has no roles; let BI tools open it "
            "read-only, as file:nba.db?mode=ro, and give who reads it no right to write the file"
        )
    if not store._all("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)):
        raise StoreError(
            f"the server of the store {store._dialect.where} has no role {role!r}; make it with CREATE ROLE"
        )
    schema = str(store._all("SELECT current_schema()::text")[0][0])
    reader, place = quoted_name(role), quoted_name(schema)
    return [
        f"GRANT USAGE ON SCHEMA {place} TO {reader}",
        *(f"GRANT SELECT ON {place}.{quoted_name(view.name)} TO {reader}" for view in VIEWS),
    ]


def grant(store: Store, role: str) -> None:
    """Let a role read the views; what it could read before it still can.

    Raises
    ------
    StoreError
        As ``grants``, and where the user of the store may not grant.
    """
    statements = grants(store, role)
    with store.writing() as writing:
        for statement in statements:
            writing._cursor.execute(statement)


def quoted_name(name: str) -> str:
    """Quote a name for a statement.

    Examples
    --------
    >>> quoted_name('b"i')
    '"b""i"'
    """
    doubled = name.replace('"', '""')
    return f'"{doubled}"'

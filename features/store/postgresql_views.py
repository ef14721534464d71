"""Views in PostgreSQL: made anew without taking them away from who may read them or builds on them."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg import errors as faults

from features.store.dialect import Cursor

_READERS = (
    "SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END "
    "FROM pg_class AS c, aclexplode(c.relacl) AS a "
    "WHERE c.oid = '{name}'::regclass AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner"
)


def put(cursor: Cursor, name: str, select: str, comments: Mapping[str, str]) -> bool:
    """Make a view, or replace the one of that name.

    Parameters
    ----------
    comments
        What is said of what, such as ``VIEW v_decisions_daily``.

    Returns
    -------
    bool
        False where it was left as it was: its columns differ, and views of others stand on it.
    """
    # Without the barrier a function in somebody's condition could be shown rows that the view leaves out.
    view = f"VIEW {name} WITH (security_barrier) AS {select}"
    cursor.execute("SAVEPOINT putting")
    try:
        cursor.execute(f"CREATE OR REPLACE {view}")
    except faults.InvalidTableDefinition:
        cursor.execute("ROLLBACK TO SAVEPOINT putting")
        readers = [row[0] for row in cursor.execute(_READERS.format(name=name)).fetchall()]
        try:
            cursor.execute(f"DROP VIEW {name}")
        except faults.DependentObjectsStillExist:
            cursor.execute("ROLLBACK TO SAVEPOINT putting")
            return False
        cursor.execute(f"CREATE {view}")
        for reader in readers:
            cursor.execute(f"GRANT SELECT ON {name} TO {reader}")
    for place, said in comments.items():
        doubled = said.replace("'", "''")
        cursor.execute(f"COMMENT ON {place} IS '{doubled}'")
    return True

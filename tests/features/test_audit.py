"""Claims about the audit log: appended in order by any number of writers, and every change of it is found."""

import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.rows.row_types import AuditRow
from features.store import audit
from features.store.store import Store
from tests.features.test_store_migrations import IN_LINE, LINES, SINCE_4, SINCE_5, SINCE_6, SINCE_7


def entry(store: Store, reason: str = "better", **details: object) -> AuditRow:
    with store.writing() as writing:
        return audit.append(
            writing, at=5, by="me", what="promotion", subject="version 3 of nba", reason=reason, details=details
        )


def test_entries_are_chained_and_the_chain_holds_after_opening_again(store_url: str) -> None:
    with Store.open(store_url) as store:
        assert audit.check(store.audit_rows()) == audit.Chain(0, audit.FIRST)
        first = entry(store, "größer, „besser“", auc={"conversion": 0.75})
        assert (first.number, first.before) == (1, audit.FIRST)
        second = entry(store)
        assert (second.number, second.before) == (2, first.hash)
    with Store.open(store_url) as store:
        assert list(store.audit_rows()) == [first, second]
        assert audit.check(store.audit_rows()) == audit.Chain(2, second.hash)


def test_an_entry_is_there_together_with_what_was_done_or_not_at_all(store_url: str) -> None:
    with Store.open(store_url) as store:
        with pytest.raises(RuntimeError), store.writing() as writing:
            audit.append(writing, at=5, by="me", what="x", subject="y", reason="z")
            raise RuntimeError
        assert store.last_audit_row() is None


def test_writers_at_the_same_time_never_fork_the_chain(store_url: str) -> None:
    Store.open(store_url).close()
    faults: list[Exception] = []

    def write(n: int) -> None:
        try:
            with Store.open(store_url) as store:
                for i in range(10):
                    entry(store, f"{n}.{i}")
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    with Store.open(store_url) as store:
        found = list(store.audit_rows())
    assert audit.check(found).entries == 40
    assert {row.reason for row in found} == {f"{n}.{i}" for n in range(4) for i in range(10)}


def chain(n: int) -> list[AuditRow]:
    rows: list[AuditRow] = []
    for number in range(1, n + 1):
        before = rows[-1].hash if rows else audit.FIRST
        row = AuditRow(number, number * 10, "me", "promotion", "version 3 of nba", f"reason {number}", "{}", before, "")
        rows.append(row._replace(hash=audit.hash_of(row)))
    return rows


CHANGES: dict[str, Any] = {
    "at": 11,
    "by": "you",
    "what": "rollback",
    "subject": "version 4 of nba",
    "reason": "",
    "details": "[]",
}


@given(at=st.integers(0, 7), field=st.sampled_from([*CHANGES, "before", "hash", "number"]), rehashed=st.booleans())
def test_any_changed_field_of_any_entry_is_found(at: int, field: str, rehashed: bool) -> None:
    rows = chain(8)
    new: Any = {**CHANGES, "before": "1" * 64, "hash": "1" * 64, "number": 99}[field]
    changed: dict[str, Any] = {field: new}
    row = rows[at]._replace(**changed)
    rows[at] = row._replace(hash=audit.hash_of(row)) if rehashed and field != "hash" else row
    found = audit.check(rows)
    last_and_rehashed = at == 7 and rehashed and field in CHANGES
    if rows[at] == chain(8)[at]:
        assert found.fault is None
    elif last_and_rehashed:
        # Only who remembers the last hash can tell: that is why a version in MLflow is tagged with it.
        assert found.last != chain(8)[-1].hash
    else:
        assert found.fault is not None
        assert found.entries in (at, at + 1)


@given(at=st.integers(0, 6), way=st.sampled_from(["removed", "doubled", "swapped"]))
def test_an_entry_removed_doubled_or_swapped_is_found(at: int, way: str) -> None:
    rows = chain(8)
    if way == "removed":
        del rows[at]
    elif way == "doubled":
        rows.insert(at, rows[at])
    else:
        rows[at], rows[at + 1] = rows[at + 1], rows[at]
    assert audit.check(rows).fault is not None


def test_a_change_made_in_the_database_itself_is_found(tmp_path: Path) -> None:
    import sqlite3
    from contextlib import closing

    url = f"sqlite:///{tmp_path / 'nba.db'}"
    with Store.open(url) as store:
        for reason in ("one", "two", "three"):
            entry(store, reason)
    with closing(sqlite3.connect(tmp_path / "nba.db")) as connection, connection:
        connection.execute("UPDATE audit SET reason = 'never' WHERE number = 2")
    with Store.open(url) as store:
        assert audit.check(store.audit_rows()).fault == "entry 2 was changed after it was written"


def test_a_store_from_before_the_audit_log_gets_one(store_url: str) -> None:
    with Store.open(store_url) as store:
        with store.writing() as writing:
            for name in (*SINCE_7, *SINCE_6, *SINCE_5, *SINCE_4, *LINES, "TABLE audit"):
                writing._cursor.execute(f"DROP {name}")
            for column in IN_LINE:
                writing._cursor.execute(f"ALTER TABLE scores DROP COLUMN {column}")
            writing._cursor.execute("UPDATE nba_store SET version = 2")
    with Store.open(store_url) as store:
        assert audit.check([entry(store)]).entries == 1

"""What only a server does: it can be away, refuse, and go in the middle."""

import time

import psycopg
import pytest

from features.rows.row_types import TouchpointRow
from features.store import dialect as store_dialect
from features.store.patience import Patience
from features.store.store import Store, StoreAwayError, StoreError
from tests.postgres import Databases

ROW = TouchpointRow("a", 1, "1", "visit")


def database_of(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


def put(store: Store, row: TouchpointRow = ROW) -> int:
    with store.writing() as writing:
        return writing.touchpoints([row])


def test_a_missing_database_and_user_are_named(postgresql: Databases, postgresql_url: str) -> None:
    with pytest.raises(StoreError, match="no database 'nowhere'"):
        Store.open(postgresql.url("nowhere"))
    with pytest.raises(StoreError, match="does not know the user"):
        Store.open(postgresql_url.replace("postgres@", "nobody@"))


def test_a_server_that_is_away_is_a_sentence_without_the_password() -> None:
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        Store.open("postgresql+psycopg://user:secret@127.0.0.1:1/db")
    assert "secret" not in str(caught.value)


def test_only_a_server_that_may_come_back_is_waited_for(postgresql: Databases, postgresql_url: str) -> None:
    away = "postgresql://user@127.0.0.1:1/db"
    with Store.open(away, Patience(1.0), may_be_away=True) as store:
        assert store.is_out and "cannot be reached" in str(store.why_out)
        with pytest.raises(StoreAwayError, match=r"cannot be reached .*looked for all the time"):
            store.decision("d")
        assert not store.look() and store.is_out
    # Who has no patience has nobody who looks for it.
    for patience, may_be_away in ((None, True), (Patience(1.0), False)):
        with pytest.raises(StoreError, match="cannot be reached"):
            Store.open(away, patience, may_be_away=may_be_away)
    for wrong in (postgresql.url("nowhere"), postgresql_url.replace("postgres@", "nobody@")):
        with pytest.raises(StoreError, match=r"no database|does not know the user"):
            Store.open(wrong, Patience(1.0), may_be_away=True)


def test_a_role_that_may_only_read_reads(postgresql: Databases, postgresql_url: str) -> None:
    with Store.open(postgresql_url) as store:
        put(store)
    role = f"reader_{database_of(postgresql_url)}"
    postgresql.run(f"CREATE ROLE {role} LOGIN")
    try:
        postgresql.run(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}", database_of(postgresql_url))
        with Store.open(postgresql_url.replace("postgres@", f"{role}@")) as store:
            assert len(store.history("a", 9)) == 1
            with pytest.raises(StoreError, match="cannot be written to"):
                put(store, ROW._replace(touchpoint_id="2"))
    finally:
        postgresql.run(f"DROP OWNED BY {role}", database_of(postgresql_url))
        postgresql.run(f"DROP ROLE {role}")


def test_connections_that_were_cut_are_made_anew(postgresql: Databases, postgresql_url: str) -> None:
    cut = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database_of(postgresql_url)}'"
    with Store.open(postgresql_url) as store:
        put(store)
        assert len(store.history("a", 9)) == 1
        postgresql.run(cut)
        assert len(store.history("a", 9)) == 1
        assert put(store, ROW._replace(touchpoint_id="2")) == 1
        with pytest.raises(StoreError, match=r"going down|cannot be reached"), store.writing() as writing:
            writing.touchpoints([ROW._replace(touchpoint_id="3")])
            postgresql.run(cut)
            writing.touchpoints([ROW._replace(touchpoint_id="4")])
        assert [row[2] for row in store.history("a", 9)] == ["1", "2"]
        assert len(list(store.touchpoint_rows())) == 2


def test_a_writer_that_waits_too_long_gets_a_sentence(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(postgresql_url) as store, store.writing():
        monkeypatch.setattr(store_dialect, "BUSY_SECONDS", 0.05)
        with Store.open(postgresql_url) as other:
            with pytest.raises(StoreError, match="another process"), other.writing():
                pass


def test_two_stores_live_in_two_schemas_of_a_database(postgresql: Databases, postgresql_url: str) -> None:
    for name in ("one", "two"):
        postgresql.run(f"CREATE SCHEMA {name}", database_of(postgresql_url))
    one, two = (f"{postgresql_url}&options=-csearch_path%3D{name}" for name in ("one", "two"))
    with Store.open(one) as first, Store.open(two) as second, first.writing() as writing:
        writing.touchpoints([ROW])
        assert put(second) == 1
        assert first.counts()["touchpoints"] == 0


def test_tables_of_somebody_else_are_refused(postgresql: Databases, postgresql_url: str) -> None:
    postgresql.run("CREATE TABLE contacts (x int)", database_of(postgresql_url))
    with pytest.raises(StoreError, match="contacts"):
        Store.open(postgresql_url)


def test_history_is_read_by_its_key(postgresql_url: str) -> None:
    from features.store.selects import HISTORY

    with Store.open(postgresql_url) as store:
        with store.loading() as loading:
            loading.touchpoints([TouchpointRow(f"c{n % 500}", n, str(n), "visit") for n in range(20_000)])
            loading.settle()
        with psycopg.connect(postgresql_url, autocommit=True) as connection:
            connection.execute("ANALYZE")
        plan = " ".join(row[0] for row in store._all(f"EXPLAIN {HISTORY.text(store._dialect)}", ("c7", 10**6)))
    assert "touchpoints_pkey" in plan and "Seq Scan on touchpoints" not in plan


@pytest.mark.parametrize("state", ["XX000", "XX001", "XX002"])
def test_a_server_that_fails_by_itself_may_take_later_what_it_was_given(
    postgresql: Databases, postgresql_url: str, state: str
) -> None:
    with Store.open(postgresql_url) as store:
        raised = f"BEGIN RAISE EXCEPTION 'invalid page in block 7' USING ERRCODE = '{state}'; END"
        name = database_of(postgresql_url)
        postgresql.run(f"CREATE FUNCTION damaged() RETURNS trigger LANGUAGE plpgsql AS $${raised}$$", name)
        postgresql.run("CREATE TRIGGER damaged BEFORE INSERT ON touchpoints EXECUTE FUNCTION damaged()", name)
        with pytest.raises(StoreAwayError, match="invalid page in block 7"):
            put(store)
        postgresql.run("DROP TRIGGER damaged ON touchpoints", name)
        assert put(store) == 1


def test_a_transaction_that_the_server_ended_for_idling_may_be_tried_again(postgresql_url: str) -> None:
    mark = "&" if "?" in postgresql_url else "?"
    with Store.open(f"{postgresql_url}{mark}options=--idle_in_transaction_session_timeout%3D50ms") as store:
        with pytest.raises(StoreAwayError, match="idle-in-transaction"), store.writing() as writing:
            time.sleep(0.5)
            writing.touchpoints([ROW])
        assert put(store) == 1

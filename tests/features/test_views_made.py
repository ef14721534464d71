"""Views are made with the tables, anew when their definition changes, and read by roles that can do nothing else."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from features.rows.row_types import SightRow, TouchpointRow
from features.store import views
from features.store.granting import grant, grants
from features.store.sights import begin_sights, save_sights
from features.store.store import Store, StoreError
from features.store.view_running import QUALITY
from features.store.view_types import Column, View
from tests.postgres import Databases

NAMES = [view.name for view in views.VIEWS]


def columns(store: Store, name: str) -> list[str]:
    with closing(store._pool.connect()) as connection:
        cursor: Any = store._dialect.cursor(connection)
        cursor.execute(f"SELECT * FROM {name}")
        return [column[0] for column in cursor.description]


@pytest.fixture
def changed(monkeypatch: pytest.MonkeyPatch) -> View:
    """The first view with its columns in another order, as a later version may define it."""
    old = views.VIEWS[0]
    later = replace(old, columns=(Column("n", "number", "One."), *old.columns[:1]), select=lambda words: _LATER)
    monkeypatch.setattr(views, "VIEWS", (later, *views.VIEWS[1:]))
    return later


_LATER = "SELECT 1 AS n, contact_id FROM scores"


def test_a_new_store_has_every_view_with_its_columns(store_url: str) -> None:
    with Store.open(store_url) as store:
        for view in views.VIEWS:
            assert columns(store, view.name) == [column.name for column in view.columns]


def test_a_changed_definition_is_made_anew_when_the_store_is_opened(
    store_url: str, request: pytest.FixtureRequest
) -> None:
    with Store.open(store_url) as store:
        before = store._all("SELECT name, digest FROM view_definitions ORDER BY name")
    later = request.getfixturevalue("changed")
    with Store.open(store_url) as store:
        assert columns(store, later.name) == ["n", "contact_id"]
        after = store._all("SELECT name, digest FROM view_definitions ORDER BY name")
    assert [old[0] for old, new in zip(before, after, strict=True) if old != new] == [later.name]


def test_no_view_is_made_anew_where_nothing_changed(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(store_url):
        pass
    monkeypatch.setattr(views, "renew", None)
    with Store.open(store_url) as store:
        assert columns(store, NAMES[0])


def test_a_file_opened_read_only_shows_the_views_and_takes_nothing(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store:
        with pytest.raises(StoreError, match="mode=ro"):
            grants(store, "bi")
    with closing(sqlite3.connect(f"file:{tmp_path / 'nba.db'}?mode=ro", uri=True)) as reader:
        for name in NAMES:
            reader.execute(f"SELECT * FROM {name}").fetchall()
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.execute("DELETE FROM scores")


@pytest.fixture
def reader(postgresql: Databases, postgresql_url: str) -> str:
    """A role that may log in and nothing else."""
    name = 'b"i ' + postgresql_url.partition("?")[0].rpartition("/")[2]
    quoted = name.replace('"', '""')
    postgresql.run(f'CREATE ROLE "{quoted}" LOGIN')
    return name


def test_a_role_reads_the_views_and_nothing_else_and_cannot_write(postgresql_url: str, reader: str) -> None:
    import psycopg

    url = postgresql_url.replace("postgresql://postgres@", "postgresql://")
    with Store.open(postgresql_url) as store:
        with pytest.raises(StoreError, match="no role 'nobody'"):
            grant(store, "nobody")
        grant(store, reader)
        with psycopg.connect(url, user=reader, autocommit=True) as connection:
            for name in NAMES:
                connection.execute(f"SELECT * FROM {name}")
            tables = connection.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
            ).fetchall()
            assert ("touchpoints",) in tables
            for (table,) in tables:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f'SELECT * FROM "{table}"')
            for statement in (
                "DELETE FROM v_next_best_action",
                "INSERT INTO audit VALUES (1)",
                "CREATE TABLE mine (n int)",
                "DROP VIEW v_data_quality",
            ):
                with pytest.raises(psycopg.Error):
                    connection.execute(statement)
            told = connection.execute(
                "SELECT obj_description('v_data_quality'::regclass), col_description('v_data_quality'::regclass, 1)"
            ).fetchone()
    assert told == (QUALITY.row, QUALITY.columns[0].means)


def test_a_function_of_the_reader_is_not_shown_what_the_view_leaves_out(postgresql_url: str, reader: str) -> None:
    import psycopg

    url = postgresql_url.replace("postgresql://postgres@", "postgresql://")
    with Store.open(postgresql_url) as store:
        with store.writing() as writing:
            writing.touchpoints(
                [TouchpointRow("crm:open", 1, "a", "visit"), TouchpointRow("crm:kept", 1, "b", "secret")]
            )
            rows = [SightRow("crm:open", "crm:open", shows="*"), SightRow("crm:kept", "crm:kept", shows="")]
            assert save_sights(writing, rows, begin_sights(writing))
        grant(store, reader)
    heard: list[str] = []
    with psycopg.connect(url, user=reader, autocommit=True) as connection:
        connection.add_notice_handler(lambda notice: heard.append(str(notice.message_primary)))
        connection.execute(
            "CREATE FUNCTION pg_temp.leak(text) RETURNS bool COST 0.0000001 LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE NOTICE '%', $1; RETURN true; END $$"
        )
        found = connection.execute("SELECT contact_id FROM v_contact_timeline WHERE pg_temp.leak(kind)").fetchall()
    assert found == [("crm:open",)]
    assert heard == ["visit"]


def test_who_may_read_a_view_still_may_when_it_is_made_anew(
    postgresql_url: str, reader: str, request: pytest.FixtureRequest
) -> None:
    import psycopg

    with Store.open(postgresql_url) as store:
        grant(store, reader)
    later = request.getfixturevalue("changed")
    with Store.open(postgresql_url):
        pass
    url = postgresql_url.replace("postgresql://postgres@", "postgresql://")
    with psycopg.connect(url, user=reader) as connection:
        connection.execute(f"SELECT n FROM {later.name}")


def test_a_view_that_others_build_on_stays_as_it_is_and_the_store_opens(
    postgresql_url: str, request: pytest.FixtureRequest
) -> None:
    with Store.open(postgresql_url) as store, store.writing() as writing:
        writing._cursor.execute(f"CREATE VIEW mine AS SELECT stage FROM {NAMES[0]}")
    request.getfixturevalue("changed")
    with Store.open(postgresql_url) as store:
        assert "stage" in columns(store, NAMES[0])

"""``nba views``: lists them, brings up to date whom they show, and lets a role of PostgreSQL read them."""

import json
from pathlib import Path

import pytest

from features.rows.row_types import SightRow, TouchpointRow
from features.store.sights import sight_rows
from features.store.store import Store
from features.store.views import VIEWS
from nba.cli import main
from tests.postgres import Databases


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_they_are_listed_with_every_column(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["views", "list"]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("v_")] == [v.name for v in VIEWS]
    assert main(["views", "list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {view["view"]: [column["name"] for column in view["columns"]] for view in told} == {
        view.name: [column.name for column in view.columns] for view in VIEWS
    }


def test_a_refresh_looks_at_everybody(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open("sqlite:///nba.db") as store, store.writing() as writing:
        writing.touchpoints([TouchpointRow("crm:1", 1, "a", "visit")])
    assert main(["views", "refresh"]) == 0
    assert capsys.readouterr().out == "1 contacts looked at\n"
    with Store.open("sqlite:///nba.db") as store:
        assert list(sight_rows(store)) == [SightRow("crm:1", "crm:1", shows="*")]


def test_a_file_has_no_roles_to_grant_to(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["views", "grant", "bi"]) == 1
    assert "mode=ro" in capsys.readouterr().err


def test_printing_the_grants_grants_nothing(
    here: Path,
    postgresql: Databases,
    postgresql_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import psycopg

    role = f"printed_{postgresql_url.partition('?')[0].rpartition('/')[2]}"
    postgresql.run(f"CREATE ROLE {role} LOGIN")
    monkeypatch.setenv("NBA_STORE_URL", postgresql_url)
    url = postgresql_url.replace("postgresql://postgres@", "postgresql://")
    for more, is_let_in in ((["--print"], False), ([], True)):
        assert main(["views", "grant", role, *more]) == 0
        printed = capsys.readouterr().out.splitlines()
        assert printed[0] == f'GRANT USAGE ON SCHEMA "public" TO "{role}";'
        assert [line.split('"')[3] for line in printed[1:]] == [view.name for view in VIEWS]
        with psycopg.connect(url, user=role) as connection:
            if is_let_in:
                connection.execute("SELECT * FROM v_next_best_action")
            else:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute("SELECT * FROM v_next_best_action")

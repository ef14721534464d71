"""``nba duplicates``: proposes, and a person decides."""

import argparse
import io
import json
from pathlib import Path

import pytest

from features.errors import UserError
from features.rows.row_types import RecordRow
from features.store.store import Store
from nba.commands import duplicates, identities
from nba.output import Output


@pytest.fixture(autouse=True)
def _two_of_one_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NBA_STORE_URL", raising=False)
    with Store.open("sqlite:///nba.db") as store, store.writing() as writing:
        writing.contacts(
            [
                RecordRow("crm:1", 0, {"name": "Ann Lee", "email": "ann@acme.ch", "account": "acme"}),
                RecordRow("shop:8", 0, {"name": "Lee, Ann", "email": "Ann@Acme.ch", "account": "acme"}),
                RecordRow("crm:2", 0, {"name": "Beat Graf", "email": "beat@acme.ch", "account": "acme"}),
            ]
        )


def call(module, *argv: str, status: int = 0) -> tuple[str, str]:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path)
    module.register(parser)
    results, notes = io.StringIO(), io.StringIO()
    assert module.run(parser.parse_args(argv), Output(results, notes)) == status
    return results.getvalue(), notes.getvalue()


def proposed() -> list[list[str]]:
    return [[each["a"], each["b"]] for each in json.loads(call(duplicates, "--json")[0])]


def test_pairs_are_proposed_with_their_reasons() -> None:
    assert proposed() == [["crm:1", "shop:8"]]
    results, notes = call(duplicates)
    assert "same mail" in results
    assert "Lee, Ann" in results
    assert "--confirm" in notes


def test_confirmed_they_are_one_contact_and_proposed_no_more() -> None:
    call(duplicates, "--confirm", "crm:1", "shop:8")
    assert json.loads(call(identities, "show", "shop:8", "--json")[0])["identities"] == ["crm:1", "shop:8"]
    assert proposed() == []
    with pytest.raises(UserError, match="one contact already"):
        call(duplicates, "--confirm", "shop:8", "crm:1")


def test_refused_they_are_proposed_no_more_and_can_be_confirmed_after_all() -> None:
    call(duplicates, "--refuse", "shop:8", "crm:1", "--reason", "mother and daughter")
    assert proposed() == []
    with Store.open("sqlite:///nba.db") as store:
        (split,) = store.split_rows()
    assert split.reason == "mother and daughter"
    call(duplicates, "--confirm", "crm:1", "shop:8")
    assert len(json.loads(call(identities, "show", "crm:1", "--json")[0])["identities"]) == 2


def test_to_refuse_needs_a_reason() -> None:
    assert "--reason" in call(duplicates, "--refuse", "crm:1", "shop:8", status=2)[1]


@pytest.mark.parametrize(("a", "b", "said"), [("crm:1", "crm:9", "'crm:9'"), ("crm:1", "crm:1", "twice")])
def test_who_is_not_there_is_named(a: str, b: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        call(duplicates, "--confirm", a, b)


@pytest.mark.parametrize("limit", ["0", "-1", "many"])
def test_a_limit_is_a_number(limit: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        call(duplicates, "--limit", limit)
    assert caught.value.code == 2
    assert capsys.readouterr().err


def test_refused_they_may_still_hang_together_by_others_which_is_said() -> None:
    call(duplicates, "--confirm", "crm:1", "crm:2")
    call(duplicates, "--confirm", "crm:2", "shop:8")
    results, notes = call(duplicates, "--refuse", "crm:1", "shop:8", "--reason", "two")
    assert "crm:1 - crm:2 - shop:8" in notes
    assert "not one person" in results

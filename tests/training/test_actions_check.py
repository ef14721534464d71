"""Claims about eligible contacts: every contact is counted once for each action, as a request would answer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from features.store import Store
from nba.cli import main
from nba.request import Request
from nba.settings import parse_settings
from nba.weighing import weigh
from tests.training import weighing_worlds
from tests.training.weighing_worlds import CATALOGUE, NOW, belief, of_request, settings
from training.actions_check import check_actions
from training.everybody import Everybody


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('world') / 'nba.db'}") as store:
        weighing_worlds.write(store, seed=3)
        yield store


@pytest.mark.parametrize("model", [False, True])
def test_counts_are_those_of_every_contact_asked_by_itself(store: Store, model: bool) -> None:
    believed = belief() if model else None
    everybody = Everybody.read(store, settings(), NOW)
    eligible, removed = Counter[str](), Counter[tuple[str, str]]()
    for name in everybody.names:
        verdict = weigh(Request(name), of_request(store, name), believed, CATALOGUE, NOW).judged.verdict
        eligible.update(CATALOGUE.names[column] for column in verdict.columns[1:])
        removed.update((refusal.action, refusal.rule) for refusal in verdict.refusals)
    done: list[int] = []
    found = check_actions(everybody, settings(), believed, advance=done.append)
    assert found["contacts"] == len(everybody.names) == sum(done)
    for name, each in found["actions"].items():
        assert each["eligible"] == eligible[name]
        assert each["removed"] == {rule: n for (action, rule), n in removed.items() if action == name}
        assert list(each["removed"].values()) == sorted(each["removed"].values(), reverse=True)
        assert each["eligible"] + sum(each["removed"].values()) == found["contacts"]
    assert any(rule.startswith("cap:") for each in found["actions"].values() for rule in each["removed"])


def test_an_action_for_another_place_is_looked_at_there(store: Store) -> None:
    elsewhere = parse_settings('[actions.banner]\nchannel = "web"\nplacements = ["shop"]\n[actions.mail]\nchannel="m"')
    found = check_actions(Everybody.read(store, elsewhere, NOW), elsewhere, None)
    banner = found["actions"]["banner"]
    assert (banner["channel"], banner["placement"]) == ("web", "shop")
    assert banner["eligible"] > 0 and "eligibility" not in banner["removed"]


def test_the_command_prints_a_table_and_json(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as mine:
        weighing_worlds.write(mine, seed=3, n=20)
    file = tmp_path / "nba.toml"
    file.write_text(weighing_worlds.TOML + '[store]\nurl = "sqlite:///nba.db"\n', encoding="utf-8")
    command = ["--config", str(file), "actions", "check", "--as-of", "2026-06-17T10:00:00Z"]
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["as_of"] == "2026-06-17T10:00:00Z" and set(found["actions"]) == set(CATALOGUE.names[1:])
    assert main(command) == 0
    shown = capsys.readouterr().out
    for name, each in found["actions"].items():
        line = next(line for line in shown.splitlines() if line.startswith(name))
        assert all(f"{rule} {n}" in line for rule, n in each["removed"].items())


def test_a_check_without_actions_or_contacts_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "nba.toml"
    file.write_text("", encoding="utf-8")
    assert main(["--config", str(file), "actions", "check"]) == 1
    assert "no action is defined; add one" in capsys.readouterr().err
    file.write_text('[actions.mail]\nchannel = "email"', encoding="utf-8")
    assert main(["--config", str(file), "actions", "check"]) == 1
    assert "the store holds no contacts before" in capsys.readouterr().err

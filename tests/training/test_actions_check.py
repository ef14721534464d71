"""Claims about eligible contacts: every contact is counted once for each action, as a request would answer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from features.rows.row_types import ContactRow, TouchpointRow
from features.store.store import Store
from features.times import DAY
from nba.cli import main
from nba.partners.visibility import OWNER_SIDE, sight_in
from nba.request import Request
from nba.settings import parse_settings
from nba.weighing import weigh
from tests.training import weighing_worlds
from tests.training.weighing_worlds import CATALOGUE, NOW, belief, of_request, settings
from training.everybody.actions_check import check_actions, placements_of
from training.everybody.everybody import Everybody


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
    own = [name for name in everybody.names if not is_kept(store, name)]
    for name in own:
        verdict = weigh(Request(name), of_request(store, name), believed, CATALOGUE, NOW).judged.verdict
        eligible.update(CATALOGUE.names[column] for column in verdict.columns[1:])
        removed.update((refusal.action, refusal.rule) for refusal in verdict.refusals)
    done: list[int] = []
    found = check_actions(everybody, settings(), believed, ["outbound"], advance=done.append)
    assert len(everybody.names) == sum(done) and found["contacts"] == len(own) < len(everybody.names)
    for name, each in found["actions"].items():
        counts = each["placements"]["outbound"]
        assert counts["eligible"] == eligible[name]
        assert counts["removed"] == {rule: n for (action, rule), n in removed.items() if action == name}
        assert list(counts["removed"].values()) == sorted(counts["removed"].values(), reverse=True)
        assert counts["eligible"] + sum(counts["removed"].values()) == found["contacts"]
    rules = [rule for each in found["actions"].values() for rule in each["placements"]["outbound"]["removed"]]
    assert any(rule.startswith("cap:") for rule in rules)


def is_kept(store: Store, name: str) -> bool:
    return not sight_in(OWNER_SIDE, of_request(store, name), settings().partners, NOW).shows("recommendations")


def test_every_placement_that_an_action_names_is_looked_at(store: Store) -> None:
    both = '[actions.banner]\nchannel = "web"\nplacements = ["shop", "outbound"]\nunless_owned = "p1"\n'
    elsewhere = parse_settings(
        both + '[actions.mail]\nchannel = "mail"\n[contact_policy.quiet]\nfrom = "01:00"\nto="23:00"'
    )
    assert placements_of(elsewhere) == ["shop", "outbound"]
    everybody = Everybody.read(store, elsewhere, NOW)
    found = check_actions(everybody, elsewhere, None, placements_of(elsewhere))["actions"]
    assert found["banner"]["channel"] == "web" and found["banner"]["placements"].keys() == {"shop", "outbound"}
    # Who comes by itself is answered in quiet hours, too.
    shop, outbound = (found["banner"]["placements"][each] for each in ("shop", "outbound"))
    assert (
        shop["eligible"] > 0 == outbound["eligible"] and "quiet" in outbound["removed"].keys() - shop["removed"].keys()
    )
    assert found["mail"]["placements"].keys() == {"outbound"}
    one = check_actions(everybody, elsewhere, None, ["shop"])["actions"]
    assert one == {"banner": {"channel": "web", "placements": {"shop": shop}}}


@pytest.mark.parametrize("protected", [1, 4, 5, 9])
def test_no_count_changes_by_one_protected_contact(tmp_path: Path, protected: int) -> None:
    mail = parse_settings('[actions.mail]\nchannel = "mail"\nneeds = { seen = ["visit"] }')

    def checked(visitors: int) -> dict[str, Any]:
        path = tmp_path / f"{visitors}.db"
        with Store.open(f"sqlite:///{path}") as store:
            with store.writing() as writing:
                writing.touchpoints([TouchpointRow(f"own{i}", NOW - DAY, f"o{i}", "visit") for i in range(3)])
                for i in range(10):
                    kind = "visit" if i < visitors else "other"
                    writing.touchpoints([TouchpointRow(f"c{i}", NOW - DAY, f"t{i}", kind)])
                    writing.contacts([ContactRow(f"c{i}", NOW - 2 * DAY, {"partner": "north"})])
                partner = {"mode": "direct", "visible": ["aggregate"]}
                writing.records("partners", [ContactRow("north", NOW - 90 * DAY, partner)])
            return check_actions(Everybody.read(store, mail, NOW), mail, None, ["outbound"])

    found = checked(protected)
    counts = found["actions"]["mail"]["placements"]["outbound"]
    assert (found["contacts"], found["kept_by_partners"]) == (3, 10)
    assert counts == {"eligible": 3, "removed": {}, "kept_by_partners": None if protected < 5 else 5}
    # One more or less of them shows in nothing, but where a whole five is passed.
    assert (checked(protected - 1) == found) is (protected != 5)


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
        assert all(f"{rule} {n}" in line for rule, n in each["placements"]["outbound"]["removed"].items())
    assert found["kept_by_partners"] == 5 and "not counted above: 5 or a few more" in shown
    assert main([*command, "--placement", "shop"]) == 2
    assert "'shop' is not known here; there are outbound" in capsys.readouterr().err


def test_a_check_without_actions_or_contacts_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "nba.toml"
    file.write_text("", encoding="utf-8")
    assert main(["--config", str(file), "actions", "check"]) == 1
    assert "no action is defined; add one" in capsys.readouterr().err
    file.write_text('[actions.mail]\nchannel = "email"', encoding="utf-8")
    assert main(["--config", str(file), "actions", "check"]) == 1
    assert "the store holds no contacts before" in capsys.readouterr().err

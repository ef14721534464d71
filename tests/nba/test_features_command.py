"""Claims about ``nba features``: the catalogue in full, and a contact's values with what they came from."""

import json
from typing import Any

import pytest

from features.catalogue import CATALOGUE
from features.feature_set import FeatureSet, TraitColumn
from models.bundle import Bundle
from models.local import install
from nba.cli import main

TOML = """
[topics]
rules = [
  { property = "url", matches = "/produkte/pumpen/*", topic = "pumps/industrial" },
  { property = "search", contains = ["pumpe"], topic = "pumps" },
]
"""
TOUCHPOINTS = """\
identity,occurred_at,kind,channel,url,search,topic,value
crm:1,2026-11-01T10:00:00Z,page_view,web,https://example.com/produkte/pumpen/7?x=1,,,
crm:1,2026-11-01T11:00:00Z,page_view,web,/produkte/saegen/8,,,
crm:1,2026-11-02T11:00:00Z,page_view,web,/produkte/pumpen/8,,valves,
crm:1,2026-11-03T11:00:00Z,search,web,,Wärmepumpe,,
crm:1,2026-11-10T11:00:00Z,order,store,,,,120.5
crm:2,2026-11-10T11:00:00Z,order,store,,,,7
"""
CONTACTS = "identity,known_at,size,sector\ncrm:1,2026-10-01,12,metal\ncrm:1,2026-11-05,14,metal\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nba.toml").write_text(TOML)
    (tmp_path / "t.csv").write_text(TOUCHPOINTS)
    (tmp_path / "c.csv").write_text(CONTACTS)
    assert main(["load", "touchpoints", "t.csv"]) == 0
    assert main(["load", "contacts", "c.csv"]) == 0
    return tmp_path


def explained(capsys, *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["features", "explain", *words, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    found["features"] = {each["name"]: each for each in found["features"]}
    return found


def test_the_list_has_every_column_of_the_catalogue(capsys):
    assert main(["features", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in listed] == [f.name.replace("{}", "…") for f in CATALOGUE]
    assert all(set(each) == {"name", "unit", "window", "means"} and all(each.values()) for each in listed)
    assert main(["features", "list"]) == 0
    shown = capsys.readouterr().out
    assert all(f" {each['means']}" in shown and each["name"] in shown for each in listed)


def test_values_come_with_their_touchpoints_and_topics_by_rule(here, capsys):
    found = explained(capsys, "crm:1", "--as-of", "2026-11-20")
    assert (found["contact_id"], found["identities"], found["touchpoints"]) == ("crm:1", ["crm:1"], 5)
    views = found["features"]["n_kind_page_view_30d"]
    assert views["value"] == 3 and [each["adds"] for each in views["touchpoints"]] == [1, 1, 1]
    revenue = found["features"]["revenue_ever"]
    assert [(each["kind"], each["adds"]) for each in revenue["touchpoints"]] == [("order", 120.5)]
    pumps = found["features"]["interest_topic_pumps"]["touchpoints"]
    # What is about industrial pumps is about pumps, too; what the source calls a topic stays what it says.
    assert [each["occurred_at"] for each in pumps] == ["2026-11-01T10:00:00Z", "2026-11-03T11:00:00Z"]
    assert [each["topics"] for each in pumps] == [["pumps/industrial"], ["pumps"]]


def test_a_changed_rule_holds_at_once_for_what_was_loaded_before(here, capsys):
    (here / "nba.toml").write_text(TOML.replace('"pumps/industrial"', '"fluid"').replace("/produkte/pumpen/*", "*"))
    found = explained(capsys, "crm:1", "--as-of", "2026-11-20")["features"]
    assert len(found["interest_topic_fluid"]["touchpoints"]) == 2
    assert "interest_topic_pumps/industrial" not in found


def test_traits_come_with_the_time_since_when_they_are_known(here, capsys):
    late = explained(capsys, "crm:1", "--as-of", "2026-11-20")["features"]
    assert (late["trait_size"]["value"], late["trait_size"]["known_since"]) == (14, "2026-11-05T00:00:00Z")
    assert (late["trait_sector"]["given"], late["trait_sector"]["known_since"]) == ("metal", "2026-10-01T00:00:00Z")
    early = explained(capsys, "crm:1", "--as-of", "2026-11-05")
    assert early["features"]["trait_size"]["value"] == 12 and early["touchpoints"] == 4


def test_the_text_says_what_matters_first_and_fits_a_terminal(here, capsys):
    capsys.readouterr()
    assert main(["features", "explain", "crm:1", "--as-of", "2026-11-20"]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 100
    assert "Touchpoints of kind page_view in the last 30 days." in shown and "120.50 EUR" in shown
    assert "2026-11-10 11:00 order (store) +120.5" in shown and "known since 2026-11-05 00:00" in shown
    assert "and 1 more" in shown and "zero or not known; --all lists them" in shown
    assert main(["features", "explain", "crm:1", "--as-of", "2026-11-20", "--all"]) == 0
    whole = capsys.readouterr().out
    assert "and 1 more" not in whole and "Zero or not known: " in whole
    assert "answer_rate" in whole.partition("Zero or not known: ")[2]


def test_linked_identities_are_one_contact_from_then_on(here, capsys):
    (here / "l.csv").write_text("identity_a,identity_b,seen_at,how\ncrm:1,crm:2,2026-11-12,login\n")
    assert main(["load", "links", "l.csv"]) == 0
    before = explained(capsys, "crm:2", "--as-of", "2026-11-12")
    after = explained(capsys, "crm:2", "--as-of", "2026-11-13")
    assert (before["identities"], before["touchpoints"]) == (["crm:2"], 1)
    assert (after["identities"], after["contact_id"], after["touchpoints"]) == (["crm:1", "crm:2"], "crm:1", 6)
    assert after["features"]["revenue_ever"]["value"] == 127.5
    assert after["features"]["trait_size"]["value"] == 14


def champion(here, features: FeatureSet) -> None:
    manifest = {"features": features.to_json(), "goals": {}, "policies": {"serves": "points", "evidence": "none"}}
    install(here, here / "made", "7", Bundle(manifest).save(here / "made").sha256)


def test_the_columns_are_those_of_the_champion(here, capsys):
    traits = (TraitColumn("sector", "category", ("wood", "metal")), TraitColumn("colour", "number"))
    champion(here, FeatureSet(("order",), (), ("pumps",), traits=traits))
    found = explained(capsys, "crm:1", "--as-of", "2026-11-20")
    assert found["columns_of"] == "the columns of model 7"
    assert "n_kind_page_view_30d" not in found["features"]
    rest = found["features"]["n_kind_(other)_30d"]["touchpoints"]
    assert [each["kind"] for each in rest] == ["page_view", "page_view", "page_view", "search"]
    assert found["features"]["trait_sector"]["value"] == 1
    assert found["features"]["trait_colour"]["value"] is None is found["features"]["trait_colour"]["known_since"]


def test_what_a_champion_knows_beyond_a_history_is_named(here, capsys):
    champion(here, FeatureSet((), (), (), account=True))
    capsys.readouterr()
    assert main(["features", "explain", "crm:1", "--as-of", "2026-11-20"]) == 0
    assert "about the account" in capsys.readouterr().err


def test_a_champion_that_cannot_be_read_is_named(here, capsys):
    champion(here, FeatureSet((), (), ()))
    for path in (here / "bundles").glob("*/manifest.json"):
        path.write_text("{")
    capsys.readouterr()
    assert main(["features", "explain", "crm:1", "--as-of", "2026-11-20"]) == 0
    told = capsys.readouterr()
    assert "champion 7 cannot be used" in told.err and "those of this contact" in told.out


def test_somebody_unknown_is_told_so(here, capsys):
    capsys.readouterr()
    assert main(["features", "explain", "crm:nobody"]) == 1
    told = capsys.readouterr()
    assert told.out == "" and "nothing is known of 'crm:nobody'" in told.err
    assert main(["features", "explain", "crm:1", "--as-of", "2026-01-01"]) == 1
    assert "before 2026-01-01T00:00:00Z" in capsys.readouterr().err


def test_who_may_not_be_profiled_has_no_features(here, capsys):
    (here / "nba.toml").write_text(TOML + '[contact_policy.consent]\nprofiling = "opt_in"\n')
    capsys.readouterr()
    assert main(["features", "explain", "crm:1"]) == 1
    assert "may not be profiled" in capsys.readouterr().err

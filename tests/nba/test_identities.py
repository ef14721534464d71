import json

import pytest

from features.rows.row_types import ContactRow, LinkRow
from features.store.store import Store
from nba.cli import main
from nba.settings import SettingsError, parse_settings

DAY = 86_400_000_000
START = 1_764_000_000_000_000 - 200 * DAY


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [("cookie:1", "crm:1", "login"), ("crm:1", "tablet:1", "alias"), ("crm:1", "weak:1", "click")]
    with Store.open("sqlite:///nba.db") as store, store.writing() as writing:
        writing.links([LinkRow(a, b, START, how, 0.4 if a == b or "weak" in b else None) for a, b, how in rows])
    return tmp_path


def test_show_names_the_contact_its_identities_and_their_links(shop, capsys):
    assert main(["identities", "show", "cookie:1"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("crm:1: 3 identities\n")
    assert "login" in shown and "alias" in shown and "weak:1" not in shown


def test_show_as_json_and_as_of(shop, capsys):
    assert main(["identities", "show", "cookie:1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["contact_id"] == "crm:1" and found["identities"] == ["cookie:1", "crm:1", "tablet:1"]
    assert [row["how"] for row in found["links"]] == ["alias", "login"]
    assert main(["identities", "show", "cookie:1", "--as-of", "2025-01-01", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"contact_id": "cookie:1", "identities": ["cookie:1"], "links": []}


def test_whom_nobody_knows_or_may_see_is_said_alike(shop, capsys):
    with Store.open("sqlite:///nba.db") as store, store.writing() as writing:
        writing.contacts([ContactRow(name, START, {"partner": "north"}) for name in ("crm:1", "crm:2")])
        writing.contacts([ContactRow("crm:3", START, {"size": 4})])
    told = {}
    for name in ("nobody", "crm:2", "cookie:1", "crm:3"):
        assert main(["identities", "show", name]) == 0
        shown = capsys.readouterr()
        told[name] = (shown.out + shown.err).replace(name, "NAME")
    assert told["nobody"] == told["crm:2"] == told["cookie:1"] != told["crm:3"]
    assert "nothing is known of 'NAME'; check the spelling" in told["nobody"]
    assert "nothing joins it with another identity" in told["crm:3"]


def test_a_split_takes_a_wrong_join_back(shop, capsys):
    assert main(["identities", "split", "tablet:1", "crm:1", "--reason", "the shop's own"]) == 0
    capsys.readouterr()
    assert main(["identities", "show", "tablet:1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["identities"] == ["tablet:1"]
    with Store.open("sqlite:///nba.db") as store:
        (row,) = store.split_rows()
    assert (row.identity_a, row.identity_b, row.reason) == ("crm:1", "tablet:1", "the shop's own")


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        (("cookie:1", "tablet:1"), "cookie:1 crm:1, crm:1 tablet:1"),
        (("crm:1", "weak:1"), "nothing to split"),
        (("crm:1", "crm:1"), "nothing to split"),
        (("crm:1", "nobody"), "nothing to split"),
    ],
)
def test_a_split_of_what_no_link_joins_is_refused_with_the_way_out(shop, capsys, pair, says):
    assert main(["identities", "split", *pair, "--reason", "r"]) == 1
    assert says in capsys.readouterr().err
    with Store.open("sqlite:///nba.db") as store:
        assert not list(store.split_rows())


def test_a_pair_that_still_hangs_together_is_said(shop, capsys):
    with Store.open("sqlite:///nba.db") as store, store.writing() as writing:
        writing.links([LinkRow("cookie:1", "tablet:1", START, "login")])
    assert main(["identities", "split", "tablet:1", "crm:1", "--reason", "r"]) == 0
    assert "tablet:1 - cookie:1 - crm:1" in capsys.readouterr().err


def test_a_reason_is_needed(shop, capsys):
    assert main(["identities", "split", "tablet:1", "crm:1"]) == 2


def test_the_owner_says_how_sure_a_link_must_be():
    assert parse_settings("").touchpoints.stitch_confidence == 0.9
    assert parse_settings("[touchpoints]\nstitch_confidence = 0.5").touchpoints.stitch_confidence == 0.5
    with pytest.raises(SettingsError, match=r"touchpoints\.stitch_confidence"):
        parse_settings("[touchpoints]\nstitch_confidence = 1.5")


def test_an_empty_reason_is_none(shop, capsys):
    assert main(["identities", "split", "tablet:1", "crm:1", "--reason", " "]) == 2
    assert "--reason is empty" in capsys.readouterr().err


def test_links_that_join_nobody_are_told_apart_from_none(shop, capsys):
    assert main(["identities", "show", "weak:1"]) == 0
    assert "it has links, but none joins it" in capsys.readouterr().err
    with Store.open("sqlite:///nba.db") as store, store.writing() as writing:
        writing.contacts([ContactRow("alone", START, {"size": 4})])
    assert main(["identities", "show", "alone"]) == 0
    assert "nba load links" in capsys.readouterr().err

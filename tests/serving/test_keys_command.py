import json
import re

import pytest

from features.store import audit
from features.store.store import Store
from nba.cli import main
from serving.issuing import IssuingError, Rights, checked
from serving.keys import digest_of
from tests.serving.conftest import SETTINGS

NOW = 1_764_000_000_000_000


@pytest.fixture
def shop(tmp_path, monkeypatch, capsys):
    (tmp_path / "nba.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)

    def keys(*args, status=0):
        assert main(["keys", *args]) == status
        return capsys.readouterr()

    return keys


def listed(shop):
    return json.loads(shop("list", "--json").out)["keys"]


def audited():
    with Store.open("sqlite:///nba.db") as store:
        rows = list(store.audit_rows())
    assert audit.check(rows).fault is None
    return [(row.what, row.subject, row.reason) for row in rows]


def test_a_key_is_shown_once_and_kept_as_its_hash(shop, tmp_path):
    said = shop(
        "add", "crm", "--scopes", "feedback, recommend", "--partner", "north", "--rate", "20", "--expires", "90d"
    )
    key = said.out.strip()
    assert re.fullmatch(r"nba_[0-9A-Za-z]{43}", key) and key not in said.err and "north" in said.err
    (row,) = listed(shop)
    assert row["scopes"] == ["recommend", "feedback"] and row["partner"] == "north" and row["rate"] == 20.0
    assert row["state"] == "live" and row["expires_at"] > row["created_at"] and key not in json.dumps(row)
    assert row["name"] in shop("list").out
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("nba.db*"))
    assert digest_of(key).encode() in kept and key.encode() not in kept and key[4:].encode() not in kept
    assert audited() == [("key added", f"key crm ({row['id']})", "as asked")]


def test_a_second_key_of_a_name_stays_beside_the_first(shop):
    shop("add", "crm", "--scopes", "read")
    said = shop("rotate", "crm")
    old, new = listed(shop)
    assert {old["state"], new["state"]} == {"live"} and new["scopes"] == old["scopes"]
    assert f"nba keys revoke {old['id']}" in said.err
    assert "2 live keys" in shop("add", "crm", "--scopes", "read", status=1).err
    assert "name one by its id" in shop("revoke", "crm", "--reason", "rotated", status=1).err
    shop("revoke", old["id"], "--reason", "rotated")
    assert [each["state"] for each in listed(shop)] == ["revoked", "live"]
    assert "no such key" in shop("revoke", old["id"], "--reason", "again", status=1).err
    shop("revoke", "crm", "--reason", "over")
    assert [what for what, *_ in audited()] == ["key added", "key rotated", "key revoked", "key revoked"]
    assert "no live key" in shop("rotate", "crm", status=1).err


def test_a_key_that_was_found_can_be_revoked_by_itself(shop):
    key = shop("add", "crm", "--scopes", "read").out.strip()
    said = shop("revoke", key, "--reason", "was in a repository")
    assert key not in said.err and listed(shop)[0]["state"] == "revoked"
    assert key not in shop("revoke", key, "--reason", "again", status=1).err


def test_a_name_never_changes_sides(shop):
    shop("add", "north", "--scopes", "recommend", "--partner", "north")
    shop("revoke", "north", "--reason", "over")
    assert "take another name" in shop("add", "north", "--scopes", "recommend", "--partner", "south", status=1).err
    assert "take another name" in shop("add", "north", "--scopes", "recommend", status=1).err
    shop("add", "north", "--scopes", "recommend", "--partner", "north")


def test_public_keys_ingest_for_pages(shop):
    shop("add", "shop", "--public", "--origin", "HTTPS://Shop.Example:443/", "--origin", "http://localhost:3000")
    (row,) = listed(shop)
    assert row["scopes"] == ["ingest"] and row["public"] is True
    assert row["origins"] == ["https://shop.example", "http://localhost:3000"]


@pytest.mark.parametrize(
    ("args", "status", "says"),
    [
        (["add", "crm"], 2, "--scopes is missing"),
        (["add", "crm", "--scopes", ","], 1, "--scopes is empty"),
        (["add", "crm", "--scopes", "raed"], 1, "'raed' is not a scope"),
        (["add", "a b", "--scopes", "read"], 1, "is not a name for a key"),
        (["add", "crm", "--scopes", "admin", "--partner", "north"], 1, "admin is for the whole service"),
        (["add", "crm", "--scopes", "read", "--partner", ""], 1, "--partner is empty"),
        (["add", "crm", "--scopes", "read", "--partner", "a", "--owner", "b"], 2, "not allowed with"),
        (["add", "crm", "--scopes", "read", "--rate", "0"], 1, "--rate 0 is out of bounds"),
        (["add", "crm", "--scopes", "read", "--rate", "nan"], 1, "--rate nan is out of bounds"),
        (["add", "crm", "--scopes", "read", "--expires", "soon"], 2, "--expires: 'soon'"),
        (["add", "crm", "--scopes", "read", "--expires", "0d"], 1, "--expires lies in the past"),
        (["add", "crm", "--scopes", "read", "--origin", "https://a.example"], 1, "--origin is for keys"),
        (["add", "shop", "--public"], 1, "add --origin"),
        (["add", "shop", "--public", "--scopes", "ingest,read", "--origin", "https://a.example"], 1, "leave out read"),
        (["revoke", "crm", "--reason", " "], 1, "--reason is empty"),
        (["revoke", "crm", "--reason", "x"], 1, "no such key"),
        (["rotate", "crm"], 1, "no live key named 'crm'"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_in_words(shop, args, status, says):
    said = shop(*args, status=status)
    assert says in said.err and said.out == ""
    assert listed(shop) == []


@pytest.mark.parametrize(
    "origin",
    ["shop.example", "*", "https://*.example", "https://a.example/path", "https://a.example?x", "ftp://a.example",
     "https://user@a.example", "https://a.example:99999", "https://", "null", ""],
)  # fmt: skip
def test_what_is_no_origin_is_refused(origin):
    with pytest.raises(IssuingError, match="is not an origin"):
        checked(Rights("shop", ("ingest",), public=True, origins=(origin,)), NOW)

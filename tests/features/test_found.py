"""People and accounts are found by how a name begins, for everybody and for those who see their own contacts only."""

from itertools import product

import pytest

from features.rows.row_types import ContactRow, RecordRow
from features.store import found
from features.store.store import Store
from nba.partners.owner_sights import put_down
from nba.settings import parse_settings

SETTINGS = parse_settings("", environ={})
NAMES = ("Anna Lee", "Anna Berg", "Öl Anna", "Bo Annan", "Cy Dee")
WHOSE = ({"owner": "o1"}, {"owner": "o2"}, {"partner": "p1"}, {"owner": "nobody"})
NOW, EVER = 1_000, 2**62


def told(i: int) -> ContactRow:
    """A contact of one of three owners, every other one of whom has a partner too."""
    partner = {"partner": f"p{i % 3}"} if i % 2 else {}
    traits = {"name": NAMES[i % 5], "email": f"An{i}@x.example", "owner": f"o{i // 5 % 3}"}
    return ContactRow(f"c{i:02}", 1, traits | partner)


@pytest.fixture
def store(store_url):
    with Store.open(store_url) as opened:
        with opened.writing() as writing:
            writing.records("partners", [RecordRow(f"p{i}", 1, {"name": f"P {i}"}) for i in range(3)])
            writing.contacts([told(i) for i in range(60)])
        put_down(opened, SETTINGS, NOW)
        with opened.writing() as writing:
            # Since then one came, one has gone to somebody else, and one is called otherwise.
            writing.contacts([ContactRow("new", NOW, {"name": "Anna New", "owner": "o1", "partner": "p1"})])
            writing.contacts([ContactRow("c05", NOW, {"owner": "o2"}), ContactRow("c06", NOW, {"name": "Anna Zoe"})])
        yield opened


def test_somebodys_own_are_the_same_from_either_side(store, monkeypatch):
    asked = product(WHOSE, ("Anna", "ann", "an1", "öl", "Lee", "zzz", "Anna Z"))
    for whose, begin in asked:
        with monkeypatch.context() as patched:
            near = found.people(store, begin, EVER, 150, **whose)
            patched.setattr(found, "_GLANCE", 1)
            own = found.people(store, begin, EVER, 150, **whose)
            patched.setattr(found, "_MOST_OWN", 0)
            assert set(near) == set(own) == set(found.people(store, begin, EVER, 150, **whose))
            # Who came or was changed since may be anybody's.
            assert ("new" in own) == (begin.casefold() in ("anna", "ann"))
    monkeypatch.setattr(found, "_GLANCE", 1)
    assert found.people(store, "anna", EVER, 2, owner="o2")[:2] == ["c11", "c26"]
    assert found.people(store, "anna l", 1, 9, owner="o2") == []


def test_before_anybody_was_told_apart_all_are_looked_through(store_url, monkeypatch):
    monkeypatch.setattr(found, "_GLANCE", 1)
    with Store.open(store_url) as opened:
        with opened.writing() as writing:
            writing.contacts([told(0), told(1)])
        assert found.people(opened, "Anna", EVER, 9, owner="o1") == ["c01", "c00"]


def test_a_store_of_schema_7_finds_somebodys_own(store_url, monkeypatch):
    with Store.open(store_url) as store:
        with store.writing() as writing:
            writing.contacts([told(i) for i in range(9)])
        put_down(store, SETTINGS, NOW)
        with store.writing() as writing:
            for name in ("owner_sights_of_owner", "owner_sights_marked"):
                writing._cursor.execute(f"DROP INDEX {name}")
            writing._cursor.execute("UPDATE nba_store SET version = 7")
    monkeypatch.setattr(found, "_GLANCE", 1)
    with Store.open(store_url) as store:
        assert found.people(store, "Bo", EVER, 9, owner="o1") == ["c08"]
        with store.writing() as writing:
            for name in ("owner_sights_of_owner", "owner_sights_marked"):
                writing._cursor.execute(f"DROP INDEX {name}")

"""A store of an older schema is brought up to date when it is opened, with nothing lost."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from features.rows.row_types import DecisionRow, LinkRow, RecordRow, TouchpointRow
from features.store.migrations import NEWEST
from features.store.store import Store, StoreError
from features.store.views import VIEWS

# What the first version made, word for word.
SCHEMA_1 = """
CREATE TABLE nba_store (version INTEGER NOT NULL, PRIMARY KEY (version));
CREATE TABLE touchpoints (
    identity TEXT NOT NULL, occurred_at BIGINT NOT NULL, touchpoint_id TEXT NOT NULL, source TEXT NOT NULL,
    kind TEXT NOT NULL, channel TEXT, direction TEXT, topics TEXT, value DOUBLE, currency TEXT, margin DOUBLE,
    duration DOUBLE, decision_id TEXT, action TEXT, properties TEXT,
    PRIMARY KEY (identity, occurred_at, touchpoint_id, source)
) WITHOUT ROWID;
CREATE UNIQUE INDEX touchpoints_once ON touchpoints (source, touchpoint_id);
CREATE TABLE contacts (
    identity TEXT NOT NULL, known_at BIGINT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (identity, known_at)
) WITHOUT ROWID;
CREATE TABLE records (
    table_name TEXT NOT NULL, "key" TEXT NOT NULL, known_at BIGINT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (table_name, "key", known_at)
) WITHOUT ROWID;
CREATE TABLE links (
    identity_a TEXT NOT NULL, identity_b TEXT NOT NULL, seen_at BIGINT NOT NULL, how TEXT NOT NULL,
    confidence DOUBLE, properties TEXT, PRIMARY KEY (identity_a, identity_b, seen_at, how)
) WITHOUT ROWID;
CREATE INDEX links_of_b ON links (identity_b, seen_at);
CREATE TABLE decisions (
    decision_id TEXT NOT NULL, identity TEXT NOT NULL, decided_at BIGINT NOT NULL, action TEXT NOT NULL,
    probability DOUBLE, allowed TEXT, policy TEXT, topics TEXT, properties TEXT, chances TEXT, mode TEXT,
    placement TEXT, model_version TEXT, terms TEXT, "key" TEXT, request_hash TEXT, answer BLOB, as_of BIGINT,
    activated_at BIGINT, deferred BOOLEAN NOT NULL, holdout BOOLEAN NOT NULL, features_sha TEXT,
    PRIMARY KEY (decision_id)
);
CREATE INDEX decisions_of ON decisions (identity, decided_at);
CREATE TABLE outcomes (
    feedback_id TEXT NOT NULL, decision_id TEXT NOT NULL, outcome TEXT NOT NULL, occurred_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL, action TEXT, reason TEXT, note TEXT, until BIGINT, value DOUBLE,
    pending BOOLEAN NOT NULL, PRIMARY KEY (feedback_id)
);
CREATE INDEX outcomes_of ON outcomes (decision_id, occurred_at);
CREATE TABLE scores (
    contact_id TEXT NOT NULL, as_of BIGINT NOT NULL, stage TEXT, points DOUBLE, body TEXT NOT NULL,
    model_version TEXT, PRIMARY KEY (contact_id)
);
CREATE TABLE quarantine (
    number INTEGER NOT NULL, fingerprint TEXT NOT NULL, table_name TEXT NOT NULL, raw TEXT NOT NULL,
    reason TEXT NOT NULL, rule TEXT NOT NULL, refused_at BIGINT NOT NULL, file TEXT NOT NULL, line BIGINT,
    zone TEXT, nth INTEGER NOT NULL, PRIMARY KEY (number), UNIQUE (fingerprint)
);
INSERT INTO nba_store VALUES (1);
INSERT INTO touchpoints (identity, occurred_at, touchpoint_id, source, kind) VALUES ('a', 1, 't', '', 'visit');
INSERT INTO links VALUES ('a', 'b', 7, 'login', NULL, NULL), ('b', 'a', 5, 'login', 1.0, NULL),
    ('a', 'b', 6, 'stitched', 0.4, NULL);
INSERT INTO contacts VALUES ('a', 3, '{"account":"acme"}'), ('a', 9, '{"size":4}'), ('b', 0, '{"account":7}');
INSERT INTO quarantine VALUES (4, 'f', 'touchpoints', '{}', 'r', 'r', 0, '', NULL, NULL, 0);
"""

SINCE_4 = ("TABLE asset_owners", "TABLE record_changes", "INDEX decisions_taken")
SINCE_5 = (
    *(f"VIEW {view.name}" for view in VIEWS),
    "TABLE keys",
    "TABLE tombstones",
    "TABLE tombstone_key",
    "TABLE owner_sights",
    "TABLE view_definitions",
    "TABLE messages",
)
SINCE_6 = (
    "TABLE sessions",
    "INDEX touchpoints_of_decision",
    "INDEX touchpoints_of_leads",
    *(f"INDEX contacts_by_{what}" for what in ("name", "last_name", "email", "phone")),
    "INDEX accounts_by_name",
)
SINCE_7 = ("TABLE settings_versions", "TABLE settings_drafts", "TABLE figures")
IN_LINE = ("work", "behind", "behind_by_points", "owner", "partner")
LINES = tuple(f"INDEX scores_{what}" for what in ("in_line", "of_owner", "of_partner", "of_work", "of_stage"))


@pytest.fixture
def old(tmp_path: Path) -> str:
    with closing(sqlite3.connect(tmp_path / "nba.db")) as connection:
        connection.executescript(SCHEMA_1)
    return f"sqlite:///{tmp_path / 'nba.db'}"


def layout(url: str) -> dict[str, list[tuple[object, ...]]]:
    with Store.open(url) as store:
        tables = [row[0] for row in store._all("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        columns = {name: store._all(f"SELECT * FROM pragma_table_xinfo('{name}')") for name in tables}
        rest = {
            f"{name} indexes": sorted(
                (row[1], row[2], *store._all(f"SELECT seqno, name FROM pragma_index_info('{row[1]}')"))
                for row in store._all(f"SELECT * FROM pragma_index_list('{name}')")
            )
            for name in tables
        }
        assert store._all("PRAGMA integrity_check") == [("ok",)]
    return columns | rest


def test_a_migrated_store_is_laid_out_like_a_new_one(old: str, tmp_path: Path) -> None:
    assert layout(old) == layout(f"sqlite:///{tmp_path / 'new.db'}")


def test_nothing_is_lost_and_the_new_tables_are_filled(old: str) -> None:
    for _ in range(2):
        with Store.open(old) as store:
            assert store._all("SELECT version FROM nba_store") == [(NEWEST,)]
            assert store.counts() == {"touchpoints": 1, "contacts": 1, "quarantined": 1, "decisions": 0}
            assert len(list(store.link_rows())) == 3
            assert store.links_of("b", 99, 9) == [
                LinkRow("b", "a", 5, "login", 1.0),
                LinkRow("b", "a", 6, "stitched", 0.4),
            ]
            assert store.account_members("acme", 3) == []
            assert store.account_members("acme", 4) == ["a"]
            assert store.traits("a", 10) == {"account": "acme", "size": 4}


def test_a_step_that_fails_leaves_the_store_as_it_was(old: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "nba.db")) as connection:
        connection.execute("CREATE TABLE splits (mine)")
    with pytest.raises(StoreError, match="splits"):
        Store.open(old)
    with closing(sqlite3.connect(tmp_path / "nba.db")) as connection:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        assert connection.execute("SELECT version FROM nba_store").fetchall() == [(1,)]
        connection.execute("DROP TABLE splits")
    assert "link_ends" not in names
    with Store.open(old) as store:
        assert store.links_of("a", 99, 1) == [LinkRow("a", "b", 5, "login", 1.0)]


def test_several_open_an_old_store_at_once(old: str) -> None:
    faults: list[Exception] = []

    def use(n: int) -> None:
        try:
            with Store.open(old) as store, store.writing() as writing:
                writing.touchpoints([TouchpointRow("a", n, f"t{n}", "visit")])
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=use, args=(n,)) for n in range(2, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    with Store.open(old) as store:
        assert store.counts()["touchpoints"] == 7


def test_a_store_of_schema_3_learns_who_owns_its_devices_in_each_database(store_url: str) -> None:
    rows = [
        RecordRow("saw", 5, {"identity": "a", "account": "acme"}),
        RecordRow("saw", 9, {"colour": "red"}),
        RecordRow("lathe", 5, {"account": "acme"}),
    ]
    with Store.open(store_url) as store, store.writing() as writing:
        writing.records("assets", rows)
        writing.records("products", [RecordRow("p", 1, {"account": "acme", "identity": "a"})])
        for later in (*SINCE_4, *SINCE_5, *SINCE_6, *SINCE_7, *LINES):
            writing._cursor.execute(f"DROP {later}")
        for column in IN_LINE:
            writing._cursor.execute(f"ALTER TABLE scores DROP COLUMN {column}")
        writing._cursor.execute("UPDATE nba_store SET version = 3")
    with Store.open(store_url) as store:
        assert store.assets_of("identity", "a", 10) == [rows[0], rows[1]]
        assert store.assets_of("account", "acme", 9) == [rows[2], rows[0]]
        assert store.record_changes() == {"assets": 3, "products": 1}
        with store.writing() as writing:
            writing.decisions([DecisionRow("d", "a", 5, "call", chances={"call": 1.0}, deferred=True)])
            writing.activate("d", 8)
        assert store.taken("call", 10, 8, "outbound") == ["a"]
        assert store.taken_count("call", 10, 9, "outbound") == 0

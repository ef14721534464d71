"""Erasing from the store and its lakes: who is erased is gone, everybody else is untouched, and nothing comes back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.lake import erasing as lake_erasing
from features.lake.lake import Lake
from features.loading.loading import load_files
from features.loading.quarantine import retry_quarantine
from features.rows.row_types import (
    DecisionRow,
    LinkRow,
    OutcomeRow,
    QuarantineRow,
    RecordRow,
    ScoreRow,
    SplitRow,
    TouchpointRow,
)
from features.store import erasing, retention
from features.store.retention import Limits
from features.store.store import Store
from features.store.tombstones import digest_of, names_in
from features.times import DAY
from features.touchpoints.touchpoints import TouchpointRules

RULES = TouchpointRules()
EVER = 2**62


def touchpoint(identity: str, at: int, name: str, kind: str = "visit") -> TouchpointRow:
    return TouchpointRow(identity, at, name, kind)


def fill(store: Store) -> None:
    """Let ann, alias a2, and bob leave the same traces."""
    with store.writing() as writing:
        for n, who in enumerate(("ann", "a2", "bob")):
            writing.touchpoints([touchpoint(who, at, f"{who}{at}") for at in range(12)])
            writing.contacts([RecordRow(who, 0, {"account": "acme", "name": f"{who} lee"})])
            chances = {"call": 0.5, "do_nothing": 0.5}
            terms = {"call": {"propensity": 0.5, "evidence": who}}
            writing.decisions(
                [DecisionRow(f"d {who}", who, 5, "call", 0.5, chances=chances, terms=terms, answer=who.encode())]
            )
            writing.outcomes([OutcomeRow(f"f {who}", f"d {who}", "rejected", 6, 6, note=who, reason=who, value=2.0)])
            writing.records("assets", [RecordRow(f"saw {n}", 0, {"identity": who})])
            writing.records("assets", [RecordRow(f"van {n}", 0, {"identity": who, "account": "acme"})])
            writing.quarantine([QuarantineRow("touchpoints", f'{{"identity": "{who}"}}', "is bad", "bad", 1)])
            writing.repack(who, RULES)
        writing.links([LinkRow("ann", "a2", 1, "login"), LinkRow("bob", "b2", 1, "login"), LinkRow("kiosk", "a2", 1)])
        writing.splits([SplitRow("ann", "bob", 2, "not one", "me")])
    store.save_scores([ScoreRow(who, 1, None, None, {}, None) for who in ("ann", "bob")])


def erase(store: Store, *names: str) -> dict[str, int]:
    with store.writing() as writing:
        erasing.bury(writing, names, 100)
        return erasing.erase(writing, names, (), 100)


def everything(store: Store) -> str:
    parts = [list(store.touchpoint_rows()), list(store.contact_rows(EVER)), list(store.record_rows("assets"))]
    parts += [list(store.link_rows()), list(store.split_rows()), list(store.decision_rows())]
    parts += [list(store.outcome_rows()), list(store.score_rows()), list(store.quarantine_rows())]
    return repr([*parts, store.account_members("acme", EVER), store.links_of("kiosk", EVER, 9)])


def test_every_table_loses_who_is_erased_and_nobody_else(store_url: str) -> None:
    with Store.open(store_url) as store:
        fill(store)
        removed = erase(store, "ann", "a2")
        left = everything(store)
        assert "ann" not in left and "'a2'" not in left
        assert removed["touchpoints"] == 24 and removed["decisions"] == 2 and removed["quarantine"] == 2
        assert [len(store.history(who, EVER)) for who in ("ann", "a2", "bob")] == [0, 0, 12]
        assert store.packed("ann") is None and store.packed("bob") is not None
        assert store.account_members("acme", EVER) == ["bob"]
        assert [row.key for row in store.assets_of("account", "acme", EVER)] == ["van 0", "van 1", "van 2"]
        assert store.assets_of("identity", "ann", EVER) == []
        assert [row.contact_id for row in store.score_rows()] == ["bob"]
        bob = store.decision("d bob")
        assert bob is not None and bob.answer == b"bob" and store.outcomes_of("d bob")[0].note == "bob"


def test_what_names_somebody_in_other_letters_goes_and_a_like_identity_stays(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store, store.writing() as writing:
        for raw in ('{"to": "Ann Lee <ANN.LEE@Acme.ch>"}', '{"text": "called ANN LEE back"}', '{"identity": "CRM:4A"}'):
            writing.quarantine([QuarantineRow("touchpoints", raw, "is bad", "bad", 1)])
        for outcome in ("ANN LEE is away", "somebody else"):
            writing.outcomes([OutcomeRow(f"f {outcome}", "none", "rejected", 6, 6, note=outcome)])
        erasing.bury(writing, ["crm:4a"], 1)
        removed = erasing.erase(writing, ["crm:4a"], ["Ann Lee", "ann.lee@acme.ch"], 1)
        assert (removed["quarantine"], removed["outcomes"]) == (2, 1)
        assert [row.raw for row in writing.seen.quarantine_rows()] == ['{"identity": "CRM:4A"}']


def test_decisions_keep_what_a_policy_is_judged_by_under_one_made_up_name(store_url: str) -> None:
    with Store.open(store_url) as store:
        fill(store)
        erase(store, "ann", "a2")
        kept = [row for row in store.decision_rows() if row.identity != "bob"]
        assert len(kept) == 2 and len({row.identity for row in kept}) == 1
        for row in kept:
            assert (row.probability, row.chances) == (0.5, {"call": 0.5, "do_nothing": 0.5})
            assert (row.terms, row.answer, row.properties) == ({"call": {"propensity": 0.5}}, None, None)
            (outcome,) = store.outcomes_of(row.decision_id)
            assert (outcome.outcome, outcome.value, outcome.note, outcome.reason) == ("rejected", 2.0, None, None)


def test_nothing_of_who_was_erased_is_stored_again(store_url: str) -> None:
    with Store.open(store_url) as store:
        fill(store)
        erase(store, "ann", "a2")
        before = everything(store)
        with store.writing() as writing:
            assert writing.touchpoints([touchpoint("ann", 3, "n"), touchpoint("a2", 3, "m")]) == 0
            assert writing.contacts([RecordRow("ann", 7, {"name": "ann lee"})]) == 0
            assert writing.links([LinkRow("new", "a2", 3)]) == 0
            assert writing.splits([SplitRow("a2", "new", 3)]) == 0
            assert writing.decisions([DecisionRow("d9", "ann", 9, "call"), DecisionRow("d ann", "x", 9, "call")]) == 0
            assert writing.outcomes([OutcomeRow("f9", "d ann", "accepted", 9, 9, note="ann")]) == 0
            assert writing.records("assets", [RecordRow("saw", 3, {"identity": "ann"})]) == 0
            assert writing.erased.refused == 9
        assert everything(store) == before
        with store.writing() as writing:
            assert writing.touchpoints([touchpoint("carl", 3, "n")]) == 1


def test_a_load_that_began_before_the_erasure_brings_nothing_back(store_url: str) -> None:
    with Store.open(store_url) as store:
        fill(store)
        with store.loading() as loading:
            loading.touchpoints([touchpoint("ann", 30, "late"), touchpoint("bob", 30, "late too")])
            erase(store, "ann", "a2")
            assert loading.settle() == 1
        assert [len(store.history(who, EVER)) for who in ("ann", "bob")] == [0, 13]


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("touchpoints", "identity,occurred_at,kind,memo\nann,2025-01-01,visit,ann lee\ncarl,2025-01-01,visit,\n"),
        ("contacts", "identity,name\nann,ann lee\ncarl,Carl\n"),
        ("links", "identity_a,identity_b,seen_at\ncarl,ann,2025-01-01\ncarl,c2,2025-01-01\n"),
        ("decisions", "identity,decided_at,action\nann,2025-01-01,call\ncarl,2025-01-01,call\n"),
        ("assets", "asset_id,identity\ns1,ann\ns2,carl\n"),
    ],
)
def test_a_file_about_somebody_erased_is_refused_without_its_data(tmp_path: Path, table: str, text: str) -> None:
    path = tmp_path / "again.csv"
    path.write_text(text)
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store:
        erase(store, "ann")
        report = load_files(store, table, [path], now_us=EVER, rules=RULES)
        assert (report.read, report.stored, report.quarantined) == (2, 1, 1)
        (refused,) = store.quarantine_rows()
        assert refused.raw == "null" and "ann" not in refused.reason
        assert retry_quarantine(store, now_us=EVER, rules=RULES).stored == 0


def test_a_row_that_is_bad_besides_is_kept_without_its_data_too(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("identity,occurred_at,kind,memo\nann,never,visit,secret\ncarl,never,visit,plain\n")
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store:
        erase(store, "ann")
        load_files(store, "touchpoints", [path], now_us=EVER, rules=RULES)
        told = " ".join(row.raw + row.reason for row in store.quarantine_rows())
        assert "secret" not in told and "plain" in told


def test_a_file_of_sqlite_holds_no_byte_of_what_was_deleted(tmp_path: Path) -> None:
    path = tmp_path / "nba.db"
    with Store.open(f"sqlite:///{path}") as store:
        with store.writing() as writing:
            writing.touchpoints([touchpoint("ann-the-one", n, f"t{n}") for n in range(500)])
            writing.touchpoints([touchpoint(f"c{n}", n, f"u{n}") for n in range(500)])
            writing.repack("ann-the-one", RULES)
        erase(store, "ann-the-one")
        assert any(b"ann-the-one" in each.read_bytes() for each in tmp_path.iterdir())
        assert store.scrub() is None
        assert not any(b"ann-the-one" in each.read_bytes() for each in tmp_path.iterdir())
        assert store.counts()["touchpoints"] == 500


def test_only_the_partitions_of_who_is_erased_are_written_anew(tmp_path: Path) -> None:
    lake = Lake.make(tmp_path / "lake", partitions=8)
    for turn in range(2):
        with lake.appending() as rows:
            rows.touchpoints([touchpoint(f"c{n}", turn, f"t{turn} {n}") for n in range(40)])
            rows.commit()
    before = {path: path.stat().st_ino for path in lake.files()}
    history = {n: lake.history(f"c{n}", EVER) for n in range(40)}
    assert lake_erasing.erase(lake.folder, ["c7", "nobody"]) == 2
    assert lake.history("c7", EVER) == [] and len(lake) == 78
    assert all(lake.history(f"c{n}", EVER) == history[n] for n in range(40) if n != 7)
    kept = {path for path in lake.files() if path in before and path.stat().st_ino == before[path]}
    assert len(kept) >= len(before) - 2
    assert sorted(lake.folder.glob("partition=*/*")) == sorted(lake.files())
    with lake.appending() as rows:
        rows.touchpoints([touchpoint("c7", 0, "t0 7")])
        assert rows.commit() == 0


def test_retention_takes_what_is_too_old_and_nothing_else(store_url: str) -> None:
    with Store.open(store_url) as store:
        with store.writing() as writing:
            rows = [touchpoint(f"c{n % 7}", n * DAY, f"t{n}", "consent_given" if n < 4 else "visit") for n in range(40)]
            writing.touchpoints(rows)
            writing.repack("c1", RULES)
            writing.decisions([DecisionRow(f"d{n}", f"c{n}", n * DAY, "call", 1.0) for n in range(6)])
            writing.outcomes([OutcomeRow(f"f{n}", f"d{n}", "done", n * DAY, n * DAY) for n in range(9)])
            writing.quarantine([QuarantineRow("touchpoints", str(n), "r", "r", n * DAY) for n in range(5)])
        limits = Limits(10 * DAY, 3 * DAY, 4 * DAY, ("consent_given",))
        told = retention.too_old(store, limits)
        removed = retention.forget(store, limits)
        assert removed == {"touchpoints": 6, "decisions": 3, "feedback": 3, "quarantine": 4}
        assert {**told, "feedback": 3} == removed
        assert len(list(store.touchpoint_rows())) == 34
        assert {row[3] for row in store.touchpoint_rows(10 * DAY)} == {"consent_given"}
        assert [row.decision_id for row in store.decision_rows()] == ["d3", "d4", "d5"]
        assert sorted(row.feedback_id for row in store.outcome_rows()) == [f"f{n}" for n in range(3, 9)]
        assert len(store.touchpoints("c1", EVER, RULES)) == len(store.history("c1", EVER))
        assert sum(retention.forget(store, limits).values()) == 0


def test_retention_reaches_into_lakes(tmp_path: Path) -> None:
    lake = Lake.make(tmp_path / "lake", partitions=4)
    with lake.appending() as rows:
        rows.touchpoints([touchpoint(f"c{n}", n * DAY, f"t{n}", "objection" if n == 2 else "visit") for n in range(20)])
        rows.commit()
    assert lake_erasing.forget(lake.folder, 10 * DAY, lambda kind: kind == "objection") == 9
    assert len(lake) == 11 and lake.history("c2", EVER) and not lake.history("c3", EVER)


@given(st.text(min_size=1).filter(lambda name: "\0" not in name), st.binary(min_size=32, max_size=32))
def test_a_digest_tells_names_and_keys_apart(name: str, key: bytes) -> None:
    digest = digest_of(key.hex(), name)
    assert digest == digest_of(key.hex(), name)
    assert digest != digest_of(key.hex(), f"{name}x")
    assert name not in digest or len(name) < 5


_PLAIN = st.text(max_size=8) | st.integers()
_NESTED = st.recursive(
    _PLAIN, lambda each: st.lists(each, max_size=3) | st.dictionaries(st.just("a"), each), max_leaves=5
)


@given(_NESTED)
def test_every_whole_value_of_a_refused_row_is_looked_at(value: object) -> None:
    names = names_in(json.dumps(value))
    left = [value]
    while left:
        each = left.pop()
        left += each.values() if isinstance(each, dict) else each if isinstance(each, list) else []
        assert not isinstance(each, str) or each.strip() in names

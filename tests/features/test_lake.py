"""The lake keeps what it was given, once, in order, whole or not at all, and gives what the store would."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.lake import lake as lake_module
from features.lake.history import (
    contact_touchpoints,
    counts,
    first_touchpoint_at,
    has_touchpoints,
    last_touchpoint_at,
    touchpoints_of,
)
from features.lake.lake import Lake, LakeError
from features.lake.manifest import Manifest, write_manifest
from features.loading.loading import LoadError, LoadReport, load_files
from features.partitions import partition_of
from features.rows.row_types import DecisionRow, TouchpointRow
from features.store.store import Store
from features.times import parse_time
from features.topics import TopicRule
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
from tests.examples import examples
from tests.features.worlds import NOW, RULES, Row, histories, odd_world, row

COLUMNS = ("start", "occurred_at", "outbound", "value", "margin", "duration", "topic_start")
CODED = {"kind": "kinds", "channel": "channels", "decision": "decisions", "action": "actions", "topic": "topics"}


def touchpoint(row: Row, source: str = "shop") -> TouchpointRow:
    return TouchpointRow._make((*row, source))


def filled(folder: Path, batches: list[list[Row]], partitions: int = 4) -> Lake:
    lake = Lake.make(folder, partitions)
    for batch in batches:
        with lake.appending() as rows:
            rows.touchpoints([touchpoint(row) for row in batch])
            rows.commit()
    return lake


def assert_alike(found: Touchpoints, wanted: Touchpoints) -> None:
    """Equal but for the order of contacts and the numbers that stand for names."""
    order = np.argsort(np.array(found.contacts, dtype=object), kind="stable")
    found = found.take(order.tolist())
    assert found.contacts == wanted.contacts
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), err_msg=name)
    for name, names in CODED.items():
        assert named(found, name, names) == named(wanted, name, names), name
    assert list(found.touchpoint_id) == list(wanted.touchpoint_id)
    assert list(found.properties) == list(wanted.properties)


def named(t: Touchpoints, name: str, names: str) -> list[str | None]:
    known: list[Any] = [*getattr(t, names), None]
    return [known[code] for code in getattr(t, name).tolist()]


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=histories(), cuts=st.lists(st.integers(0, 25), max_size=3), partitions=st.sampled_from([1, 2, 7]))
def test_a_lake_gives_what_the_store_would(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], cuts: list[int], partitions: int
) -> None:
    cuts = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    batches = [rows[low:high] for low, high in pairwise(cuts)]
    lake = filled(tmp_path_factory.mktemp("lake"), batches, partitions)
    for before in (None, NOW):
        wanted = Touchpoints.from_rows([row for row in rows if before is None or row[1] < before], RULES)
        assert_alike(lake.touchpoints(RULES, before=before), wanted)
    for name in ("ann", "bob", "nobody"):
        of_one = Touchpoints.from_rows([row for row in rows if row[0] == name and row[1] < NOW], RULES)
        assert_alike(Touchpoints.from_rows(lake.history(name, NOW), RULES), of_one)
        assert_alike(lake.touchpoints(RULES, identities=[name], before=NOW), of_one)
    assert len(lake) == len(rows)
    assert lake.first_at() == min((row[1] for row in rows), default=None)
    assert lake.last_at(NOW) == max((row[1] for row in rows if row[1] < NOW), default=None)


def test_an_amount_beyond_the_bound_that_a_lake_holds_is_not_known(tmp_path: Path) -> None:
    rows = [row("c", n, n, "order", value=each, duration=each) for n, each in enumerate((20.0, 1.7e308, -1e16))]
    t = filled(tmp_path / "lake", [rows], 1).touchpoints(RULES)
    assert np.isnan(t.value).tolist() == np.isnan(t.duration).tolist() == [False, True, True]


def test_one_partition_at_a_time_is_all_of_it_in_order(tmp_path: Path) -> None:
    rows, _, _ = odd_world(1)
    lake = filled(tmp_path, [rows[:1000], rows[1000:]], 8)
    parts = [lake.touchpoints(RULES, partition=p) for p in range(8)]
    assert all(name in part.contacts for p, part in enumerate(parts) for name in part.contacts)
    assert all(partition_of(name, 8) == p for p, part in enumerate(parts) for name in part.contacts)
    assert all(part.contacts == sorted(part.contacts) for part in parts)
    assert_alike(Touchpoints.joined(parts), Touchpoints.from_rows(rows, RULES))


@pytest.mark.parametrize("is_bare", [False, True], ids=["everything told", "most columns empty"])
def test_without_texts_all_else_is_the_same(tmp_path: Path, is_bare: bool) -> None:
    rows = [(*row[:4], *[None] * (len(row) - 4)) if is_bare else row for row in odd_world(3)[0]]
    lake = filled(tmp_path, [rows], 4)
    found, whole = lake.touchpoints(RULES, texts=False), lake.touchpoints(RULES)
    assert found.contacts == whole.contacts
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(found, name), getattr(whole, name), err_msg=name)
    for name, names in CODED.items():
        assert named(found, name, names) == named(whole, name, names), name


def test_compaction_changes_nothing_but_the_number_of_files(tmp_path: Path) -> None:
    rows, _, _ = odd_world(2)
    lake = filled(tmp_path, [rows[i::5] for i in range(5)], 4)
    before = lake.touchpoints(RULES)
    assert len(lake.files()) == 20
    assert lake.compact() == 16
    assert len(lake.files()) == 4 == len(list(tmp_path.glob("**/*.parquet")))
    assert_alike(lake.touchpoints(RULES), Touchpoints.from_rows(rows, RULES))
    assert before.contacts == lake.touchpoints(RULES).contacts
    with lake.appending() as again:
        again.touchpoints([touchpoint(row) for row in rows])
        assert again.commit() == 0
    assert lake.compact() == 0


def test_of_the_same_source_and_id_the_first_stays_for_ever(tmp_path: Path) -> None:
    rows = [("ann", 5, "1", "visit"), ("bob", 4, "1", "order"), ("ann", 6, "2", "visit")]
    lake = Lake.make(tmp_path)
    with lake.appending() as first:
        first.touchpoints([TouchpointRow(*row, source="a") for row in rows])
        assert first.commit() == 2
    with lake.appending() as second:
        second.touchpoints(
            [TouchpointRow("cid", 9, "2", "fax", source="a"), TouchpointRow("ann", 1, "1", "x", source="b")]
        )
        # The source's length is part of the key: "a" + "b1" is not "ab" + "1".
        second.touchpoints(
            [TouchpointRow("ann", 2, "b1", "x", source="a"), TouchpointRow("ann", 3, "1", "y", source="ab")]
        )
        assert second.commit() == 3
    found = [row[1:4] for row in lake.history("ann", NOW)]
    assert found == [(1, "1", "x"), (2, "b1", "x"), (3, "1", "y"), (5, "1", "visit"), (6, "2", "visit")]
    assert lake.history("bob", NOW) == lake.history("cid", NOW) == []


def test_topics_by_rule_fill_what_the_source_left_out(tmp_path: Path) -> None:
    rules = TouchpointRules(topic_rules=(TopicRule("search", "pumps", contains=("pump",)),))
    rows = [
        ("ann", 1, "1", "search", None, None, '["saws"]', None, None, None, None, None, None, '{"search":"pump"}'),
        ("ann", 2, "2", "search", None, None, None, None, None, None, None, None, None, '{"search":"pump"}'),
        ("bob", 3, "3", "search", None, None, None, None, None, None, None, None, None, '{"search":"belt"}'),
        ("bob", 4, "4", "search", None, None, None, None, None, None, None, None, None, None),
    ]
    lake = filled(tmp_path, [rows], 1)
    assert_alike(lake.touchpoints(rules), Touchpoints.from_rows(rows, rules))
    assert lake.touchpoints(rules).topic_start.tolist() == [0, 1, 2, 2, 2]


def test_a_touchpoint_that_names_a_decision_is_about_its_action(tmp_path: Path) -> None:
    rows = [
        ("ann", 1, "1", "open", None, None, None, None, None, None, None, "d1", None, None),
        ("ann", 2, "2", "open", None, None, None, None, None, None, None, "d1", "call", None),
        ("ann", 3, "3", "open", None, None, None, None, None, None, None, "d2", None, None),
    ]
    lake = filled(tmp_path, [rows], 1)
    found = lake.touchpoints(RULES, actions={"d1": "mail"})
    assert named(found, "action", "actions") == ["mail", "call", None]


def test_a_value_in_a_currency_without_a_rate_is_not_known(tmp_path: Path) -> None:
    lake = Lake.make(tmp_path, 1)
    with lake.appending() as rows:
        rows.touchpoints([TouchpointRow("ann", 1, "1", "order", value=2.0, currency="USD")])
        rows.touchpoints([TouchpointRow("bob", 9, "2", "order", value=2.0, currency="XAU")])
        rows.commit()
    assert lake.touchpoints(RULES, before=5).value.tolist() == [1.0]
    found = lake.touchpoints(RULES)
    assert (found.contacts, found.value.tolist()[0], np.isnan(found.value).tolist()) == (
        ["ann", "bob"],
        1.0,
        [False, True],
    )


def test_other_tools_read_it_as_plain_parquet(tmp_path: Path) -> None:
    rows, _, _ = odd_world(3)
    lake = filled(tmp_path, [rows[:1500], rows[1500:]], 4)
    counted = "SELECT kind, count(*), round(sum(value), 2) FROM read_parquet({}) GROUP BY kind ORDER BY kind"
    by_list = duckdb.sql(counted.format([str(path) for path in lake.files()])).fetchall()
    by_glob = duckdb.sql(counted.format(f"'{tmp_path}/partition=*/*.parquet'")).fetchall()
    kinds: dict[str, list[float]] = {}
    for each in rows:
        kinds.setdefault(each[3], []).append(each[7] or 0.0)
    wanted = [(kind, len(kinds[kind]), pytest.approx(sum(kinds[kind]), abs=0.01)) for kind in sorted(kinds)]
    assert [(k, n, s or 0.0) for k, n, s in by_list] == wanted
    assert by_glob == by_list
    types = dict(
        duckdb.sql(f"DESCRIBE FROM read_parquet({[str(p) for p in lake.files()]})").project("#1, #2").fetchall()
    )
    assert types["occurred_at"] == "TIMESTAMP WITH TIME ZONE"
    assert types["topics"] == "VARCHAR[]" and types["identity"] == "VARCHAR" and types["value"] == "DOUBLE"


def test_what_is_not_committed_is_not_there(tmp_path: Path) -> None:
    lake = filled(tmp_path, [[("ann", 1, "1", "visit", *[None] * 10)]])
    with pytest.raises(RuntimeError), lake.appending() as rows:
        rows.touchpoints([TouchpointRow("ann", 2, "2", "visit")])
        raise RuntimeError
    with lake.appending() as rows:
        rows.touchpoints([TouchpointRow("ann", 2, "3", "visit")])
    assert len(lake) == 1 and len(lake.history("ann", NOW)) == 1
    with lake.appending() as rows:
        rows.touchpoints([TouchpointRow("ann", 2, "2", "visit")])
        assert rows.commit() == 1


KILLED = """
import sys
from features.lake.lake import Lake
from features.loading.loading import LoadError, LoadReport, load_files
from features.partitions import partition_of
from features.rows.row_types import DecisionRow, TouchpointRow
from features.store.store import Store
from features.times import parse_time

lake = Lake.make(sys.argv[1], 8)
n = int(sys.argv[2])
print("open", flush=True)
with lake.appending() as rows:
    for low in range(0, n, 2000):
        rows.touchpoints([TouchpointRow(f"c{i % 97}", i, f"{i}", "visit") for i in range(low, low + 2000)])
    rows.commit()
"""


@pytest.mark.slow
def test_a_killed_append_leaves_all_or_nothing(tmp_path: Path) -> None:
    lake = filled(tmp_path, [[("ann", 1, "1a", "visit", *[None] * 10)]], 8)
    rng = random.Random(7)
    argv = [sys.executable, "-c", KILLED, str(tmp_path), "20000"]
    for _ in range(4):
        with subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=Path(lake_module.__file__).parents[1]) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(rng.uniform(0, 0.4))
            os.kill(process.pid, signal.SIGKILL)
        assert len(lake) in (1, 20_001) == (1, 20_001)
        assert len(lake.touchpoints(RULES)) == len(lake)
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, cwd=Path(lake_module.__file__).parents[1])
    assert len(lake) == len(lake.touchpoints(RULES)) == 20_001
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("**/*.parquet")} == set(
        Manifest.read(tmp_path).files()
    )


def test_a_swap_that_stops_before_the_manifest_counts_nothing(tmp_path: Path) -> None:
    lake = filled(tmp_path, [[("ann", 1, "1", "visit", *[None] * 10)]], 1)
    old = Manifest.read(tmp_path)
    with lake.appending() as rows:
        rows.touchpoints([TouchpointRow("ann", 2, "2", "visit")])
        rows.commit()
    write_manifest(tmp_path, old)  # as if the process had ended just before
    assert len(lake.touchpoints(RULES)) == 1
    with lake.appending() as rows:
        rows.touchpoints([TouchpointRow("ann", 2, "2", "visit")])
        assert rows.commit() == 1
    assert len(lake.touchpoints(RULES)) == 2


def test_appends_at_the_same_time_wait_for_each_other(tmp_path: Path) -> None:
    lake = Lake.make(tmp_path, 4)
    stored: list[int] = []

    def append(who: int) -> None:
        with lake.appending() as rows:
            rows.touchpoints([TouchpointRow(f"c{i}", i, f"{i}", "visit") for i in range(who * 10, who * 10 + 20)])
            stored.append(rows.commit())

    threads = [threading.Thread(target=append, args=(who,)) for who in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(stored) == len(lake) == 70


def test_a_reader_goes_on_while_files_are_compacted_away(tmp_path: Path) -> None:
    rows, _, _ = odd_world(4, n=600)
    lake = filled(tmp_path, [rows[:300], rows[300:]], 4)
    old = Manifest.read(tmp_path)
    lake.compact()
    states = iter([old])
    read = Manifest.read
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Manifest, "read", classmethod(lambda _, folder: next(states, None) or read(folder)))
        assert len(lake.touchpoints(RULES)) == 600


def test_what_is_no_lake_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match=r"is no lake: it has no manifest\.json; `nba load touchpoints FILE --lake"):
        Lake(tmp_path)
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(LakeError, match=r"holds other files \(photo\.jpg\); name an empty or new folder"):
        Lake.make(tmp_path)
    lake = filled(tmp_path / "lake", [[("ann", 1, "1", "visit", *[None] * 10)]], 1)
    lake.files()[0].unlink()
    with pytest.raises(LakeError, match="which its manifest names; restore the folder"):
        lake.touchpoints(RULES)
    (tmp_path / "lake" / "manifest.json").write_text("{}")
    with pytest.raises(LakeError, match="is not the manifest of a lake"):
        Lake(tmp_path / "lake")


def test_a_lake_keeps_the_number_of_partitions_it_was_made_with(tmp_path: Path) -> None:
    assert Lake.make(tmp_path, 3).partitions == Lake.make(tmp_path, 9).partitions == Lake(tmp_path).partitions == 3
    with pytest.raises(LakeError, match="1 to 512 partitions, not 0"):
        Lake.make(tmp_path, 0)


FILE = """identity,occurred_at,kind,touchpoint_id,value,search
ann,2025-01-01T10:00,visit,1,,
ann,2025-01-02T10:00,order,2,20,
bob,soon,visit,3,,
cid,2025-01-03T10:00,search,4,,pump
ann,2025-01-01T10:00,visit,1,,
"""
LOADED_AT = parse_time("2026-01-01")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as opened:
        yield opened


def load(store: Store, path: Path, text: str, lake: Path | None) -> LoadReport:
    path.write_text(text)
    return load_files(store, "touchpoints", [path], now_us=LOADED_AT, rules=RULES, lake=lake)


def test_a_load_into_a_lake_is_judged_like_any_other(tmp_path: Path, store: Store) -> None:
    for stored in (3, 0):
        report = load(store, tmp_path / "a.csv", FILE, tmp_path / "lake")
        assert (report.read, report.stored, report.duplicate, report.quarantined) == (5, stored, 4 - stored, 1)
    assert store.lakes() == [str(tmp_path / "lake")]
    assert store.counts()["touchpoints"] == 0
    assert len(list(store.quarantine_rows())) == 1


def test_whatever_reads_the_store_reads_its_lakes(tmp_path: Path, store: Store) -> None:
    only_store = Store.open(f"sqlite:///{tmp_path / 'other.db'}")
    newer = FILE.splitlines()[0] + "\nann,2025-01-02T09:00,visit,9,,\ndan,2025-02-01T10:00,visit,10,,\n"
    with only_store:
        for text in (FILE, newer):
            load(only_store, tmp_path / "a.csv", text, None)
        load(store, tmp_path / "a.csv", FILE, tmp_path / "lake")
        load(store, tmp_path / "b.csv", newer, None)
        # What is in both counts once.
        load(store, tmp_path / "c.csv", "\n".join(FILE.splitlines()[:2]), None)
        rules = replace(RULES, topic_rules=(TopicRule("search", "pumps", contains=("pump",)),))
        for before in (parse_time("2025-01-02T10:00"), NOW * 2):
            wanted = touchpoints_of(only_store, before, rules)
            assert_alike(touchpoints_of(store, before, rules), wanted)
            for name in ("ann", "bob", "cid", "dan"):
                mine = [i for i, contact in enumerate(wanted.contacts) if contact == name]
                one = contact_touchpoints(store, name, before, rules)
                assert_alike(one, wanted.take(mine))
            assert last_touchpoint_at(store, before) == only_store.last_touchpoint_at(before)
        assert first_touchpoint_at(store) == only_store.first_touchpoint_at()
        assert [has_touchpoints(store, name) for name in ("ann", "bob", "cid", "dan")] == [True, False, True, True]
        assert counts(store)["contacts"] == only_store.counts()["contacts"] == 3


def test_a_lake_touchpoint_is_about_the_action_of_its_decision(tmp_path: Path, store: Store) -> None:
    with store.writing() as writing:
        writing.decisions([DecisionRow("d1", "ann", 5, "mail")])
    load(
        store, tmp_path / "a.csv", "identity,occurred_at,kind,decision_id\nann,2025-01-01,open,d1\n", tmp_path / "lake"
    )
    for found in (touchpoints_of(store, None, RULES), contact_touchpoints(store, "ann", NOW * 2, RULES)):
        assert named(found, "action", "actions") == ["mail"]


def test_a_lake_holds_touchpoints_and_nothing_else(tmp_path: Path, store: Store) -> None:
    (tmp_path / "c.csv").write_text("identity,size\nann,4\n")
    with pytest.raises(LoadError, match="a lake holds touchpoints, not contacts; leave out --lake"):
        load_files(store, "contacts", [tmp_path / "c.csv"], now_us=LOADED_AT, rules=RULES, lake=tmp_path / "lake")


def test_without_a_lake_no_parquet_library_is_loaded(tmp_path: Path) -> None:
    code = (
        "import sys; from features.store.store import Store\n"
        "from features.touchpoints.touchpoints import TouchpointRules\n"
        "from features.lake.history import contact_touchpoints, touchpoints_of\n"
        f"store = Store.open('sqlite:///{tmp_path / 'nba.db'}')\n"
        "contact_touchpoints(store, 'ann', 5, TouchpointRules()); touchpoints_of(store, 5, TouchpointRules())\n"
        "sys.exit('pyarrow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(lake_module.__file__).parents[1])


def test_a_lake_that_is_gone_is_missed_by_name(tmp_path: Path, store: Store) -> None:
    with store.writing() as writing:
        writing.lake(str(tmp_path / "elsewhere"))
    with pytest.raises(LakeError, match="which holds touchpoints of this store, is not there; mount it"):
        touchpoints_of(store, NOW, RULES)

"""What every store promises, on SQLite and on a real PostgreSQL."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.loading.loading import load_files
from features.rows.row_types import DecisionRow, OutcomeRow, QuarantineRow, RecordRow, ScoreRow, TouchpointRow
from features.store.erasing import bury
from features.store.line import scored_at, scores_in_line, unscored
from features.store.store import Store, StoreError
from features.times import ALWAYS, parse_time
from features.touchpoints.touchpoints import TouchpointRules

ROOT = Path(__file__).parents[2]
NOW = parse_time("2026-01-01")
FIRST, LAST = parse_time("0001-01-02"), parse_time("9998-12-31")
TEXTS = [
    "Žluťoučký kůň",
    "مرحبا بالعالم",
    "שלום",
    "你好，世界",
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "e\u0301\u0323 n\u0303",
    "\u202eright to left\u202c",
    "tab\tnew\nline\r'quote'\"double\"\\N %s ? :a $1",
    " ",
    "x" * 100_000,
]


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


def touchpoint(identity: str = "a", at: int = 1, name: str = "1", **others: object) -> TouchpointRow:
    return TouchpointRow(identity, at, name, **{"kind": "visit", **others})  # type: ignore[arg-type]


def write(store: Store, *rows: TouchpointRow) -> int:
    with store.writing() as writing:
        return writing.touchpoints(rows)


def load(store: Store, *rows: TouchpointRow) -> int:
    with store.loading() as loading:
        loading.touchpoints(rows)
        return loading.settle()


WAYS = pytest.mark.parametrize("way", [write, load])


@WAYS
def test_history_is_strictly_before_and_in_order(store: Store, way) -> None:
    assert way(store, touchpoint(at=3, name="x"), touchpoint(at=1, name="y"), touchpoint(at=2), touchpoint("b")) == 3
    assert [row[1:3] for row in store.history("a", 3)] == [(1, "y"), (2, "1")]
    assert store.history("nobody", 9) == []
    assert store.has_touchpoints("a") and not store.has_touchpoints("c")


@WAYS
def test_of_the_same_source_and_id_the_first_is_kept_for_ever(store: Store, way) -> None:
    assert way(store, touchpoint("z", 9, kind="first"), touchpoint("a", 1, kind="second")) == 1
    assert way(store, touchpoint("z", 9), touchpoint("b", 2)) == 0
    assert way(store, touchpoint(source="shop"), touchpoint("b", 2)) == 1
    assert [(row[0], row[3]) for row in store.touchpoint_rows()] == [("a", "visit"), ("z", "first")]


@WAYS
def test_order_is_that_of_the_texts_bytes(store: Store, way) -> None:
    names = ["a", "B", "ä", "Z", "_", "a b", "aa", "A", "é", "😀", "ﬀ", "1", "10", "2"]
    way(store, *(touchpoint(name, name=name, source=name) for name in names))
    assert [row[0] for row in store.touchpoint_rows()] == sorted(names)


@WAYS
@pytest.mark.parametrize("said", TEXTS, ids=lambda said: ascii(said[:12]))
def test_text_of_any_language_comes_back(store: Store, way, said: str) -> None:
    key = said[:800]
    row = TouchpointRow(key, 5, key, said, said, "inbound", '["t"]', 1.0, "EUR", decision_id=said, source=key)
    assert way(store, row) == 1
    assert way(store, row) == 0
    assert store.history(key, 6) == [tuple(row)[:14]]
    with store.writing() as writing:
        writing.contacts([RecordRow(key, 0, {"account": key, said: said})])
    assert store.traits(key, 1) == {"account": key, said: said}
    assert store.account_members(key, 1) == [key]


def test_a_key_that_is_too_long_costs_its_row_only(store: Store, tmp_path: Path) -> None:
    random_text = "".join(chr(0x4E00 + (n * 7919) % 20_000) for n in range(5_000))
    rows = [f"a,1,{random_text}", f"{random_text},2,b", "soon,soon,c", f"b,3,{'k' * 800}", f"a,5,{'x' * 801}"]
    (tmp_path / "a.csv").write_text("identity,occurred_at,touchpoint_id,kind\n" + "".join(f"{r},visit\n" for r in rows))
    found = load_files(store, "touchpoints", [tmp_path / "a.csv"], now_us=NOW, rules=TouchpointRules())
    assert (found.read, found.stored + found.quarantined) == (5, 5)
    expected = {4} if store._dialect.longest_key is None else {2, 3, 4, 6}
    assert {row.line for row in store.quarantine_rows()} == expected
    assert store.has_touchpoints("b")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_any_text_comes_back(store: Store, said: str) -> None:
    write(store, touchpoint(said, name=said, kind=said))
    load(store, touchpoint(said, name=f"{said}2", kind=said, at=2))
    assert [row[3] for row in store.history(said, 9)] == [said, said]


@WAYS
def test_values_of_any_size_come_back(store: Store, way) -> None:
    values = [1e308, -1.7976931348623157e308, 5e-324, 0.0, -0.0, 0.1, 2**53 + 2.0, None]
    way(store, *(touchpoint(at=n, name=str(n), value=v, margin=v, duration=v) for n, v in enumerate(values)))
    found = store.history("a", 99)
    # Of the two zeros SQLite keeps one; nothing that is computed tells them apart.
    assert [row[7] for row in found] == values
    assert [row[9:11] for row in found] == [(value, value) for value in values]


@WAYS
def test_times_before_1970_and_far_ahead_come_back(store: Store, way) -> None:
    times = [FIRST, -1, 0, 1, NOW, LAST]
    way(store, *(touchpoint(at=at, name=str(at)) for at in reversed(times)))
    assert [row[1] for row in store.history("a", LAST + 1)] == times
    assert [row[1] for row in store.history("a", 0)] == [FIRST, -1]
    assert (store.first_touchpoint_at(), store.last_touchpoint_at()) == (FIRST, LAST)
    assert store.last_touchpoint_at(NOW) == 1


def test_one_moment_is_one_moment_in_every_zone(store: Store, tmp_path: Path) -> None:
    noon = datetime(2025, 3, 30, 12, tzinfo=UTC)
    zones = [UTC, timezone(timedelta(hours=14)), timezone(-timedelta(hours=9, minutes=30))]
    rows = "".join(f"a,{noon.astimezone(zone).isoformat()},visit\n" for zone in zones)
    (tmp_path / "a.csv").write_text(f"identity,occurred_at,kind\n{rows}a,{int(noon.timestamp())},visit\n")
    load_files(store, "touchpoints", [tmp_path / "a.csv"], now_us=NOW, rules=TouchpointRules())
    assert {row[1] for row in store.history("a", NOW)} == {int(noon.timestamp()) * 10**6}
    assert len(store.history("a", NOW)) == 4


@WAYS
def test_large_properties_come_back(store: Store, way) -> None:
    properties = '{"a":"' + "ü👍" * 170_000 + '"}'
    way(store, touchpoint(properties=properties))
    assert store.history("a", 9)[0][13] == properties


def test_all_is_stored_or_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.writing() as writing:
        writing.touchpoints([touchpoint()])
        writing.contacts([RecordRow("a", 0, {"x": 1})])
        raise RuntimeError
    with pytest.raises(RuntimeError), store.loading() as loading:
        loading.touchpoints([touchpoint()])
        loading.contacts([RecordRow("a", 0, {"x": 1})])
        loading.quarantine([refused()])
        loading.settle()
        raise RuntimeError
    assert store.counts() == {"touchpoints": 0, "contacts": 0, "quarantined": 0, "decisions": 0}
    assert store.traits("a", 9) == {}
    assert write(store, touchpoint()) == 1


def test_readers_see_the_last_commit_and_do_not_wait(store: Store, store_url: str) -> None:
    write(store, touchpoint())
    with Store.open(store_url) as other, store.writing() as writing:
        writing.touchpoints([touchpoint(at=2, name="2")])
        assert len(writing.seen.history("a", 9)) == 2
        assert len(other.history("a", 9)) == len(store.history("a", 9)) == len(list(other.touchpoint_rows())) == 1


def test_others_write_while_a_load_is_gathered(store: Store) -> None:
    with store.loading() as loading:
        loading.touchpoints([touchpoint(), touchpoint("b", 2, "2")])
        assert write(store, touchpoint("other", 3, "2"), touchpoint("c", 3, "3")) == 2
        assert loading.settle() == 1
    assert [row[0] for row in store.touchpoint_rows()] == ["a", "c", "other"]


def test_a_stream_is_of_one_moment_and_lets_others_write(store: Store) -> None:
    load(store, *(touchpoint(at=n, name=str(n)) for n in range(12_000)))
    rows = store.touchpoint_rows()
    next(rows)
    write(store, touchpoint("0", 1, "late"))
    assert sum(1 for _ in rows) == 11_999


def test_a_stream_that_is_left_gives_its_connection_back(store: Store) -> None:
    load(store, *(touchpoint(at=n, name=str(n)) for n in range(6_000)))
    for _ in range(20):
        rows = store.touchpoint_rows()
        next(rows)
        rows.close()  # type: ignore[attr-defined]
    assert write(store, touchpoint("b", 1, "b")) == 1


def test_traits_merge_and_are_the_latest_known(store: Store) -> None:
    with store.writing() as writing:
        assert writing.contacts([RecordRow("a", ALWAYS, {"x": 1, "y": 1}), RecordRow("a", ALWAYS, {"y": 2})]) == 2
        assert writing.contacts([RecordRow("a", ALWAYS, {"y": 2}), RecordRow("a", 10, {"y": 3.5})]) == 1
    assert store.traits("a", 10) == {"x": 1, "y": 2}
    assert store.traits("a", 11) == {"x": 1, "y": 3.5}
    assert [row.known_at for row in store.contact_rows(10)] == [ALWAYS]
    assert store.traits_changed_at("a", 11) == 10


def test_records_are_kept_by_table(store: Store) -> None:
    with store.writing() as writing:
        assert writing.records("products", [RecordRow("p", ALWAYS, {"topic": "pumps", "margin": 1e-300})]) == 1
        assert writing.records("products", [RecordRow("p", ALWAYS, {"topic": "pumps"})]) == 0
    assert store.record("products", "p", 0) == {"topic": "pumps", "margin": 1e-300}
    assert store.record("assets", "p", 0) == {}
    assert [row.key for row in store.record_rows("products")] == ["p"]


def test_feedback_waits_for_its_decision(store: Store) -> None:
    outcome = OutcomeRow("f", "d", "accepted", 6, 7, note="ü", value=-0.5)
    with store.writing() as writing:
        writing.outcomes([outcome])
        assert writing.seen.outcomes_of("d") == [outcome._replace(pending=True)]
    with store.writing() as writing:
        writing.decisions([DecisionRow("d", "a", 5, "call", answer=b"\0\xff", chances={"none": 0.25, "call": 0.75})])
    assert store.outcomes_of("d") == [outcome]
    found = store.decision("d")
    assert found is not None and (found.answer, found.deferred) == (b"\0\xff", False)


def refused(line: int = 2, raw: str = '{"kind": "\\u0000"}') -> QuarantineRow:
    return QuarantineRow("touchpoints", raw, "kind '\\0' is wrong \udcfc", "kind is wrong", NOW, "a.csv", line)


def test_the_quarantine_keeps_equal_rows_once(store: Store) -> None:
    with store.writing() as writing:
        assert writing.quarantine([refused(), refused()]) == 1
    with store.loading() as loading:
        loading.quarantine([refused(9), refused(3, '"x"')])
        loading.settle()
    assert [(row.line, row.raw) for row in store.quarantine_rows()] == [(2, refused().raw), (3, '"x"')]
    with store.writing() as writing:
        writing.release([row.number for row in store.quarantine_rows()])
    assert store.counts()["quarantined"] == 0


def test_scores_are_replaced_whole(store: Store) -> None:
    one, two = (ScoreRow(name, 5, "need", 3.0, {"p": 0.5}, None) for name in "ab")
    assert store.save_scores([one, two]) == 2
    with pytest.raises(RuntimeError):
        store.save_scores(broken(one))
    assert list(store.score_rows()) == [one, two]
    assert store.save_scores(iter([two])) == 1
    assert list(store.score_rows()) == [two]


def test_others_write_while_scores_are_worked_out_and_who_is_erased_then_has_none(store: Store) -> None:
    def worked_out() -> Iterator[ScoreRow]:
        for name in "abc":
            with store.writing() as writing:
                writing.contacts([RecordRow(name, 1, {"name": name})])
                if name == "c":
                    bury(writing, ["a"], 9)
            yield ScoreRow(name, 5, "need", 3.0, {}, None)

    assert store.save_scores(worked_out()) == 2
    assert [row.contact_id for row in store.score_rows()] == ["b", "c"]
    assert store.save_scores(worked_out()) == 2


def scored(name: str, behind: float | None, points: float | None = 0.0, **of: str) -> ScoreRow:
    work = None if behind is None else "call"
    return ScoreRow(name, 5, "need", 3.0, {}, None, work, behind, points, **of)


def test_scores_are_read_in_their_line_from_any_place(store: Store) -> None:
    rows = [
        scored("d", 1e12, -9.0, owner="jane"),
        scored("c", -2.5, -1.0, owner="jane", partner="north"),
        scored("b", -2.5, -1.0, partner="north"),
        scored("é", -2.5, -3.0),
        scored("a", None, None, owner="jane"),
    ]
    assert scored_at(store) is None
    store.save_scores(rows)
    assert scored_at(store) == 5
    begin = (-1e300, -1e300, "")
    assert [row.contact_id for row in scores_in_line(store, begin, 9)] == ["é", "b", "c", "d"]
    assert scores_in_line(store, (-2.5, -1.0, "b"), 1) == [rows[1]]
    assert [row.contact_id for row in scores_in_line(store, begin, 9, owner="jane")] == ["c", "d"]
    assert [row.contact_id for row in scores_in_line(store, begin, 9, partner="north")] == ["b", "c"]
    assert [row.contact_id for row in scores_in_line(store, begin, 9, owner="jane", partner="north")] == ["c"]


def test_the_newest_decisions_for_whom_nothing_is_scored_are_found(store: Store) -> None:
    rows = [
        DecisionRow(f"d{at}", name, at, "call", chances={"call": 1.0})
        for at, name in ((5, "a"), (6, "b"), (7, "b"), (8, "scored"), (9, "c"))
    ]
    with store.writing() as writing:
        writing.decisions([*rows, DecisionRow("m", "m", 6, "mail", chances={"mail": 1.0})])
        writing.decisions([DecisionRow("loaded", "l", 6, "call")])
    store.save_scores([scored("scored", 1.0)])
    assert [row.decision_id for row in unscored(store, "call", 6, 9, 9)] == ["d7", "d6"]
    assert [row.decision_id for row in unscored(store, "call", 0, 99, 2)] == ["d9", "d7"]


def broken(row: ScoreRow) -> Iterator[ScoreRow]:
    yield row
    raise RuntimeError


def test_what_was_stored_is_there_after_opening_again(store_url: str) -> None:
    for n in range(3):
        with Store.open(store_url) as store:
            assert store.counts()["touchpoints"] == n
            write(store, touchpoint(at=n, name=str(n)))


def test_a_newer_store_is_refused(store: Store, store_url: str) -> None:
    with store.writing() as writing:
        writing._cursor.execute("UPDATE nba_store SET version = 99")
    with pytest.raises(StoreError, match="newer nba"):
        Store.open(store_url)


def test_many_open_a_new_store_at_once(store_url: str) -> None:
    faults: list[Exception] = []

    def use(n: int) -> None:
        try:
            with Store.open(store_url) as store:
                write(store, touchpoint(at=n, name=str(n)))
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=use, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    with Store.open(store_url) as store:
        assert store.counts()["touchpoints"] == 6


WRITER = """
import random, sys
from features.rows.row_types import DecisionRow, OutcomeRow, RecordRow, TouchpointRow
from features.store.store import Store

url, n, rows, kinds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4].split(",")
rng = random.Random(n)
mine = [i for i in range(rows) if i % 8 in (n, (n + 1) % 8)]
own = [TouchpointRow(f"c{i % 997}", i * 10**6, f"t{i}", "visit", value=float(i)) for i in mine]
rng.shuffle(own)
with Store.open(url) as store:
    if "load" in kinds:
        with store.loading() as loading:
            for start in range(0, len(own), 5000):
                loading.touchpoints(own[start : start + 5000])
            loading.settle()
    for start in range(0, len(own) if "write" in kinds else 0, 50):
        some = own[start : start + 50]
        with store.writing() as writing:
            writing.touchpoints(some[:25])
            writing.contacts([RecordRow(row.identity, row.occurred_at, {f"x{n}": n}) for row in some[:5]])
            writing.touchpoints(some[25:])
            key = str(start % 500)
            if n % 2:
                writing.outcomes([OutcomeRow(f"f{n}-{key}", key, "accepted", 1, 1)])
            else:
                writing.decisions([DecisionRow(key, "c1", 1, "call")])
"""


def write_at_once(url: str, rows: int, *kinds: str) -> None:
    """Eight processes write overlapping parts of the same touchpoints."""
    Store.open(url).close()
    argv = [[sys.executable, "-c", WRITER, url, str(n), str(rows), ",".join(kinds)] for n in range(8)]
    processes = [subprocess.Popen(one, cwd=ROOT, stderr=subprocess.PIPE, text=True) for one in argv]
    said = [process.communicate(timeout=900)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, "\n".join(said)


def check_union(url: str, rows: int) -> None:
    with Store.open(url) as store:
        found = [(row[0], row[1], row[2], row[7]) for row in store.touchpoint_rows()]
    expected = sorted((f"c{i % 997}", i * 10**6, f"t{i}", float(i)) for i in range(rows))
    assert found == expected


@pytest.mark.slow
def test_eight_writers_at_once_end_with_the_union(store_url: str) -> None:
    write_at_once(store_url, 2_000, "write", "load")
    check_union(store_url, 2_000)
    with Store.open(store_url) as store:
        known = {row.decision_id for row in store.decision_rows()}
        # Whichever of the two came first, feedback waits for nothing that is there.
        assert all(row.pending == (row.decision_id not in known) for row in store.outcome_rows())
        wanted = {f"x{n}" for n in range(8)}
        assert {name for row in store.contact_rows() for name in row.body} == wanted


@pytest.mark.slow
def test_eight_loads_at_once_end_with_the_union_of_a_million(store_url: str) -> None:
    write_at_once(store_url, 1_000_000, "load")
    check_union(store_url, 1_000_000)

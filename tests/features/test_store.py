import sqlite3
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.rows.row_types import (
    LinkRow,
    QuarantineRow,
    RecordRow,
    TouchpointRow,
)
from features.store import dialect as store_dialect
from features.store import selects as store_selects
from features.store.patience import Patience
from features.store.store import Store, StoreAwayError, StoreError
from features.times import ALWAYS
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints


def url(folder: Path, name: str = "nba.db") -> str:
    return f"sqlite:///{folder / name}"


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(url(tmp_path)) as opened:
        yield opened


def touchpoint(identity="a", at=1, name="1", **others) -> TouchpointRow:
    return TouchpointRow(identity, at, name, others.pop("kind", "visit"), **others)


def write(store: Store, *rows: TouchpointRow) -> int:
    with store.writing() as writing:
        return writing.touchpoints(rows)


def test_history_is_strictly_before_and_in_order(store: Store) -> None:
    write(
        store,
        touchpoint(at=3, name="x"),
        touchpoint(at=1, name="y"),
        touchpoint(at=2),
        touchpoint("b", 1, "z"),
    )
    assert [row[1:3] for row in store.history("a", 3)] == [(1, "y"), (2, "1")]
    assert store.history("nobody", 9) == []


def test_a_row_comes_back_as_it_went_in(store: Store) -> None:
    row = TouchpointRow(
        "crm:ü",
        5,
        "t",
        "order",
        "shop",
        "inbound",
        '["pümps"]',
        1.5,
        "CHF",
        0.5,
        3.0,
        "d",
        "call",
        '{"a":1}',
        "s",
    )
    write(store, row)
    assert store.history("crm:ü", 6) == [tuple(row)[:14]]
    assert list(store.touchpoint_rows()) == [tuple(row)[:14]]
    Touchpoints.from_rows(store.touchpoint_rows(), TouchpointRules(rates={"CHF": 1.1}))


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
@settings(max_examples=30, deadline=None)
def test_text_of_any_language_comes_back(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    with Store.open(url(tmp_path_factory.mktemp("store"))) as store:
        write(store, touchpoint(text, kind=text, name=text, channel=text, source=text))
        with store.writing() as writing:
            writing.contacts([RecordRow(text, 0, {text: text})])
        assert store.history(text, 9)[0][2:5] == (text, text, text)
        assert store.traits(text, 9) == {text: text}


def test_the_same_id_of_the_same_source_is_stored_once_for_ever(store: Store) -> None:
    assert write(store, touchpoint(), touchpoint(at=2, kind="order")) == 1
    assert write(store, touchpoint(), touchpoint("b", 9)) == 0
    assert write(store, touchpoint(source="shop")) == 1
    assert [row[3] for row in store.history("a", 9)] == ["visit", "visit"]


def test_a_touchpoint_without_id_is_a_fault_of_the_caller(store: Store) -> None:
    with pytest.raises(ValueError, match="touchpoint_id"):
        write(store, touchpoint(name=None))


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), max_size=30),
    st.randoms(),
    st.integers(1, 30),
)
@settings(max_examples=25, deadline=None)
def test_order_and_size_of_chunks_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, keys: list[tuple[str, int]], random, size: int
) -> None:
    rows = [touchpoint(identity, at, f"{identity}{at}") for identity, at in keys]
    found = []
    for way in (rows, random.sample(rows, len(rows))):
        with Store.open(url(tmp_path_factory.mktemp("store"))) as store:
            for start in range(0, len(way), size):
                write(store, *way[start : start + size])
            found.append(list(store.touchpoint_rows()))
    assert found[0] == found[1]
    assert len(found[0]) == len(set(keys))


def test_all_is_stored_or_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.writing() as writing:
        writing.touchpoints([touchpoint()])
        writing.contacts([RecordRow("a", 0, {"x": 1})])
        raise RuntimeError
    assert store.counts() == {"touchpoints": 0, "contacts": 0, "quarantined": 0, "decisions": 0}
    assert write(store, touchpoint()) == 1


def test_readers_do_not_wait_for_a_writer_nor_see_half_of_it(store: Store, tmp_path: Path) -> None:
    write(store, touchpoint())
    with Store.open(url(tmp_path)) as other, store.writing() as writing:
        writing.touchpoints([touchpoint(at=2, name="2")])
        assert len(other.history("a", 9)) == 1
        assert len(store.history("a", 9)) == 1
        assert len(list(other.touchpoint_rows())) == 1


def test_a_stream_is_of_one_moment_and_lets_others_write(store: Store) -> None:
    write(store, *(touchpoint(at=n, name=str(n)) for n in range(12_000)))
    rows = store.touchpoint_rows()
    next(rows)
    write(store, touchpoint("z", 1, "late"))
    assert sum(1 for _ in rows) == 11_999


def test_threads_share_a_store(store: Store) -> None:
    write(store, touchpoint())
    found: list[int] = []

    def work(n: int) -> None:
        write(store, touchpoint(at=n, name=f"t{n}"))
        found.append(len(store.history("a", 99)) > 0)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 8
    assert store.counts()["touchpoints"] == 9


def test_a_writer_that_waits_too_long_gets_a_sentence(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_dialect, "BUSY_SECONDS", 0.01)
    with Store.open(url(tmp_path)) as other, store.writing():
        with pytest.raises(StoreError, match="another process"), other.writing():
            pass


def test_a_store_can_be_opened_and_read_while_another_writes(store: Store, tmp_path: Path) -> None:
    write(store, touchpoint())
    with store.writing() as writing:
        writing.touchpoints([touchpoint(at=2, name="2")])
        with Store.open(url(tmp_path)) as other:
            assert other.counts()["touchpoints"] == 1


def test_traits_are_the_latest_known_strictly_before(store: Store) -> None:
    with store.writing() as writing:
        writing.contacts(
            [
                RecordRow("a", ALWAYS, {"size": 1, "account": "acme"}),
                RecordRow("a", 10, {"size": 2, "role": "buyer"}),
            ]
        )
    assert store.traits("a", 10) == {"size": 1, "account": "acme"}
    assert store.traits("a", 11) == {"size": 2, "account": "acme", "role": "buyer"}
    assert [row.known_at for row in store.contact_rows(11)] == [ALWAYS, 10]
    assert [row.known_at for row in store.contact_rows(10)] == [ALWAYS]


def test_traits_of_one_moment_merge_and_the_later_wins(store: Store) -> None:
    with store.writing() as writing:
        assert writing.contacts([RecordRow("a", 0, {"x": 1, "y": 1}), RecordRow("a", 0, {"y": 2})]) == 2
        assert writing.contacts([RecordRow("a", 0, {"y": 2}), RecordRow("a", 0, {})]) == 0
    assert store.traits("a", 1) == {"x": 1, "y": 2}


def test_records_are_kept_by_table(store: Store) -> None:
    with store.writing() as writing:
        assert writing.records("products", [RecordRow("p", ALWAYS, {"topic": "pumps"})]) == 1
        assert writing.records("products", [RecordRow("p", ALWAYS, {"topic": "pumps"})]) == 0
        with pytest.raises(ValueError, match="contacts"):
            writing.records("contacts", [])
    assert store.record("products", "p", 0) == {"topic": "pumps"}
    assert store.record("assets", "p", 0) == {}
    assert list(store.record_rows("products")) == [RecordRow("p", ALWAYS, {"topic": "pumps"})]


def test_links_are_seen_strictly_before(store: Store) -> None:
    link = LinkRow("a", "b", 5, "login", 0.5)
    with store.writing() as writing:
        assert writing.links([link, link]) == 1
    assert list(store.link_rows(5)) == []
    assert list(store.link_rows(6)) == [link]


def test_equal_rows_are_in_quarantine_once(store: Store) -> None:
    row = QuarantineRow("touchpoints", '{"kind": "\\udcfc"}', "kind 'x\udcfc' is wrong", "kind is wrong", 5, "a.csv", 2)
    with store.writing() as writing:
        assert writing.quarantine([row, row]) == 1
        assert writing.quarantine([row]) == 0
    (found,) = store.quarantine_rows()
    assert (found.table, found.raw, found.line) == (row.table, row.raw, 2)
    with store.writing() as writing:
        writing.release([found.number])
    assert store.counts()["quarantined"] == 0


def test_the_span_of_the_records(store: Store) -> None:
    assert store.first_touchpoint_at() is store.last_touchpoint_at(9) is None
    write(store, touchpoint(at=3), touchpoint("b", 7, "2"))
    assert (store.first_touchpoint_at(), store.last_touchpoint_at(7), store.last_touchpoint_at()) == (3, 3, 7)
    assert store.counts() == {"touchpoints": 2, "contacts": 2, "quarantined": 0, "decisions": 0}
    assert store.has_touchpoints("a")
    assert not store.has_touchpoints("c")


@pytest.mark.parametrize("wrong", ["nonsense", "postgresql://u:secret@h/db", "sqlite://", "sqlite:////no/such/f/x.db"])
def test_a_wrong_url_is_refused(wrong: str) -> None:
    with pytest.raises(StoreError) as caught:
        Store.open(wrong)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "nba.db").write_text("identity,occurred_at\n" * 1000)
    with pytest.raises(StoreError, match="some other file"):
        Store.open(url(tmp_path))
    assert (tmp_path / "nba.db").read_text().startswith("identity,")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="folder"):
        Store.open(f"sqlite:///{tmp_path}")


@pytest.mark.parametrize("wrong", ["postgresql://u:s3cret@127.0.0.1:port/db", "postgresql//u:s3cret@127.0.0.1/db"])
def test_a_url_that_is_none_is_refused_without_telling_its_password(wrong: str) -> None:
    with pytest.raises(StoreError, match="not a database URL") as caught:
        Store.open(wrong)
    assert "s3cret" not in str(caught.value)


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    Store.open(url(tmp_path)).close()
    with sqlite3.connect(tmp_path / "nba.db") as connection:
        connection.execute("UPDATE nba_store SET version = 99")
    connection.close()
    with pytest.raises(StoreError, match="newer nba"):
        Store.open(url(tmp_path))


def test_tables_of_somebody_else_are_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "nba.db") as connection:
        connection.execute("CREATE TABLE contacts (x)")
    connection.close()
    with pytest.raises(StoreError, match="contacts"):
        Store.open(url(tmp_path))


def test_history_reads_in_the_order_of_the_table(store: Store) -> None:
    plan = store._all(f"EXPLAIN QUERY PLAN {store_selects.HISTORY.text(store._dialect)}", ("a", 5))
    assert not any("TEMP B-TREE" in row[3] for row in plan)
    assert any("PRIMARY KEY (identity=? AND occurred_at<?)" in row[3] for row in plan)


def test_only_what_will_pass_is_called_away(store: Store, tmp_path: Path) -> None:
    with Store.open(url(tmp_path), Patience(0.01)) as other, store.writing():
        with pytest.raises(StoreAwayError, match="another process"), other.writing():
            pass
    with pytest.raises(StoreError) as refused, store.writing() as writing:
        writing.touchpoints([touchpoint(kind=None)])
    assert not isinstance(refused.value, StoreAwayError)

"""Claims about catalogues: the latest value of every column known before, and a bad cell spoils nothing but itself."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.rows.row_types import RecordRow
from features.rows.schema import RECORDS
from features.store.store import Store
from features.times import DAY, parse_time
from nba.tables import memory as table_memory
from nba.tables.memory import tables_of
from nba.tables.reading import asset_of, content_of, event_of, known_bodies, partner_of, product_of
from nba.tables.tables import Asset, Content, Event, Partner, Product, Tables

NOW = parse_time("2026-06-15")

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
COLUMNS = sorted(
    {*Product.__dataclass_fields__, *Asset.__dataclass_fields__, *Event.__dataclass_fields__}
    | {*Content.__dataclass_fields__, *Partner.__dataclass_fields__, "topic", "identity"} - {"more"}
)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


def write(store: Store, table: str, *rows: RecordRow) -> int:
    with store.writing() as writing:
        return writing.records(table, rows)


def test_every_column_is_read_and_others_are_kept() -> None:
    product = product_of("p", {"topic": "pumps", "topics": ["pumps", "oil"], "margin": 2, "colour": "red"})
    assert product == Product("p", ("pumps", "oil"), 2.0, {"colour": "red"})
    asset = asset_of("a", {"identity": "c", "account": "acme", "product_id": 7, "next_service_on": "2026-07-01"})
    assert asset == Asset("a", "7", None, {"next_service_on": "2026-07-01"})
    event = event_of("e", {"starts_at": "2026-07-01", "topics": '["pumps"]', "seats": 30.0, "place": "Basel"})
    assert event == Event("e", parse_time("2026-07-01"), place="Basel", topics=("pumps",), seats=30)
    content = content_of("c", {"title": "T", "topics": "pumps", "tone": "promotional", "valid_to": "2026-07-01"})
    assert content == Content("c", "T", ("pumps",), tone="promotional", valid_to=parse_time("2026-07-01"))
    partner = partner_of("d", {"territory": "CH, AT ", "capacity": 3.0, "visible": [], "tier": 1})
    assert partner == Partner("d", territory=("CH", "AT"), capacity=3, visible=(), more={"tier": 1})
    for places in (["CH", "AT"], '["CH", "AT"]', "CH,AT"):
        assert partner_of("d", {"territory": places}).territory == ("CH", "AT")


@given(st.dictionaries(st.sampled_from(COLUMNS), JUNK))
def test_whatever_stands_in_a_cell_the_row_is_read(body: dict[str, object]) -> None:
    for read in (product_of, asset_of, partner_of):
        read("k", body)
    event, content = event_of("k", body), content_of("k", body)
    assert event is None or isinstance(event.starts_at, int)
    assert content is None or content.title


def test_an_event_that_begins_nobody_knows_when_is_left_out(store: Store) -> None:
    write(
        store, "events", RecordRow("good", 1, {"starts_at": "2026-07-01"}), RecordRow("bad", 1, {"starts_at": "soon"})
    )
    assert list(tables_of(store, NOW).events) == ["good"]


@given(st.lists(st.tuples(st.sampled_from("pq"), st.integers(0, 9), st.sampled_from("xyz"), st.integers()), max_size=9))
def test_bodies_are_what_one_record_read_says(rows: list[tuple[str, int, str, int]]) -> None:
    ordered = sorted((RecordRow(key, at, {name: value}) for key, at, name, value in rows), key=lambda row: row[:2])
    for before in range(11):
        found = known_bodies(ordered, before)
        for key in "pq":
            expected: dict[str, object] = {}
            for row in ordered:
                if row.key == key and row.known_at < before:
                    expected |= row.body
            assert found.get(key, {}) == expected


def test_what_is_known_holds_from_then_on_and_a_change_is_seen_at_once(store: Store) -> None:
    assert tables_of(store, NOW) == Tables()
    write(store, "products", RecordRow("p", NOW - DAY, {"topic": "pumps"}), RecordRow("q", NOW, {"topic": "oil"}))
    assert dict(tables_of(store, NOW).products) == {"p": Product("p", ("pumps",))}
    assert list(tables_of(store, NOW + 1).products) == ["p", "q"]
    assert tables_of(store, NOW - DAY).products == {}
    write(store, "products", RecordRow("p", NOW - DAY, {"margin": 3.0}), RecordRow("p", NOW - 5, {"topic": "saws"}))
    assert tables_of(store, NOW).products["p"] == Product("p", ("saws",), 3.0)
    assert tables_of(store, NOW - 5).products["p"] == Product("p", ("pumps",), 3.0)


def test_nothing_is_read_again_while_nothing_changed(store: Store) -> None:
    write(store, "content", RecordRow("c", 1, {"title": "T", "topics": ["pumps"]}))
    first = tables_of(store, NOW).content
    assert tables_of(store, NOW + DAY).content is first
    write(store, "events", RecordRow("e", 1, {"starts_at": "2026-07-01"}))
    write(store, "content", RecordRow("c", 1, {"title": "T"}))
    assert tables_of(store, NOW).content is first, "neither another table nor what was known already changes it"


def test_what_another_process_changes_is_seen_when_it_is_looked_for_again(
    store: Store, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_memory, "ASKED_EVERY", 1e9)
    assert tables_of(store, NOW).products == {}
    with Store.open(store_url) as other:
        write(other, "products", RecordRow("p", 1, {"topic": "pumps"}))
    assert tables_of(store, NOW).products == {}
    monkeypatch.setattr(table_memory, "ASKED_EVERY", 0.0)
    assert list(tables_of(store, NOW).products) == ["p"]


def test_every_table_counts_its_changes(store: Store) -> None:
    assert store.record_changes() == {}
    for n, table in enumerate(RECORDS, 1):
        for change in range(n):
            write(store, table, RecordRow("k", 1, {"n": change}))
    assert store.record_changes() == {table: n for n, table in enumerate(RECORDS, 1)}

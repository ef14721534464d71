"""Links by their ends, splits, members of accounts, lakes and packed touchpoints in the store."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.rows.row_types import LinkRow, RecordRow, SplitRow
from features.store.store import Store
from features.times import ALWAYS


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


def link(store: Store, *rows: LinkRow) -> int:
    with store.writing() as writing:
        return writing.links(rows)


def test_links_of_an_identity_are_found_from_either_end(store: Store) -> None:
    link(store, LinkRow("a", "b", 5, "login"), LinkRow("c", "a", 3, "click", 0.5), LinkRow("b", "c", 1))
    assert store.links_of("a", 9, 9) == [LinkRow("a", "c", 3, "click", 0.5), LinkRow("a", "b", 5, "login", 1.0)]
    assert store.links_of("a", 5, 9) == store.links_of("a", 9, 1) == [LinkRow("a", "c", 3, "click", 0.5)]
    assert store.links_of("nobody", 9, 9) == []


def test_of_equal_ends_the_earliest_counts(store: Store) -> None:
    link(store, LinkRow("a", "b", 5, "login"))
    link(
        store,
        LinkRow("b", "a", 7, "login", 1.0),
        LinkRow("b", "a", 2, "login", 1.0),
        LinkRow("a", "b", 1, "login", 0.2),
    )
    assert store.links_of("b", 9, 9) == [LinkRow("b", "a", 1, "login", 0.2), LinkRow("b", "a", 2, "login", 1.0)]


def test_the_surest_of_links_that_differ_in_nothing_else_stays(store: Store) -> None:
    weak, sure = LinkRow("a", "b", 5, "stitched", 0.3), LinkRow("a", "b", 5, "stitched", 0.95)
    assert link(store, weak) == 1
    assert link(store, sure) == 1
    assert link(store, weak) == 0
    assert list(store.link_rows()) == [sure]


links = st.builds(
    LinkRow,
    st.sampled_from("abc"),
    st.sampled_from("def"),
    st.integers(0, 3),
    st.sampled_from(["", "login"]),
    st.sampled_from([None, 0.5, 1.0]),
)


@given(st.lists(links, max_size=12), st.randoms())
@settings(max_examples=30, deadline=None)
def test_the_order_of_links_tells_nothing(
    tmp_path_factory: pytest.TempPathFactory, rows: list[LinkRow], random
) -> None:
    found = []
    for way in (rows, random.sample(rows, len(rows))):
        with Store.open(f"sqlite:///{tmp_path_factory.mktemp('store') / 'nba.db'}") as store:
            for row in way:
                link(store, row)
            ends = [store.links_of(identity, 9, 99) for identity in "abcdef"]
            found.append((ends, [(*row[:4], 1.0 if row[4] is None else row[4]) for row in store.link_rows()]))
    assert found[0] == found[1]


def test_splits_are_kept_once_and_found_from_either_end(store: Store) -> None:
    split = SplitRow("b", "a", 5, "two sisters", "crm")
    with store.writing() as writing:
        assert writing.splits([split, split, SplitRow("a", "b", 5, "again")]) == 1
        assert writing.splits([SplitRow("a", "c", 9)]) == 1
        assert writing.seen.splits_of("c", 10) == [SplitRow("c", "a", 9)]
    assert store.splits_of("a", 6) == [SplitRow("a", "b", 5, "two sisters", "crm")]
    assert store.splits_of("b", 99) == [SplitRow("b", "a", 5, "two sisters", "crm")]
    assert store.splits_of("a", 5) == []
    assert list(store.split_rows()) == [SplitRow("a", "b", 5, "two sisters", "crm"), SplitRow("a", "c", 9)]
    assert list(store.split_rows(9)) == [SplitRow("a", "b", 5, "two sisters", "crm")]


def test_who_is_a_contact_and_whose_account(store: Store) -> None:
    with store.writing() as writing:
        writing.contacts([RecordRow("a", ALWAYS, {"account": "acme"}), RecordRow("b", 5, {"account": "acme"})])
        writing.contacts([RecordRow("a", 7, {"account": "other"}), RecordRow("c", 7, {"size": 1})])
    assert [store.is_contact("b", at) for at in (5, 6)] == [False, True]
    assert not store.is_contact("d", 99)
    assert store.account_members("acme", 0) == ["a"]
    assert store.account_members("acme", 6) == ["a", "b"]
    assert store.account_members("other", 7) == []
    assert store.account_members("other", 8) == ["a"]


def test_a_corrected_account_takes_the_member_along(store: Store) -> None:
    with store.writing() as writing:
        writing.contacts([RecordRow("a", 5, {"account": "acme", "size": 1})])
    with store.writing() as writing:
        assert writing.contacts([RecordRow("a", 5, {"account": "wrong"}), RecordRow("a", 5, {"account": "bolt"})]) == 2
    assert [store.account_members(name, 9) for name in ("acme", "wrong", "bolt")] == [[], [], ["a"]]


def test_lakes_are_listed_once(store: Store) -> None:
    with store.writing() as writing:
        writing.lake("/z")
        writing.lake("/a ü")
        writing.lake("/z")
    assert store.lakes() == ["/a ü", "/z"]


def test_packed_bytes_are_replaced_and_forgotten(store: Store) -> None:
    with store.writing() as writing:
        writing.pack("a", b"\0one")
        writing.pack("a", b"\xfftwo")
        writing.pack("b", b"")
    assert (store.packed("a"), store.packed("b"), store.packed("c")) == (b"\xfftwo", b"", None)
    with store.writing() as writing:
        writing.unpack_all(["a", "c"])
    assert (store.packed("a"), store.packed("b")) == (None, b"")

"""Claims about who is one contact when; a request and a batch must always agree."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from features.identity.identity import Identities
from features.identity.link_rules import best_name
from features.identity.members import members_of
from features.rows.row_types import ContactRow, LinkRow, SplitRow
from features.touchpoints.touchpoints import TouchpointRules
from tests.examples import examples
from tests.features import linked
from tests.features.linked import IDENTITIES, MOMENTS, empty_store, write

RULES = TouchpointRules()


def joined(links: list[LinkRow], splits: list[SplitRow] | None = None, rules: TouchpointRules = RULES) -> Identities:
    return Identities.of(links, splits or [], rules)


@settings(max_examples=examples(500), deadline=None)
@given(linked.links, linked.splits, linked.contacts, linked.rules)
def test_a_request_and_a_batch_agree(
    links: list[LinkRow], splits: list[SplitRow], contacts: list[ContactRow], rules: TouchpointRules
) -> None:
    known = {row.key: min(r.known_at for r in contacts if r.key == row.key) for row in contacts}
    with empty_store() as store:
        write(store, links, splits, contacts)
        batch = Identities.of(store.link_rows(), store.split_rows(), rules)
        for as_of in MOMENTS:
            for identity in IDENTITIES:
                found = members_of(store, identity, as_of, rules)
                assert found.members == batch.members(identity, as_of)
                assert list(found.why) == batch.why(identity, as_of)
                contacts_by_then = {name for name, at in known.items() if at < as_of}
                assert found.contact_id == best_name(batch.members(identity, as_of), contacts_by_then.__contains__)


@settings(max_examples=examples(500), deadline=None)
@given(linked.links, linked.splits, linked.rules, st.randoms(use_true_random=False))
def test_the_order_of_links_tells_nothing(
    links: list[LinkRow], splits: list[SplitRow], rules: TouchpointRules, random: Random
) -> None:
    other_links, other_splits = [*links, *links[:3]], [*splits, *splits[:1]]
    random.shuffle(other_links)
    random.shuffle(other_splits)
    turned = [row._replace(identity_a=row.identity_b, identity_b=row.identity_a) for row in other_links]
    a, b = joined(links, splits, rules), joined(turned, other_splits, rules)
    for identity in IDENTITIES:
        assert a.standings(identity) == b.standings(identity)
        assert a.group(identity) == b.group(identity)
        for as_of in MOMENTS:
            assert a.why(identity, as_of) == b.why(identity, as_of)


@settings(max_examples=examples(500), deadline=None)
@given(linked.links, linked.splits, linked.rules)
def test_standings_are_what_members_say(links: list[LinkRow], splits: list[SplitRow], rules: TouchpointRules) -> None:
    found = joined(links, splits, rules)
    for identity in IDENTITIES:
        spans = found.standings(identity)
        assert all(before[2] == after[1] for before, after in pairwise(spans))
        assert all(before[0] != after[0] for before, after in pairwise(spans))
        for members, begin, end in spans:
            assert {found.group(member) for member in members} == {found.group(identity)}
            for as_of in MOMENTS:
                assert (members == found.members(identity, as_of)) or not begin < as_of <= end


@settings(max_examples=examples(500), deadline=None)
@given(linked.links, linked.splits, linked.rules, st.sampled_from(MOMENTS))
def test_what_comes_later_changes_nothing(
    links: list[LinkRow], splits: list[SplitRow], rules: TouchpointRules, as_of: int
) -> None:
    found = joined(links, splits, rules)
    before = joined([row for row in links if row.seen_at < as_of], [row for row in splits if row.at < as_of], rules)
    assert [found.members(name, as_of) for name in IDENTITIES] == [before.members(name, as_of) for name in IDENTITIES]


@settings(max_examples=examples(500), deadline=None)
@given(linked.links, linked.splits, linked.rules, linked.pairs)
def test_splitting_a_wrong_join_restores_what_was_before(
    links: list[LinkRow], splits: list[SplitRow], rules: TouchpointRules, wrong: tuple[str, str]
) -> None:
    others = [row for row in links if {*row[:2]} != {*wrong}]
    splits = [row for row in splits if {*row[:2]} != {*wrong}]
    late = MOMENTS[-1] + 10
    right = joined(others, splits, rules)
    undone = joined([*others, LinkRow(*wrong, late, "login")], [*splits, SplitRow(*wrong, late + 5)], rules)
    for name in IDENTITIES:
        assert undone.members(name, late + 6) == right.members(name, late + 6)
        assert undone.why(name, late + 6) == right.why(name, late + 6)


@settings(max_examples=examples(500), deadline=None)
@given(linked.links, linked.rules)
def test_shared_keys_join_nobody(links: list[LinkRow], rules: TouchpointRules) -> None:
    found = joined(links, rules=rules)
    for as_of in MOMENTS:
        good = [
            {*row[:2]}
            for row in links
            if row.seen_at < as_of
            and (row.confidence is None or row.confidence >= rules.stitch_confidence)
            and (row.how != "stitched" or rules.visitor_stitching)
        ]
        for name in IDENTITIES:
            neighbours = {other for pair in good if name in pair for other in pair - {name}}
            if len(neighbours) > rules.stitch_limit:
                assert found.members(name, as_of) == (name,)
            if not neighbours:
                assert found.members(name, as_of) == (name,)


def test_a_key_is_shared_from_the_moment_that_shows_it() -> None:
    rules = TouchpointRules(stitch_limit=2)
    found = joined([LinkRow("kiosk", f"crm:{n}", n * 10, "login") for n in (1, 2, 3)], rules=rules)
    assert found.members("crm:1", 30) == ("crm:1", "crm:2", "kiosk")
    assert found.members("crm:1", 31) == ("crm:1",)
    assert found.members("kiosk", 31) == ("kiosk",)
    assert found.group("crm:2") == "crm:1"
    assert found.group("crm:3") == "crm:3"


def test_a_split_lasts_until_a_person_confirms() -> None:
    login = [LinkRow("a", "b", at, "login") for at in (10, 40)]
    split = [SplitRow("b", "a", 20)]
    assert joined(login, split).members("a", 20) == ("a", "b")
    assert joined(login, split).members("a", 50) == ("a",)
    again = joined([*login, LinkRow("b", "a", 60, "confirmed")], split)
    assert again.members("a", 60) == ("a",)
    assert again.members("a", 61) == ("a", "b")


def test_confirming_once_more_after_a_split_joins_again() -> None:
    rows = [LinkRow("a", "b", at, "confirmed") for at in (10, 30)]
    with empty_store() as store:
        write(store, rows, [SplitRow("a", "b", 20)])
        assert members_of(store, "a", 25, RULES).members == ("a",)
        assert members_of(store, "a", 31, RULES).members == ("a", "b")
        assert members_of(store, "a", 31, RULES).why == (LinkRow("a", "b", 30, "confirmed", 1.0),)


def test_splitting_a_kiosk_from_the_one_too_many_lets_it_join_again() -> None:
    rules = TouchpointRules(stitch_limit=2)
    links = [LinkRow("kiosk", f"crm:{n}", n * 10, "login") for n in (1, 2, 3)]
    found = joined(links, [SplitRow("kiosk", "crm:3", 40)], rules)
    assert found.members("crm:1", 40) == ("crm:1",)
    assert found.members("crm:1", 41) == ("crm:1", "crm:2", "kiosk")


def test_what_is_stitched_joins_only_where_the_owner_says_so() -> None:
    rows = [LinkRow("a", "b", 10, "stitched", 0.95), LinkRow("b", "c", 10, "stitched", 0.85)]
    assert joined(rows).members("b", 11) == ("b",)
    assert joined(rows, rules=TouchpointRules(visitor_stitching=True)).members("b", 11) == ("a", "b")
    unsure = TouchpointRules(visitor_stitching=True, stitch_confidence=0.8)
    assert joined(rows, rules=unsure).members("b", 11) == ("a", "b", "c")


def test_too_many_identities_are_nobody() -> None:
    rules = TouchpointRules(stitch_limit=2)
    chain = [LinkRow(f"a{n:03}", f"a{n + 1:03}", 10 + n, "login") for n in range(60)]
    found = joined(chain, rules=rules)
    assert [len(found.members("a000", as_of)) for as_of in (55, 56, 57)] == [46, 47, 1]
    with empty_store() as store:
        write(store, chain)
        for as_of in (40, 55, 56, 57, 58, 59, 90):
            for name in ("a000", "a020", "a050", "a060"):
                assert members_of(store, name, as_of, rules).members == found.members(name, as_of)


def test_a_kiosk_with_many_links_costs_a_bounded_read() -> None:
    rules = TouchpointRules(stitch_limit=2)
    rows = [LinkRow("kiosk", f"crm:{n}", n, "click", 0.1) for n in range(1, 200)]
    found = joined([*rows, LinkRow("kiosk", "crm:1", 500, "login")], rules=rules)
    with empty_store() as store:
        write(store, [*rows, LinkRow("kiosk", "crm:1", 500, "login")])
        assert len(store.links_of("kiosk", 600, 48)) == 48
        assert members_of(store, "kiosk", 600, rules).members == found.members("kiosk", 600) == ("kiosk",)
        assert members_of(store, "crm:1", 600, rules).members == found.members("crm:1", 600) == ("crm:1",)


def test_the_name_is_the_best_known_one() -> None:
    assert best_name(["cookie:1", "email:2", "crm:3"], lambda _: False) == "crm:3"
    assert best_name(["cookie:1", "email:2", "crm:3"], lambda name: name == "cookie:1") == "cookie:1"

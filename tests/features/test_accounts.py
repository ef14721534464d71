"""Claims about accounts: who counts when, that the future changes nothing, and that one contact is like many."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.accounts import MOST_CONTACTS, Groups, by_account, crowded_at
from features.catalogue import ACCOUNT
from features.matrix import History
from features.times import ALWAYS, DAY
from features.touchpoints.touchpoints import Touchpoints
from features.traits import Traits
from tests.examples import examples
from tests.features.account_worlds import PLAIN, account_matrix
from tests.features.worlds import FEATURES, NOW, RULES, histories, moments, row

CONTACTS = ("ann", "bob", "cid", "dan", "eve")
COLUMN = {feature.name: i for i, feature in enumerate(ACCOUNT)}

bodies = st.fixed_dictionaries(
    {},
    optional={
        "account": st.sampled_from(["acme", "bolt", None]),
        "role": st.sampled_from(["user", "buyer", None]),
        "size": st.integers(0, 9),
    },
)
known = st.lists(
    st.tuples(st.sampled_from(CONTACTS), st.one_of(st.just(ALWAYS), moments), bodies),
    max_size=12,
    unique_by=lambda entry: entry[:2],
)
asked = st.lists(st.tuples(st.sampled_from(CONTACTS), moments), min_size=1, max_size=8)


def same_bits(a, b):
    return a.shape == b.shape and a.dtype == b.dtype == np.float32 and a.tobytes() == b.tobytes()


def columns(rows, known, asked):
    return {name: account_matrix(rows, known, asked)[:, at] for name, at in COLUMN.items()}


@settings(max_examples=examples(80), deadline=None)
@given(histories(CONTACTS), known, asked)
def test_what_happens_or_becomes_known_at_or_after_as_of_changes_nothing(rows, known, asked):
    X = account_matrix(rows, known, asked)
    for i, (name, as_of) in enumerate(asked):
        rows_before = [r for r in rows if r[1] < as_of]
        known_before = [entry for entry in known if entry[1] < as_of]
        assert same_bits(account_matrix(rows_before, known_before, [(name, as_of)])[0], X[i])


@settings(max_examples=examples(80), deadline=None)
@given(histories(CONTACTS), known, asked, st.randoms(use_true_random=False))
def test_any_order_of_arrival_and_of_rows_gives_the_same_bits(rows, known, asked, random):
    X = account_matrix(rows, known, asked)
    random.shuffle(rows)
    random.shuffle(known)
    order = list(range(len(asked)))
    random.shuffle(order)
    assert same_bits(account_matrix(rows, known, [asked[i] for i in order]), X[order])


@settings(max_examples=examples(80), deadline=None)
@given(histories(CONTACTS), known, asked)
def test_the_contacts_of_the_account_alone_give_the_bits_of_the_batch(rows, known, asked):
    X = account_matrix(rows, known, asked)
    groups = Groups.of(known)
    for i, (name, as_of) in enumerate(asked):
        account = groups.accounts.value_of(name, as_of)
        mates = groups.members(account, as_of) if account is not None else [name]
        some = [r for r in rows if r[0] in mates], [entry for entry in known if entry[0] in mates]
        # Names may differ between a request and training, and with them the order of contacts.
        renamed = {old: f"z{9 - n}" for n, old in enumerate(mates)}
        alone = account_matrix(
            [(renamed[r[0]], *r[1:]) for r in some[0]],
            [(renamed[entry[0]], *entry[1:]) for entry in some[1]],
            [(renamed[name], as_of)],
        )
        assert same_bits(alone[0], X[i])


def test_who_joins_brings_the_past_along_and_who_leaves_takes_it_away():
    rows = [row("ann", NOW - 50 * DAY, 1), row("bob", NOW - 40 * DAY, 2), row("bob", NOW - 2 * DAY, 3)]
    known = [
        ("ann", ALWAYS, {"account": "acme"}),
        ("bob", NOW - 30 * DAY, {"account": "acme"}),
        ("bob", NOW - DAY, {"account": None}),
    ]
    at = [NOW - 30 * DAY, NOW - 30 * DAY + 1, NOW - DAY, NOW - DAY + 1]
    found = columns(rows, known, [("ann", as_of) for as_of in at])
    assert found["account_n_contacts"].tolist() == [1, 2, 2, 1]
    assert found["account_n_inbound_90d"].tolist() == [1, 2, 3, 1]
    assert found["account_arrival_rank"].tolist() == [1, 1, 1, 1]
    assert found["account_n_others_inbound_30d"].tolist() == [0, 1, 1, 0]


def test_who_belongs_to_no_account_knows_nothing_of_one():
    rows = [row("ann", NOW - DAY, 1), row("bob", NOW - DAY, 2)]
    X = account_matrix(rows, [("bob", ALWAYS, {"account": "acme"})], [("ann", NOW), ("bob", NOW)])
    assert np.isnan(X[0]).all() and X[1, COLUMN["account_n_contacts"]] == 1


def test_a_contact_without_touchpoints_is_known_but_not_active():
    known = [(name, ALWAYS, {"account": "acme", "role": name}) for name in ("ann", "bob")]
    found = columns([row("ann", NOW - DAY, 1)], known, [("ann", NOW), ("bob", NOW)])
    assert found["account_n_contacts"].tolist() == [2, 2] == found["account_n_roles"].tolist()
    assert found["account_n_active_30d"].tolist() == [1, 1]
    assert found["account_is_first"].tolist() == [1, 0] and np.isnan(found["account_arrival_rank"][1])
    assert found["account_own_share"].tolist() == [1, 0]


def test_who_came_at_the_same_moment_came_at_the_same_place():
    rows = [row(name, NOW - days * DAY, n) for n, (name, days) in enumerate(zip("abcd", (9, 9, 8, 7), strict=True))]
    known = [(name, ALWAYS, {"account": "acme"}) for name in "abcd"]
    found = columns(rows, known, [(name, NOW) for name in "abcd"])
    assert found["account_arrival_rank"].tolist() == [1, 1, 3, 4]
    assert found["account_is_first"].tolist() == [1, 1, 0, 0]


def test_an_account_that_too_many_belonged_to_is_not_looked_at_from_that_moment_on():
    names = [f"c{i}" for i in range(MOST_CONTACTS + 1)]
    known = [(name, NOW - (len(names) - i) * DAY, {"account": "all"}) for i, name in enumerate(names)]
    rows = [row("c0", NOW - 500 * DAY, 1)]
    assert crowded_at(known) == {"all": NOW - DAY}
    X = account_matrix(rows, known, [("c0", NOW - DAY), ("c0", NOW - DAY + 1)])
    assert X[0, 0] == MOST_CONTACTS and np.isnan(X[1]).all()
    assert crowded_at(known[1:]) == {}


def test_a_role_is_never_a_feature_itself_only_their_number_is():
    known = [("ann", ALWAYS, {"account": "acme", "role": "user"}), ("bob", ALWAYS, {"account": "acme", "role": "user"})]
    found = columns([row("ann", NOW - DAY, 1)], known, [("ann", NOW)])
    assert found["account_n_roles"].tolist() == [1]
    assert not any("role_" in name for name in COLUMN)


@settings(max_examples=examples(60), deadline=None)
@given(histories(CONTACTS), known, st.lists(moments, min_size=1, max_size=4))
def test_an_account_has_the_features_of_all_its_contacts_touchpoints(rows, known, at):
    touchpoints = Touchpoints.from_rows([(*r[:11], None, *r[12:]) for r in rows], RULES)
    groups = Groups.of(known, touchpoints.contacts)
    view = by_account(touchpoints, groups)
    history = History(view.touchpoints, PLAIN)
    for as_of in at:
        for code, account in enumerate(view.touchpoints.contacts):
            mates = groups.members(account, as_of)
            mine = [(account, *r[1:11], None, *r[12:]) for r in rows if r[0] in mates]
            expected = History(Touchpoints.from_rows(mine, RULES), PLAIN)
            moment = np.array([as_of])
            got = history.matrix(np.array([code]), moment)
            whole = expected.matrix(np.array([expected.contact(account)]), moment)
            # What answers what is a matter between us and one contact: whose mail it was is not known of an account.
            told = [i for i, f in enumerate(PLAIN.columns) if "answer" not in f and not f.startswith("account_")]
            np.testing.assert_allclose(got[:, told], whole[:, told], rtol=1e-5, atol=1e-6)


def test_accounts_have_traits_and_parents_of_their_own():
    rows = [row("ann", NOW - DAY, 1), row("bob", NOW - DAY, 2)]
    touchpoints = Touchpoints.from_rows(rows, RULES)
    groups = Groups.of([("ann", ALWAYS, {"account": "acme"})], touchpoints.contacts)
    told: list[tuple[str, int, dict[str, Any]]] = [
        ("acme", ALWAYS, {"name": "Acme AG", "parent": "holding", "employees": 40}),
        ("acme", NOW, {"parent": "other"}),
    ]
    view = by_account(touchpoints, groups, told)
    assert list(view.touchpoints.contacts) == ["acme"]
    assert view.traits.known("acme", NOW) == {"employees": 40}
    assert view.parents.value_of("acme", NOW) == "holding" and view.parents.value_of("acme", NOW + 1) == "other"
    columns = view.traits.choose(NOW)
    assert [column.name for column in columns] == ["employees"]


@pytest.mark.parametrize(
    ("belong", "contacts", "worth"), [(("ann",), 10, False), (("ann", "bob"), 100, True), (("ann", "bob"), 101, False)]
)
def test_accounts_are_looked_at_where_enough_contacts_belong_to_one(belong, contacts, worth):
    names = [*belong, *(f"c{i}" for i in range(contacts - len(belong)))]
    groups = Groups.of([(name, NOW, {"account": "acme"}) for name in belong], names)
    assert groups.are_worth_looking_at(NOW + 1) is worth
    assert groups.are_worth_looking_at(NOW) is False


def test_the_matrix_has_its_columns_between_traits_and_own_and_nan_without_groups():
    touchpoints = Touchpoints.from_rows([row("ann", NOW - DAY, 1)], RULES)
    history = History(touchpoints, PLAIN)
    groups = Groups.of([("ann", ALWAYS, {"account": "acme"})], touchpoints.contacts)
    one, at = np.zeros(1, dtype=np.int64), np.array([NOW])
    first = PLAIN.columns.index("account_n_contacts")
    assert PLAIN.columns[first:] == tuple(COLUMN) and first == len(PLAIN.history)
    without = history.matrix(one, at)
    assert np.isnan(without[:, first:]).all()
    assert history.matrix(one, at, account=groups)[0, first] == 1
    assert same_bits(without[:, :first], history.matrix(one, at, account=groups)[:, :first])
    assert not FEATURES.account and not FEATURES.account_features


def test_traits_of_a_merged_contact_tell_its_account():
    traits = Traits([("crm:1", 5, {"account": "acme"}), ("crm:2", 7, {"account": "bolt"})])
    groups = Groups.of(traits.merged([("crm:1", ["crm:1", "crm:2"])]).rows())
    assert groups.accounts.of("crm:1")[0] == (5, 7, "acme") and groups.accounts.value_of("crm:1", 8) == "bolt"


def test_a_contact_that_stood_for_a_while_belongs_for_that_while():
    known = [("old", ALWAYS, {"account": "acme"}), ("new", ALWAYS, {"account": "acme"})]
    stood = np.array([-(2**62), 100]), np.array([100, 2**62])
    groups = Groups.of(known, ["old", "new"], stood=stood)
    assert groups.members("acme", 100) == ["old"] and groups.members("acme", 101) == ["new"]

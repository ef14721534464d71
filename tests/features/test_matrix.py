"""Claims about time and order: the future changes nothing, arrival order changes nothing, one contact is like many."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from features.feature_set import REST, FeatureSet, PointWeights
from features.kernel.scratch import NEVER
from features.matrix import History, Own
from features.times import DAY
from features.touchpoints.touchpoints import Touchpoints
from features.traits import Traits, row_values
from models.points import points_log, total
from models.points_table import PointsTable
from tests.examples import examples
from tests.features.worlds import FEATURES, KINDS, NOW, RULES, TOPICS, TRAITS, TYPES, histories, moments, row

CONTACTS = ("ann", "bob", "cid")
WITH_TRAITS = replace(FEATURES, traits=TRAITS)

bodies = st.fixed_dictionaries(
    {},
    optional={
        "size": st.one_of(st.integers(-9, 9), st.floats(-1e300, 1e300), st.just("big")),
        "vip": st.booleans(),
        "since": st.sampled_from(["2024-02-29", "2031-01-01T10:00:00+02:00", "soon"]),
        "sector": st.sampled_from(["metal", "wood", "glass", None, 7]),
    },
)
known = st.lists(st.tuples(st.sampled_from(CONTACTS), moments, bodies), max_size=8, unique_by=lambda entry: entry[:2])
abouts = st.lists(
    st.tuples(
        st.sampled_from([*TYPES, "call_made", "never"]),
        st.sampled_from(["email", "phone", None]),
        st.lists(st.sampled_from([*TOPICS, "unseen"]), max_size=4).map(tuple),
    ),
    min_size=3,
    max_size=3,
)


def own_of(about) -> Own:
    return Own([a[0] for a in about], [a[1] for a in about], [a[2] for a in about], [{"discount": 0.5}, {}, {"x": 1.0}])


def batch(rows, known, as_of, about):
    """The matrix of all three contacts, and NaN for one that no row is about."""
    history = History(Touchpoints.from_rows(rows, RULES), WITH_TRAITS)
    contact = np.array([history.contact(name) for name in CONTACTS])
    return history.matrix(contact, np.asarray(as_of), traits=Traits(known), own=own_of(about))


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype == np.float32 and a.tobytes() == b.tobytes()


@settings(max_examples=examples(60), deadline=None)
@given(histories(), known, st.lists(moments, min_size=3, max_size=3), abouts)
def test_what_happens_at_or_after_as_of_changes_nothing(rows, known, as_of, about):
    of = dict(zip(CONTACTS, as_of, strict=True))
    before = [r for r in rows if r[1] < of[r[0]]]
    known_before = [entry for entry in known if entry[1] < of[entry[0]]]
    X = batch(rows, known, as_of, about)
    assume(all(any(r[0] == name for r in before) for name in CONTACTS) or not known)
    assert same_bits(X, batch(before, known_before, as_of, about))


@settings(max_examples=examples(60), deadline=None)
@given(histories(), known, st.lists(moments, min_size=3, max_size=3), abouts, st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_bits(rows, known, as_of, about, random):
    X = batch(rows, known, as_of, about)
    random.shuffle(rows)
    random.shuffle(known)
    assert same_bits(X, batch(rows, known, as_of, about))


@settings(max_examples=examples(60), deadline=None)
@given(histories(), known, st.lists(moments, min_size=3, max_size=3), abouts)
def test_one_contact_alone_gives_the_bits_of_the_batch(rows, known, as_of, about):
    X = batch(rows, known, as_of, about)
    everyone = Traits(known)
    for i, name in enumerate(CONTACTS):
        mine = Touchpoints.from_rows([r for r in rows if r[0] == name], RULES)
        if not len(mine):
            continue
        # As in serving: one row of history and traits, then one row per action with the action's own columns.
        without = replace(WITH_TRAITS, own=False)
        history = History(mine, without)
        alone = np.full((1, len(WITH_TRAITS.columns)), np.nan, dtype=np.float32)
        alone[:, : len(without.columns)] = history.matrix(np.zeros(1, dtype=np.int64), np.array(as_of[i : i + 1]))
        at = len(without.history)
        alone[0, at : at + len(TRAITS)] = row_values(everyone.known(name, as_of[i]), as_of[i], TRAITS)
        actions = history.with_own(WITH_TRAITS).actions(alone, 0, as_of[i], own_of(about))
        assert same_bits(actions[i], X[i])


@settings(max_examples=examples(60), deadline=None)
@given(histories(), st.lists(st.tuples(st.sampled_from(range(-1, 3)), moments), min_size=1, max_size=12), st.data())
def test_rows_in_any_order_and_company_have_the_bits_of_each_alone(rows, asked, data):
    history = History(Touchpoints.from_rows(rows, RULES), replace(FEATURES, own=False))
    contact, as_of = np.array(asked, dtype=np.int64).T.copy()
    contact = np.minimum(contact, len(history.touchpoints.contacts) - 1)
    X = history.matrix(contact, as_of, threads=1)
    order = np.array(data.draw(st.permutations(range(len(asked)))))
    assert same_bits(history.matrix(contact[order], as_of[order]), X[order])
    for i in range(len(asked)):
        assert same_bits(history.matrix(contact[i : i + 1], as_of[i : i + 1]), X[i : i + 1])


def test_any_number_of_threads_gives_the_same_bits():
    rng = np.random.default_rng(0)
    rows = [
        row(CONTACTS[i % 3], NOW - int(t), i, KINDS[i % 9], "web") for i, t in enumerate(rng.integers(0, 400 * DAY, 90))
    ]
    history = History(Touchpoints.from_rows(rows, RULES), replace(FEATURES, own=False))
    contact, as_of = rng.integers(-1, 3, 120_000), NOW - rng.integers(0, 300 * DAY, 120_000)
    X = history.matrix(contact, as_of, threads=1)
    assert same_bits(history.matrix(contact, as_of, threads=2), X)
    assert same_bits(history.matrix(contact, as_of, threads=7), X)


def test_some_columns_are_those_of_the_whole_matrix():
    rng = np.random.default_rng(1)
    rows = [
        row(CONTACTS[i % 3], NOW - int(t), i, KINDS[i % 9], "web") for i, t in enumerate(rng.integers(0, 400 * DAY, 90))
    ]
    history = History(Touchpoints.from_rows(rows, RULES), replace(FEATURES, own=False, traits=TRAITS))
    contact, as_of = rng.integers(-1, 3, 5000), NOW - rng.integers(0, 300 * DAY, 5000)
    chosen = rng.permutation(len(history.features.history))[:40].tolist()
    X = history.matrix(contact, as_of)
    for threads in (1, 3):
        assert same_bits(history.columns(contact, as_of, chosen, threads=threads), np.ascontiguousarray(X[:, chosen]))
    assert history.columns(contact[:0], as_of[:0], chosen).shape == (0, 40)
    with pytest.raises(ValueError, match="the history has 0 to"):
        history.columns(contact, as_of, [len(history.features.history)])


@settings(max_examples=examples(60), deadline=None)
@given(histories(("ann",), most=15), moments, st.data())
def test_what_is_hidden_at_a_moment_might_as_well_not_be_there(rows, as_of, data):
    rows = [(*r[:4], None, *r[5:11], None, *r[12:]) for r in rows]  # nothing answers anything
    known = Touchpoints.from_rows(rows, RULES)
    n = len(known)
    seen_from = np.array(data.draw(st.lists(moments, min_size=n, max_size=n)), dtype=np.int64)
    seen_to = np.array(data.draw(st.lists(moments, min_size=n, max_size=n)), dtype=np.int64)
    visible = (seen_from < as_of) & (as_of <= seen_to)
    ids = {known.touchpoint_id[i] for i in np.flatnonzero(visible).tolist()}
    only = Touchpoints.from_rows([r for r in rows if r[2] in ids], RULES)
    own = Own(["spring"], ["email"], [("saws", "oil")], [{}])

    def features_of(touchpoints):
        history = History(touchpoints, FEATURES)
        return history.matrix(np.array([history.contact("ann")]), np.array([as_of]), own=own)

    hidden = replace(known, visible_from=seen_from, visible_to=seen_to)
    np.testing.assert_allclose(features_of(hidden), features_of(only), rtol=1e-5, atol=1e-6)


def test_a_topic_below_another_counts_for_both():
    rows = [row("ann", NOW - DAY, n, topics=(topic,)) for n, topic in enumerate(("a/b/c", "a/x", "a", "ab", "y/z"))]
    features = FeatureSet((), (), ("a", "a/b"), RULES, topic_half_life=10**6 * DAY, own=True)
    own = Own(["x"] * 2, [None] * 2, [("a", "y"), ("a/b", "a/b/c/d")], [{}] * 2)
    history = History(Touchpoints.from_rows(rows, RULES), features)
    X = history.matrix(np.zeros(2, dtype=np.int64), np.full(2, NOW), own=own)
    of = dict(zip(features.columns, X.T.round(3).tolist(), strict=True))
    assert [of[f"interest_topic_{name}"][0] for name in ("a", "a/b", REST)] == [3, 1, 2]
    assert of["n_topics_ever"] == of["interest_total"] == [5, 5]
    assert of["own_match_n_ever"] == [4, 1] and of["own_match_distinct"] == [2, 1] and of["own_match_cover"] == [1, 0.5]


def test_a_contact_without_touchpoints_counts_nothing_and_knows_nothing():
    history = History(Touchpoints.from_rows([row("ann", NOW, 1)], RULES), FEATURES)
    own = Own(["spring"] * 2, ["email"] * 2, [("saws",)] * 2, [{}] * 2)
    nobody, early = history.matrix(np.array([history.contact("x"), 0]), np.array([NOW, NOW]), own=own)
    assert nobody.tobytes() == early.tobytes()
    of = dict(zip(FEATURES.columns, nobody.tolist(), strict=True))
    assert of["n_inbound_ever"] == of["revenue_ever"] == of["points"] == of["own_type_sent"] == 0
    assert np.isnan([of["tenure_days"], of["gap_ratio"], of["answer_rate"], of["own_type_rate"]]).all()


def test_no_rows_and_no_touchpoints_are_fine():
    none = np.zeros(0, dtype=np.int64)
    for rows in ([], [row("ann", 1, 1)]):
        history = History(Touchpoints.from_rows(rows, RULES), FEATURES)
        assert history.matrix(none, none, own=Own([], [], [], [])).shape == (0, len(FEATURES.columns))


def test_rows_about_something_need_to_be_told_about_what():
    history = History(Touchpoints.from_rows([row("ann", 1, 1)], RULES), FEATURES)
    with pytest.raises(ValueError, match="give `own`"):
        history.matrix(np.zeros(1, dtype=np.int64), np.array([NOW]))


def test_kinds_channels_and_topics_beyond_the_feature_set_fall_into_the_rest():
    rows = [row("ann", NOW - DAY, n, kind, kind, topics=(kind,)) for n, kind in enumerate(("fax", "telex", "order"))]
    history = History(Touchpoints.from_rows(rows, RULES), FEATURES)
    own = Own(["spring"], [None], [()], [{}])
    X = history.matrix(np.zeros(1, dtype=np.int64), np.array([NOW]), own=own)
    of = dict(zip(FEATURES.columns, X[0].tolist(), strict=True))
    assert of[f"n_kind_{REST}_7d"] == 2 and of["n_kind_order_7d"] == 1
    assert of[f"n_channel_{REST}_7d"] == 3 and of["n_kinds_ever"] == of["n_channels_ever"] == of["n_topics_ever"] == 3
    assert of["main_channel_share"] == pytest.approx(1 / 3)
    assert of[f"interest_topic_{REST}"] == of["interest_total"] == pytest.approx(3 * 0.5 ** (1 / 20))


def test_topics_faded_to_nothing_are_still_counted_once_a_row():
    fast = replace(FEATURES, topic_half_life=1000, own=False)
    rows = [row("ann", NOW - n * DAY, n, topics=("saws", "oil")) for n in range(1, 40)]
    X = History(Touchpoints.from_rows(rows, RULES), fast).matrix(np.zeros(3, dtype=np.int64), np.full(3, NOW))
    of = dict(zip(fast.columns, X.T, strict=True))
    assert (
        (of["n_topics_ever"] == 2).all() and (of["interest_total"] == 0).all() and np.isnan(of["interest_focus"]).all()
    )


def test_the_longest_history_is_summed_without_losing_digits():
    n = 40_000
    rows = [row("ann", NOW - DAY - i, i, "order", value=0.1, topics=("saws",)) for i in range(n)]
    lasting = replace(FEATURES, topic_half_life=10**6 * DAY, own=False)
    X = History(Touchpoints.from_rows(rows, RULES), lasting).matrix(np.zeros(1, dtype=np.int64), np.array([NOW]))
    of = dict(zip(lasting.columns, X[0].tolist(), strict=True))
    assert of["revenue_ever"] == pytest.approx(n * 0.1, rel=1e-6)
    assert of["interest_topic_saws"] == pytest.approx(n, rel=1e-5)
    assert of["faded_kind_order"] == pytest.approx(n * 0.5 ** (1 / 30), rel=1e-6)


def test_what_has_not_happened_lies_before_every_time():
    assert np.datetime64("0001-01-01", "us").astype(np.int64) > NEVER


@settings(max_examples=examples(60), deadline=None)
@given(
    histories(("ann",)), st.sampled_from([None, 30 * DAY, 90 * DAY]), st.sampled_from([(), ("order",), ("chat", "fax")])
)
def test_points_are_the_total_of_the_points_log(rows, half_life, once):
    kinds = {"order": 100.0, "page_view": 5.0, "fax": 2.5, "chat": -10.0}
    table = PointsTable(kinds=kinds, once=once, half_life_us=half_life)
    features = FeatureSet(("order",), (), (), RULES, PointWeights(kinds, once, half_life))
    t = Touchpoints.from_rows(rows, RULES)
    history = History(t, features)
    X = history.matrix(np.array([history.contact("ann")]), np.array([NOW]))
    log = points_log(table, [t.kinds[k] for k in t.kind], t.occurred_at, NOW)
    faded_to_cents = 0.0 if half_life is None else 0.005 * len(kinds)
    assert X[0, features.columns.index("points")] == pytest.approx(total(log), rel=1e-6, abs=faded_to_cents + 1e-6)

"""Claims about identities and features together, through a real store: what arrives how and when tells nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.matrix import History
from features.rows.row_types import ContactRow, LinkRow, SplitRow, TouchpointRow
from features.store.store import Store
from features.times import DAY
from features.traits import row_values
from nba.past import Past as OnePast
from nba.settings import Settings, parse_settings
from tests.features import linked
from tests.features.linked import IDENTITIES, MOMENTS, empty_store
from tests.features.worlds import FEATURES, KINDS, RULES, TRAITS, row
from training.past import read_past

pytestmark = pytest.mark.slow

FEATURE_SET = replace(FEATURES, own=False, types=(), own_channels=(), numbers=())
AS_OF = MOMENTS[2::3]
NOW = MOMENTS[-1] + DAY
LIMITED = replace(RULES, stitch_limit=3)
SETTINGS: Settings = replace(
    parse_settings('[goals.buy]\nkinds = ["order"]\nhorizon = "3d"'), touchpoints=LIMITED
)  # fmt: skip

Rows = list[tuple[str, Any]]
"""(table, row) in the order of their arrival."""

touchpoints = st.lists(
    st.builds(
        lambda name, at, shift, kind, channel, topics, value: (name, at + shift, kind, channel, topics, value),
        linked.identity,
        linked.moment,
        st.sampled_from([-1, 0, 0, 1]),
        st.sampled_from(KINDS),
        st.sampled_from(["email", "web", None]),
        st.sampled_from([None, ("saws",), ("drills", "oil")]),
        st.sampled_from([None, 0.1, 20.0, 33.3]),
    ),
    min_size=1,
    max_size=12,
)


@st.composite
def worlds(draw: st.DrawFn) -> Rows:
    found: Rows = []
    for n, (name, at, kind, channel, topics, value) in enumerate(draw(touchpoints)):
        made = row(name, at, n, kind, channel, topics=topics, value=value)
        found.append(("touchpoints", TouchpointRow(*made)))
    found += [("links", link) for link in draw(linked.links)]
    found += [("splits", split) for split in draw(linked.splits)]
    return found + [("contacts", contact) for contact in draw(linked.contacts)]


def arrive(store: Store, rows: Sequence[tuple[str, Any]], batch: int = 1000) -> None:
    """Store rows in the order given, each batch in a transaction of its own."""
    for low in range(0, len(rows), batch):
        with store.writing() as writing:
            for table, each in rows[low : low + batch]:
                getattr(writing, table)([each])


def seen(store: Store, identity: str, as_of: int) -> tuple[Any, ...]:
    """Who a contact is, and the bytes of its features, as a request has them."""
    past = OnePast.read(store, identity, as_of, LIMITED)
    history = History(past.touchpoints, FEATURE_SET)
    code = 0 if past.touchpoints.contacts else -1
    X = history.matrix(np.array([code]), np.array([as_of]))
    return past.contact, X.tobytes(), row_values(past.traits, as_of, TRAITS[:1])


def everything(store: Store) -> list[tuple[Any, ...]]:
    return [seen(store, identity, as_of) for as_of in AS_OF for identity in IDENTITIES]


@settings(max_examples=500, deadline=None)
@given(worlds(), st.randoms(use_true_random=False), st.integers(1, 5))
def test_arrival_order_duplicates_and_batches_tell_nothing(rows: Rows, random: Random, batch: int) -> None:
    again = [*rows, *random.sample(rows, len(rows) // 2)]
    random.shuffle(again)
    with empty_store() as one, empty_store() as other:
        arrive(one, rows)
        arrive(other, again, batch)
        assert everything(one) == everything(other)


@settings(max_examples=500, deadline=None)
@given(worlds(), st.sampled_from(AS_OF))
def test_what_happens_or_is_known_later_changes_nothing(rows: Rows, as_of: int) -> None:
    before = [(table, each) for table, each in rows if _time(each) < as_of]
    with empty_store() as all_of_it, empty_store() as past_alone:
        arrive(all_of_it, rows)
        arrive(past_alone, before)
        for identity in IDENTITIES:
            assert seen(all_of_it, identity, as_of) == seen(past_alone, identity, as_of)


@settings(max_examples=500, deadline=None)
@given(worlds(), linked.pairs)
def test_splitting_a_wrong_join_restores_contacts_and_features(rows: Rows, wrong: tuple[str, str]) -> None:
    right = [(table, each) for table, each in rows if table in ("touchpoints", "contacts") or {*each[:2]} != {*wrong}]
    late = NOW + 10
    with empty_store() as store:
        arrive(store, right)
        before = [seen(store, identity, late) for identity in IDENTITIES]
        arrive(store, [("links", LinkRow(*wrong, NOW, "login")), ("splits", SplitRow(*wrong, NOW + 5))])
        assert [seen(store, identity, late) for identity in IDENTITIES] == before


@settings(max_examples=500, deadline=None)
@given(worlds())
def test_a_request_and_training_see_the_same_contacts_and_features(rows: Rows) -> None:
    with empty_store() as store:
        arrive(store, rows)
        past = read_past(store, SETTINGS, NOW)
        history = History(past.touchpoints, FEATURE_SET)
        for as_of in AS_OF:
            for code, identity in enumerate(past.recorded.contacts):
                asked = seen(store, identity, as_of)
                version = code
                if past.versions is not None:
                    version = int(past.versions.at(np.array([code]), np.array([as_of]))[0])
                    assert past.versions.members(version) == asked[0].members
                else:
                    assert asked[0].members == (identity,)
                X = history.matrix(np.array([version]), np.array([as_of]))
                assert X.tobytes() == asked[1]
                known = past.traits.known(past.touchpoints.contacts[version], as_of)
                assert row_values(known, as_of, TRAITS[:1]) == asked[2] or asked[2] != asked[2]
        for identity in IDENTITIES:
            found = OnePast.read(store, identity, NOW, LIMITED)
            if not found.is_empty or found.traits:
                assert found.contact is not None and found.contact.contact_id in past.current()


def _time(each: Any) -> int:
    if isinstance(each, TouchpointRow):
        return each.occurred_at
    if isinstance(each, LinkRow):
        return each.seen_at
    return each.at if isinstance(each, SplitRow) else _known_at(each)


def _known_at(row: ContactRow) -> int:
    return row.known_at

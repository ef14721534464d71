"""Claims about past decisions as rows: what was known before them, and what came of them after."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from features.errors import UserError
from features.identity.identity import Identities
from features.identity.versions import Versions
from features.matrix import History
from features.rows.row_types import DecisionRow, LinkRow
from features.times import DAY
from features.touchpoints.touchpoints import Touchpoints
from nba.actions import Catalogue
from nba.settings import Settings
from tests.training.decision_worlds import BEGIN, GOALS, NOW, features_of, past_of, settings_of, touch, world
from training.past import Past
from training.rows.decision_rows import DecisionRows, decision_rows, evidence_of

AT = BEGIN + 100 * DAY
SETTINGS = settings_of()
END = touch("end", BEGIN + 200 * DAY)


def decided(name: str = "d", who: str = "ann", at: int = AT, action: str = "mail", **more: Any) -> DecisionRow:
    return DecisionRow(name, who, at, action, **more)


def rows_of(*touchpoints: Any, decisions: Any = None, settings: Settings = SETTINGS) -> DecisionRows:
    made = [decided()] if decisions is None else decisions
    return decision_rows(past_of([*touchpoints, END], made, settings), settings)


def conversion(rows: DecisionRows) -> list[bool]:
    found = rows.outcomes["conversion"]
    return [bool(label) for label in found.label[found.known]]


@pytest.mark.parametrize(("after", "label"), [(-1, False), (0, True), (14 * DAY - 1, True), (14 * DAY, False)], ids=str)
def test_an_outcome_lies_in_the_half_open_horizon(after: int, label: bool) -> None:
    assert conversion(rows_of(touch("ann", AT + after, "order"))) == [label]


def test_only_the_contacts_own_touchpoints_of_the_goal_count() -> None:
    assert conversion(rows_of(touch("bob", AT, "order"), touch("ann", AT, "visit"))) == [False]


def test_a_linked_goal_counts_what_carries_the_decision() -> None:
    goals = {"conversion": {**GOALS["conversion"], "linked": True, "snapshots": {"after": {"kind": "email_sent"}}}}
    linked = settings_of(goals)
    other = touch("ann", AT + DAY, "order", decision_id="other")
    own = touch("ann", AT + DAY, "order", "own", decision_id="d")
    assert conversion(rows_of(touch("ann", AT, "order"), other, settings=linked)) == [False]
    assert conversion(rows_of(other, own, settings=linked)) == [True]


def test_an_absence_is_true_where_nothing_happened_and_success_is_that_something_did() -> None:
    settings = settings_of({"churn": {"absence_of": ["order"], "horizon": "14d"}})
    found = rows_of(touch("ann", AT, "order"), settings=settings).outcomes["churn"]
    assert (found.label.tolist(), found.success.tolist()) == ([False], [True])


def test_a_horizon_may_end_at_a_time_that_the_decision_or_its_touchpoint_carries() -> None:
    goals = {
        "conversion": {
            "kinds": ["order"],
            "horizon": {"until": "ends_at"},
            "snapshots": {"after": {"kind": "email_sent"}},
        }
    }
    settings = settings_of(goals)
    told = decided("told", properties={"ends_at": "2026-04-20"})
    sent = touch("ann", AT, "email_sent", decision_id="sent", properties='{"ends_at": "2026-04-14"}')
    order = touch("ann", AT + 5 * DAY, "order")
    found = rows_of(sent, order, decisions=(told, decided("sent"), decided("endless")), settings=settings)
    outcome = found.outcomes["conversion"]
    assert outcome.known.tolist() == [False, True, True]
    assert outcome.label[outcome.known].tolist() == [False, True]
    assert found.censored == 1


def test_what_ends_after_the_data_is_counted_and_used_for_nothing() -> None:
    late = [decided(f"late{i}", at=END.occurred_at - 14 * DAY + 1 + i) for i in range(3)]
    early = [decided(f"early{i}", at=AT + i * DAY) for i in range(40)]
    found = rows_of(touch("ann", AT), decisions=(*late, *early))
    assert (len(found), found.censored, int(found.complete.sum())) == (43, 3, 40)
    assert not (found.held_out & ~found.complete).any()
    assert not (found.train("conversion") & ~found.complete).any()


@given(
    seen=st.lists(st.tuples(st.integers(-20, 20), st.sampled_from(["visit", "order", "download"])), max_size=12),
    later=st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["visit", "order", "download"])), max_size=6),
)
@tries(max_examples=40, deadline=None)
def test_nothing_at_or_after_the_decision_changes_a_feature(seen: Any, later: Any) -> None:
    """And what is before it is what the kernel sees as of that moment."""
    old = [touch("ann", AT + day * DAY, kind, f"o{i}") for i, (day, kind) in enumerate(seen)]
    new = [touch("ann", AT + day * DAY, kind, f"n{i}") for i, (day, kind) in enumerate(later)]
    past = past_of([*old, END], [decided()], SETTINGS)
    more = past_of([*old, *new, END], [decided()], SETTINGS)
    features = features_of(more, SETTINGS)
    row = decision_rows(past, SETTINGS).matrix(past, features)
    assert np.array_equal(row, decision_rows(more, SETTINGS).matrix(more, features), equal_nan=True)
    history = History(past.touchpoints, features)
    expected = history.matrix(np.array([history.contact("ann")]), np.array([AT]), traits=past.traits)
    assert np.array_equal(row, expected, equal_nan=True)


def test_who_has_no_touchpoints_has_traits() -> None:
    """Else the traits of those who come later would be known, and those of others not: the outcome itself."""
    traits = [(who, BEGIN, {"size": size}) for who, size in (("ann", 3), ("bob", 5))]
    past = past_of([touch("ann", AT + DAY, "order"), END], [decided(), decided("e", "bob")], SETTINGS, traits)
    features = features_of(past, SETTINGS)
    X = decision_rows(past, SETTINGS).matrix(past, features)
    assert X[:, features.columns.index("trait_size")].tolist() == [3.0, 5.0]


def test_actions_are_the_columns_of_the_catalogue_and_those_no_longer_there_stand_behind() -> None:
    found = rows_of(decisions=[decided(str(i), action=a) for i, a in enumerate(["fax", "mail", "do_nothing", "fax"])])
    assert found.actions == (*Catalogue.of(SETTINGS).names, "fax")
    assert found.servable.tolist() == [True, True, True, False]
    assert found.taken.tolist() == [1, 1, 0, 2]


@pytest.mark.parametrize("name", ["none", "nothing", "no_action", "control", "do_nothing"])
def test_doing_nothing_has_other_names(name: str) -> None:
    assert rows_of(decisions=[decided(action=name)]).action.tolist() == [0]
    named = settings_of(actions={"control": {"channel": "email"}})
    assert rows_of(decisions=[decided(action="control")], settings=named).action.tolist() == [1]


def test_what_was_no_choice_is_left_out() -> None:
    rows = [decided("a", policy="mandatory"), decided("b", policy="default"), decided("c", policy="learned")]
    assert len(rows_of(decisions=rows)) == 1


def test_what_was_allowed_is_as_logged_else_everything_that_was_ever_taken() -> None:
    logged = decided("a", allowed=("mail",), probability=0.5)
    drawn = decided("b", action="do_nothing", probability=0.25, chances={"do_nothing": 0.25, "call": 0.75})
    found = rows_of(decisions=[logged, drawn, decided("c")])
    assert found.allowed.tolist() == [[True, True, False], [True, False, True], [True, True, False]]
    assert found.told.tolist() == [True, True, False]
    assert found.chances[1].tolist() == [0.25, 0.0, 0.75]
    assert found.probability[:2].tolist() == [0.5, 0.25] and np.isnan(found.probability[2])


def test_a_probability_that_is_none_is_named() -> None:
    with pytest.raises(UserError, match=r"'d'.*above 0"):
        rows_of(decisions=[decided(probability=0.0)])


@pytest.mark.parametrize(
    ("action", "probability", "evidence"),
    [
        ([], [], "none"),
        ([0, 1, 1], [0.4, 0.6, 0.6], "randomised"),
        ([0, 1, 1], [0.4, 0.6, 0.5], "logged"),
        ([0, 1, 1], [0.4, 0.6, np.nan], "observational"),
    ],
)
def test_evidence(action: list[int], probability: list[float], evidence: str) -> None:
    assert evidence_of(np.array(action, dtype=np.int64), np.array(probability)) == evidence


@pytest.mark.parametrize("seed", range(5))
def test_the_last_decisions_are_held_out_and_what_teaches_had_ended_before(seed: int) -> None:
    made = world(400, seed=seed)
    found = decision_rows(made.past, made.settings)
    train = found.train("conversion")
    first = found.decided_at[found.held_out].min()
    assert found.held_out.sum() == pytest.approx(0.3 * 400, abs=1)
    assert (found.decided_at[~found.held_out] < first).all()
    assert (found.outcomes["conversion"].until[train] <= first).all()
    assert train.sum() > 0.5 * 280


@pytest.mark.parametrize("seed", range(5))
def test_where_all_was_decided_at_one_moment_contacts_are_split(seed: int) -> None:
    made = world(2000, seed=seed, one_moment=True)
    decisions = [
        *made.past.decisions,
        *(replace(row, decision_id=f"{row.decision_id}b") for row in made.past.decisions),
    ]
    found = decision_rows(replace(made.past, decisions=tuple(decisions)), made.settings)
    held, train = found.held_out, found.train("conversion")
    assert (held ^ train).all()
    assert not set(found.cluster[held]) & set(found.cluster[train])
    # 0.3 of 2,000 contacts, give or take four standard errors.
    assert abs(held.mean() - 0.3) < 4 * np.sqrt(0.21 / 2000)


@given(order=st.permutations(range(12)))
@tries(max_examples=20, deadline=None)
def test_the_order_of_decisions_does_not_matter(order: list[int]) -> None:
    decisions = [decided(f"d{i}", f"c{i % 5}", AT + (i % 4) * DAY, "mail" if i % 3 else "call") for i in range(12)]
    touchpoints = [touch(f"c{i}", AT + i * DAY, "order") for i in range(5)]
    found, other = (rows_of(*touchpoints, decisions=each) for each in (decisions, [decisions[i] for i in order]))
    for name in ("contact", "decided_at", "action", "held_out", "cluster"):
        assert np.array_equal(getattr(found, name), getattr(other, name))
    assert np.array_equal(found.outcomes["conversion"].label, other.outcomes["conversion"].label)


def joined_past(decisions: list[DecisionRow]) -> Past:
    """Ann, her cookie and crm:9, under which nothing happens, are one contact from AT + 3 days on."""
    touchpoints = [
        touch("cookie:1", AT - DAY),
        touch("ann", AT - 2 * DAY),
        touch("cookie:1", AT + 5 * DAY, "order"),
        END,
    ]
    past = past_of(touchpoints, decisions, SETTINGS)
    recorded = Touchpoints.from_rows([row[:14] for row in touchpoints], SETTINGS.touchpoints)
    links = [LinkRow(other, "ann", AT + 3 * DAY, "login") for other in ("cookie:1", "crm:9")]
    identities = Identities.of(links, [], SETTINGS.touchpoints)
    versions = Versions.of(recorded, identities, {}, NOW)
    traits = past.traits.merged((name, versions.members(code)) for code, name in enumerate(versions.names))
    return replace(past, touchpoints=versions.touchpoints, versions=versions, traits=traits, known=past.traits)


def test_a_later_link_brings_outcomes_and_never_features() -> None:
    past = joined_past([decided("before"), decided("after", at=AT + 4 * DAY)])
    found = decision_rows(past, SETTINGS)
    features = features_of(past, SETTINGS)
    visits = found.matrix(past, features)[:, features.columns.index("n_kind_visit_7d")]
    assert visits.tolist() == [1.0, 2.0]
    assert conversion(found) == [True, True]
    assert found.cluster[0] == found.cluster[1] and found.contact[0] != found.contact[1]


def test_an_identity_without_touchpoints_is_the_contact_it_was_linked_to() -> None:
    moments = {"before": AT, "after": AT + 4 * DAY}
    past = joined_past([decided(f"{name} {who}", who, at) for name, at in moments.items() for who in ("ann", "crm:9")])
    found = decision_rows(past, SETTINGS)
    of = dict(zip(found.decided_at.tolist(), found.contact.tolist(), strict=True))
    assert found.contact[2] == found.contact[3] == of[moments["after"]]
    assert found.contact[0] != found.contact[1]

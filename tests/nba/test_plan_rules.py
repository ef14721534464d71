"""The limits of a day are those of the settings, less what was sent and taken before and what is mandatory."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba.actions import Catalogue
from nba.plan.plan import planned
from nba.plan.rules import BUDGET, CAPACITY, NOBODY, UNIT, Pool, Wanted, rules_of
from nba.settings import parse_settings

TOML = """
[actions.mail]
channel = "email"
[actions.news]
channel = "email"
capacity = { total = 6 }
[actions.call]
channel = "phone"
capacity = { per = "1d", count = 3, by = "owner" }
[actions.visit]
channel = "visit"
capacity = { per = "7d", count = 4, by = "partner" }
[actions.receipt]
channel = "email"
class = "transactional"
[actions.recall]
channel = "phone"
class = "mandatory"
capacity = { per = "1d", count = 5 }
[contact_policy]
caps = [{ channel = "email", per = "7d", count = 1 }, { per = "30d", count = 2 },
        { account = true, per = "7d", count = 3 }, { account = true, channel = "email", per = "7d", count = 2 }]
"""
CATALOGUE = Catalogue.of(parse_settings(TOML))
COLUMN = CATALOGUE.column
CHANNELS = CATALOGUE.channels


def pool_of(seed: int, contacts: int) -> Pool:
    rng = np.random.default_rng(seed)
    contact, column = np.nonzero(rng.random((contacts, len(CATALOGUE) - 1)) < [0.9, 0.9, 0.8, 0.8, 0.3, 0.05])
    n = len(contact)
    return Pool(
        contact=contact,
        column=column + 1,
        priority=np.round(rng.normal(5.0, 5.0, n), 3),
        cost=rng.integers(0, 50 * UNIT, n),
        account=rng.integers(NOBODY, max(1, contacts // 2), contacts),
        owner=rng.integers(NOBODY, 2, contacts),
        partner=rng.integers(NOBODY, 2, contacts),
        sent=rng.poisson(0.3, (contacts, 4)),
        today=(rng.random((contacts, len(CHANNELS))) < 0.1).astype(np.int64),
        taken={(COLUMN["call"], 0): 1, (COLUMN["news"], NOBODY): 2},
        wanted=tuple(
            Wanted(int(at), int(rng.integers(0, 2)), frozenset({COLUMN["mail"], COLUMN["call"]}))
            for at in np.flatnonzero(rng.random(contacts) < 0.2)
        ),
    )


@given(st.integers(0, 10**6), st.integers(1, 25), st.sampled_from([None, 0.0, 40.0, 400.0]))
@settings(max_examples=30, deadline=None)
def test_every_rule_holds_when_it_is_counted_anew(seed: int, contacts: int, budget: float | None) -> None:
    pool = pool_of(seed, contacts)
    rules = rules_of(CATALOGUE, pool, budget)
    done = rules.in_pool(planned(rules.day).chosen)
    assert_kept(pool, done, budget)


def assert_kept(pool: Pool, done: np.ndarray, budget: float | None) -> None:
    """Count what is done rule by rule; where mandatory actions alone go beyond a rule, nothing is added to them."""
    rows = [
        (int(pool.contact[at]), CATALOGUE.action(int(pool.column[at])), int(pool.cost[at]))
        for at in np.flatnonzero(done)
    ]
    duty = np.array([False, *(a.class_ == "mandatory" for a in CATALOGUE.actions)])[pool.column]
    assert done[duty].all() and (pool.priority[done & ~duty] > 0).all()

    used: Counter[object] = Counter()
    added: set[object] = set()
    room: dict[object, int] = {}

    def count(key: object, most: int, action: object, amount: int = 1) -> None:
        used[key] += amount
        room[key] = max(0, most)
        if action.class_ != "mandatory" and amount:  # type: ignore[attr-defined]
            added.add(key)

    caps = CATALOGUE.settings.contact_policy.caps
    for contact, action, cost in rows:
        owner, partner, account = (int(each[contact]) for each in (pool.owner, pool.partner, pool.account))
        whose = {"owner": owner, "partner": partner, None: NOBODY}
        if action.capacity is not None:
            code = whose[action.capacity.by]
            most = action.capacity.count if action.capacity.total is None else action.capacity.total
            taken = pool.taken.get((COLUMN[action.name], code), 0)
            count(("capacity", action.name, code), (most or 0) - taken, action)
        if budget is not None:
            count("budget", round(budget * UNIT), action, cost)
        if action.class_ == "transactional":
            continue
        count(("day", contact, action.channel), 1 - int(pool.today[contact, CHANNELS.index(action.channel)]), action)
        for n, cap in enumerate(caps):
            if cap.channel in (None, action.channel) and not cap.account:
                count((cap.rule, contact), cap.count - int(pool.sent[contact, n]), action)
            elif cap.channel in (None, action.channel) and account != NOBODY:
                sent = int(pool.sent[pool.account == account, n].sum())
                count((cap.rule, account), cap.count - sent, action)
        for wish in pool.wanted:
            if wish.contact == contact and COLUMN[action.name] in wish.columns:
                count(("wish", contact), wish.room, action)
    assert [key for key in added if used[key] > room[key]] == []


def test_what_is_mandatory_takes_room_from_the_others_and_waits_for_nothing() -> None:
    contact = np.array([0, 0, 1])
    pool = Pool(
        contact=contact,
        column=np.array([COLUMN["recall"], COLUMN["call"], COLUMN["call"]]),
        priority=np.array([-9.0, 50.0, 40.0]),
        cost=np.array([30 * UNIT, 5 * UNIT, 5 * UNIT]),
        account=np.full(2, NOBODY),
        owner=np.zeros(2, dtype=np.int64),
        partner=np.full(2, NOBODY),
        sent=np.zeros((2, 4), dtype=np.int64),
        today=np.zeros((2, len(CHANNELS)), dtype=np.int64),
    )
    assert done_of(pool, 35.0) == [True, False, True]
    assert done_of(pool, 34.0) == [True, False, False]
    assert done_of(pool, 10.0) == [True, False, False]


def done_of(pool: Pool, budget: float | None) -> list[bool]:
    rules = rules_of(CATALOGUE, pool, budget)
    found: list[bool] = rules.in_pool(planned(rules.day).chosen).tolist()
    return found


def test_transactional_actions_do_not_count_in_caps() -> None:
    pool = Pool(
        contact=np.zeros(2, dtype=np.int64),
        column=np.array([COLUMN["mail"], COLUMN["receipt"]]),
        priority=np.array([3.0, 2.0]),
        cost=np.zeros(2, dtype=np.int64),
        account=np.array([0]),
        owner=np.full(1, NOBODY),
        partner=np.full(1, NOBODY),
        sent=np.zeros((1, 4), dtype=np.int64),
        today=np.zeros((1, len(CHANNELS)), dtype=np.int64),
    )
    assert done_of(pool, None) == [True, True]


@pytest.mark.parametrize("seed", range(5))
def test_the_plan_does_not_depend_on_the_order_of_candidates(seed: int) -> None:
    pool = pool_of(seed, 20)
    order = np.random.default_rng(seed).permutation(len(pool.contact))
    other = Pool(
        contact=pool.contact[order],
        column=pool.column[order],
        priority=pool.priority[order],
        cost=pool.cost[order],
        **{name: getattr(pool, name) for name in ("account", "owner", "partner", "sent", "today", "taken", "wanted")},
    )
    assert done_of(other, 200.0) == np.array(done_of(pool, 200.0))[order].tolist()


def test_limits_that_nothing_asks_for_are_not_laid_out() -> None:
    catalogue = Catalogue.of(parse_settings('[actions.mail]\nchannel = "email"'))
    nothing, nobody = np.zeros(0, dtype=np.int64), np.full(3, NOBODY)
    sent, today = np.zeros((3, 0), dtype=np.int64), np.zeros((3, 1), dtype=np.int64)
    pool = Pool(nothing, nothing, np.zeros(0), nothing, nobody, nobody, nobody, sent, today)
    names = {each.name for each in rules_of(catalogue, pool, None).day.limits}
    assert CAPACITY not in names and BUDGET not in names
    assert BUDGET in {each.name for each in rules_of(catalogue, pool, 5.0).day.limits}

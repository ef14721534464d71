"""What is found in one compiled pass is what adding up touchpoint by touchpoint finds."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.times import DAY
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
from nba.past import Past
from nba.takings import takings_of

KINDS = ("visit", "order", "return", "swap", "refund")
RULES = TouchpointRules(outbound=(), money=("order", "swap", "resale"), returns=("return", "swap", "refund"))
AMOUNT = st.none() | st.sampled_from([0.0, -20.0]) | st.floats(-1e6, 1e6)
WAY = st.sampled_from([None, "outbound"])
SEEN = st.lists(st.tuples(st.integers(0, 9), st.sampled_from(KINDS), WAY, AMOUNT, AMOUNT), max_size=12)


def touchpoints_of(seen) -> Touchpoints:
    rows = sorted(("c", day * DAY, f"t{i:02}", *rest) for i, (day, *rest) in enumerate(seen))
    return Touchpoints.from_rows(
        [(who, at, name, kind, None, way, None, value, None, margin, None, None, None, None)
         for who, at, name, kind, way, value, margin in rows], RULES,
    )  # fmt: skip


def one_by_one(t: Touchpoints, margin: float | None):
    for row in range(len(t)):
        kind, amount, own = t.kinds[t.kind[row]], float(t.value[row]), float(t.margin[row])
        if margin is not None:
            amount = amount * margin if math.isnan(own) else own
        if not t.outbound[row] and not math.isnan(amount):
            brought = (amount if kind in RULES.money else 0.0) - (abs(amount) if kind in RULES.returns else 0.0)
            if brought:
                yield int(t.occurred_at[row]), brought


# What is compiled at first use takes seconds then.
@settings(deadline=None)
@given(SEEN, st.none() | st.sampled_from([0.0, 0.25]), st.integers(0, 10))
def test_one_pass_finds_what_each_touchpoint_brought(seen, margin, day) -> None:
    t = touchpoints_of(seen)
    found, expected = takings_of(t, RULES, margin), list(one_by_one(t, margin))
    assert list(zip(found.times.tolist(), found.amounts.tolist(), strict=True)) == expected
    assert found.since(day * DAY) == pytest.approx(math.fsum(amount for at, amount in expected if at >= day * DAY))


@settings(deadline=None)
@given(SEEN)
def test_rows_of_each_kind_are_all_its_rows_in_their_order(seen) -> None:
    past = Past(touchpoints_of(seen))
    kinds = [past.touchpoints.kinds[code] for code in past.touchpoints.kind.tolist()]
    assert past.rows == {name: [row for row, kind in enumerate(kinds) if kind == name] for name in set(kinds)}


def test_what_no_sum_can_hold_is_not_known_and_the_rest_is_added_up():
    seen = [(1, "order", None, 1.7e308, None), (2, "order", None, 1.7e308, None), (3, "order", None, 20.0, 5.0),
            (4, "return", None, 1.7e308, None), (5, "order", None, None, -1.7e308)]  # fmt: skip
    past = Past(touchpoints_of(seen))
    assert past.revenue(RULES, 9 * DAY) == 20.0 and past.margin(RULES, 9 * DAY) == 5.0
    assert past.mean_margin(["order"], RULES) == pytest.approx(5.0 / 4)

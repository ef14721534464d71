"""The formula in its compiled form, against the same in Python's own numbers."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba import worth
from nba.settings.actions import Start
from nba.worth import CHANCE, CHANCE_WITHOUT, CONTEXT, COST, ERROR, GOAL, KEEPS, LEVER, PRIORITY, SPREAD, VALUE

chance = st.floats(0, 1) | st.integers(0, 2 * 10**6).map(lambda n: n / 2e6)
money = st.floats(0, 1e9).map(lambda value: round(value, 4))


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """Hypothesis would take the time of the compiler for that of a test."""
    worth.warm_up()


def bits(number: float) -> bytes:
    return struct.pack("<d", number)


def rounded(number: float, digits: int) -> float:
    """Round by a whole table: a goal's value, the priority of an action without a gain, which is its cost, a chance."""
    if digits == worth.MONEY_DIGITS:
        table = np.zeros((GOAL + 1, 1))
        table[GOAL, 0] = 1
        assert worth.work_out(table, np.array([number]))
        return float(table[VALUE, 0])
    row = {worth.CHANCE_DIGITS: CHANCE, worth.ERROR_DIGITS: ERROR, worth.PRIORITY_DIGITS: PRIORITY}[digits]
    table = np.zeros((GOAL + 1, 1))
    table[COST if row == PRIORITY else row, 0] = -number if row == PRIORITY else number
    assert worth.work_out(table, np.zeros(1))
    return float(table[row, 0])


def near_middles(digits: int) -> st.SearchStrategy[float]:
    """Numbers in the middle of two that can be printed, and their neighbours."""
    middles = st.integers(-(10**9), 10**9).map(lambda n: (n + 0.5) / 10**digits)
    return st.tuples(middles, st.sampled_from([-math.inf, 0.0, math.inf])).map(
        lambda each: math.nextafter(each[0], each[1]) if each[1] else each[0]
    )


@pytest.mark.parametrize("digits", [worth.MONEY_DIGITS, worth.CHANCE_DIGITS, worth.ERROR_DIGITS, worth.PRIORITY_DIGITS])
@settings(max_examples=120)
@given(data=st.data())
def test_numbers_are_rounded_to_the_last_bit_as_python_does(digits: int, data) -> None:
    number = data.draw(near_middles(digits) | st.floats(-1e12, 1e12) | st.floats(-3, 3))
    # A gain of 0 less a cost of 0 has no sign; elsewhere it is kept.
    assert bits(rounded(number, digits) + 0.0) == bits(round(number, digits) + 0.0)


@settings(max_examples=100)
@given(
    with_=chance, without=chance, value=money, lever=st.floats(-1, 3).map(lambda x: round(x, 6)), cost=money,
    error=st.floats(0, 1), topical=st.booleans(), keeps=st.booleans(), by_goal=st.booleans(),
)  # fmt: skip
def test_the_formula_is_the_one_that_is_told(
    with_, without, value, lever, cost, error, topical, keeps, by_goal
) -> None:
    table = np.zeros((GOAL + 1, 2))
    rows = [CHANCE, CHANCE_WITHOUT, LEVER, CONTEXT, COST, ERROR, KEEPS, GOAL if by_goal else VALUE]
    table[rows, 1] = [with_, without, lever, 1.2 if topical else 1.0, cost, error, keeps, 2 if by_goal else value]
    assert worth.work_out(table, np.array([-1.0, value]))

    p, q, e = round(with_, 6), round(without, 6), round(error, 8)
    factor = 1.2 if topical else 1.0
    gain = q - p if keeps else p - q
    assert table[[CHANCE, CHANCE_WITHOUT, ERROR, VALUE], 1].tolist() == [p, q, e, value]
    assert table[PRIORITY, 1] == round(gain * value * lever * factor - cost, 10)
    assert table[SPREAD, 1] == e * value * lever * factor
    assert not table[:, 0].any()


@pytest.mark.parametrize("row", [CHANCE, CHANCE_WITHOUT, ERROR])
def test_what_lacks_a_number_is_left_alone(row: int) -> None:
    table = np.full((GOAL + 1, 3), 0.1234567891234)
    table[row, 2] = math.nan
    before = table.copy()
    assert not worth.work_out(table, np.zeros(1))
    assert np.array_equal(table, before, equal_nan=True)


@settings(max_examples=100)
@given(
    believed=st.lists(st.tuples(*[chance | st.just(math.nan)] * 3), min_size=1, max_size=6),
    decisions=st.floats(0, 1e6),
)
def test_what_a_model_does_not_know_is_as_believed_at_the_start(believed, decisions) -> None:
    table = np.full((GOAL + 1, len(believed)), 7.0)
    table[[CHANCE, CHANCE_WITHOUT, ERROR]] = np.array(believed).T
    usual = np.full(table.shape, 0.125)
    silent = [p != p or q != q for p, q, _ in believed]
    assert worth.fill_gaps(table, usual, np.full(len(believed), decisions)) == any(silent)
    for column, (p, q, e) in enumerate(believed):
        error = Start(evidence=decisions).error(p) if e != e else e
        expected = [0.125] * 3 if silent[column] else [p, q, error]
        assert table[[CHANCE, CHANCE_WITHOUT, ERROR], column].tolist() == expected
    table[[CHANCE, CHANCE_WITHOUT, ERROR]] = 7.0
    assert (table == 7.0).all()

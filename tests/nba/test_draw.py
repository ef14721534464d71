import hmac

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.times import parse_time
from nba.draw import Draw, in_holdout, pick, quarter


def test_a_draw_belongs_to_secret_key_and_decision() -> None:
    fractions = {
        Draw(secret, key).fraction(decision) for secret in (b"a", b"b") for key in ("k", "l") for decision in ("1", "2")
    }
    assert len(fractions) == 8
    assert all(0 <= f < 1 for f in fractions)
    assert Draw(b"a", "k").fraction("1") == Draw(b"a", "k").fraction("1")


@given(secret=st.binary(max_size=100), key=st.text(max_size=9), decision=st.text(max_size=9))
def test_a_draw_is_the_keyed_hash_of_the_standard(secret: bytes, key: str, decision: str) -> None:
    message = "\0".join((key, "draw", decision)).encode()
    first = int.from_bytes(hmac.digest(secret, message, "sha256")[:8], "big")
    assert Draw(secret, key).fraction(decision) == (first >> 11) / 2**53


def test_draws_are_even() -> None:
    found = np.sort([Draw(b"s").fraction(str(i)) for i in range(4000)])
    # Kolmogorov-Smirnov at a level of about one in a thousand; the draws are fixed.
    assert np.abs(found - (np.arange(4000) + 0.5) / 4000).max() < 1.95 / np.sqrt(4000)


def test_fresh_ids_tell_questions_apart() -> None:
    assert Draw(b"s").fresh_id("crm:1", "outbound", 1) == Draw(b"s").fresh_id("crm:1", "outbound", 1)
    assert Draw(b"s").fresh_id("crm:1", "outbound", 1) != Draw(b"s").fresh_id("crm:1", "outbound", 2)
    assert len(Draw(b"s").fresh_id("crm:1")) == 32


@given(
    weights=st.lists(st.integers(0, 5), min_size=1, max_size=6).filter(any),
    fraction=st.floats(0, 1, exclude_max=True),
)
def test_pick_lays_chances_end_to_end(weights: list[int], fraction: float) -> None:
    chances = np.array(weights) / sum(weights)
    column = pick(chances, fraction)
    assert chances[column] > 0
    assert chances[:column].sum() <= fraction + 1e-12
    assert chances[: column + 1].sum() >= fraction - 1e-12


def test_pick_survives_rounding_at_the_end() -> None:
    assert pick(np.array([0.1] * 9 + [0.1 - 1e-12, 0.0]), 1 - 2**-53) == 9


@pytest.mark.parametrize(
    ("clock", "name"),
    [
        ("2026-01-01", "2026Q1"),
        ("2026-03-31T23:59:59Z", "2026Q1"),
        ("2026-04-01", "2026Q2"),
        ("2028-02-29", "2028Q1"),
        ("2026-12-31T23:59:59Z", "2026Q4"),
    ],
)
def test_quarters(clock: str, name: str) -> None:
    assert quarter(parse_time(clock)) == name


def test_the_holdout_is_of_an_account_for_a_quarter() -> None:
    spring, summer = parse_time("2026-05-01"), parse_time("2026-07-01")
    for i in range(50):
        account = f"a{i}"
        held = in_holdout("crm:1", account, spring, 0.3)
        assert held == in_holdout("crm:2", account, parse_time("2026-06-30"), 0.3)
    moved = [in_holdout(f"c{i}", None, spring, 0.3) != in_holdout(f"c{i}", None, summer, 0.3) for i in range(200)]
    assert any(moved) and not all(moved)
    assert in_holdout("x", None, spring, 1.0) and not in_holdout("x", None, spring, 0.0)


def test_the_holdout_has_its_share() -> None:
    share = np.mean([in_holdout(f"c{i}", None, 0, 0.02) for i in range(20_000)])
    # Four standard errors; the hashes are fixed.
    assert abs(share - 0.02) < 4 * np.sqrt(0.02 * 0.98 / 20_000)

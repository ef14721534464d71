"""Claims about the table of quality: a missed floor is told, and what stands beside ours is computed as published."""

import numpy as np
import pandas as pd
import pytest

from bench import quality_run
from bench.quality_cdnow import bg_nbd
from bench.quality_run import Judged, calibration
from bench.quality_table import Found, table


@pytest.mark.parametrize(
    ("found", "kept", "away"),
    [
        (Found("auc", 0.84, floor=0.82, aim=0.865), True, 0.025),
        (Found("auc", 0.81, floor=0.82, aim=0.865), False, 0.055),
        (Found("auc", 0.87, floor=0.82, aim=0.865), True, 0.0),
        (Found("ece", 0.02, floor=0.035, aim=0.015), True, 0.005),
        (Found("ece", 0.04, floor=0.035, aim=0.015), False, 0.025),
        (Found("bias", 0.04, floor=0.05, is_most=True), True, None),
        (Found("bias", 0.06, floor=0.05, is_most=True), False, None),
        (Found("auc", float("nan"), floor=0.82, aim=0.865), False, None),
        (Found("beside", 0.5), True, None),
    ],
)
def test_a_floor_is_the_least_or_the_most_there_may_be(found, kept, away):
    assert found.is_kept == kept
    if away is not None:
        assert found.to_aim == pytest.approx(away)


def test_the_table_names_what_was_missed_and_only_that():
    lines = table([Found("a", 0.9, floor=0.8), Found("b", 0.7, floor=0.8), Found("c", 0.7, note="why")]).splitlines()
    assert [line.split()[-1] for line in lines[1:3]] == ["ok", "MISSED"]
    assert lines[-1] == "  c: why" and "MISSED" not in lines[3]


def customers(days: list[list[str]]) -> pd.DataFrame:
    rows = [(str(i), pd.Timestamp(day)) for i, those in enumerate(days) for day in those]
    return pd.DataFrame(rows, columns=["identity", "occurred_at"])


def test_bg_nbd_expects_what_the_article_does():
    """The article's customer: x = 2, t_x = 30.43, T = 38.86 weeks is expected to buy 1.226 times in 39 weeks."""
    orders = customers([["1997-01-01", "1997-03-01", "1997-08-02"]])
    # 1997-01-01 to 1997-08-02 are 30.43 weeks, to 1997-09-30 are 38.86.
    assert bg_nbd(orders, pd.Series(["0"]))[0] == pytest.approx(1.226, abs=0.001)


def test_bg_nbd_expects_more_of_who_bought_lately():
    orders = customers([["1997-01-01", "1997-02-01"], ["1997-01-01", "1997-09-01"], ["1997-01-01"]])
    early, late, once = bg_nbd(orders, pd.Series(["0", "1", "2"]))
    assert late > 2 * early and late > once > 0


def test_probabilities_that_come_true_keep_the_floors_and_halved_ones_do_not(monkeypatch):
    # The floors are for the figures themselves, not for the intervals that are drawn around them.
    monkeypatch.setattr(quality_run, "DRAWS", 50)
    rng = np.random.default_rng(0)
    p = rng.uniform(0.05, 0.6, 6000)
    truth, cluster = rng.random(6000) < p, np.arange(6000) // 2
    assert all(found.is_kept for found in calibration("right", Judged(truth, p, cluster)))
    assert not any(found.is_kept for found in calibration("half", Judged(truth, p / 2, cluster)))

"""A worklist is the best there is where that can be known, and its bound is that of the linear programme."""

import numpy as np
import pytest

from nba.plan.plan import broken, planned
from tests.nba.plan_days import alike_day, best_of_all, random_day
from training.plan import exact as plan_exact
from training.plan.exact import best_worklist, relaxed_bound


@pytest.mark.parametrize("seed", range(200))
def test_small_days_are_planned_as_well_as_by_looking_at_every_choice(seed: int) -> None:
    contacts, actions = ((4, 4), (5, 3), (7, 2))[seed % 3]
    day = random_day(seed, contacts, actions, ties=seed % 4 == 0, tight=1 + seed % 2)
    best, found, quick = best_of_all(day), best_worklist(day), planned(day)
    assert found.value == pytest.approx(best, abs=1e-9)
    assert broken(day, found.chosen) == broken(day, quick.chosen) == []
    assert min(found.bound, quick.bound) >= best - 1e-9
    assert found.value == pytest.approx(day.priority[found.chosen].sum(), abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ties", [False, True])
def test_the_bound_by_prices_is_that_of_the_linear_programme(seed: int, ties: bool) -> None:
    day = random_day(seed, 400, 6, ties=ties, tight=3.0)
    found, least = planned(day), relaxed_bound(day)
    assert least - 1e-6 <= found.bound <= least * (1 + 2e-3)
    assert best_worklist(day).gap <= 0.005


@pytest.mark.parametrize("seed", range(3))
def test_many_equal_priorities_leave_little_gap(seed: int) -> None:
    day = alike_day(seed, 1200)
    found, least = planned(day), relaxed_bound(day)
    assert least - 1e-6 <= found.bound <= least * (1 + 1e-3)
    assert found.gap <= 0.01 and broken(day, found.chosen) == []


def test_a_solver_that_finds_nothing_better_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    day = random_day(3, 60, 5, ties=True)
    monkeypatch.setattr(plan_exact, "MOST", 0)
    found, quick = best_worklist(day), planned(day)
    assert np.array_equal(found.chosen, quick.chosen) and found.bound == quick.bound

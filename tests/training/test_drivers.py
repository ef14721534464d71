"""Which way a meaning points: more of what is meant, not more days without it."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from training.drivers import _direction

FEATURES: Any = SimpleNamespace(categorical=())


@pytest.mark.parametrize("name", ["recency_kind_2_days", "account_recency_order", "gap_ratio_kind_2"])
def test_more_days_without_something_are_less_of_it(name: str) -> None:
    column: Any = SimpleNamespace(name=name)
    days = np.arange(100.0)
    assert _direction(column, FEATURES, days, -days) == {"more": "raises"}
    assert _direction(column, FEATURES, days, days) == {"more": "lowers"}


def test_more_touchpoints_are_more_of_them() -> None:
    column: Any = SimpleNamespace(name="cnt_kind_2_7d")
    n = np.arange(100.0)
    assert _direction(column, FEATURES, n, n) == {"more": "raises"}
    assert _direction(column, FEATURES, n, -n) == {"more": "lowers"}

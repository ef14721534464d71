"""Worlds of accounts whose contacts join, leave, come back and change their roles."""

from __future__ import annotations

from typing import Any

import numpy as np

from features.accounts import Groups
from features.catalogue import ACCOUNT
from features.feature_set import FeatureSet
from features.matrix import History
from features.times import ALWAYS, DAY
from features.touchpoints.touchpoints import Touchpoints
from tests.features.worlds import FEATURES, NOW, RULES, Row, odd_world, row

PLAIN = FeatureSet(
    kinds=FEATURES.kinds, channels=FEATURES.channels, topics=FEATURES.topics, rules=RULES,
    topic_half_life=FEATURES.topic_half_life, account=True,
)  # fmt: skip
Entry = tuple[str, int, dict[str, Any]]
ROLES = ("user", "purchasing", "decision_maker", "advisor")


def buying_world(seed: int, n: int = 2500) -> tuple[list[Row], list[Entry], list[tuple[str, int]]]:
    """Touchpoints, traits as they became known, and rows (contact, as_of); some of all three at the same moments."""
    rows, asked, _ = odd_world(seed, n)
    rng = np.random.default_rng(seed + 100)
    moments = sorted({as_of for _, as_of in asked})
    # Some come late, so that they are new within a window.
    rows += [
        row(f"late{i % 30}", int(NOW - rng.integers(1, 120 - i % 30) * DAY), 10**8 + i, topics=("oil",))
        for i in range(90)
    ]
    names = sorted({name for name, _ in asked} - {"nobody"} | {f"late{i}" for i in range(30)})
    shared = [int(NOW - days * DAY) for days in (0, 30, 60, 61, 150)]
    asked = [*asked, *((name, at) for name in names for at in shared)]
    known: list[Entry] = []
    for name in [*names, *(f"quiet{i}" for i in range(20))]:
        at = {
            int(rng.choice([ALWAYS, *shared, *moments])) + int(rng.integers(-1, 2)) for _ in range(rng.integers(0, 4))
        }
        for moment in at:
            body: dict[str, Any] = {}
            if rng.random() < 0.8:
                body["account"] = None if rng.random() < 0.15 else f"a{int(25 * rng.random() ** 2)}"
            if rng.random() < 0.6:
                body["role"] = None if rng.random() < 0.2 else str(rng.choice(ROLES))
            known.append((name, moment, body))
    rng.shuffle(known)
    return rows, known, asked


def account_matrix(rows: list[Row], known: list[Entry], asked: list[tuple[str, int]]) -> np.ndarray[Any, Any]:
    """The columns about accounts, shape (asked, columns)."""
    touchpoints = Touchpoints.from_rows(rows, RULES)
    groups = Groups.of(known, touchpoints.contacts)
    history = History(touchpoints, PLAIN)
    contact = np.array([groups.code(name) for name, _ in asked], dtype=np.int64)
    as_of = np.array([as_of for _, as_of in asked], dtype=np.int64)
    out = np.empty((len(asked), len(ACCOUNT)), dtype=np.float32)
    history.fill_account(groups, contact, as_of, out)
    return out

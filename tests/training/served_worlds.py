"""Decisions of a policy that was served, with a holdout, whose true worth is known."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np

from features.rows.row_types import DecisionRow, TouchpointRow
from features.times import DAY
from nba.settings import parse_settings
from tests.training.decision_worlds import BEGIN, NAMES, past_of, touch
from training.past import Past

TOML = """
[goals.conversion]
kinds = ["order"]
horizon = "14d"
value = 1
[points]
kinds = { visit = 5 }
thresholds = [{ below = 1000, actions = ["mail"] }]
[ranking]
epsilon = 0.3
holdout = 0.3
[ranking.levers]
call = 200
[actions.mail]
channel = "email"
stages = ["need"]
[actions.call]
channel = "phone"
"""
SETTINGS = parse_settings(tomllib.loads(TOML), folder=Path("/nowhere"), environ={})
HELD, EPSILON = 0.3, 0.3
P0, LIKES, DISLIKES = 0.3, 0.5, 0.2


def log_of(seed: int, n: int = 900) -> tuple[Past, dict[str, float]]:
    """Return the past with decisions of a policy that knows who likes what, and the true values of policies."""
    rows, decisions, value = rows_of(seed, n)
    return past_of(rows, decisions, SETTINGS), value


def rows_of(seed: int, n: int = 900) -> tuple[list[TouchpointRow], list[DecisionRow], dict[str, float]]:
    """Return the same as the store takes them."""
    rng = np.random.default_rng([seed, 3])
    likes_mail = rng.random(n) < 0.5
    truth = np.column_stack([np.full(n, P0), np.where(likes_mail, LIKES, DISLIKES), np.where(likes_mail, 0.2, 0.4)])
    policy = np.full((n, 3), EPSILON / 3)
    policy[np.arange(n), 1 + (~likes_mail).astype(int)] += 1 - EPSILON
    always_mail = np.tile([0.0, 1.0, 0.0], (n, 1))
    held = rng.random(n) < HELD
    drawn = np.where(held[:, None], always_mail, policy)
    action = (drawn.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    ordered = rng.random(n) < truth[np.arange(n), action]
    chances = HELD * always_mail + (1 - HELD) * policy
    at = BEGIN + 100 * DAY + np.arange(n) * DAY // 20
    rows = [touch(f"c{i:04}", int(at[i]) - DAY) for i in range(n)]
    rows += [touch(f"c{i:04}", int(at[i]) + DAY, "order", value=1.0) for i in np.flatnonzero(ordered).tolist()]
    rows.append(touch("end", int(at[-1]) + 15 * DAY))
    decisions = [
        DecisionRow(
            f"d{i}", f"c{i:04}", int(at[i]), NAMES[action[i]], float(chances[i, action[i]]),
            chances=dict(zip(NAMES, chances[i].tolist(), strict=True)), holdout=bool(held[i]),
            terms={name: terms(truth[i, k], 1.0 if name == "mail" else 3.0) for k, name in enumerate(NAMES) if k},
        )
        for i in range(n)
    ]  # fmt: skip
    value = {
        "policy": float(np.mean(np.sum(policy * truth, axis=1))),
        "points": float(truth[:, 1].mean()),
        "random": float(truth.mean()),
        "propensity_only": float(truth[:, 1:].max(axis=1).mean()),
        "without_levers": float(truth.max(axis=1).mean()),
    }
    value["served"] = HELD * value["points"] + (1 - HELD) * value["policy"]
    return rows, decisions, value


def terms(chance: float, lever: float) -> dict[str, float]:
    gain = chance - P0
    return {
        "propensity": chance, "without_action": P0, "value": 1.0, "lever": lever, "context": 1.0, "cost": 0.0,
        "priority": gain * lever,
    }  # fmt: skip

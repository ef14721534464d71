"""Decisions by thompson: what is logged is what was drawn with, and new actions are tried as their start says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import chi2

from features.times import DAY, parse_time
from models.estimate import Estimate
from nba.draw import Draw
from nba.engine import decide
from nba.request import Request

NOW = parse_time("2026-06-15T10:00:00Z")
TOML = """
[goals.conversion]
kinds = ["order"]
horizon = "30d"
[points]
thresholds = [{ from = 0, actions = ["mail"] }]
[actions.mail]
channel = "email"
value = 100.0
[actions.call]
channel = "phone"
cost = 1.0
value = 100.0
[actions.fair]
channel = "letter"
value = 100.0
needs = { points_from = 1000 }
[ranking]
policy = "thompson"
epsilon = 0.03
holdout = 0.1
"""
EFFECT, ERROR = np.array([0.02, 0.05, 0.9]), np.array([0.02, 0.03, 0.1])


@dataclass
class Believing:
    """As much of a belief as the engine asks for."""

    serves: str = "learned"
    version: str = "3"
    error: np.ndarray[Any, Any] | None = field(default_factory=lambda: ERROR)
    manifest: dict[str, Any] = field(default_factory=lambda: {"goals": {"conversion": {}}})

    def estimate(self, *_: Any, **__: Any) -> Estimate:
        return Estimate(
            None, {"conversion": 0.1}, {"conversion": "B"}, 0.05 + EFFECT, np.full(3, 0.05), ("randomised",) * 3,
            effect_error=self.error,
        )  # fmt: skip


@pytest.fixture
def ask(catalogue_of, past_of, row):
    past = past_of(row("2026-06-01", "visit"))

    def run(contact: str = "crm:1", belief: Any = None, toml: str = TOML, decisions: Any = (), as_of: int = NOW):
        given = past_of(row("2026-06-01", "visit"), decisions=decisions) if decisions else past
        request = Request(contact, limit=9)
        found: Any = belief or Believing()
        return decide(request, given, found, catalogue_of(toml), as_of, Draw(b"secret"))

    return run


def expected() -> dict[str, float]:
    """Chances of two normals above 0, by a Riemann sum of two million steps."""
    (m, c), (s, t) = (100 * EFFECT[0], 100 * EFFECT[1] - 1), 100 * ERROR[:2]
    x = np.linspace(0, 40, 2_000_001)
    mail = float(np.sum(np.exp(-(((x - m) / s) ** 2) / 2) / s * ndtr((x - c) / t)) * (x[1] - x[0]) / np.sqrt(2 * np.pi))
    nothing = float(ndtr(-m / s) * ndtr(-c / t))
    return {"do_nothing": nothing, "mail": mail, "call": 1 - nothing - mail}


def test_the_logged_chances_are_the_integral_with_its_floor_and_the_holdout(ask) -> None:
    found = ask().chances
    policy = {name: 0.97 * p + 0.01 for name, p in expected().items()}
    mixed = {name: 0.9 * p + (0.1 if name == "mail" else 0.0) for name, p in policy.items()}
    assert found == pytest.approx(mixed, abs=1e-6)
    assert "fair" not in found and sum(found.values()) == pytest.approx(1, abs=1e-12)


def test_actions_are_drawn_as_often_as_was_logged(ask) -> None:
    """Over contacts, held out or not; the bound fails a right draw once in a million."""
    n = 4_000
    decisions = [ask(f"crm:{i}") for i in range(n)]
    chances = decisions[0].chances
    assert all(each.chances == chances for each in decisions)
    counts = Counter(each.action for each in decisions)
    distance = sum((counts[name] - n * p) ** 2 / (n * p) for name, p in chances.items())
    assert distance < chi2.isf(1e-6, len(chances) - 1)
    assert 0.05 < np.mean([each.holdout for each in decisions]) < 0.15


def test_the_log_has_what_every_chance_was_worked_out_from(ask) -> None:
    row = ask().row()
    assert row.terms is not None and row.terms["call"]["error"] == 0.03
    assert set(row.terms) == {"mail", "call"}
    assert "error" not in ask().terms["call"].to_json()


def test_ranks_from_the_second_on_are_by_priority(ask) -> None:
    asked = (ask(f"crm:{i}") for i in range(50))
    offers = next(each for each in asked if each.action == "mail" and not each.holdout).recommendations
    assert [each.action for each in offers] == ["mail", "call"] and offers[1].probability is None


def test_a_sticky_choice_keeps_the_chances_it_was_logged_with(ask) -> None:
    first = ask()
    again = ask(decisions=(first.row(),), belief=Believing(error=np.zeros(3)), as_of=NOW + DAY)
    assert not again.is_new and again.chances == first.chances and again.action == first.action


def test_the_less_is_known_of_a_new_action_the_oftener_it_is_tried(ask) -> None:
    """Its effect is believed to be the smaller one, so that only doubt speaks for it."""
    tried = []
    for evidence in (2000, 200, 20):
        toml = TOML.replace(
            '[actions.mail]\nchannel = "email"',
            f'[actions.mail]\nchannel = "email"\nstart = {{ evidence = {evidence} }}',
        )
        tried.append(ask(toml=toml, belief=Believing(error=np.array([np.nan, 0.001, 0.1]))).chances["mail"])
    assert tried[0] < tried[1] < tried[2] and tried[2] > 3 * tried[0]


def test_mature_actions_are_not_wasted(ask) -> None:
    sure = ask(belief=Believing(error=np.array([1e-4, 1e-4, 1e-4]))).chances
    assert sure["call"] == pytest.approx(0.9 * (0.97 + 0.01), abs=1e-9)
    assert sure["do_nothing"] == pytest.approx(0.9 * 0.01, abs=1e-9)

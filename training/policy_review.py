"""Policies on the stored decisions as they are now: the simple ones, the learned ranking and the champion."""

from __future__ import annotations

from typing import Any

from models.belief import Belief
from nba.settings import Settings
from training.past import Past
from training.policy.learning import Learn, learn_effects
from training.policy.report import judge, no_judgement
from training.retrain import choose_features
from training.rows.decision_rows import decision_rows

CHAMPION = "champion"


def review(past: Past, settings: Settings, *, learn: Learn = learn_effects) -> dict[str, Any]:
    """Value every policy on the held-out decisions.

    The learned ranking is learnt anew from the decisions before, because the champion's own effects have seen all of
    them. ``champion`` is the policy that the champion lets serve, without its exploration.
    """
    rows = decision_rows(past, settings)
    refusal = no_judgement(settings, rows)
    if refusal is not None:
        return {"evidence": refusal[0], "decisions": 0, "policies": {}, "why": refusal[1]}
    champion = Belief.installed(settings.folder)
    if champion is None:
        first = int(rows.decided_at[rows.held_out].min())
        features, stages, values = choose_features(past, settings, first), None, {}
    else:
        features, stages = champion.features, champion.bundle.stages
        values = {name: float(goal.get("success_value") or 0.0) for name, goal in champion.goals.items()}
    judged = judge(past, settings, rows, features, stages=stages, success_values=values, learn=learn)
    bench = judged.bench
    policies = bench.to_json()
    if champion is not None and champion.serves in policies:
        policies[CHAMPION] = policies[champion.serves]
    return {
        "evidence": bench.evidence,
        "decisions": len(bench.rows),
        "policies": policies,
        "gain_over_best_simple": judged.gain_to_json(),
        "why": judged.chosen.why,
    }

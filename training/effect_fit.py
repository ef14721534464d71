"""What actions change of each goal, learnt from the past decisions, with what the report says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from models.effect.effect import Effects, NotEnoughDecisions
from models.qini import effect_groups, qini, qini_curve, total_error
from models.stages.stages import StageModel
from nba.settings import Settings
from training.past import Past
from training.rows.decision_leaks import honest_matrix
from training.rows.decision_rows import DecisionRows, decision_rows

FEWEST_OUTCOMES = 40
"""Decisions with the outcome, and without it, from which on effects on a goal are learnt."""

MEANS = {
    "randomised": "chances were known and the same for everybody: the difference is what the action changed",
    "logged": "chances were known for every decision: the effect holds where every action had a chance",
    "observational": (
        "chances were not logged but estimated from features: whoever chose may have known more, and then part of this "
        "is whom the action was given to, not what it changed"
    ),
}


@dataclass(frozen=True)
class LearntEffects:
    """Effects by goal, and the report's part about them."""

    by_goal: Mapping[str, Effects]
    report: Mapping[str, Any]


def learn_all_effects(
    past: Past,
    settings: Settings,
    features: FeatureSet,
    goals: Sequence[str],
    *,
    stages: StageModel | None = None,
    say: Callable[[str], None] = lambda text: None,
    rows: DecisionRows | None = None,
    seed: int = 0,
) -> LearntEffects:
    """Learn the effects for a bundle, on every decision whose outcome is known.

    Parameters
    ----------
    goals
        Those that a model was fitted for.
    stages
        Of the bundle, where the feature set has a column for the stage.
    """
    rows = decision_rows(past, settings) if rows is None else rows
    wanted = [goal for goal in rows.goals if goal in goals]
    if not len(rows) or not settings.actions or not wanted:
        return LearntEffects({}, {})
    say(f"learning what actions change from {len(rows):,} decisions")
    X, leaks = honest_matrix(rows, past, features, stages)
    left_out = [str(leak) for leak in leaks]
    found: dict[str, Effects] = {}
    report: dict[str, Any] = {}
    for goal in wanted:
        try:
            found[goal] = fit_effects(rows, X, goal, features, seed=seed)
            report[goal] = effect_report(found[goal])
            report[goal]["warnings"] += left_out
        except NotEnoughDecisions as few:
            report[goal] = {"actions": {}, "why": str(few), "warnings": left_out}
    return LearntEffects(found, report)


def fit_effects(
    rows: DecisionRows,
    X: NDArray[np.float32],
    goal: str,
    features: FeatureSet,
    *,
    which: NDArray[np.bool_] | None = None,
    seed: int = 0,
) -> Effects:
    """Learn what actions change of one goal.

    Parameters
    ----------
    X
        Features of all rows.
    which
        Rows to learn from; left out: all whose outcome is known.

    Raises
    ------
    NotEnoughDecisions
        Where decisions, or those with or without the outcome, are too few.
    """
    outcome = rows.outcomes[goal]
    taught = outcome.known if which is None else which & outcome.known
    label = outcome.label[taught]
    if min(int(label.sum()), int((~label).sum())) < FEWEST_OUTCOMES:
        raise NotEnoughDecisions(
            f"{goal} came about after {int(label.sum()):,} of {len(label):,} decisions; effects are learnt from "
            f"{FEWEST_OUTCOMES} with and {FEWEST_OUTCOMES} without it: wait for more outcomes"
        )
    some = rows.only(taught)
    return Effects.fit(
        X[taught],
        some.action,
        label,
        actions=rows.actions,
        columns=features.columns,
        categorical=features.categorical,
        probability=some.probability,
        chances=some.chances,
        allowed=some.allowed,
        cluster=some.cluster,
        seed=seed,
    )


def effect_report(effects: Effects) -> dict[str, Any]:
    """Say of each action what it changes, how well effects order contacts, and whether groups change as predicted."""
    seen = effects.out_of_fold
    found: dict[str, Any] = {}
    for i, (name, average) in enumerate(effects.average.items()):
        found[name] = {**average, "means": MEANS[average["evidence"]], "reach": effects.actions[i].reach}
        if seen is None:
            continue
        known = ~np.isnan(seen.effect[:, i])
        groups = effect_groups(seen.effect[known, i], seen.stand_in[known, i], seen.cluster[known])
        found[name] |= {
            "qini": qini(*compared(effects, i)),
            "groups": [group.to_json() for group in groups],
            "calibration_error": total_error(groups),
        }
    trimmed = 0 if seen is None else seen.trimmed
    return {"actions": found, "trimmed": trimmed, "warnings": _warnings(effects)}


def compared(
    effects: Effects, i: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Decisions for one action and for none: its effect as predicted unseen, which it was, the outcome, the weight.

    Raises
    ------
    ValueError
        Where the effects come from a bundle, which keeps no decisions.
    """
    seen = effects.out_of_fold
    if seen is None:
        raise ValueError("a bundle's effects keep no decisions; fit them to compare with what came of those")
    rows = ((seen.action == 0) | (seen.action == i + 1)) & ~np.isnan(seen.effect[:, i])
    weight = 1.0 / seen.taken_chance[rows]
    return seen.effect[rows, i], seen.action[rows] == i + 1, seen.y[rows], weight / weight.mean()


def curves(effects: Effects) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Qini curve of each action."""
    return {name: qini_curve(*compared(effects, i)) for i, name in enumerate(effects.names)}


def _warnings(effects: Effects) -> list[str]:
    found = []
    if "observational" in effects.evidence.values():
        found.append(f"evidence is observational: {MEANS['observational']}")
    seen = effects.out_of_fold
    if seen is not None and seen.trimmed:
        found.append(
            f"{seen.trimmed:,} of {len(seen.y):,} decisions had an estimated chance beyond [.01, .99] and are trimmed: "
            "contacts like these were nearly always, or nearly never, treated so"
        )
    return found

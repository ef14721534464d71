"""Effects of candidates: what the log taught, weighed with what the owner believes of an action at the start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.effect.effect import HIGHEST, LOWEST, EffectRows, Effects
from models.estimate import Candidate, Start
from models.logistic import logit, sigmoid

Floats = NDArray[np.float64]


def fill_effects(
    learnt: Mapping[str, Effects],
    X: NDArray[np.float32],
    candidates: Sequence[Candidate],
    propensity: Floats,
    without: Floats,
    error: Floats,
) -> None:
    """Fill in what actions change, in place, for the goals whose effects were learnt from decisions.

    Parameters
    ----------
    learnt
        Effects by goal.
    X
        Matrix without columns about actions, shape (n, columns).
    propensity, without, error
        Shape (n, candidates). The error is what more decisions would take away (``EffectRows.doubt``): who chooses by
        it tries an action where there is something to learn, not where no feature shows what holds.
    """
    for goal, effects in learnt.items():
        at = [i for i, candidate in enumerate(candidates) if candidate.goal == goal]
        if at:
            found = expected(effects, X, [candidates[i] for i in at])
            without[:, at] = found.without[:, None]
            propensity[:, at] = found.without[:, None] + found.effect
            error[:, at] = found.doubt


def expected(effects: Effects, X: NDArray[np.float32], candidates: Sequence[Candidate]) -> EffectRows:
    """Effect of each candidate on each contact and its standard error, shape (n, candidates).

    An action's ``start`` counts as many decisions as it says, the log as many as it holds for the action: a new action
    begins at its start and moves to the data as decisions come in. What is known of neither changes nothing, and its
    error is NaN.
    """
    learnt = effects.predict(X)
    column = {name: i for i, name in enumerate(effects.names)}
    effect = np.zeros((len(X), len(candidates)))
    error, doubt = np.full((2, len(X), len(candidates)), np.nan)
    base = float(np.mean([each.base for each in effects.actions]))
    for i, candidate in enumerate(candidates):
        place = column.get(candidate.action)
        if place is not None:
            effect[:, i] = learnt.effect[:, place]
            error[:, i], doubt[:, i] = learnt.error[:, place], learnt.doubt[:, place]
        if candidate.start is None or candidate.start.evidence <= 0:
            continue
        believed, unsure = _at_start(candidate.start, learnt.without, base)
        if place is None:
            effect[:, i], error[:, i], doubt[:, i] = believed, unsure, unsure
            continue
        taken = effects.actions[place].taken
        part = taken / (taken + candidate.start.evidence)
        effect[:, i] = part * effect[:, i] + (1 - part) * believed
        for each in (error, doubt):
            each[:, i] = np.hypot(part * each[:, i], (1 - part) * unsure)
    held = np.clip(learnt.without[:, None] + effect, LOWEST, HIGHEST) - learnt.without[:, None]
    return EffectRows(learnt.without, held, error, doubt)


def _at_start(start: Start, without: Floats, base: float) -> tuple[Floats, float]:
    """Effect as believed, by the odds it moves from the base to the start; and how unsure as many decisions are."""
    p = min(max(start.propensity, LOWEST), HIGHEST)
    shift = logit(np.array([p, min(max(base, LOWEST), HIGHEST)]))
    moved: Floats = sigmoid(logit(without) + (shift[0] - shift[1])) - without
    return moved, float(np.sqrt(p * (1 - p) / (start.evidence + 1)))

"""What each action changes, compared with doing nothing: a cross-fitted doubly robust learner for several actions.

Doubly robust: right where the outcomes or the chances of the actions are (Kennedy 2023, Electronic Journal of
Statistics 17, 3008-3049). Where the log has the chances, its average effects need nothing but the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.boosting import lightgbm
from models.effect.decisions import NotEnoughDecisions, evidence_of_action, given_decisions, learnable
from models.effect.nuisance import Log, Outcomes, cut_folds, fit_outcomes, pseudo_outcomes, taken_chances
from models.effect.stage import ActionEffect, Stage, fit_stage
from models.effect.trees import ALL, Binned, Family
from models.logistic import sigmoid
from models.trees import side_by_side

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NORMAL_975 = 1.959963984540054
LOWEST, HIGHEST = 1e-4, 1 - 1e-4


__all__ = ["EffectRows", "Effects", "NotEnoughDecisions", "OutOfFold"]


@dataclass(frozen=True)
class EffectRows:
    """Effects on n contacts of k actions: propensity with nothing done (n,), effect and its standard error (n, k).

    ``doubt`` is the part of the error that more decisions would take away, (n, k): what trying an action can teach.
    """

    without: Floats
    effect: Floats
    error: Floats
    doubt: Floats


@dataclass(frozen=True)
class OutOfFold:
    """What was said of each decision by models that had not seen it; rows and actions it cannot be said of are NaN.

    ``stand_in`` are pseudo-outcomes, whose mean over any group is what the group's effect was.
    """

    effect: Floats
    stand_in: Floats
    action: Ints
    y: Floats
    taken_chance: Floats
    cluster: Ints
    trimmed: int
    """Rows whose chance was estimated and met the bound of the trimming."""


@dataclass(frozen=True)
class Effects:
    """The effects of actions on one goal.

    Attributes
    ----------
    columns, categorical
        Names of the matrix's columns in order, and of those that hold codes.
    level, bases
        Log-odds of the outcome: what trees are added to; ``bases`` for "do nothing" and each action.
    actions
        Those whose effect is known, in the order of the columns of what ``predict`` gives.
    texts
        LightGBM's: ``outcome``, what holds under any action, and ``changes``, with an output for "do nothing" and each
        action's log-odds, and one for each action's difference. A text without trees is left out.
    out_of_fold
        Of the rows it was fitted on; not kept in a bundle.
    """

    columns: tuple[str, ...]
    categorical: tuple[str, ...]
    level: float
    bases: tuple[float, ...]
    actions: tuple[ActionEffect, ...]
    texts: Mapping[str, str] = field(repr=False)
    out_of_fold: OutOfFold | None = field(default=None, repr=False, compare=False)

    @classmethod
    def fit(
        cls,
        X: ArrayLike,
        action: ArrayLike,
        y: ArrayLike,
        *,
        actions: Sequence[str],
        columns: Sequence[str],
        categorical: Sequence[str] = (),
        probability: ArrayLike | None = None,
        chances: ArrayLike | None = None,
        allowed: ArrayLike | None = None,
        cluster: ArrayLike | None = None,
        seed: int = 0,
    ) -> Self:
        """Learn from decisions.

        Parameters
        ----------
        X
            Matrix as it was known before each decision, float (n, F), NaN where missing.
        action
            Column of the action that was taken, shape (n,); 0 is "do nothing".
        y
            What came of it, shape (n,), 0 or 1.
        actions
            Names of the columns, "do nothing" first.
        columns, categorical
            Names of the matrix's columns, and which of them hold codes.
        probability
            Chance that the taken action had, shape (n,); NaN or left out: not known, and so estimated.
        chances
            Chance of every action, shape (n, k + 1); NaN or left out: not known. They sharpen, and change no average.
        allowed
            Shape (n, k + 1); left out: every action that was ever taken, in every row.
        cluster
            Label of each row: rows of one may depend on each other, and stand in one fold; left out: every row its own.

        Raises
        ------
        NotEnoughDecisions
            With fewer than 40 decisions where nothing was done, or none of 40 for any action.
        ValueError
            Where shapes do not fit.
        """
        given = given_decisions(X, action, y, len(actions), probability, chances, allowed, cluster)
        matrix, taken, known = given.X, given.action, learnable(given, actions)
        fold = cut_folds(given.cluster, seed)
        places = [list(columns).index(name) for name in categorical]
        log = Log(
            binned=Binned.of(matrix, places),
            action=taken,
            y=given.y,
            known=given.probability,
            chances=given.chances,
            allowed=given.allowed,
            fold=fold,
        )
        outcomes = fit_outcomes(log, seed)
        of_row = outcomes.of_row(fold)
        chance, each, estimated = taken_chances(log, seed)
        stand_in = pseudo_outcomes(given.y, taken, of_row, chance)
        stages = [
            fit_stage(
                log, outcomes, of_row, stand_in[:, a - 1], each, given.cluster, a, actions[a],
                evidence_of_action(taken, given.probability, a), seed,
            )
            for a in known
        ]  # fmt: skip
        usable = given.allowed[:, known] & given.allowed[:, :1]
        place = np.array([0, *(known.index(a) + 1 if a in known else -1 for a in range(1, len(actions)))])
        return cls(
            columns=tuple(columns),
            categorical=tuple(categorical),
            level=outcomes.level[ALL],
            bases=tuple(outcomes.bases[a][ALL] for a in (0, *known)),
            actions=tuple(stage.effect for stage in stages),
            texts=_texts(outcomes, stages, known),
            out_of_fold=OutOfFold(
                effect=np.column_stack([stage.of_row for stage in stages]),
                stand_in=np.where(usable, stand_in[:, np.array(known) - 1], np.nan),
                action=place[taken],
                y=given.y,
                taken_chance=chance,
                cluster=given.cluster,
                trimmed=int((estimated & ((chance <= 0.01) | (chance >= 0.99))).sum()),
            ),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the actions whose effect is known."""
        return tuple(each.action for each in self.actions)

    @property
    def average(self) -> dict[str, dict[str, Any]]:
        """Average effect of each action over the decisions where it was allowed, with its 95 % interval."""
        return {each.action: _average(each) for each in self.actions}

    @property
    def evidence(self) -> dict[str, str]:
        """How strong the ground of each action's effect is: randomised, logged or observational."""
        return {each.action: each.evidence for each in self.actions}

    @cached_property
    def boosters(self) -> dict[str, Any]:
        """The texts made ready to predict."""
        return {name: lightgbm().Booster(model_str=text) for name, text in self.texts.items()}

    def predict(self, X: NDArray[Any]) -> EffectRows:
        """Effects on contacts, the propensity with nothing done, and how sure the effects are.

        Raises
        ------
        ValueError
            Where ``X`` is not (n, F).
        """
        if X.ndim != 2 or X.shape[1] != len(self.columns):
            raise ValueError(f"the matrix has shape {X.shape}; these effects want (n, {len(self.columns)})")
        k = len(self.actions)
        common = self._raw("outcome", X, 1)
        changes = self._raw("changes", X, 2 * k + 1)
        chances = sigmoid(self.level + common + np.array(self.bases) + changes[:, : k + 1])
        effect, error, doubt = np.empty((3, len(X), k))
        for i, each in enumerate(self.actions):
            difference = each.difference(chances[:, i + 1] - chances[:, 0], changes[:, k + 1 + i])
            effect[:, i], error[:, i] = each.of(difference), each.error_of(difference)
            doubt[:, i] = each.doubt_of(difference)
        without = np.clip(chances[:, 0], LOWEST, HIGHEST)
        # What is added to a chance leaves it one.
        held = np.clip(without[:, None] + effect, LOWEST, HIGHEST) - without[:, None]
        return EffectRows(without, held, error, doubt)

    def _raw(self, name: str, X: NDArray[Any], outputs: int) -> Floats:
        if name not in self.texts:
            return np.zeros((len(X), outputs))
        found = self.boosters[name].predict(X, raw_score=True, num_threads=1)
        return np.asarray(found, dtype=np.float64).reshape(len(X), outputs)

    def to_json(self) -> dict[str, Any]:
        """Everything but the texts."""
        return {
            "columns": list(self.columns),
            "categorical": list(self.categorical),
            "level": self.level,
            "bases": list(self.bases),
            "actions": [each.to_json() for each in self.actions],
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any], texts: Mapping[str, str]) -> Self:
        """Read what ``to_json`` wrote; a damaged text may end the process: verify its bundle before."""
        return cls(
            columns=tuple(plain["columns"]),
            categorical=tuple(plain["categorical"]),
            level=float(plain["level"]),
            bases=tuple(map(float, plain["bases"])),
            actions=tuple(ActionEffect(**each) for each in plain["actions"]),
            texts=dict(texts),
        )


def _average(each: ActionEffect) -> dict[str, Any]:
    width = NORMAL_975 * each.average_error
    return {
        "value": each.average,
        "interval": [each.average - width, each.average + width],
        "decisions": each.taken,
        "evidence": each.evidence,
    }


def _texts(outcomes: Outcomes, stages: Sequence[Stage], known: Sequence[int]) -> dict[str, str]:
    families: list[Family | None] = [*(outcomes.own[a] for a in (0, *known)), *(stage.family for stage in stages)]
    changes = [None if family is None else family.text for family in families]
    found = {} if outcomes.common.text is None else {"outcome": outcomes.common.text}
    return found if not any(changes) else found | {"changes": side_by_side(changes)}

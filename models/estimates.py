"""What a bundle believes of many contacts: one prediction per goal for all of them, equal to asking one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from features.matrix import History, Own
from features.own_rows import own_of
from features.touchpoints.touchpoints import Touchpoints
from features.traits import row_values
from models.belief import NO_EVIDENCE, AccountColumns, Belief
from models.effect.start import fill_effects
from models.estimate import Candidate, Estimate
from models.logistic import logit, sigmoid

Floats = NDArray[np.float64]
_ROWS_AT_ONCE = 32_768
"""Rows of contacts and actions that are predicted together: some megabytes."""


class Foreseen(Belief):
    """A belief that has estimated everybody of a batch beforehand and hands the estimates out by name."""

    def __init__(self, belief: Belief, estimates: Mapping[str, Estimate]) -> None:
        super().__init__(belief.bundle, belief.version)
        self._estimates = estimates

    def estimate(
        self,
        touchpoints: Touchpoints,
        traits: Mapping[str, Any],
        as_of: int,
        candidates: Sequence[Candidate],
        *,
        explain: bool = False,
        account: AccountColumns | None = None,
    ) -> Estimate:
        """Estimate made before, of the contact whose touchpoints these are."""
        return self._estimates[touchpoints.contacts[0]]


def foresee(
    belief: Belief,
    touchpoints: Touchpoints,
    traits: Sequence[Mapping[str, Any]],
    as_of: int,
    candidates: Sequence[Candidate],
    account: NDArray[np.float32] | None = None,
) -> Foreseen:
    """Estimate every contact at one moment.

    Parameters
    ----------
    touchpoints
        Of any number of contacts; those at or after ``as_of`` are not looked at.
    traits
        Of each contact, as known strictly before ``as_of``.
    as_of
        Microseconds.
    candidates
        The actions to compare.
    account
        The columns about each contact's account, where the feature set has them, shape (contacts, columns).
    """
    batch = _Batch(belief, touchpoints, as_of, candidates, account)
    n = len(touchpoints.contacts)
    found: dict[str, Estimate] = {}
    step = max(1, _ROWS_AT_ONCE // max(1, len(candidates)))
    for low in range(0, n, step):
        contact = np.arange(low, min(n, low + step), dtype=np.int64)
        estimates = batch.estimates(contact, traits[low : low + step])
        found.update(zip(touchpoints.contacts[low : low + step], estimates, strict=True))
    return Foreseen(belief, found)


class _Batch:
    """Contacts made ready for the models."""

    def __init__(
        self,
        belief: Belief,
        touchpoints: Touchpoints,
        as_of: int,
        candidates: Sequence[Candidate],
        account: NDArray[np.float32] | None,
    ) -> None:
        self.belief, self.touchpoints, self.as_of, self.candidates = belief, touchpoints, as_of, candidates
        self.account = account
        self.history = History(touchpoints, belief.features)
        goals = belief.bundle.propensities
        self.evidence = tuple(
            belief.evidence_of(c.goal, c) if c.goal is not None and c.goal in goals else NO_EVIDENCE for c in candidates
        )
        self._shifts = [belief.shift(c.goal, c) if c.goal is not None and c.goal in goals else None for c in candidates]
        self._last = {goal: self._last_of(goal) for goal in belief.own_features}

    def estimates(self, contact: NDArray[np.int64], traits: Sequence[Mapping[str, Any]]) -> list[Estimate]:
        """Estimate of each of these contacts."""
        belief, n, k = self.belief, len(contact), len(self.candidates)
        X = self._rows(contact, traits)
        stages = belief.stages_of(X)
        propensity, without = np.full((2, n, k), np.nan)
        propensities: dict[str, Floats] = {}
        for goal in belief.bundle.propensities:
            at = [i for i, c in enumerate(self.candidates) if c.goal == goal]
            if goal in belief.own_features:
                propensities[goal] = self._by_action(goal, X, contact, at, propensity, without)
            else:
                propensities[goal] = p = belief.bundle.propensities[goal].predict(X)
                self._moved(p, at, propensity, without)
        error = np.full((n, k), np.nan)
        fill_effects(belief.bundle.effects, X, self.candidates, propensity, without, error)
        return [
            self._estimate(stages[i], {g: float(p[i]) for g, p in propensities.items() if p[i] == p[i]}, arrays)
            for i, arrays in enumerate(zip(propensity, without, error, strict=True))
        ]

    def _estimate(
        self, stage: str | None, propensities: Mapping[str, float], arrays: tuple[Floats, Floats, Floats]
    ) -> Estimate:
        return Estimate(
            stage=stage,
            propensities=propensities,
            grades={goal: self.belief.grade(goal, p) for goal, p in propensities.items()},
            propensity=arrays[0],
            without_action=arrays[1],
            evidence=self.evidence,
            effect_error=arrays[2],
            learnt_stages=self.belief.learnt_stages,
        )

    def _rows(self, contact: NDArray[np.int64], traits: Sequence[Mapping[str, Any]]) -> NDArray[np.float32]:
        features = self.belief.features
        X = self.history.matrix(contact, np.full(len(contact), self.as_of, dtype=np.int64), threads=1)
        if features.traits:
            at = len(features.history)
            values = [row_values(known, self.as_of, features.traits) for known in traits]
            X[:, at : at + len(features.traits)] = np.array(values, dtype=np.float64)
        if features.account and self.account is not None:
            X[:, X.shape[1] - len(features.account_features) :] = self.account[contact]
        return X

    def _by_action(
        self,
        goal: str,
        X: NDArray[np.float32],
        contact: NDArray[np.int64],
        at: list[int],
        propensity: Floats,
        without: Floats,
    ) -> Floats:
        """Fill in a goal that looks at the action itself; returns its propensity for each contact."""
        belief, model = self.belief, self.belief.bundle.propensities[goal]
        features = belief.own_features[goal]
        known = [i for i in at if self.candidates[i].action in features.types]
        happened = self._last[goal][contact]
        p = np.full(len(contact), np.nan)
        seen = happened >= 0
        if seen.any():
            about = own_of(self.touchpoints, happened[seen])
            p[seen] = model.predict(self._wide(features, X[seen], contact[seen], about))
        self._moved(p, [i for i in at if i not in known], propensity, without)
        if not known:
            return p
        profile = belief.profile_of([self.candidates[i] for i in known])
        k, n = len(known), len(contact)
        about = Own([*profile.type] * n, [*profile.channel] * n, [*profile.topics] * n, [*profile.numbers] * n)
        rows = self._wide(features, np.repeat(X, k, axis=0), np.repeat(contact, k), about)
        chances = model.predict(rows).reshape(n, k)
        least = chances.min(axis=1, keepdims=True)
        propensity[:, known] = chances
        without[:, known] = 0.0 if belief.goals[goal]["linked"] else least
        highest: Floats = chances.max(axis=1)
        return highest

    def _wide(
        self, features: FeatureSet, X: NDArray[np.float32], contact: NDArray[np.int64], about: Own
    ) -> NDArray[np.float32]:
        rows = np.full((len(X), len(features.columns)), np.nan, dtype=np.float32)
        rows[:, : X.shape[1]] = X
        moments = np.full(len(contact), self.as_of, dtype=np.int64)
        self.history.with_own(features).fill_own(rows, contact, moments, about)
        return rows

    def _moved(self, p: Floats, at: list[int], propensity: Floats, without: Floats) -> None:
        """Fill in actions of which the model knows nothing: the odds without them, moved by what is believed."""
        for i in at:
            without[:, i] = p
            shift = self._shifts[i]
            propensity[:, i] = p if shift is None else sigmoid(logit(p) + shift)

    def _last_of(self, goal: str) -> NDArray[np.int64]:
        """Row of each contact's last touchpoint of a goal's kind strictly before the moment, -1 where none is."""
        t, kind = self.touchpoints, self.belief.goals[goal].get("after_kind")
        if kind is None or kind not in t.kinds:
            return np.full(len(t.contacts), -1, dtype=np.int64)
        rows = np.flatnonzero((t.kind == t.kinds.index(kind)) & (t.occurred_at < self.as_of))
        place = np.searchsorted(rows, t.start[1:]) - 1
        last = np.where(place >= 0, rows[np.maximum(place, 0)] if len(rows) else -1, -1)
        found: NDArray[np.int64] = np.where(last >= t.start[:-1], last, -1)
        return found

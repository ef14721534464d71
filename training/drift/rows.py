"""The rows that drift is measured on: those of a training, and those of today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.belief import Belief
from nba.settings import Settings
from nba.settings.goals import Goal
from training.dataset import Rows, label_rows, make_rows, rows_at
from training.drift.drift import STEADY, compare
from training.drift.reference import Reference, Sample
from training.fit import GoalFit
from training.past import Past
from training.predictor import Predictor

MOST = 20_000
"""Contacts or rows that are looked at: more would not change what is said."""
FEWEST = 40
"""Rows below which nothing can be said."""


def reference_of(fit: GoalFit, past: Past) -> Reference | None:
    """Keep how the rows of a goal's final fit were spread; None where there are too few.

    Scores are those of the test rows by the fit that had not seen them: a model's scores of the rows it learnt from
    are spread wider than any it will ever give.
    """
    rows = fit.data.rows
    if len(rows) < FEWEST:
        return None
    kept = _some(len(rows))
    sample = replace(_sample(fit.data.X[kept], rows.only(kept)), label=rows.label, label_contact=rows.cluster)
    if fit.predicted is not None and fit.test.any():
        sample = replace(sample, score=fit.predicted, score_contact=rows.cluster[fit.test])
    return Reference.of(sample, fit.data.features, rows.as_of, int(past.recorded.occurred_at.min()))


def tell_drift(fits: Sequence[GoalFit], past: Past, settings: Settings, belief: Belief | None) -> dict[str, Any]:
    """Put the drift of every goal into its report: within the data, and since the champion was trained.

    Returns
    -------
    The drift within the data, by goal.
    """
    since = {} if belief is None else drift_since(past, settings, belief)
    within = {fit.data.goal.name: drift_in_data(fit, past) for fit in fits}
    for fit in fits:
        name = fit.data.goal.name
        fit.report["drift"] = {"in_data": within[name], "since_champion": since.get(name)}
    return within


def references(fits: Sequence[GoalFit], past: Past) -> dict[str, Any]:
    """Return what the bundle keeps of every goal with a model, for later comparison."""
    kept = {fit.data.goal.name: reference_of(fit, past) for fit in fits if fit.final is not None}
    return {name: reference.to_json() for name, reference in kept.items() if reference is not None}


def drift_lines(drift: Mapping[str, Any]) -> list[str]:
    """Write a goal's drift for the report to be read, where anything has moved."""
    words = {"in_data": "drift from the training rows to the test rows", "since_champion": "drift since the champion"}
    found = {what: drift.get(what) for what in words}
    return [
        f"  {words[what]}: {part['sentence']}"
        for what, part in found.items()
        if part is not None and part["level"] != STEADY
    ]


def drift_in_data(fit: GoalFit, past: Past) -> dict[str, Any] | None:
    """Compare the test rows with the training rows; scores of the later half of the test with its earlier half."""
    rows, train, test = fit.data.rows, fit.data.split.train, fit.data.split.test
    if min(int(train.sum()), int(test.sum())) < FEWEST:
        return None
    early = _halves(rows.as_of[test])
    before, after = (_sample(fit.data.X[which], rows.only(which)) for which in (train, test))
    who = rows.cluster[test]
    if fit.predicted is not None and early is not None:
        before = replace(before, score=fit.predicted[early], score_contact=who[early])
        after = replace(after, score=fit.predicted[~early], score_contact=who[~early])
    before = replace(before, label=rows.label[train], label_contact=rows.cluster[train])
    after = replace(after, label=rows.label[test], label_contact=who)
    reference = Reference.of(before, fit.data.features, rows.as_of[train], int(past.recorded.occurred_at.min()))
    gains = {} if fit.final is None else dict(fit.final.drivers())
    return compare(reference, after, fit.data.features.features, gains, within=True)


def moved_since(past: Past, settings: Settings, belief: Belief) -> list[str]:
    """Say in a sentence for each goal what has moved since the training; nothing where nothing has."""
    found = drift_since(past, settings, belief)
    return [
        f"{goal}: drift since the training, {part['level']}: {part['sentence']}"
        for goal, part in found.items()
        if part["level"] != STEADY
    ]


def drift_since(past: Past, settings: Settings, belief: Belief) -> dict[str, Any]:
    """Compare today's contacts, and the outcomes since, with what a bundle was trained on; by goal.

    A goal is left out where the bundle kept nothing to compare with, or too few rows are there today.
    """
    found: dict[str, Any] = {}
    kept: Mapping[str, Any] = belief.manifest.get("drift", {})
    for name, plain in sorted(kept.items()):
        goal, model = settings.goals.get(name), belief.bundle.propensities.get(name)
        if goal is None or model is None:
            continue
        reference = Reference.from_json(plain)
        features = belief.own_features.get(name, belief.features)
        predict = Predictor(past, features, model, belief.bundle.stages)
        sample = _today(predict, settings, goal, reference.until)
        if sample is not None:
            found[name] = compare(reference, sample, features.features, dict(model.drivers()))
    return found


def _today(predict: Predictor, settings: Settings, goal: Goal, since: int) -> Sample | None:
    past = predict.past
    if goal.snapshots.after is not None:
        rows = make_rows(past.touchpoints, goal, settings.touchpoints, past.end, past.versions)
        rows = matured = rows.only(rows.as_of > since)
    else:
        rows = rows_at(past.touchpoints, goal, past.now, past.versions)
        matured = _matured(past, settings, goal, since)
    if len(rows) < FEWEST:
        return None
    rows = rows.only(_some(len(rows)))
    X = predict.matrix(rows)
    sample = replace(_sample(X, rows), score=predict.model.predict(X), score_contact=rows.cluster)
    if len(matured) < FEWEST:
        return sample
    return replace(sample, label=matured.label, label_contact=matured.cluster)


def _matured(past: Past, settings: Settings, goal: Goal, since: int) -> Rows:
    """Rows of the newest moment after the training whose horizon has ended; none where none has."""
    horizon = goal.horizon if isinstance(goal.horizon, int) else 0
    as_of = past.end - horizon
    if as_of <= since:
        nobody = rows_at(past.touchpoints, goal, as_of, past.versions)
        return nobody.only(np.zeros(len(nobody), dtype=np.bool_))
    rows = rows_at(past.touchpoints, goal, as_of, past.versions)
    return label_rows(past.touchpoints, settings.touchpoints, goal, rows.only(_some(len(rows))), past.versions)


def _sample(X: NDArray[np.float32], rows: Rows) -> Sample:
    return Sample(X, rows.cluster)


def _halves(as_of: NDArray[np.int64]) -> NDArray[np.bool_] | None:
    """Which rows lie in the earlier half of their time; None where there is only one moment."""
    moments = np.unique(as_of)
    if len(moments) < 2:
        return None
    early: NDArray[np.bool_] = as_of < np.sort(as_of)[len(as_of) // 2]
    return early if early.any() else as_of == moments[0]


def _some(n: int) -> NDArray[np.bool_]:
    """Mark at most ``MOST`` of n rows, drawn evenly and always the same."""
    kept = np.ones(n, dtype=np.bool_)
    if n > MOST:
        kept[:] = False
        kept[np.random.default_rng(0).choice(n, MOST, replace=False)] = True
    return kept

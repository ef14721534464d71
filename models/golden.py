"""Golden rows: inputs made from the models' own borders, with what they predicted when it was made."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.effect.effect import Effects
from models.propensity import Propensity
from models.stages.stages import StageModel

Floats = NDArray[np.float64]

ROWS = 256
TOLERANCE = 1e-12

_SPLITS = re.compile(r"^split_feature=(.*)\n(?:.*\n)??threshold=(.*)\ndecision_type=(.*)$", re.MULTILINE)


def golden_record(
    propensities: Mapping[str, Propensity], stages: StageModel | None, effects: Mapping[str, Effects]
) -> dict[str, Any]:
    """Rows and predictions of every model, JSON-able.

    The rows are drawn around the borders that the trees split at, not from contacts: they reach most leaves,
    and nobody's data leave the training.
    """
    record: dict[str, Any] = {"propensities": {}, "stages": None, "effects": {}}
    for goal, model in sorted(propensities.items()):
        rows = _around_splits([model.text], len(model.columns))
        record["propensities"][goal] = {
            "rows": _plain(rows),
            "probability": model.predict(rows).tolist(),
            "contribution": model.contributions(rows).sum(axis=1).tolist(),
        }
    for goal, learnt in sorted(effects.items()):
        rows = _around_splits(list(learnt.texts.values()), len(learnt.columns))
        record["effects"][goal] = {"rows": _plain(rows), **_said(learnt, rows)}
    if stages is not None:
        rows = _around_centres(stages)
        record["stages"] = {"rows": _plain(rows), "code": stages.predict(rows).tolist()}
    return record


def _said(effects: Effects, rows: Floats) -> dict[str, Any]:
    found = effects.predict(rows)
    return {name: getattr(found, name).tolist() for name in ("without", "effect", "error")}


def disagreement(
    record: Mapping[str, Any],
    propensities: Mapping[str, Propensity],
    stages: StageModel | None,
    effects: Mapping[str, Effects],
) -> str | None:
    """Say what the models predict otherwise than the record; None when they agree to 1e-12."""
    same = record["propensities"].keys() == propensities.keys() and record.get("effects", {}).keys() == effects.keys()
    if not same or (record["stages"] is None) != (stages is None):
        return "there are golden rows for other models than it holds"
    for goal, golden in record["propensities"].items():
        rows = _rows(golden["rows"])
        found = {
            "probability": propensities[goal].predict(rows),
            "contribution": propensities[goal].contributions(rows).sum(axis=1),
        }
        for what, values in found.items():
            if (wrong := _differing(values, golden[what])) or not len(values):
                return f"{what} of {goal} differs in {wrong} of {len(values)} golden rows"
    for goal, golden in record.get("effects", {}).items():
        rows = _rows(golden["rows"])
        for what, values in _said(effects[goal], rows).items():
            if (wrong := _differing(np.array(values), golden[what])) or not len(rows):
                return f"{what} of the effects on {goal} differs in {wrong} of {len(rows)} golden rows"
    if stages is not None:
        rows = _rows(record["stages"]["rows"])
        wrong = int((stages.predict(rows) != np.array(record["stages"]["code"])).sum())
        if wrong or not len(rows):
            return f"the stage differs in {wrong} of {len(rows)} golden rows"
    return None


def _differing(values: Floats, golden: Sequence[Any]) -> int:
    """How many rows say otherwise; written so that a NaN counts as a difference."""
    differs = ~(np.abs(values - np.array(golden, dtype=np.float64)) <= TOLERANCE)
    return int(differs.reshape(len(values), -1).any(axis=1).sum())


def _around_splits(texts: Sequence[str], columns: int) -> Floats:
    borders: dict[int, list[float]] = {}
    for match in (found for text in texts for found in _SPLITS.finditer(text)):
        for column, border, kind in zip(*(group.split() for group in match.groups()), strict=True):
            # The lowest bit of decision_type marks a split by category, whose threshold is no value.
            borders.setdefault(int(column), []).append(np.nan if int(kind) & 1 else float(border))
    rng = np.random.default_rng(0)
    rows = np.zeros((ROWS, columns))
    for column, listed in sorted(borders.items()):
        known = np.unique(np.array([b for b in listed if np.isfinite(b)]))
        if not len(known):
            rows[:, column] = rng.integers(0, 32, ROWS)
            continue
        middles = np.concatenate([[known[0] - 1], (known[1:] + known[:-1]) / 2, [known[-1] + 1]])
        rows[:, column] = rng.choice(np.concatenate([middles, known]), ROWS)
    rows[rng.random(rows.shape) < 0.05] = np.nan
    return rows


def _around_centres(stages: StageModel) -> Floats:
    """Rows between and around the centres, so that a moved border changes some of them."""
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, len(stages.centres), (2, ROWS))
    part = rng.random((ROWS, 1))
    between = stages.centres[first] * part + stages.centres[second] * (1 - part)
    rows = stages.space.rows(between + 0.1 * rng.normal(size=between.shape))
    rows[rng.random(rows.shape) < 0.05] = np.nan
    return rows


def _plain(rows: Floats) -> list[list[float | None]]:
    return [[None if np.isnan(value) else value for value in row] for row in rows.tolist()]


def _rows(plain: list[list[float | None]]) -> Floats:
    return np.array([[np.nan if value is None else value for value in row] for row in plain], dtype=np.float64)

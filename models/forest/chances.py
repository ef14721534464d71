"""The chances of one row by the models of a bundle: of as many as can be in one pass."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.forest.forest import Forest
from models.forest.model_text import NotUnderstood, read_model
from models.propensity import Propensity

log = logging.getLogger(__name__)

Rows = NDArray[np.float32]


class Chances:
    """Models made ready for one contact at a time; the same numbers as ``Propensity.predict``, to the last bit.

    A model that the forest does not understand, or that LightGBM answers for otherwise, is left to LightGBM.

    Parameters
    ----------
    models
        By goal, verified: a damaged text can end the process.
    own
        Goals with rows of their own; the others look at one row together.
    """

    def __init__(self, models: Mapping[str, Propensity], own: Sequence[str]) -> None:
        self._models = models
        groups = [[goal for goal in models if goal not in own], *([goal] for goal in own if goal in models)]
        self._forests = [found for group in groups if (found := planted({goal: models[goal] for goal in group}))]

    def __call__(self, row: Rows, own: Mapping[str, Rows]) -> list[float]:
        """Probability of each goal, calibrated; NaN where it has no row in ``own``.

        Parameters
        ----------
        row
            Shape (1, columns).
        own
            Goal to its own row, shape (1, its columns), or to none, shape (0, its columns).
        """
        raw: dict[str, float] = {}
        for goals, forest in self._forests:
            asked = own.get(goals[0], row)
            if len(asked):
                raw.update(zip(goals, forest(asked), strict=True))
        found = []
        for goal, model in self._models.items():
            if goal in raw:
                found.append(model.calibration.apply_one(raw[goal]))
            else:
                asked = own.get(goal, row)
                found.append(model.predict_one(asked) if len(asked) else math.nan)
        return found


def planted(models: Mapping[str, Propensity]) -> tuple[tuple[str, ...], Forest] | None:
    """Make a forest of those models that it can be made of, with their names; None where it can be made of none."""
    texts = {}
    for name, model in models.items():
        try:
            text = read_model(model.text)
        except NotUnderstood as fault:
            log.info("LightGBM answers for %s itself: %s", name, fault)
            continue
        if math.isnan(text.slope) or text.columns != len(model.columns):
            log.info("LightGBM answers for %s itself: its sums are no log-odds of a row's", name)
            continue
        texts[name] = text
    while texts:
        names, forest = tuple(texts), Forest(list(texts.values()))
        wrong = forest.differing([models[name].booster for name in names])
        if not wrong:
            return names, forest
        for place in wrong:
            log.warning("LightGBM answers for %s itself: the forest says something else", names[place])
            del texts[names[place]]
    return None

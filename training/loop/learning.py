"""The night of a learning loop: effects learnt anew from every decision whose outcome is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.effect.effect import Effects, NotEnoughDecisions
from training.loop.scene import GOAL, Scene
from training.rows.decision_rows import decision_rows


def learn(scene: Scene, allowed: Sequence[NDArray[np.bool_]]) -> Effects | None:
    """Learn what actions change; None where too few decisions have ended.

    Parameters
    ----------
    allowed
        Which actions each decision so far was allowed, in their order.
    """
    past = replace(scene.past, decisions=tuple(scene.decisions(allowed)))
    rows = decision_rows(past, scene.settings)
    ended = rows.outcomes[GOAL].known
    rows, few = rows.only(ended), scene.few
    columns = [scene.features.columns[i] for i in few]
    try:
        return Effects.fit(
            rows.matrix(past, scene.features)[:, few],
            rows.action,
            rows.outcomes[GOAL].label,
            actions=rows.actions,
            columns=columns,
            categorical=[name for name in scene.features.categorical if name in columns],
            probability=rows.probability,
            chances=rows.chances,
            allowed=rows.allowed,
            cluster=rows.cluster,
        )
    except NotEnoughDecisions:
        return None

"""Learning the journey's stages: once before the test for what is judged, and once as the service will use them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from models.stages.stages import StageModel
from nba.settings import Settings
from training.champion import Champion, Unreadable
from training.past import Past
from training.stages.rows import StageRows, behaviour, kinds_in, rule_stage_codes, stage_columns, stage_rows

FEWEST = 10
"""Contacts for each name that stages need."""


@dataclass(frozen=True)
class Stages:
    """What was learnt of the journey; None where contacts were too few.

    ``judged`` saw nothing at or after the first test row, ``final`` everything; both have as many stages.
    """

    judged: StageModel | None
    final: StageModel | None


@dataclass(frozen=True)
class Serving:
    """The stages that serve until now, and the feature set that their columns are of."""

    stages: StageModel
    features: FeatureSet


def serving_stages(champion: Champion | Unreadable | None) -> Serving | None:
    """Stages of the champion; None where there is none, or none that can be read."""
    found = champion.belief.bundle.stages if isinstance(champion, Champion) else None
    return Serving(found, champion.belief.features) if found is not None and isinstance(champion, Champion) else None


def learn_stages(
    past: Past, settings: Settings, features: FeatureSet, before: int, serving: Serving | None = None, seed: int = 0
) -> Stages:
    """Learn the stages before the first test row, and with their number again on everything.

    Parameters
    ----------
    features
        Without the column of the stage, which comes of this.
    before
        The first test row's moment, microseconds: the judged stages know nothing at or after it.
    serving
        Those of the champion: their number is kept while it is about as steady, their names while they are the same
        contacts'. Nothing else of them reaches the judged stages, for they may have seen the test.
    """
    usual = None if serving is None else len(serving.stages.names)
    judged = fit_stages(past, settings, features, before, seed, usual=usual)
    number = None if judged is None else len(judged.names)
    if serving is None and judged is not None:
        serving = Serving(judged, features)
    return Stages(judged, fit_stages(past, settings, features, past.end, seed, serving=serving, clusters=number))


def fit_stages(
    past: Past,
    settings: Settings,
    features: FeatureSet,
    as_of: int,
    seed: int,
    *,
    serving: Serving | None = None,
    clusters: int | None = None,
    usual: int | None = None,
) -> StageModel | None:
    """Learn stages from what happened strictly before ``as_of``; None where contacts are too few or too alike.

    Parameters
    ----------
    clusters
        How many; by the settings when left out.
    usual
        How many it is to be where that is about as steady as any other number.
    """
    rows, names = stage_rows(past, as_of), settings.stages.names
    if int(rows.newest.sum()) < FEWEST * len(names):
        return None
    columns = stage_columns(past, features, rows, () if serving is None else serving.stages.columns)
    X = behaviour(past, features, rows, columns)
    wanted = settings.stages.clusters
    try:
        return StageModel.fit(
            X,
            columns,
            rule_stage_codes(past, settings.stages.rules, rows.contact, rows.as_of),
            names,
            clusters or (None if wanted == "auto" else wanted),
            seed,
            kinds=kinds_in(columns),
            contact=rows.cluster,
            counts=rows.newest,
            usual=usual,
            rules=settings.stages.rules,
            before=None if serving is None else serving.stages,
            stage_before=_before(past, serving, rows, columns),
        )
    except ValueError:
        return None


def _before(past: Past, serving: Serving | None, rows: StageRows, columns: Sequence[str]) -> NDArray[np.int64] | None:
    """Stage of each row in the stages that serve, where these look at other columns."""
    if serving is None or serving.stages.space.same(columns):
        return None
    return serving.stages.predict(behaviour(past, serving.features, rows, serving.stages.columns))

"""A journey world as training reads it, up to any moment, for tests of stages."""

import numpy as np

from features.feature_set import FeatureSet
from features.times import DAY
from features.touchpoints.touchpoints import Touchpoints
from features.traits import Traits
from models.stages.stages import StageModel
from nba.settings import Settings, parse_settings
from training.past import Past
from training.retrain import choose_features
from training.stages.rows import behaviour, stage_rows
from training.world.files import settings_text
from training.world.world import JourneyWorld

__all__ = ["features_of", "past_of", "settings_of", "stages_of"]


def settings_of(world: JourneyWorld) -> Settings:
    return parse_settings(settings_text(world))


def past_of(world: JourneyWorld, end: int) -> Past:
    """Everything strictly before ``end``; contact c is the one numbered c in the truth."""
    t = world.as_touchpoints()
    known = np.flatnonzero(t.occurred_at < end)
    seen = Touchpoints.from_columns(
        t.contacts, t.contact[known], t.occurred_at[known], kind=t.kind[known], kinds=t.kinds,
        channel=t.channel[known], channels=t.channels, outbound=t.outbound[known], value=t.value[known],
    )  # fmt: skip
    return Past(touchpoints=seen, traits=Traits([]), decisions=(), now=end, end=end, quarantined=0)


def features_of(past: Past, settings: Settings) -> FeatureSet:
    return choose_features(past, settings, past.end - 60 * DAY)


def stages_of(stages: StageModel, past: Past, features: FeatureSet, as_of: int) -> tuple[np.ndarray, np.ndarray]:
    """Contacts known at a moment and the code of their stage then."""
    rows = stage_rows(past, as_of, moments=1)
    return rows.contact, stages.predict(behaviour(past, features, rows, stages.columns))

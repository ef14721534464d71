"""In which stage everybody is at a moment: as the champion's stages tell it, or without them as the rules do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Self

import numpy as np
import orjson
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from features.matrix import History
from models.stages.rules import StageRules
from models.stages.stages import StageModel
from nba.settings import Settings
from training.past import Past
from training.pipeline.people import Present
from training.stages.rows import rule_stage_codes

if TYPE_CHECKING:
    from models.belief import Belief

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Stager:
    """What tells stages.

    Attributes
    ----------
    names
        Of the stages, in the order of the journey; codes index them.
    version
        Of the model that tells them; None where the rules do.
    """

    past: Past
    rules: StageRules
    version: str | None = None
    model: StageModel | None = None
    features: FeatureSet | None = None

    @classmethod
    def of(cls, past: Past, settings: Settings, belief: Belief | None) -> Self:
        """Take the stages that serve."""
        stages = None if belief is None else belief.bundle.stages
        if belief is None or stages is None:
            return cls(past, settings.stages.rules)
        return cls(past, settings.stages.rules, belief.version, stages, belief.features)

    @property
    def names(self) -> Sequence[str]:
        """Of the stages, in the order of the journey."""
        return self.rules.names if self.model is None else self.model.names

    def codes(self, present: Present, moment: int) -> Ints:
        """Find the stage of each contact strictly before a moment, shape (n,)."""
        as_of = np.full(len(present), moment, dtype=np.int64)
        if self.model is None:
            codes = np.zeros(len(present), dtype=np.int64)
            known = present.contact >= 0
            codes[known] = rule_stage_codes(self.past, self.rules, present.contact[known], as_of[known])
            return codes
        return self.model.predict(self._history.columns(present.contact, as_of, self._columns))

    @cached_property
    def _history(self) -> History:
        if self.features is None:
            raise ValueError("stages by rule need no columns of a model")
        return History(self.past.touchpoints, self.features)

    @cached_property
    def _columns(self) -> list[int]:
        at = {name: i for i, name in enumerate(self._history.features.columns)}
        return [at[name] for name in ([] if self.model is None else self.model.columns)]


def stages_id(settings: Settings, belief: Belief | None) -> str:
    """Return what differs where stages are told otherwise: figures of two such do not go together."""
    stages = None if belief is None else belief.bundle.stages
    told = settings.stages.rules.to_json() if stages is None else stages.to_json()
    return sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]

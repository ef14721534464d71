"""The scene of a learning loop: settings of its world, what is known each morning, and priorities made of that."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet, PointWeights, choose
from features.matrix import History
from features.rows.row_types import DecisionRow
from features.traits import Traits
from models.effect.effect import Effects
from models.effect.start import expected
from nba.actions import Catalogue, cost_of, start_of
from nba.settings import Settings, parse_settings
from training.dataset import data_end
from training.past import Past
from training.world.files import settings_text
from training.world.rules import KINDS
from training.world.world import JourneyWorld, LiveWorld

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
Flags = NDArray[np.bool_]
Matrix = NDArray[np.float32]

GOAL = "conversion"
FEW = ("recency_kind_", "faded_topic_", "n_orders_", "recency_order_", "points", "trait_product_fit")
"""Beginnings of the columns that effects are learnt from: a tenth of all, so that many nights pass quickly."""


@dataclass
class Scene:
    """What does not change from day to day, and what happened so far.

    ``past`` has no decisions: those are rows of ``lived``, and what they were allowed is known by who chose. ``base``
    is the chance of an order within the window as touchpoints before the first decision tell it.
    """

    settings: Settings
    catalogue: Catalogue
    features: FeatureSet
    traits: Traits
    lived: JourneyWorld
    past: Past
    history: History
    base: float
    _logged: list[DecisionRow] = field(default_factory=list)

    @classmethod
    def of(
        cls, live: LiveWorld, *, policy: str, epsilon: float, worth: float, start: tuple[float, float] | None
    ) -> Scene:
        """Lay out a world after its history.

        Parameters
        ----------
        worth
            Of an order.
        start
            Belief in every action before there are data: the chance of an order under it, and as how many decisions
            that counts; None: ``nba.toml`` says nothing of it.
        """
        lived = live.so_far()
        settings = _settings(lived, policy, epsilon, worth, start)
        points, traits = settings.points, Traits(lived.contacts)
        chosen = choose(
            lived.as_touchpoints(),
            rules=settings.touchpoints,
            points=PointWeights(dict(points.kinds), points.once, points.half_life_us),
            topic_half_life=settings.topics.half_life_us,
            before=live.now,
        )
        features = replace(chosen, traits=traits.choose(live.now))
        past = _past(live, lived, traits)
        return cls(
            settings, Catalogue.of(settings), features, traits, lived, past, History(past.touchpoints, features),
            base=_usual(lived),
        )  # fmt: skip

    def look(self, live: LiveWorld) -> None:
        """Take in what happened until now."""
        self.lived = live.so_far()
        self.past = _past(live, self.lived, self.traits)
        self.history = History(self.past.touchpoints, self.features)

    @property
    def few(self) -> list[int]:
        """Places of the columns that effects are learnt from."""
        return [i for i, name in enumerate(self.features.columns) if name.startswith(FEW)]

    def features_of(self, contact: I64, at: I64) -> Matrix:
        """Features of contacts strictly before moments in microseconds, shape (n, columns)."""
        return self.history.matrix(contact, at, traits=self.traits, threads=1)

    def points_in(self, X: Matrix) -> F64:
        """Totals of the points table in rows of the matrix, shape (n,)."""
        return X[:, self.features.columns.index("points")].astype(np.float64)

    def priorities(self, effects: Effects | None, X: Matrix) -> tuple[F64, F64]:
        """Priority of every action and its standard error, "do nothing" first, shape (n, k) each.

        The formula of ``nba.priority`` for actions without lever and context. Of what was not learnt, the start
        beliefs speak: ``effects`` None is nothing learnt at all.
        """
        worth = float(self.settings.goals[GOAL].value)
        effect, error = self._believed(effects, X)
        priority, unsure = np.zeros((2, len(X), len(self.catalogue)))
        priority[:, 1:] = effect * worth - np.array([cost_of(action, {}) for action in self.catalogue.actions])
        unsure[:, 1:] = error * worth
        return priority, unsure

    def _believed(self, effects: Effects | None, X: Matrix) -> tuple[F64, F64]:
        """Effect of every action and how unsure it is, shape (n, k) without "do nothing"."""
        candidates = self.catalogue.candidates
        if effects is None:
            starts = [self.base if each.start is None else each.start.propensity for each in candidates]
            without, effect = np.full(len(X), self.base), np.tile(np.array(starts) - self.base, (len(X), 1))
            doubt = np.full(effect.shape, np.nan)
        else:
            found = expected(effects, X[:, self.few], candidates)
            without, effect, doubt = found.without, found.effect, found.doubt
        # Without decisions nobody knows how sure a model is: as sure as the belief at the start, as in nba.priority.
        evidence = np.array([start_of(action).evidence for action in self.catalogue.actions])
        chance = np.clip(without[:, None] + effect, 0.0, 1.0)
        return effect, np.where(np.isnan(doubt), np.sqrt(chance * (1.0 - chance) / (evidence + 1.0)), doubt)

    def decisions(self, allowed: Sequence[Flags]) -> list[DecisionRow]:
        """Decisions so far as the service would have logged them."""
        names = np.array(self.catalogue.names)
        first = len(self._logged)
        rows = zip(self.lived.decision_rows(first), allowed[first:], strict=True)
        self._logged += [replace(row, policy="learned", allowed=tuple(names[may].tolist())) for row, may in rows]
        return self._logged


def _past(live: LiveWorld, lived: JourneyWorld, traits: Traits) -> Past:
    touchpoints = lived.as_touchpoints()
    return Past(touchpoints, traits, (), live.now, data_end(touchpoints, live.now), 0)


def _usual(lived: JourneyWorld) -> float:
    """Chance of an order within the window at any moment of what was lived."""
    orders = int((lived.columns.kind == KINDS.index("order")).sum())
    return orders / max(len(lived.people) * lived.days, 1) * lived.truth.window_days


def _settings(
    lived: JourneyWorld, policy: str, epsilon: float, worth: float, start: tuple[float, float] | None
) -> Settings:
    """Return settings that fit the world, with one goal of a fixed worth."""
    plain: dict[str, Any] = tomllib.loads(settings_text(lived))
    horizon = plain["goals"][GOAL]["horizon"]
    plain["goals"] = {GOAL: {"kinds": ["order"], "horizon": horizon, "value": worth}}
    if start is not None:
        for action in plain["actions"].values():
            action["start"] = dict(zip(("propensity", "evidence"), start, strict=True))
    plain["ranking"] = {"policy": "thompson" if policy == "uniform" else policy, "epsilon": epsilon, "holdout": 0.0}
    return parse_settings(plain, folder=Path.cwd(), environ={})

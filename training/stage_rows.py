"""Learning the journey's stages: every contact once, by how it behaves, not by what it buys next."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from features.matrix import History
from features.spans import spans, tally
from features.times import DAY
from models.stage_rules import StageRules
from models.stages import StageModel, rule_stages
from nba.settings import Settings
from training.dataset import of_kinds
from training.past import Past

BEHAVIOUR = (
    "recency_inbound_days", "recency_order_days", "n_inbound_30d", "n_inbound_90d", "faded_inbound_30d",
    "trend_30_90", "gap_ratio", "gap_mean_days", "n_channels_90d", "n_orders_90d", "revenue_90d", "tenure_days",
    "interest_total", "interest_focus", "n_topics_30d", "answer_rate",
)  # fmt: skip
_EVER = -(2**62)


def fit_stages(past: Past, settings: Settings, features: FeatureSet, as_of: int, seed: int) -> StageModel | None:
    """Stages as they stood at ``as_of``; None where fewer contacts than clusters tell themselves apart."""
    touchpoints = past.touchpoints
    first = touchpoints.occurred_at[touchpoints.start[:-1]]
    contact = np.flatnonzero(first < as_of).astype(np.int64)
    contact = contact[past.stands(contact, as_of)]
    moments = np.full(len(contact), as_of, dtype=np.int64)
    behaves = BEHAVIOUR + tuple(name for name in features.columns if name.startswith("faded_kind_"))
    at = [i for i, name in enumerate(features.columns) if name in behaves]
    X = History(touchpoints, features).columns(contact, moments, at)
    rules = settings.stages.rules
    names = settings.stages.names
    clusters = None if settings.stages.clusters == "auto" else settings.stages.clusters
    if len(contact) < 10 * len(names):
        return None
    stages = rule_stage_codes(past, rules, contact, moments)
    try:
        return StageModel.fit(X, [features.columns[i] for i in at], stages, names, clusters, seed)
    except ValueError:
        return None


def rule_stage_codes(
    past: Past, rules: StageRules, contact: NDArray[np.int64], as_of: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Find the stage of each row by rule, as codes of the rules' names."""
    kinds = sorted({kind for rule in rules.rules for kind in rule.seen})
    days: NDArray[Any] = np.full((len(contact), len(kinds)), np.nan)
    t = past.touchpoints
    before = spans(t.start, t.occurred_at, contact, _EVER, as_of)
    for i, kind in enumerate(kinds):
        _, _, last = tally(before, of_kinds(t, (kind,)))
        days[:, i] = np.where(last >= 0, (as_of - t.occurred_at[np.maximum(last, 0)]) / DAY, np.nan)
    return rule_stages(rules, kinds, days)

"""What the contacts in each stage do, in numbers and in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from models.stages.stages import StageModel
from nba.settings import Settings
from training.past import Past
from training.stages.rows import behaviour, inbound_kinds, rule_stage_codes, stage_rows

MOST_CONTACTS = 20_000
_TOLD = ("n_inbound_30d", "recency_inbound_days", "n_orders_365d", "revenue_365d", "n_topics_30d", "tenure_days")
_MOST_KINDS = 2

Floats = NDArray[np.float64]


def profiles(
    past: Past, stages: StageModel, features: FeatureSet, settings: Settings, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """Describe each stage by the contacts that are in it at the data end, for the report.

    Returns
    -------
    By name of the stage: ``contacts`` and ``share`` of all; ``means`` of the main behaviours, among those who have
    any; ``kinds``, the touchpoints of each kind in 30 days; ``by_rule``, the shares of the stages by rule; ``words``.
    """
    rows = stage_rows(past, past.end, moments=1)
    if len(rows) > MOST_CONTACTS:
        drawn = np.random.default_rng(seed).choice(len(rows), MOST_CONTACTS, replace=False)
        chosen = np.zeros(len(rows), dtype=np.bool_)
        chosen[drawn] = True
        rows = rows.only(chosen)
    kinds = sorted(set(features.kinds) & inbound_kinds(past, past.end))
    columns = (*_TOLD, *(f"n_kind_{kind}_30d" for kind in kinds))
    X = behaviour(past, features, rows, columns).astype(np.float64)
    codes = stages.predict(behaviour(past, features, rows, stages.columns))
    rule = rule_stage_codes(past, settings.stages.rules, rows.contact, rows.as_of)
    total = sum(stages.sizes.values())
    found: dict[str, dict[str, Any]] = {}
    for i, name in enumerate(stages.names):
        here = codes == i
        means = _means(X[here], columns)
        shares = np.bincount(rule[here], minlength=len(settings.stages.names)) / max(int(here.sum()), 1)
        found[name] = {
            "contacts": stages.sizes[name],
            "share": stages.sizes[name] / max(total, 1),
            "means": {column: means[column] for column in _TOLD},
            "kinds": {kind: means[f"n_kind_{kind}_30d"] for kind in kinds},
            "by_rule": {n: float(s) for n, s in zip(settings.stages.names, shares, strict=True) if s > 0},
        }
        found[name]["words"] = _words(found[name])
    return found


def _means(X: Floats, columns: tuple[str, ...]) -> dict[str, float | None]:
    """Mean of what is known of each column; None where nothing is."""
    known = np.isfinite(X)
    n = known.sum(axis=0).tolist()
    totals = np.where(known, X, 0.0).sum(axis=0).tolist()
    return {name: total / count if count else None for name, total, count in zip(columns, totals, n, strict=True)}


def _words(told: Mapping[str, Any]) -> str:
    means = told["means"]
    kinds = {kind: n for kind, n in told["kinds"].items() if n and n >= 0.05}
    most = sorted(kinds, key=lambda kind: (-kinds[kind], kind))[:_MOST_KINDS]
    n, since, orders = means["n_inbound_30d"], means["recency_inbound_days"], means["n_orders_365d"]
    said = [f"{_figure(n or 0.0)} touchpoints in 30 days"]
    if most:
        said[0] += ", mostly " + ", ".join(f"{kind} ({_figure(kinds[kind])})" for kind in most)
    if since is not None:
        said.append(f"the last {_figure(since)} days ago")
    if orders:
        said.append(f"{_figure(orders)} orders in a year")
    return f"{100 * told['share']:.0f} % of the contacts: " + "; ".join(said)


def _figure(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"

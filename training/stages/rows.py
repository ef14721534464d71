"""The rows that stages are learnt from: every contact at a few moments, by how it behaves, not by what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from features.matrix import History
from features.spans import spans, tally
from features.times import DAY
from models.stages.rules import StageRules, rule_stages
from training.dataset import of_kinds
from training.past import Past

BESIDE = (
    "faded_inbound_30d", "recency_inbound_days", "trend_30_90", "gap_ratio", "n_channels_90d", "n_topics_30d",
    "recency_order_days", "revenue_90d",
)  # fmt: skip
"""Behaviours beside what kinds the touchpoints are of."""
FAST, SLOW = ("7d", "30d", "90d"), ("30d", "90d", "365d")
"""Windows in which touchpoints are counted, where they are frequent and where they are rare."""
FREQUENT = 3.0
"""Touchpoints in 30 days of a contact that is active at all, from which on they are frequent."""
MOMENTS, APART = 6, 30 * DAY
_EVER = -(2**62)

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class StageRows:
    """Contacts at moments, shape (n,); ``at`` is the number of the moment, the last one that of ``as_of``.

    ``contact`` are codes of ``Past.touchpoints``, ``cluster`` what is the same contact in every version.
    """

    contact: Ints
    as_of: Ints
    at: Ints
    moments: Ints
    cluster: Ints

    def __len__(self) -> int:
        return len(self.as_of)

    def only(self, which: NDArray[np.bool_]) -> StageRows:
        """Take the rows marked in ``which``."""
        columns = ("contact", "as_of", "at", "cluster")
        return replace(self, **{name: getattr(self, name)[which] for name in columns})

    @property
    def newest(self) -> NDArray[np.bool_]:
        """Which rows are of the last moment."""
        flags: NDArray[np.bool_] = self.at == len(self.moments) - 1
        return flags


def stage_rows(past: Past, as_of: int, *, moments: int = MOMENTS, apart: int = APART) -> StageRows:
    """Every contact at moments up to ``as_of``, as long as it had a touchpoint before and stood so then.

    Parameters
    ----------
    moments, apart
        How many at most, and their distance in microseconds; none lies before the records begin by ``apart``.
    """
    t = past.touchpoints
    first = t.occurred_at[t.start[:-1]] if len(t) else np.zeros(0, dtype=np.int64)
    begin = int(first.min()) + apart if len(first) else as_of
    listed = as_of - apart * np.arange(moments - 1, -1, -1, dtype=np.int64)
    listed = listed[(listed >= begin) | (listed == as_of)]
    contact, at = [], []
    for i, moment in enumerate(listed.tolist()):
        known = np.flatnonzero(first < moment).astype(np.int64)
        known = known[past.stands(known, moment)]
        contact.append(known)
        at.append(np.full(len(known), i, dtype=np.int64))
    codes, number = np.concatenate(contact), np.concatenate(at)
    cluster = codes if past.versions is None else past.versions.group[codes].astype(np.int64)
    return StageRows(codes, listed[number], number, listed, cluster)


def behaviour(past: Past, features: FeatureSet, rows: StageRows, columns: Sequence[str]) -> NDArray[np.float32]:
    """Columns of the history of each row, shape (n, len(columns))."""
    where = {name: i for i, name in enumerate(features.columns)}
    return History(past.touchpoints, features).columns(rows.contact, rows.as_of, [where[name] for name in columns])


def stage_columns(past: Past, features: FeatureSet, rows: StageRows, usual: Sequence[str] = ()) -> tuple[str, ...]:
    """Names of the columns that stages are learnt from; the first count kinds, see ``kinds_in``.

    Parameters
    ----------
    usual
        Those of the stages that serve. Windows change only where touchpoints are clearly as frequent or as rare.
    """
    counts = behaviour(past, features, rows.only(rows.newest), ("n_inbound_30d", "n_inbound_90d"))
    active = counts[counts[:, 1] > 0, 0]
    border = FREQUENT * (0.5 if _widest(usual) == FAST[-1] else 2.0 if _widest(usual) == SLOW[-1] else 1.0)
    windows = FAST if len(active) and float(np.median(active)) >= border else SLOW
    kinds = sorted(set(features.kinds) & inbound_kinds(past, int(rows.moments[-1])))
    return (*(f"n_kind_{kind}_{window}" for kind in kinds for window in windows), *BESIDE)


def kinds_in(columns: Sequence[str]) -> int:
    """How many kinds the first of ``stage_columns`` count."""
    return (len(columns) - len(BESIDE)) // len(FAST)


def _widest(columns: Sequence[str]) -> str | None:
    return columns[len(FAST) - 1].rsplit("_", 1)[-1] if len(columns) > len(BESIDE) else None


def inbound_kinds(past: Past, before: int) -> set[str]:
    """Kinds that contacts bring about themselves; what we send to them is our behaviour, not theirs."""
    t = past.recorded
    known = t.occurred_at < before
    n = np.bincount(t.kind[known], minlength=len(t.kinds))
    ours = np.bincount(t.kind[known & t.outbound], minlength=len(t.kinds))
    return {kind for kind, all_, sent in zip(t.kinds, n.tolist(), ours.tolist(), strict=True) if 2 * sent < all_}


def rule_stage_codes(past: Past, rules: StageRules, contact: Ints, as_of: Ints) -> Ints:
    """Find the stage of each row by rule, as codes of the rules' names."""
    kinds = sorted({kind for rule in rules.rules for kind in rule.seen})
    days: NDArray[Any] = np.full((len(contact), len(kinds)), np.nan)
    t = past.touchpoints
    before = spans(t.start, t.occurred_at, contact, _EVER, as_of)
    for i, kind in enumerate(kinds):
        _, _, last = tally(before, of_kinds(t, (kind,)))
        days[:, i] = np.where(last >= 0, (as_of - t.occurred_at[np.maximum(last, 0)]) / DAY, np.nan)
    return rule_stages(rules, kinds, days)

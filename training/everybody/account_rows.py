"""What a model looks at about everybody's account, at the one moment that everybody is looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.accounts import Groups
from features.feature_set import FeatureSet
from features.matrix import History
from nba.settings import Settings
from training.everybody.everybody import Everybody
from training.past import objections


def account_columns(everybody: Everybody, features: FeatureSet, settings: Settings) -> NDArray[np.float32] | None:
    """Columns about the account of each of ``everybody.touchpoints.contacts``; None where the feature set has none.

    Contacts that object to profiling count for nobody, and have none.
    """
    if not features.account:
        return None
    touchpoints, as_of = everybody.touchpoints, everybody.as_of
    refused = objections(touchpoints, settings, as_of)
    agreed = np.array([code for code, name in enumerate(touchpoints.contacts) if name not in refused], dtype=np.int64)
    history = History(touchpoints.take(agreed.tolist()), features)
    known = (row for row in everybody.traits.rows() if row[0] not in refused)
    groups = Groups.of(known, history.touchpoints.contacts, crowded=dict(everybody.crowded))
    columns = np.empty((len(agreed), len(features.account_features)), dtype=np.float32)
    moments = np.full(len(agreed), as_of, dtype=np.int64)
    history.fill_account(groups, np.arange(len(agreed), dtype=np.int64), moments, columns)
    out = np.full((len(touchpoints.contacts), columns.shape[1]), np.nan, dtype=np.float32)
    out[agreed] = columns
    return out

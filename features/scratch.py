"""Where the kernel keeps its sums: records whose fields are named like the columns of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.catalogue import OVERALL, PER_CHANNEL, PER_KIND, Feature

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
Flags = NDArray[np.bool_]
Records = NDArray[np.void]
Record = Any
"""One element of ``Records``: its fields are read and written by name."""

NEVER = -(2**62)
"""The moment of what has not happened, in microseconds."""


def fields(features: Iterable[Feature]) -> np.dtype[np.void]:
    """Make a record of float64 with a field for each feature, named like it without the ``{}``."""
    return np.dtype([(feature.name.replace("_{}", ""), np.float64) for feature in features])


KIND, CHANNEL, TOTAL = fields(PER_KIND), fields(PER_CHANNEL), fields(OVERALL)
KIND_SUMS = np.dtype(
    [
        *((name, np.int64) for name in ("first", "last")),
        *((name, np.float64) for name in ("count", "sent", "answered")),
    ]
)
CHANNEL_SUMS = np.dtype([("row", np.int64), ("last", np.int64), ("count", np.float64)])
TOPIC_SUMS = np.dtype([("row", np.int64), ("last", np.int64), ("interest", np.float64)])
_MOMENTS = ("first", "last_in", "last_out", "last_order", "last_answer", "day_30d", "day_90d", "day_365d")
SUMS = np.dtype(
    [
        *((name, np.int64) for name in (*_MOMENTS, "n_channels", "n_topics")),
        *(
            (name, np.float64)
            for name in (
                "n_outbound", "n_answered", "n_gaps", "gap_mean", "gap_m2", "gap_max", "gap_recent",
                "gap_recent_weight", "n_30_60d", "n_90_180d", "n_orders", "sold", "revenue_90_180d", "dwell", "n_dwell",
            )
        ),
    ]
)  # fmt: skip

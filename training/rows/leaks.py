"""Columns that know the outcome: what is filled in after the fact looks like the best feature of all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from training.dataset import label_rows
from training.past import Past
from training.rows.goal_rows import GoalRows
from training.rows.telling_columns import FEWEST, SUSPICIOUS, Leak, alone, given, orders, tells

Flags = NDArray[np.bool_]

_MOST_ROWS = 20_000
"""Rows that an area under the curve is computed from: its standard error is then below .01."""


def find_leaks(data: GoalRows, ever: Flags) -> list[Leak]:
    """Find the columns that tell the labels of the training rows.

    A column does where it alone reaches an AUC of .95, or where it is filled in for contacts of one outcome only.
    Whatever a trait said at a contact's first row is compared with what came of the contact in any row, and
    however late: a column filled in for those who were won is found too where they were won after the horizon.

    Parameters
    ----------
    ever
        Whether the outcome of each row came however late, from ``eventually``.
    """
    train = data.split.train
    if not train.any():
        return []
    columns = given(data.features)
    at = {name: i for i, name in enumerate(data.features.columns)}
    numbers = [at[name] for name in columns]
    first, outcomes = _by_contact(data, ever, numbers)
    drawn = _drawn(train)
    leaks = []
    for place, (name, shown) in enumerate(columns.items()):
        is_code = name in data.features.categorical
        why = tells(first[:, place], outcomes, categorical=is_code, columns=len(columns))
        why = why or orders(data.X[drawn, at[name]], data.rows.label[drawn], is_code)
        if why is not None:
            leaks.append(Leak(name, shown, why, left_out=True))
    return leaks + list(_told_by_history(data, columns, drawn))


def eventually(data: GoalRows, past: Past) -> Flags:
    """Whether the outcome of each row came until the data end, after its horizon too."""
    open_ended = replace(data.rows, until=np.full(len(data.rows), past.end + 1, dtype=np.int64))
    return label_rows(past.touchpoints, data.features.rules, data.goal, open_ended, past.versions).label


def _by_contact(data: GoalRows, ever: Flags, columns: Sequence[int]) -> tuple[NDArray[np.float32], list[Flags]]:
    """Values at each contact's first training row, and what came of the contact: in a horizon, and ever."""
    rows = np.flatnonzero(data.split.train)
    rows = rows[np.argsort(data.rows.as_of[rows], kind="stable")]
    _, first, contact = np.unique(data.rows.cluster[rows], return_index=True, return_inverse=True)
    outcomes = [np.bincount(contact, came[rows].astype(np.float64)) > 0 for came in (data.rows.label, ever)]
    usable = [o for o in outcomes if min(int(o.sum()), int((~o).sum())) >= FEWEST]
    return data.X[np.ix_(rows[first], np.asarray(columns, dtype=np.int64))], usable


def _drawn(train: Flags) -> NDArray[np.int64]:
    rows = np.flatnonzero(train)
    if len(rows) <= _MOST_ROWS:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, _MOST_ROWS, replace=False))


def _told_by_history(data: GoalRows, known: dict[str, str], drawn: NDArray[np.int64]) -> Iterator[Leak]:
    label = data.rows.label[drawn]
    if min(int(label.sum()), int((~label).sum())) < FEWEST:
        return
    few = drawn[:: max(1, len(drawn) // 4000)]
    near = SUSPICIOUS - 0.03
    for place, feature in enumerate(data.features.features):
        if feature.name in known:
            continue
        is_code = feature.name in data.features.categorical
        if alone(data.X[few, place].astype(np.float64), data.rows.label[few], categorical=is_code) < near:
            continue
        why = orders(data.X[drawn, place], label, is_code)
        if why is not None:
            yield Leak(feature.name, f"feature {feature.name!r}", why, left_out=False)

"""Names for clusters of behaviour: by the rules they overlap with, and by the names they had before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SAME = 0.25
"""Overlap (Jaccard) from which on a cluster is one of those before."""
_KEPT, _PLACE = 2.0, 0.05


@dataclass(frozen=True)
class Named:
    """Clusters in the order of the journey.

    ``order`` has the number that each cluster had, ``stage`` the code of its stage, ``labels`` its name.
    """

    order: Ints
    stage: Ints
    labels: tuple[str, ...]


def named(
    codes: Ints,
    rule: Ints,
    activity: Floats,
    names: Sequence[str],
    number: int,
    before: tuple[Sequence[str], Ints] | None = None,
) -> Named:
    """Name and order clusters, by the largest overlap in all (Kuhn 1955), each name once while they last.

    Parameters
    ----------
    codes
        Cluster of each row, shape (n,).
    rule
        Stage by rule of each row, codes into ``names``, shape (n,).
    activity
        How much happened in each row, shape (n,): clusters that no rule tells apart go along the journey by it.
    names
        Stages in the order of the journey.
    number
        How many clusters there are.
    before
        Names of the clusters before, and the code among them of each of these rows.
    """
    from scipy.optimize import linear_sum_assignment

    score = _beyond_chance(codes, rule, number, len(names)) - _PLACE * _off_place(codes, rule, activity, names, number)
    if before is not None:
        labels, old = before
        same = _overlap(codes, old, number, len(labels))
        for j, label in enumerate(labels):
            stage = stage_of(label, names)
            if stage is not None:
                # A name that was given weighs more than any rule: contacts must not change stage by a retraining.
                score[:, stage] += np.where(same[:, j] >= SAME, _KEPT * same[:, j], 0.0)
    stage_of_cluster = score.argmax(axis=1)
    rows, columns = linear_sum_assignment(score, maximize=True)
    stage_of_cluster[rows] = columns
    busy = _means(activity, codes, number)
    order = np.lexsort((busy, stage_of_cluster)).astype(np.int64)
    stage = stage_of_cluster[order].astype(np.int64)
    return Named(order, stage, numbered([names[i] for i in stage]))


def stage_of(label: str, names: Sequence[str]) -> int | None:
    """Code of the stage that a cluster's name stands for; None where there is no such stage any more."""
    plain = label if label in names else re.sub(r" \d+$", "", label)
    return names.index(plain) if plain in names else None


def numbered(names: Sequence[str]) -> tuple[str, ...]:
    """Names told apart by a number where more clusters than names were asked for.

    Examples
    --------
    >>> numbered(["need", "use", "use"])
    ('need', 'use', 'use 2')
    """
    return tuple(
        name if names.index(name) == i else f"{name} {names[: i + 1].count(name)}" for i, name in enumerate(names)
    )


def _table(a: Ints, b: Ints, rows: int, columns: int) -> Floats:
    table = np.zeros((rows, columns))
    np.add.at(table, (a, b), 1)
    return table


def _overlap(a: Ints, b: Ints, rows: int, columns: int) -> Floats:
    table = _table(a, b, rows, columns)
    return table / _union(table)


def _beyond_chance(a: Ints, b: Ints, rows: int, columns: int) -> Floats:
    """Overlap less what it would be if clusters and rules knew nothing of each other."""
    table = _table(a, b, rows, columns)
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / max(len(a), 1)
    beyond: Floats = (table - expected) / _union(table)
    return beyond


def _union(table: Floats) -> Floats:
    union: Floats = np.maximum(table.sum(axis=1, keepdims=True) + table.sum(axis=0, keepdims=True) - table, 1)
    return union


def _off_place(codes: Ints, rule: Ints, activity: Floats, names: Sequence[str], number: int) -> Floats:
    """How far each name lies from the cluster's place along the journey, by its rules and then by its activity."""
    along = np.lexsort((_means(activity, codes, number), np.round(_means(rule.astype(np.float64), codes, number), 6)))
    place = np.empty(number)
    place[along] = np.arange(number) / max(number - 1, 1)
    off: Floats = np.abs(place[:, None] - np.arange(len(names)) / max(len(names) - 1, 1))
    return off


def _means(values: Floats, codes: Ints, number: int) -> Floats:
    counted = np.bincount(codes, minlength=number)
    means: Floats = np.bincount(codes, values, minlength=number) / np.maximum(counted, 1)
    return means

"""Trees -> arrays by column, in the order in which a row's values are looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.forest.model_text import NOTHING, ModelText, Split


class Layout(NamedTuple):
    """The splits of all trees of several models, and their leaves.

    ``closes`` are the leaves that a split takes from its tree where a row goes right: bits, the leftmost leaf the
    lowest. What is left open in the end has the leaf of the row as its leftmost one (QuickScorer: Lucchese et al.
    2015, SIGIR, 73-82). Splits of one column stand side by side and rise, so that a row reads them one after the other
    up to its value and no further; a row's way down a tree would wait for memory at every step.

    Attributes
    ----------
    runs
        uint32 (runs, 6): of each column and meaning of "missing" the column, that meaning, and the first and one past
        the last of its splits and of those that send a missing value right.
    threshold, tree, closes
        Splits by threshold, float32, uint32 and unsigned of as many bits as the largest tree has leaves, or more.
    missing_tree, missing_closes
        Those that send a missing value right.
    choices
        uint32 (splits, 4): of each split by category the column, the tree, and the first and the number of its words.
    choice_closes, words
        What each of them closes, and bits of categories, 32 a word.
    leaves
        float64 (trees, most leaves), the trees of the first model first.
    ends
        int64: one past the last tree of each model.
    slope
        Of each model; see ``ModelText``.
    """

    runs: NDArray[np.uint32]
    threshold: NDArray[np.float32]
    tree: NDArray[np.uint32]
    closes: NDArray[Any]
    missing_tree: NDArray[np.uint32]
    missing_closes: NDArray[Any]
    choices: NDArray[np.uint32]
    choice_closes: NDArray[Any]
    words: NDArray[np.uint32]
    leaves: NDArray[np.float64]
    ends: NDArray[np.int64]
    slope: NDArray[np.float64]


Placed = tuple[int, Split]
"""A split and the number of its tree."""


def laid_out(models: Sequence[ModelText]) -> Layout:
    """Lay out models that look at the same row."""
    trees = [tree for model in models for tree in model.trees]
    splits = [(number, split) for number, tree in enumerate(trees) for split in tree.splits]
    runs = _runs([(number, split) for number, split in splits if split.categories is None])
    listed = [placed for run in runs for placed in run]
    lost = [[(n, split) for n, split in run if split.missing != NOTHING and not split.left_if_missing] for run in runs]
    missing = [placed for run in lost for placed in run]
    choices = sorted(((n, split) for n, split in splits if split.categories is not None), key=lambda c: c[1].column)
    lengths = [len(split.categories or ()) for _, split in choices]
    most = max(len(tree.leaves) for tree in trees)
    bits = np.dtype(f"u{max(2, 1 << ((most - 1) // 8).bit_length())}")
    return Layout(
        runs=_whole(
            (run[0][1].column, run[0][1].missing, *at, *lost_at)
            for run, at, lost_at in zip(runs, _places(runs), _places(lost), strict=True)
        ).reshape(-1, 6),
        threshold=np.array([_at_most(split.threshold) for _, split in listed], dtype=np.float32),
        tree=_whole(number for number, _ in listed),
        closes=np.array([split.closes for _, split in listed], dtype=bits),
        missing_tree=_whole(number for number, _ in missing),
        missing_closes=np.array([split.closes for _, split in missing], dtype=bits),
        choices=_whole(
            (split.column, number, past - length, length)
            for (number, split), length, past in zip(choices, lengths, accumulate(lengths), strict=True)
        ).reshape(-1, 4),
        choice_closes=np.array([split.closes for _, split in choices], dtype=bits),
        words=_whole(word for _, split in choices for word in split.categories or ()),
        leaves=np.array([(*tree.leaves, *[0.0] * (most - len(tree.leaves))) for tree in trees], dtype=np.float64),
        ends=np.array(list(accumulate(len(model.trees) for model in models)), dtype=np.int64),
        slope=np.array([model.slope for model in models], dtype=np.float64),
    )


def _runs(splits: Sequence[Placed]) -> list[list[Placed]]:
    """Put splits of one column and one meaning of "missing" side by side, rising."""
    found: dict[tuple[int, int], list[Placed]] = {}
    for placed in sorted(splits, key=lambda placed: placed[1].threshold):
        found.setdefault((placed[1].column, placed[1].missing), []).append(placed)
    return [run for _, run in sorted(found.items())]


def _places(runs: Sequence[Sequence[Placed]]) -> Iterator[tuple[int, int]]:
    past = 0
    for run in runs:
        past += len(run)
        yield past - len(run), past


def _at_most(threshold: float) -> float:
    """Round down to the precision of a row: none of a row's numbers lies between."""
    with np.errstate(over="ignore"):
        nearest = np.float32(threshold)
    # As Python's numbers: numpy would round the threshold to compare the two.
    return float(nearest if float(nearest) <= threshold else np.nextafter(nearest, np.float32(-np.inf)))


def _whole(numbers: Any) -> NDArray[np.uint32]:
    return np.array(list(numbers), dtype=np.uint32)

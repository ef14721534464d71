"""One model of LightGBM's text, read for the forest: only what is fully understood, and nothing else."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from models.trees import trees_of

MOST_LEAVES = 64
"""As many as a machine word has bits."""

BY_CATEGORY, LEFT_IF_MISSING = 1, 2
"""Bits of a split's decision type; the two above them say what is missing."""
NOTHING, ZERO, NAN = 0, 1, 2
"""What a split takes for a missing value."""

_HEAD = re.compile(
    r"tree|version=v[34]|num_class=1|num_tree_per_iteration=1"
    r"|(label_index|max_feature_idx|objective|feature_names|feature_infos|monotone_constraints|tree_sizes)=.*|"
)
_TREE = frozenset(
    """num_leaves num_cat split_feature split_gain threshold decision_type left_child right_child leaf_value leaf_weight
    leaf_count internal_value internal_weight internal_count is_linear shrinkage cat_boundaries cat_threshold""".split()
)
_BINARY = re.compile(r"binary sigmoid:(\S+)")


class NotUnderstood(Exception):
    """A model with something in it that the forest does not know; LightGBM itself answers for it."""


class Split(NamedTuple):
    """Left where the value is at most ``threshold``, or where its category is in ``categories``.

    Attributes
    ----------
    column
        Of the matrix.
    missing
        What counts as missing: nothing, zero or NaN.
    left_if_missing
        Where a missing value goes.
    categories
        Bits, 32 a word, of a split by category; None where it is by threshold.
    closes
        Bits of the leaves that whoever goes right no longer reaches.
    """

    column: int
    threshold: float
    missing: int
    left_if_missing: bool
    categories: tuple[int, ...] | None
    closes: int


@dataclass(frozen=True)
class Tree:
    """Splits in any order, and the values of the leaves from left to right."""

    splits: tuple[Split, ...]
    leaves: tuple[float, ...]


@dataclass(frozen=True)
class ModelText:
    """Trees in the order in which LightGBM adds them up; ``slope`` makes their sum a probability, NaN: none can."""

    columns: int
    trees: tuple[Tree, ...]
    slope: float


def read_model(text: str) -> ModelText:
    """Read a model that has one number as its answer.

    Raises
    ------
    NotUnderstood
        Where anything in it is not known, or does not fit together.
    """
    head = text.partition("\nTree=0\n")[0].splitlines()
    for line in head:
        if not _HEAD.fullmatch(line):
            raise NotUnderstood(f"its text says {line[:60]!r}")
    try:
        said = _pairs(head)
        columns = int(said["max_feature_idx"]) + 1
        trees = tuple(_tree(_pairs(block.splitlines()), columns) for block in trees_of(text))
        if not trees:
            raise NotUnderstood("it has no trees")
        binary = _BINARY.fullmatch(said.get("objective", ""))
        return ModelText(columns, trees, math.nan if binary is None else float(binary[1]))
    except (KeyError, IndexError, ValueError) as fault:
        raise NotUnderstood(f"its text is no model: {fault}") from fault


def _pairs(lines: Sequence[str]) -> dict[str, str]:
    return {key: value for key, is_there, value in (line.partition("=") for line in lines) if is_there}


def _tree(said: Mapping[str, str], columns: int) -> Tree:
    if said.get("is_linear", "0") != "0":
        raise NotUnderstood("its leaves are linear")
    if unknown := said.keys() - _TREE:
        raise NotUnderstood(f"a tree says {min(unknown)!r}")
    leaves = [float(value) for value in said["leaf_value"].split()]
    if len(leaves) != int(said["num_leaves"]) or not 1 <= len(leaves) <= MOST_LEAVES:
        raise NotUnderstood(f"a tree has {said['num_leaves']} leaves; up to {MOST_LEAVES} are read")
    if len(leaves) == 1:
        return Tree((), tuple(leaves))
    nodes = _splits(said, columns)
    left, right = _whole(said, "left_child", len(nodes)), _whole(said, "right_child", len(nodes))
    order, closes = _from_left_to_right(left, right)
    splits = tuple(Split(*node, closed) for node, closed in zip(nodes, closes, strict=True))
    return Tree(splits, tuple(leaves[leaf] for leaf in order))


Node = tuple[int, float, int, bool, tuple[int, ...] | None]


def _splits(said: Mapping[str, str], columns: int) -> list[Node]:
    count = int(said["num_leaves"]) - 1
    column, kind = _whole(said, "split_feature", count), _whole(said, "decision_type", count)
    threshold = [float(value) for value in said["threshold"].split()]
    if len(threshold) != count or not 0 <= min(column) <= max(column) < columns or any(map(math.isnan, threshold)):
        raise NotUnderstood("a split has no threshold, or is on no column")
    if min(kind) < 0 or max(kind) >> 2 > NAN:
        raise NotUnderstood(f"a split is of the kind {max(kind)}")
    categories = [_categories(said, t) if k & BY_CATEGORY else None for t, k in zip(threshold, kind, strict=True)]
    missing, left = [k >> 2 for k in kind], [bool(k & LEFT_IF_MISSING) for k in kind]
    return list(zip(column, threshold, missing, left, categories, strict=True))


def _categories(said: Mapping[str, str], threshold: float) -> tuple[int, ...]:
    """Words of a split by category; its threshold says which they are."""
    count, place = int(said["num_cat"]), int(threshold)
    bounds = _whole(said, "cat_boundaries", count + 1)
    words = _whole(said, "cat_threshold", bounds[-1])
    if place != threshold or not 0 <= place < count or sorted(bounds) != bounds or bounds[0] or min(words) < 0:
        raise NotUnderstood("a split is by categories that are not listed")
    return tuple(words[bounds[place] : bounds[place + 1]])


def _whole(said: Mapping[str, str], key: str, count: int) -> list[int]:
    found = [int(value) for value in said[key].split()]
    if len(found) != count:
        raise NotUnderstood(f"{key} has {len(found)} numbers where {count} belong")
    return found


def _from_left_to_right(left: Sequence[int], right: Sequence[int]) -> tuple[list[int], list[int]]:
    """Leaves in their order, and for each split the bits, in that order, of the leaves at its left."""
    order: list[int] = []
    closes = [0] * len(left)
    first = [-1] * len(left)
    waiting = [0]
    while waiting:
        node = waiting.pop()
        if node < 0:
            order.append(~node)
        elif first[node] < 0:
            first[node] = len(order)
            waiting += [right[node], node, left[node]]
        else:
            closes[node] = (1 << len(order)) - (1 << first[node])
    # Where every split was come to and every leaf once, no split can have been come to twice.
    if sorted(order) != list(range(len(left) + 1)) or not all(closes):
        raise NotUnderstood("a tree has a leaf or a split twice, or lacks one")
    return order, closes

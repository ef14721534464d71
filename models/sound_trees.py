"""Whether a model's text describes trees at all.

LightGBM follows the numbers that stand there: a child, column or set of categories that is none is read from whatever
lies behind its memory. That may end the process, or give the right numbers here and others there, so that golden rows
cannot find it reliably.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from models.trees import END, TREE, trees_of

_LINE = re.compile(r"^(\w+)=(.*)$", re.MULTILINE)
_BY_CATEGORY = 1
_KINDS = frozenset(side | missing for side in (0, 1, 2, 3) for missing in (0, 4, 8))
"""By category or not, where missing values go, and what counts as missing."""


def check_trees(text: str) -> None:
    r"""Pass over a text as ``Booster.model_to_string`` writes it, or as ``models.trees`` puts several together.

    Raises
    ------
    ValueError
        Naming the tree and what in it is none.

    Examples
    --------
    >>> check_trees("num_class=1\nnum_tree_per_iteration=2\nmax_feature_idx=3\n")
    Traceback (most recent call last):
        ...
    ValueError: num_class is 1 and num_tree_per_iteration 2; they must be one number
    """
    if not text.isascii():
        raise ValueError("it holds letters that no model has")
    trees = trees_of(text)
    head = _lines(text.partition("\nTree=")[0])
    outputs, in_turn = _whole(head, "num_class"), _whole(head, "num_tree_per_iteration")
    if outputs != in_turn or outputs < 1:
        raise ValueError(f"num_class is {outputs} and num_tree_per_iteration {in_turn}; they must be one number")
    columns = _whole(head, "max_feature_idx") + 1
    for number, tree in enumerate(trees):
        try:
            _Tree.of(_lines(tree)).check(columns)
        except ValueError as fault:
            raise ValueError(f"tree {number}: {fault}") from fault
    if "tree_sizes" in head and [int(each) for each in head["tree_sizes"].split()] != _sizes(text):
        raise ValueError("tree_sizes does not say how long its trees are")


@dataclass(frozen=True)
class _Tree:
    """Splits of one tree, numbered so that each stands before those below it; a leaf is written as -1, -2 and so on."""

    leaves: int
    columns: Sequence[int]
    borders: Sequence[str]
    kinds: Sequence[int]
    children: Sequence[tuple[int, int]]
    sets: Sequence[int]
    """Where each set of categories begins among ``words`` words of 32 categories, and where the last ends."""
    words: int

    @classmethod
    def of(cls, lines: dict[str, str]) -> _Tree:
        leaves = _whole(lines, "num_leaves")
        n = leaves - 1
        n_sets = _whole(lines, "num_cat")
        if lines.get("is_linear", "0").strip() != "0":
            raise ValueError("is_linear is not 0; trees have a number in each leaf")
        below = zip(_row(lines, "left_child", n), _row(lines, "right_child", n), strict=True)
        return cls(
            leaves,
            [int(each) for each in _row(lines, "split_feature", n)],
            _row(lines, "threshold", n),
            [int(each) for each in _row(lines, "decision_type", n)],
            [(int(left), int(right)) for left, right in below],
            [int(each) for each in _row(lines, "cat_boundaries", n_sets + 1)] if n_sets else [0],
            len(lines.get("cat_threshold", "").split()),
        )

    def check(self, columns: int) -> None:
        if self.leaves < 1:
            raise ValueError(f"num_leaves is {self.leaves}; a tree has one at least")
        if self.sets[0] != 0 or list(self.sets) != sorted(self.sets) or self.sets[-1] != self.words:
            raise ValueError(f"cat_boundaries do not part cat_threshold, which has {self.words} words")
        for column, border, kind in zip(self.columns, self.borders, self.kinds, strict=True):
            if not 0 <= column < columns:
                raise ValueError(f"a split is by column {column} of {columns}")
            if kind not in _KINDS:
                raise ValueError(f"a split has the decision_type {kind}, which is none")
            if kind & _BY_CATEGORY and not (border.isdecimal() and int(border) < len(self.sets) - 1):
                raise ValueError(f"a split is by set {border} of {len(self.sets) - 1} sets of categories")
        self._check_children()

    def _check_children(self) -> None:
        n = len(self.children)
        below = [(split, child) for split, both in enumerate(self.children) for child in both]
        for split, child in below:
            if not (split < child < n or -self.leaves <= child < 0):
                raise ValueError(f"split {split} has the child {child}, of {n} splits and {self.leaves} leaves")
        if len({child for _, child in below}) != len(below):
            raise ValueError("two splits have the same child")


def _sizes(text: str) -> list[int]:
    begins = [found.start() for found in TREE.finditer(text)]
    return [end - begin for begin, end in pairwise([*begins, text.find(END)])]


def _lines(block: str) -> dict[str, str]:
    found = _LINE.findall(block)
    lines = dict(found)
    if len(lines) != len(found):
        twice = next(name for i, (name, _) in enumerate(found) if name in dict(found[:i]))
        raise ValueError(f"{twice} stands there twice")
    return lines


def _whole(lines: dict[str, str], name: str) -> int:
    found = lines.get(name, "").strip()
    if not found.isdecimal():
        raise ValueError(f"{name} is {found[:40]!r}; it must be a whole number")
    return int(found)


def _row(lines: dict[str, str], name: str, n: int) -> list[str]:
    found = lines.get(name, "").split()
    if len(found) != n:
        raise ValueError(f"{name} has {len(found)} numbers; it must have {n}")
    return found

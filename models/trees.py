"""LightGBM's text format, as far as putting boosters together needs it."""

from __future__ import annotations

import re
from collections.abc import Sequence

TREES = ".lgb.txt"
"""How the name of a file ends that holds such a text."""

END = "end of trees"
_VALUES = re.compile(r"^(leaf_value|internal_value)=(.*)$", re.MULTILINE)
TREE = re.compile(r"^Tree=\d+$", re.MULTILINE)
_EMPTY = """num_leaves=1
num_cat=0
split_feature=
split_gain=
threshold=
decision_type=
left_child=
right_child=
leaf_value=0
leaf_weight=
leaf_count=0
internal_value=
internal_weight=
internal_count=
is_linear=0
shrinkage=1"""


def averaged(texts: Sequence[str]) -> str:
    """One booster whose log-odds are the mean of those of several boosters on the same columns.

    A booster adds up its trees, so all trees together with their values divided by the number of boosters
    give the mean. Contributions and gains stay right, as they are sums over trees, too.

    Parameters
    ----------
    texts
        Models as ``Booster.model_to_string`` writes them.
    """
    if len(texts) == 1:
        return texts[0]
    trees = [tree for text in texts for tree in trees_of(text)]
    head, tail = texts[0].partition("\nTree=0\n")[0], texts[0].partition(END)[2]
    # tree_sizes allows parsing in parallel; without it trees are told apart by their first line.
    head = "\n".join(line for line in head.splitlines() if not line.startswith("tree_sizes="))
    blocks = "".join(f"Tree={i}\n{_divided(tree, len(texts))}\n\n\n" for i, tree in enumerate(trees))
    return f"{head}\n\n{blocks}{END}{tail}"


def side_by_side(texts: Sequence[str | None]) -> str:
    """One booster with an output for each of several boosters on the same columns: one prediction asks them all.

    Its outputs are raw scores, in the order of ``texts``.

    Parameters
    ----------
    texts
        Models as ``Booster.model_to_string`` writes them; None is one without trees. One at least has trees.
    """
    first = next(text for text in texts if text is not None)
    outputs = [[] if text is None else trees_of(text) for text in texts]
    rounds = max(map(len, outputs))
    head, tail = first.partition("\nTree=0\n")[0], first.partition(END)[2]
    lines = [line for line in head.splitlines() if not line.startswith(("tree_sizes=", "objective="))]
    lines = [re.sub(r"^(num_class|num_tree_per_iteration)=.*", rf"\g<1>={len(texts)}", line) for line in lines]
    # LightGBM takes the trees of a round one for each output; who has no more gets one that says nothing.
    listed = [trees[i] if i < len(trees) else _EMPTY for i in range(rounds) for trees in outputs]
    blocks = "".join(f"Tree={i}\n{tree}\n\n\n" for i, tree in enumerate(listed))
    return "\n".join(lines) + f"\n\n{blocks}{END}{tail}"


def trees_of(text: str) -> list[str]:
    """Split a model's text into its trees, each without its first line."""
    body = text.partition(END)[0]
    return [block.strip("\n") for block in TREE.split(body)[1:]]


def _divided(tree: str, count: int) -> str:
    def divide(match: re.Match[str]) -> str:
        return f"{match[1]}={' '.join(repr(float(value) / count) for value in match[2].split())}"

    return _VALUES.sub(divide, tree)

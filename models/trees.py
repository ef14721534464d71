"""LightGBM's text format, as far as averaging boosters needs it."""

from __future__ import annotations

import re
from collections.abc import Sequence

_END = "end of trees"
_VALUES = re.compile(r"^(leaf_value|internal_value)=(.*)$", re.MULTILINE)
_TREE = re.compile(r"^Tree=\d+$", re.MULTILINE)


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
    trees = [tree for text in texts for tree in _trees(text)]
    head, tail = texts[0].partition("\nTree=0\n")[0], texts[0].partition(_END)[2]
    # tree_sizes allows parsing in parallel; without it trees are told apart by their first line.
    head = "\n".join(line for line in head.splitlines() if not line.startswith("tree_sizes="))
    blocks = "".join(f"Tree={i}\n{_divided(tree, len(texts))}\n\n\n" for i, tree in enumerate(trees))
    return f"{head}\n\n{blocks}{_END}{tail}"


def _trees(text: str) -> list[str]:
    body = text.partition(_END)[0]
    return [block.strip("\n") for block in _TREE.split(body)[1:]]


def _divided(tree: str, count: int) -> str:
    def divide(match: re.Match[str]) -> str:
        return f"{match[1]}={' '.join(repr(float(value) / count) for value in match[2].split())}"

    return _VALUES.sub(divide, tree)

"""Moves between stages as SVG: a band from each stage to where contacts went, as wide as they are many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

from markupsafe import Markup

from serving.dashboard.paper import Drawn, Paper, drawn

_HEIGHT, _GAP, _BAR = 300, 9, 12
_BESIDE = {"broad": 145, "narrow": 112}
"""Room for names on either side."""
_LONGEST = {"broad": 18, "narrow": 11}
_TOP = 26.0
_LEAST = 13.0
"""Height of a name, which no node may be lower than."""


class Move(NamedTuple):
    """Contacts that went from one node to another; both are numbers of names."""

    begin: int
    end: int
    contacts: int


def bands(
    names: Sequence[str], moves: Sequence[Move], sides: tuple[str, str], spell: Callable[[float], str], means: str
) -> Markup:
    """Draw moves from the nodes on the left to those on the right; nothing where there are none.

    Parameters
    ----------
    names
        Of the nodes, on either side from top to bottom; a node without any moves is left out there.
    sides
        What the left and the right side are called.
    means
        What the picture shows, for those who do not see it.
    """
    moves = [move for move in moves if move.contacts > 0]
    if not moves:
        return Markup()
    left = _nodes([sum(m.contacts for m in moves if m.begin == i) for i in range(len(names))])
    right = _nodes([sum(m.contacts for m in moves if m.end == i) for i in range(len(names))])
    high = max(each.top + each.high for each in (*left.values(), *right.values())) + 6

    def on(paper: Paper) -> Drawn:
        begin, end = _BESIDE[paper.name], paper.width - _BESIDE[paper.name]
        parts: list[str] = []
        used = (dict.fromkeys(left, 0.0), dict.fromkeys(right, 0.0))
        for move in sorted(moves, key=lambda each: (each.begin, each.end)):
            a, b = left[move.begin], right[move.end]
            heights = (a.high * move.contacts / a.contacts, b.high * move.contacts / b.contacts)
            y, z = a.top + used[0][move.begin], b.top + used[1][move.end]
            used[0][move.begin] += heights[0]
            used[1][move.end] += heights[1]
            title = f"{names[move.begin]} → {names[move.end]}: {spell(move.contacts)}"
            parts.append(_band((begin + _BAR, y), (end, z), heights, f"c{move.begin % 8}", title))
        short = [_cut(name, _LONGEST[paper.name]) for name in names]
        parts += [_node(each, short[i], i, begin, "end", -10, spell) for i, each in left.items()]
        parts += [_node(each, short[i], i, end, "start", 10 + _BAR, spell) for i, each in right.items()]
        for x, anchor, side in ((begin + _BAR, "end", sides[0]), (end, "start", sides[1])):
            parts.append(f'<text class="tick" x="{x}" y="14" text-anchor="{anchor}">{escape(side)}</text>')
        return parts, round(high)

    return drawn(on, means)


def _cut(name: str, longest: int) -> str:
    return name if len(name) <= longest else name[: longest - 1] + "…"


class _Node(NamedTuple):
    top: float
    high: float
    contacts: int


def _nodes(counts: Sequence[int]) -> dict[int, _Node]:
    """Lay nodes out below one another, as high as they have contacts but never too low for a name."""
    here = [(i, n) for i, n in enumerate(counts) if n]
    room, whole = _HEIGHT - _GAP * (len(here) - 1), sum(n for _, n in here)
    found, top = {}, _TOP
    for i, n in here:
        high = max(_LEAST, room * n / whole)
        found[i] = _Node(top, high, n)
        top += high + _GAP
    return found


def _band(
    begin: tuple[float, float], end: tuple[float, float], heights: tuple[float, float], colour: str, title: str
) -> str:
    (a, y), (b, z) = begin, end
    middle = (a + b) / 2
    path = (
        f"M{a} {y:.1f}C{middle} {y:.1f} {middle} {z:.1f} {b} {z:.1f}V{z + heights[1]:.1f}"
        f"C{middle} {z + heights[1]:.1f} {middle} {y + heights[0]:.1f} {a} {y + heights[0]:.1f}Z"
    )
    return f'<path class="flow {colour}" d="{path}"><title>{escape(title)}</title></path>'


def _node(node: _Node, name: str, colour: int, x: int, anchor: str, away: int, spell: Callable[[float], str]) -> str:
    middle = node.top + node.high / 2 + 4
    said = escape(f"{name} {spell(node.contacts)}")
    return (
        f'<rect class="bar c{colour % 8}" x="{x}" y="{node.top:.1f}" width="{_BAR}" height="{node.high:.1f}"/>'
        f'<text class="label" x="{x + away}" y="{middle:.1f}" text-anchor="{anchor}">{said}</text>'
    )

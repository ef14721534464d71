"""What happened over channels as SVG: a line for each channel, a shape for each direction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

from markupsafe import Markup

from serving.dashboard.paper import Drawn, Paper, drawn

_LEFT, _RIGHT, _LANE, _TOP, _BOTTOM = 110, 14, 34, 6, 26
_COLOURS = {"in": "c0", "out": "c1", "decision": "c2"}


class Mark(NamedTuple):
    """Something that happened on a channel.

    ``kind`` is ``in`` (drawn as a circle), ``out`` (a triangle) or ``decision`` (a square); ``at`` in microseconds.
    """

    lane: str
    at: int
    kind: str
    means: str


def lanes(marks: Sequence[Mark], now: int, day: Callable[[int], str], means: str) -> Markup:
    """Draw marks over time until now; the channels with the most of them first.

    Parameters
    ----------
    day
        Writes a moment under the axis.
    means
        What the chart shows, for those who do not see it.
    """
    if len(marks) < 2:
        return Markup()
    names = list(dict.fromkeys(mark.lane for mark in marks))
    names.sort(key=lambda name: (-sum(mark.lane == name for mark in marks), name))
    begin = min(mark.at for mark in marks)
    span = max(now - begin, 1)
    height = _TOP + _LANE * len(names) + _BOTTOM

    def on(paper: Paper) -> Drawn:
        def along(at: int) -> float:
            return _LEFT + (at - begin) / span * (paper.width - _LEFT - _RIGHT)

        parts = []
        for i, name in enumerate(names):
            y = _TOP + _LANE * i + _LANE / 2
            short = name if len(name) <= 14 else name[:13] + "…"
            parts.append(f'<line class="grid" x1="{_LEFT}" y1="{y}" x2="{paper.width - _RIGHT}" y2="{y}"/>')
            parts.append(f'<text class="label" x="{_LEFT - 10}" y="{y + 4}" text-anchor="end">{escape(short)}</text>')
            # The oldest last, so that what is near now lies on top.
            parts += [_shape(mark, along(mark.at), y) for mark in marks[::-1] if mark.lane == name]
        for at, anchor in ((begin, "start"), (begin + span // 2, "middle"), (now, "end")):
            place = min(along(at), paper.width - _RIGHT)
            parts.append(
                f'<text class="tick" x="{place:.1f}" y="{height - 6}" text-anchor="{anchor}">{escape(day(at))}</text>'
            )
        return parts, height

    return drawn(on, means)


def _shape(mark: Mark, x: float, y: float) -> str:
    colour, title = _COLOURS[mark.kind], f"<title>{escape(mark.means)}</title>"
    if mark.kind == "in":
        return f'<circle class="dot {colour}" cx="{x:.1f}" cy="{y - 5:.1f}" r="5">{title}</circle>'
    if mark.kind == "out":
        points = f"{x - 6:.1f},{y + 11:.1f} {x + 6:.1f},{y + 11:.1f} {x:.1f},{y + 1:.1f}"
        return f'<polygon class="dot {colour}" points="{points}">{title}</polygon>'
    return f'<rect class="dot {colour}" x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8">{title}</rect>'

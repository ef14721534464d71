"""Charts as SVG in the page: no script draws them, and the figures stand in a table beside each.

Colours come from classes ``c0`` to ``c7`` of the style sheet, so that light, dark and print each have their own. Every
chart has a sentence for those who do not see it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

from markupsafe import Markup

from serving.dashboard.paper import Drawn, Paper, drawn

Spell = Callable[[float], str]
"""Writes a value of an axis."""

_HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 220, 60, 12, 12, 28
_LETTER = 7.0
"""Width of a letter of a label, about."""
_LONGEST = 34
"""Letters of a name."""


class Series(NamedTuple):
    """Values along an axis; None leaves a gap. ``low`` and ``high`` bound what is not certain."""

    name: str
    values: Sequence[float | None]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()


class Bar(NamedTuple):
    """A value with its name; ``low`` and ``high`` bound what is not certain."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class _Axis:
    """From values to places on the paper."""

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        return self.begin + (value - self.low) / (self.high - self.low) * (self.end - self.begin)

    def ticks(self, most: int = 5) -> list[float]:
        step = _step((self.high - self.low) / most)
        first = math.ceil(self.low / step - 1e-9)
        return [step * i for i in range(first, math.floor(self.high / step + 1e-9) + 1)]


def lines(series: Sequence[Series], labels: Sequence[str], spell: Spell, means: str) -> Markup:
    """Draw values over time.

    Parameters
    ----------
    labels
        One for each place along the axis.
    means
        What the chart shows, for those who do not see it.
    """
    bounds = [x for each in series for part in (each.values, each.low, each.high) for x in part if x is not None]
    if not bounds:
        return Markup()

    def on(paper: Paper) -> Drawn:
        up, along = _values(bounds), _Axis(0, max(len(labels) - 1, 1), _LEFT, paper.width - _RIGHT)
        parts = [*_grid(up, spell, paper), *_names_below(labels, along, paper)]
        for i, each in enumerate(series):
            parts += _band(each, i, along, up)
            parts += [
                f'<polyline class="line c{i % 8}" points="{points}"/>' for points in _runs(each.values, along, up)
            ]
            parts += _lone(each.values, i, along, up)
        return parts, _HEIGHT

    return drawn(on, means)


def areas(series: Sequence[Series], labels: Sequence[str], spell: Spell, means: str) -> Markup:
    """Draw parts of a whole over time, one upon the other."""
    whole = [sum(each.values[i] or 0.0 for each in series) for i in range(len(labels))]
    if not any(whole):
        return Markup()

    def on(paper: Paper) -> Drawn:
        up, along = _values([0.0, *whole]), _Axis(0, max(len(labels) - 1, 1), _LEFT, paper.width - _RIGHT)
        parts, below = [*_grid(up, spell, paper)], [0.0] * len(labels)
        for i, each in enumerate(series):
            above = [low + (value or 0.0) for low, value in zip(below, each.values, strict=True)]
            edge = [*enumerate(above), *reversed(list(enumerate(below)))]
            points = " ".join(f"{along.at(x):.1f},{up.at(y):.1f}" for x, y in edge)
            parts.append(f'<polygon class="area c{i % 8}" points="{points}"/>')
            below = above
        return [*parts, *_names_below(labels, along, paper)], _HEIGHT

    return drawn(on, means)


def bars(found: Sequence[Bar], spell: Spell, means: str) -> Markup:
    """Draw a bar for each value, below one another, with intervals where there are some."""
    if not found:
        return Markup()
    bounds = [0.0, *(x for each in found for x in (each.value, each.low, each.high) if x is not None)]
    low, high = min(bounds), max(bounds)
    room = _LETTER * max(len(spell(each.value)) for each in found) + 12
    names = 12 + _LETTER * min(max(len(each.name) for each in found), _LONGEST)

    def on(paper: Paper) -> Drawn:
        # A narrow place has no room beside a name: the bar lies below it.
        left, each_high, down = (2.0, 42, 18) if paper.is_narrow else (names, 26, 0)
        along = _Axis(low, high if high > low else low + 1, left, paper.width - room)
        zero = along.at(0.0)
        height = each_high * len(found) + 8
        parts = [f'<line class="axis" x1="{zero:.1f}" y1="2" x2="{zero:.1f}" y2="{height - 4}"/>']
        for i, each in enumerate(found):
            y = 6 + each_high * i
            x, anchor = (left + 4, "start") if paper.is_narrow else (left - 8, "end")
            place = f'x="{x:.1f}" y="{y + 13}" text-anchor="{anchor}"'
            parts.append(f'<text class="label" {place}>{_short(each.name)}</text>')
            parts += _one_bar(each, along, y + down, spell)
        return parts, height

    return drawn(on, means)


def _one_bar(each: Bar, along: _Axis, y: float, spell: Spell) -> Iterator[str]:
    zero, end = along.at(0.0), along.at(each.value)
    place = end
    yield f'<rect class="bar c0" x="{min(zero, end):.1f}" y="{y}" width="{abs(end - zero):.1f}" height="18"/>'
    if each.low is not None and each.high is not None:
        a, b = along.at(each.low), along.at(each.high)
        yield f'<path class="whisker" d="M{a:.1f} {y + 5}v8M{a:.1f} {y + 9}H{b:.1f}M{b:.1f} {y + 5}v8"/>'
        place = max(end, b)
    yield f'<text class="value" x="{max(place, zero) + 6:.1f}" y="{y + 13}">{escape(spell(each.value))}</text>'


def spark(values: Sequence[float | None], means: str) -> Markup:
    """Draw how a value went, as small as a word."""
    known = [x for x in values if x is not None]
    if len(known) < 2:
        return Markup()
    up = _Axis(min(known), max(known) if max(known) > min(known) else min(known) + 1, 20, 3)
    along = _Axis(0, len(values) - 1, 2, 78)
    runs = "".join(f'<polyline class="line c0" points="{points}"/>' for points in _runs(values, along, up))
    text = escape(means)
    return Markup(
        f'<svg class="spark" viewBox="0 0 80 23" role="img" aria-label="{text}"><title>{text}</title>{runs}</svg>'
    )


def _values(found: Sequence[float]) -> _Axis:
    low, high = min(0.0, *found), max(0.0, *found)
    step = _step(max(high - low, 1e-12) / 5)
    low, high = math.floor(low / step) * step, math.ceil(high / step + 1e-9) * step
    return _Axis(low, high if high > low else low + 1, _HEIGHT - _BOTTOM, _TOP)


def _step(least: float) -> float:
    """Return the next of 1, 2, 5, 10, 20 and so on."""
    power = 10.0 ** math.floor(math.log10(max(least, 1e-12)))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * (1 - 1e-9))


def _grid(up: _Axis, spell: Spell, paper: Paper) -> Iterator[str]:
    for tick in up.ticks():
        y = up.at(tick)
        kind = "axis" if abs(tick) < 1e-12 else "grid"
        yield f'<line class="{kind}" x1="{_LEFT}" y1="{y:.1f}" x2="{paper.width - _RIGHT}" y2="{y:.1f}"/>'
        yield f'<text class="tick" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(spell(tick))}</text>'


def _names_below(labels: Sequence[str], along: _Axis, paper: Paper) -> Iterator[str]:
    """As many labels as there is room for, the first and the last within the paper."""
    room = max((_LETTER * len(each) + 16 for each in labels), default=1.0)
    every = max(1, math.ceil(len(labels) * room / (paper.width - _LEFT - _RIGHT)))
    for i in range(0, len(labels), every):
        x = along.at(i)
        anchor = "start" if x - room / 2 < 0 else "end" if x + room / 2 > paper.width else "middle"
        yield f'<text class="tick" x="{x:.1f}" y="{_HEIGHT - 8}" text-anchor="{anchor}">{escape(labels[i])}</text>'


def _runs(values: Sequence[float | None], along: _Axis, up: _Axis) -> Iterator[str]:
    run: list[str] = []
    for i, value in enumerate([*values, None]):
        if value is not None:
            run.append(f"{along.at(i):.1f},{up.at(value):.1f}")
        elif run:
            if len(run) > 1:
                yield " ".join(run)
            run = []


def _lone(values: Sequence[float | None], colour: int, along: _Axis, up: _Axis) -> Iterator[str]:
    """Values without neighbours, which no line shows."""
    for i, value in enumerate(values):
        beside = [values[j] for j in (i - 1, i + 1) if 0 <= j < len(values)]
        if value is not None and all(each is None for each in beside):
            yield f'<circle class="dot c{colour % 8}" cx="{along.at(i):.1f}" cy="{up.at(value):.1f}" r="3"/>'


def _band(each: Series, colour: int, along: _Axis, up: _Axis) -> Iterator[str]:
    pairs = zip(each.low, each.high, strict=True)
    edges = [(i, low, high) for i, (low, high) in enumerate(pairs) if low is not None and high is not None]
    if len(edges) < 2:
        return
    around = [(i, high) for i, _, high in edges] + [(i, low) for i, low, _ in reversed(edges)]
    points = " ".join(f"{along.at(i):.1f},{up.at(y):.1f}" for i, y in around)
    yield f'<polygon class="band c{colour % 8}" points="{points}"/>'


def _short(name: str) -> str:
    return escape(name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…")

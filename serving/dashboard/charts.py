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

Spell = Callable[[float], str]
"""Writes a value of an axis."""

_WIDTH, _HEIGHT = 640, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 12, 28
_LETTER = 6.6
"""Width of a letter of a label, about."""


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


class Dot(NamedTuple):
    """A thing at a place of a plane; where it leads."""

    name: str
    x: float
    y: float
    size: float = 1.0
    href: str | None = None


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
    up, along = _values(bounds), _Axis(0, max(len(labels) - 1, 1), _LEFT, _WIDTH - _RIGHT)
    parts = [*_grid(up, spell), *_names_below(labels, along)]
    for i, each in enumerate(series):
        parts += _band(each, i, along, up)
        parts += [f'<polyline class="line c{i % 8}" points="{points}"/>' for points in _runs(each.values, along, up)]
        parts += _lone(each.values, i, along, up)
    return _svg(parts, _HEIGHT, means)


def areas(series: Sequence[Series], labels: Sequence[str], spell: Spell, means: str) -> Markup:
    """Draw parts of a whole over time, one upon the other."""
    whole = [sum(each.values[i] or 0.0 for each in series) for i in range(len(labels))]
    if not any(whole):
        return Markup()
    up, along = _values([0.0, *whole]), _Axis(0, max(len(labels) - 1, 1), _LEFT, _WIDTH - _RIGHT)
    parts, below = [*_grid(up, spell)], [0.0] * len(labels)
    for i, each in enumerate(series):
        above = [low + (value or 0.0) for low, value in zip(below, each.values, strict=True)]
        edge = [*enumerate(above), *reversed(list(enumerate(below)))]
        points = " ".join(f"{along.at(x):.1f},{up.at(y):.1f}" for x, y in edge)
        parts.append(f'<polygon class="area c{i % 8}" points="{points}"/>')
        below = above
    return _svg([*parts, *_names_below(labels, along)], _HEIGHT, means)


def bars(found: Sequence[Bar], spell: Spell, means: str) -> Markup:
    """Draw a bar for each value, below one another, with intervals where there are some."""
    if not found:
        return Markup()
    left = min(240.0, 12 + _LETTER * max(len(each.name) for each in found))
    bounds = [0.0, *(x for each in found for x in (each.value, each.low, each.high) if x is not None)]
    low, high = min(bounds), max(bounds)
    along = _Axis(low, high if high > low else low + 1, left, _WIDTH - 70)
    height, zero = 26 * len(found) + 8, along.at(0.0)
    parts = [f'<line class="axis" x1="{zero:.1f}" y1="2" x2="{zero:.1f}" y2="{height - 4}"/>']
    for i, each in enumerate(found):
        y, end = 6 + 26 * i, along.at(each.value)
        parts.append(
            f'<text class="label" x="{left - 8:.1f}" y="{y + 13}" text-anchor="end">{_short(each.name)}</text>'
        )
        begin, width = min(zero, end), abs(end - zero)
        parts.append(f'<rect class="bar c0" x="{begin:.1f}" y="{y}" width="{width:.1f}" height="18"/>')
        place = end
        if each.low is not None and each.high is not None:
            a, b = along.at(each.low), along.at(each.high)
            parts.append(f'<path class="whisker" d="M{a:.1f} {y + 5}v8M{a:.1f} {y + 9}H{b:.1f}M{b:.1f} {y + 5}v8"/>')
            place = max(end, b)
        parts.append(
            f'<text class="value" x="{max(place, zero) + 6:.1f}" y="{y + 13}">{escape(spell(each.value))}</text>'
        )
    return _svg(parts, height, means)


def plane(dots: Sequence[Dot], x: tuple[str, Spell], y: tuple[str, Spell], means: str) -> Markup:
    """Draw things by two values, such as contacts by churn and worth."""
    if not dots:
        return Markup()
    height = 320
    along = _padded([each.x for each in dots], _LEFT, _WIDTH - _RIGHT)
    up = _padded([each.y for each in dots], height - _BOTTOM - 14, _TOP)
    parts = [*_grid(up, y[1])]
    ticks = ((along.at(tick), escape(x[1](tick))) for tick in along.ticks())
    parts += [
        f'<text class="tick" x="{at:.1f}" y="{height - 28}" text-anchor="middle">{said}</text>' for at, said in ticks
    ]
    middle = (_LEFT + _WIDTH) / 2
    parts.append(f'<text class="label" x="{middle}" y="{height - 8}" text-anchor="middle">{escape(x[0])}</text>')
    parts.append(f'<text class="label" x="{_LEFT}" y="10">{escape(y[0])}</text>')
    parts += [_dot(each, along, up) for each in dots]
    return _svg(parts, height, means)


def _dot(each: Dot, along: _Axis, up: _Axis) -> str:
    radius = 3 + 5 * math.sqrt(max(each.size, 0.0))
    place = f'cx="{along.at(each.x):.1f}" cy="{up.at(each.y):.1f}" r="{radius:.1f}"'
    dot = f'<circle class="dot c0" {place}><title>{escape(each.name)}</title></circle>'
    return dot if each.href is None else f'<a href="{escape(each.href)}">{dot}</a>'


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


def _svg(parts: Sequence[str], height: float, means: str) -> Markup:
    text = escape(means)
    head = f'<svg class="chart" viewBox="0 0 {_WIDTH} {height:g}" role="img" aria-label="{text}"><title>{text}</title>'
    return Markup(head + "".join(parts) + "</svg>")


def _values(found: Sequence[float]) -> _Axis:
    low, high = min(0.0, *found), max(0.0, *found)
    step = _step(max(high - low, 1e-12) / 5)
    low, high = math.floor(low / step) * step, math.ceil(high / step + 1e-9) * step
    return _Axis(low, high if high > low else low + 1, _HEIGHT - _BOTTOM, _TOP)


def _padded(found: Sequence[float], begin: float, end: float) -> _Axis:
    low, high = min(found), max(found)
    room = (high - low or abs(high) or 1.0) * 0.06
    return _Axis(low - room, high + room, begin, end)


def _step(least: float) -> float:
    """Return the next of 1, 2, 5, 10, 20 and so on."""
    power = 10.0 ** math.floor(math.log10(max(least, 1e-12)))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * (1 - 1e-9))


def _grid(up: _Axis, spell: Spell) -> Iterator[str]:
    for tick in up.ticks():
        y = up.at(tick)
        kind = "axis" if abs(tick) < 1e-12 else "grid"
        yield f'<line class="{kind}" x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}"/>'
        yield f'<text class="tick" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(spell(tick))}</text>'


def _names_below(labels: Sequence[str], along: _Axis) -> Iterator[str]:
    """As many labels as there is room for, the first and the last within the paper."""
    room = max((_LETTER * len(each) + 16 for each in labels), default=1.0)
    every = max(1, math.ceil(len(labels) * room / (_WIDTH - _LEFT - _RIGHT)))
    for i in range(0, len(labels), every):
        x = along.at(i)
        anchor = "start" if x - room / 2 < 0 else "end" if x + room / 2 > _WIDTH else "middle"
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
    return escape(name if len(name) <= 34 else name[:33] + "…")

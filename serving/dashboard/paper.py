"""What charts are drawn on: each is drawn for a narrow and for a broad place, and the one that fits is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

from markupsafe import Markup


class Paper(NamedTuple):
    """A place for a chart, which the style sheet knows by its name; one unit is about a pixel where it is shown."""

    name: str
    width: int

    @property
    def is_narrow(self) -> bool:
        """Whether it is as wide as a phone."""
        return self.name == "narrow"


BROAD, NARROW = Paper("broad", 620), Paper("narrow", 340)

Drawn = tuple[Sequence[str], float]
"""Parts of a picture, and its height."""


def drawn(on: Callable[[Paper], Drawn], means: str) -> Markup:
    """Draw a chart for both places; letters that are drawn smaller to fit a phone cannot be read there.

    Parameters
    ----------
    means
        What the chart shows, for those who do not see it.
    """
    text, found = escape(means), []
    for paper in (BROAD, NARROW):
        parts, height = on(paper)
        head = f'<svg class="chart {paper.name}" viewBox="0 0 {paper.width} {height:g}" role="img" aria-label="{text}">'
        found.append(f"{head}<title>{text}</title>{''.join(parts)}</svg>")
    return Markup("".join(found))

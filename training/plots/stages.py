"""The stages as a picture: how many contacts are in each, and what they do there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from training.plots.plots import GRID, MODEL, canvas, png

MOST_KINDS = 10


def stage_plots(profiles: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    """PNG by file name; none where there are no stages.

    Parameters
    ----------
    profiles
        Of ``training.stages.profiles``.
    """
    return {"stages.png": stages_plot(profiles)} if profiles else {}


def stages_plot(profiles: Mapping[str, Mapping[str, Any]]) -> bytes:
    """PNG with a row for each stage: its contacts, and the touchpoints of each kind that one has in 30 days."""
    names = list(profiles)
    kinds = _most_told(profiles)
    table = np.array([[profiles[name]["kinds"].get(kind) or 0.0 for kind in kinds] for name in names])
    figure, whole = canvas("")
    whole.remove()
    figure.set_size_inches(4.2 + 0.62 * len(kinds), 1.9 + 0.45 * len(names))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1.2, max(1.0, 0.35 * len(kinds))])
    sizes = [profiles[name]["contacts"] for name in names]
    left.barh(range(len(names)), sizes, color=MODEL, height=0.62)
    for i, size in enumerate(sizes):
        left.annotate(f"{size:,}", (size, i), (4, 0), textcoords="offset points", va="center", fontsize=8)
    left.set_yticks(range(len(names)), names)
    left.set_xlim(0, 1.3 * max([*sizes, 1]))
    left.set_xticks([])
    left.set_title("contacts", loc="left", fontsize=10)
    left.spines[["top", "right", "bottom"]].set_visible(False)
    left.invert_yaxis()
    if kinds:
        # Each kind against the stage where it is most frequent: what tells stages apart, not what is frequent.
        strength = table / np.maximum(table.max(axis=0, keepdims=True), 1e-12)
        right.imshow(strength, cmap="Blues", vmin=0, vmax=1.25, aspect="auto")
        for i, row in enumerate(table):
            for j, value in enumerate(row):
                colour = "white" if strength[i, j] > 0.7 else "#333333"
                right.text(j, i, _shown(value), ha="center", va="center", fontsize=8, color=colour)
    right.set_xticks(range(len(kinds)), kinds, rotation=40, ha="right", fontsize=8)
    right.tick_params(left=False, colors="#333333")
    right.spines[:].set_color(GRID)
    right.set_title("touchpoints of a contact in 30 days", loc="left", fontsize=10)
    return png(figure)


def _most_told(profiles: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Kinds that happen most, in the order of the stages where they peak."""
    names = list(profiles)
    kinds = list(profiles[names[0]]["kinds"]) if names else []
    by_kind = {kind: [profiles[name]["kinds"].get(kind) or 0.0 for name in names] for kind in kinds}
    most = sorted(kinds, key=lambda kind: (-max(by_kind[kind]), kind))[:MOST_KINDS]
    return sorted((kind for kind in most if max(by_kind[kind]) > 0), key=lambda k: (int(np.argmax(by_kind[k])), k))


def _shown(value: float) -> str:
    return "" if value < 0.05 else f"{value:.1f}" if value < 10 else f"{value:.0f}"

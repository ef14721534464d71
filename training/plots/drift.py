"""Drift as a picture: the columns that have moved furthest, with what chance explains and where words change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.drift.drift import FAR, MOVED
from training.plots.plots import BASELINE, GRID, MODEL, canvas, png


def drift_plots(drift: Mapping[str, Mapping[str, Any] | None]) -> dict[str, bytes]:
    """Draw every goal's drift within its data, by the name it has in MLflow."""
    return {
        f"{goal}-drift.png": drift_plot(part, f"{goal}: test rows against training rows")
        for goal, part in drift.items()
        if part is not None
    }


def drift_plot(drift: Mapping[str, Any], title: str) -> bytes:
    """PNG of the index of the columns that have moved furthest, scores and outcome in the heading.

    Parameters
    ----------
    drift
        As ``training.drift.drift.compare`` makes it.
    title
        What is compared, for instance "conversion: test rows against training rows".
    """
    figure, axes = canvas(f"{title}\n{drift['level']}")
    rows = list(reversed(drift["features"]))
    names = [f"{row['feature']} ({row['how']})" for row in rows]
    axes.barh(names, [row["psi"] for row in rows], color=[MODEL if r["excess"] > FAR else BASELINE for r in rows])
    axes.plot([row["chance"] for row in rows], names, "|", color="black", markersize=9, label="by chance alone")
    for bound, word in ((MOVED, "moved"), (FAR, "moved far")):
        axes.axvline(bound, color=GRID, linestyle="--", linewidth=1, label=f"{word} from {bound}")
    if not rows:
        axes.text(0.5, 0.5, "no column has moved", transform=axes.transAxes, ha="center", va="center")
        axes.set_yticks([])
    axes.set_xlabel("population stability index")
    axes.tick_params(axis="y", labelsize=7)
    axes.legend(frameon=False, loc="lower right", fontsize=8)
    return png(figure)

"""Calibration and lift as pictures for the report."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from training.metrics import calibration_curve, gains

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MODEL, BASELINE, GRID = "#1b5e8c", "#b0792a", "#8a8f94"


def calibration_plot(y: ArrayLike, p: ArrayLike, title: str) -> bytes:
    """PNG of the share of positives against the mean probability, by decile of the probability.

    Parameters
    ----------
    y, p
        Truth and probability, shape (n,).
    title
        What the rows are, for instance "conversion, 2026-07 to 2026-09".
    """
    figure, axes = canvas(title)
    curve = calibration_curve(y, p)
    if len(curve):
        rows, predicted, observed = curve.T
        # Wilson's interval: it stays inside [0, 1] where a decile has no positive row at all.
        z = 1.96
        centre = (observed + z**2 / (2 * rows)) / (1 + z**2 / rows)
        half = z / (1 + z**2 / rows) * np.sqrt(observed * (1 - observed) / rows + z**2 / (4 * rows**2))
        spread = np.clip([observed - centre + half, centre + half - observed], 0, None)
        limit = max(1.05 * float(np.max([predicted, observed + spread[1]])), 0.01)
        axes.plot([0, limit], [0, limit], color=GRID, linestyle="--", linewidth=1, label="as predicted")
        axes.errorbar(
            predicted,
            observed,
            yerr=spread,
            color=MODEL,
            marker="o",
            markersize=5,
            capsize=3,
            label="tenths of the rows",
        )
        axes.set_xlim(0, limit)
        axes.set_ylim(0, limit)
        axes.legend(frameon=False, loc="upper left")
    axes.set_xlabel("mean predicted probability")
    axes.set_ylabel("share that really did (95 % interval)")
    return png(figure)


def lift_plot(y: ArrayLike, scores: Mapping[str, ArrayLike], title: str) -> bytes:
    """PNG of the part of all positives found in the best-scored part of the rows, one line a score.

    Parameters
    ----------
    y
        Truth, shape (n,).
    scores
        Name to scores, shape (n,); the first is drawn as the model, the others as what it must beat.
    """
    figure, axes = canvas(title)
    depth = np.linspace(0, 1, 201)
    axes.plot([0, 100], [0, 100], color=GRID, linestyle="--", linewidth=1, label="at random")
    if np.any(np.asarray(y) == 1):
        dashes = ("-", "--", ":", "-.", (0, (1, 3)))
        for i, (name, score) in enumerate(scores.items()):
            style = {"color": MODEL, "linewidth": 2.2} if i == 0 else {"color": BASELINE, "linewidth": 1.2}
            found = 100 * gains(y, score, depth)
            axes.plot(100 * depth, found, linestyle=dashes[i % len(dashes)] if i else "-", label=name, **style)
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 101)
    axes.legend(frameon=False, loc="lower right")
    axes.set_xlabel("part of the rows, best first (%)")
    axes.set_ylabel("part of all successes among them (%)")
    return png(figure)


def canvas(title: str) -> tuple[Figure, Any]:
    """Make a figure with one titled pair of axes."""
    # A Figure without pyplot draws with Agg, needs no display and leaves no global state behind.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=GRID, alpha=0.25, linewidth=0.6)
    return figure, axes


def png(figure: Figure) -> bytes:
    """Bytes of a figure; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()

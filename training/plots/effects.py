"""Effects as pictures: whom an action moves (Qini curves), and whether groups change as was predicted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.effect.effect import Effects
from training.effect_fit import curves
from training.plots.plots import BASELINE, MODEL, canvas, png


def effect_plots(by_goal: Mapping[str, Effects], report: Mapping[str, Any]) -> dict[str, bytes]:
    """Draw the effects of every goal, by the name they have in MLflow.

    Parameters
    ----------
    by_goal
        As they were fitted: those of a bundle keep no decisions to draw.
    report
        The report's part about effects.
    """
    drawn: dict[str, bytes] = {}
    for goal, effects in by_goal.items():
        drawn[f"{goal}-qini.png"] = qini_plot(effects, f"{goal}: contacts ordered by predicted effect")
        drawn[f"{goal}-effects.png"] = groups_plot(report[goal]["actions"], f"{goal}: effects predicted and measured")
    return drawn


def qini_plot(effects: Effects, title: str) -> bytes:
    """PNG of the Qini curve of each action, against taking contacts as they come."""
    figure, axes = canvas(title)
    for name, (count, gained) in curves(effects).items():
        share, scale = count / count[-1], count[-1] / 200
        (line,) = axes.plot(share, gained / scale, label=name)
        axes.plot([0, 1], [0, gained[-1] / scale], linestyle="--", linewidth=0.8, color=line.get_color())
    axes.set_xlabel("part of the contacts, those of the largest effect first")
    axes.set_ylabel("outcomes brought about per 100 contacts")
    axes.legend(frameon=False, fontsize=8)
    return png(figure)


def groups_plot(actions: Mapping[str, Any], title: str) -> bytes:
    """PNG of measured against predicted effects in groups of each action, with 95 % intervals.

    Parameters
    ----------
    actions
        Per action ``groups`` and ``evidence``, as in the report.
    """
    figure, axes = canvas(title)
    bounds: list[float] = [0.0]
    for name, found in actions.items():
        groups = found.get("groups", [])
        if not groups:
            continue
        x, y = (np.array([group[key] for group in groups]) for key in ("predicted", "measured"))
        low, high = np.array([group["interval"] for group in groups]).T
        axes.errorbar(x, y, yerr=[y - low, high - y], fmt="o", capsize=3, label=f"{name} ({found['evidence']})")
        bounds += [*x.tolist(), *low.tolist(), *high.tolist()]
    axes.plot([min(bounds), max(bounds)], [min(bounds), max(bounds)], color=BASELINE, linewidth=1, label="as predicted")
    axes.axhline(0.0, color=MODEL, linewidth=0.6)
    axes.set_xlabel("predicted effect")
    axes.set_ylabel("measured effect")
    axes.legend(frameon=False, fontsize=8)
    return png(figure)

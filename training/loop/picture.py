"""Learning loops as pictures: what each policy reaches day by day, and how often it takes an action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from training.loop.result import LoopResult
from training.plots.plots import BASELINE, GRID, MODEL

_THIRD = "#5f8f4e"
_COLOURS = {"thompson": MODEL, "epsilon": _THIRD, "greedy": BASELINE, "points": "#7a5195", "uniform": GRID}
_TARGET = 0.85
_LINE = 6.0
"""Height of a line of text in percent of the picture's range, about."""


def draw_reached(
    axes: Any, loops: Mapping[str, Sequence[LoopResult]], *, of: Literal["worth", "gain"], added_on: int | None = None
) -> None:
    """Draw the part of the oracle's day that each policy has, day by day.

    Parameters
    ----------
    axes
        Of matplotlib, drawn into.
    loops
        Loops of each policy, one for each seed: the mean is a line, and single loops are thin ones.
    of
        The day's whole worth, with the part that is aimed at, or the gain over doing nothing alone.
    added_on
        The day from which actions are added.
    """
    name = "worth" if of == "worth" else "reached"
    reached = {policy: 100 * np.array([getattr(each, name) for each in results]) for policy, results in loops.items()}
    names_at = _apart({policy: float(each[:, -3:].mean()) for policy, each in reached.items()})
    for policy, each in reached.items():
        days, colour = np.arange(1, each.shape[1] + 1), _COLOURS.get(policy, GRID)
        for one in each if len(each) > 1 else ():
            axes.plot(days, one, color=colour, linewidth=0.6, alpha=0.45)
        axes.plot(days, each.mean(axis=0), color=colour, linewidth=2.2, label=policy)
        axes.annotate(
            policy, (days[-1], names_at[policy]), xytext=(6, 0), textcoords="offset points", color=colour,
            va="center", fontsize=10, annotation_clip=False,
        )  # fmt: skip
    axes.axhline(100.0, color=GRID, linewidth=0.8)
    if of == "worth":
        axes.axhline(100.0 * _TARGET, color=GRID, linewidth=0.8, linestyle=":")
        axes.annotate(
            f"{_TARGET:.0%}", (0, 100 * _TARGET), xytext=(-2, 3), textcoords="offset points", color=GRID, fontsize=8
        )
    _mark(axes, added_on, "two actions added")
    axes.set_ylim(min(0.0, axes.get_ylim()[0]), 106)
    axes.set_ylabel(f"part of the oracle's daily {of} (%)")
    _dress(axes)


def draw_shares(
    axes: Any, loops: Mapping[str, Sequence[LoopResult]], action: str, *, added_on: int | None = None
) -> None:
    """Draw in which part of a day's decisions each policy takes an action, and in which the oracle would.

    Parameters
    ----------
    axes, loops, added_on
        As ``draw_reached`` takes them.
    action
        Name of the action.
    """
    for policy, results in loops.items():
        share = 100 * np.mean([result.share_of(action) for result in results], axis=0)
        axes.plot(np.arange(1, len(share) + 1), share, color=_COLOURS.get(policy, GRID), linewidth=2.0, label=policy)
    first = next(iter(loops.values()))
    best = 100 * np.mean([result.share_of(action, of_oracle=True) for result in first], axis=0)
    axes.plot(np.arange(1, len(best) + 1), best, color="#222222", linewidth=1.0, linestyle="--", label="oracle")
    _mark(axes, added_on, None)
    axes.set_ylim(0, max(10.0, 1.15 * axes.get_ylim()[1]))
    axes.set_ylabel("part of the decisions (%)")
    axes.legend(frameon=False, fontsize=9, loc="upper left")
    _dress(axes)


def _apart(ends: Mapping[str, float]) -> dict[str, float]:
    """Where names stand beside the ends of their lines, in percent: moved up where they would cover each other."""
    found: dict[str, float] = {}
    for policy in sorted(ends, key=lambda each: ends[each]):
        found[policy] = max(ends[policy], max(found.values(), default=-np.inf) + _LINE)
    return found


def _mark(axes: Any, day: int | None, text: str | None) -> None:
    if day is None:
        return
    axes.axvline(day + 0.5, color=GRID, linewidth=0.8, linestyle="--")
    if text is not None:
        axes.annotate(text, (day + 0.5, 0.02), xycoords=("data", "axes fraction"), xytext=(4, 0),
                      textcoords="offset points", color=GRID, fontsize=9)  # fmt: skip


def _dress(axes: Any) -> None:
    axes.set_xlabel("day")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=GRID, alpha=0.2, linewidth=0.6)

"""A suggested points table beside the one in force, and as TOML to paste."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from features.times import DAY, HOUR
from models.points_table import PointsTable, Threshold
from training.points.fit import Suggestion

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def readable(found: Suggestion, in_force: PointsTable, horizon: str) -> str:
    """Write both tables side by side, what each is worth, and what to paste."""
    kinds = sorted({*found.table.kinds, *in_force.kinds}, key=lambda kind: (-found.table.kinds.get(kind, -1.0), kind))
    width = max(map(len, [*kinds, "half-life"]))
    lines = [
        f"points for {found.goal}, fitted on {found.train:,} rows and judged on {found.test:,} later ones",
        "",
        f"  {'kind':{width}} {'suggested':>10} {'in force':>10}",
    ]
    for kind in kinds:
        lines.append(f"  {kind:{width}} {_points(found.table, kind):>10} {_points(in_force, kind):>10}")
    ours, theirs = found.auc_interval, found.in_force_interval
    for name, suggested, used in (
        ("half-life", half_life(found.table), half_life(in_force)),
        ("AUC", f"{found.auc:.3f}", f"{found.in_force:.3f}"),
        ("95 % from", _bound(ours, 0), _bound(theirs, 0)),
        ("to", _bound(ours, 1), _bound(theirs, 1)),
    ):
        lines.append(f"  {name:{width}} {suggested:>10} {used:>10}")
    lines += ["", verdict(found), "", f"suggested totals and who of them reached the goal {horizon}:"]
    for (low, share, rows), high in zip(found.rates, [*(r[0] for r in found.rates[1:]), None], strict=True):
        band = f"{low:g} and more" if high is None else f"{low:g} to below {high:g}"
        lines.append(f"  {band:22} {share:>6.1%} of {rows:,} rows")
    if in_force.schemes:
        lines += ["", f"the further schemes ({', '.join(in_force.schemes)}) stay as they are"]
    return "\n".join([*lines, "", "to adopt it, put this in the place of [points] in nba.toml:", "", toml(found)])


def verdict(found: Suggestion) -> str:
    """Say whether the suggested table is better, as far as the test rows can tell."""
    low, high = found.gain_interval
    difference = f"AUC {found.gain:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}"
    if low > 0:
        return f"the suggested table orders contacts better than the one in force ({difference})"
    if high < 0:
        return f"the table in force orders contacts better; keep it ({difference})"
    return f"the two cannot be told apart on the test rows; there is no reason to change ({difference})"


def plain(found: Suggestion, in_force: PointsTable) -> dict[str, Any]:
    """Return the suggestion as JSON-able values."""
    return {
        "goal": found.goal,
        "rows": {"train": found.train, "test": found.test},
        "suggested": {
            **_table(found.table),
            "auc": found.auc,
            "auc_interval": None if found.auc_interval is None else list(found.auc_interval),
        },
        "in_force": {
            **_table(in_force),
            "auc": found.in_force,
            "auc_interval": None if found.in_force_interval is None else list(found.in_force_interval),
        },
        "gain": {"value": found.gain, "interval": list(found.gain_interval)},
        "verdict": verdict(found),
        "rates": [{"from": low, "rate": share, "rows": rows} for low, share, rows in found.rates],
        "toml": toml(found),
    }


def toml(found: Suggestion) -> str:
    """Write ``[points]`` as it would stand in ``nba.toml``, with the rates as comments."""
    table = found.table
    rows = ["[points]", f"kinds = {_inline({k: f'{v:g}' for k, v in sorted(table.kinds.items(), key=_falling)})}"]
    rows.append(f"once = {json.dumps(list(table.once), ensure_ascii=False)}")
    rows.append(f'half_life = "{half_life(table)}"')
    if table.fit is not None:
        points = _inline({value: f"{p:g}" for value, p in table.fit.points.items()})
        rows.append(f"fit = {{ trait = {json.dumps(table.fit.trait, ensure_ascii=False)}, points = {points} }}")
    if table.thresholds:
        rows.append("thresholds = [")
        rows += [f"  {_threshold(each)}," for each in table.thresholds]
        rows.append("]")
    return "\n".join(rows)


def half_life(table: PointsTable) -> str:
    """Spell a half-life as ``nba.toml`` does."""
    us = table.half_life_us
    if us is None:
        return "never"
    return f"{us // DAY}d" if us % DAY == 0 else f"{us // HOUR}h" if us % HOUR == 0 else f"{us // 1000}ms"


def _falling(item: tuple[str, float]) -> tuple[float, str]:
    return -item[1], item[0]


def _table(table: PointsTable) -> dict[str, Any]:
    return {
        "kinds": dict(sorted(table.kinds.items(), key=_falling)),
        "once": list(table.once),
        "half_life": half_life(table),
        "thresholds": [
            {"actions": list(t.actions), **({} if t.from_ is None else {"from": t.from_})}
            | ({} if t.below is None else {"below": t.below})
            for t in table.thresholds
        ],
    }


def _threshold(each: Threshold) -> str:
    bounds = {"from": each.from_, "below": each.below}
    told = {name: f"{bound:g}" for name, bound in bounds.items() if bound is not None}
    return _inline(told | {"actions": json.dumps(list(each.actions), ensure_ascii=False)})


def _inline(values: Mapping[str, str]) -> str:
    def key(name: str) -> str:
        return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)

    inside = ", ".join(f"{key(name)} = {value}" for name, value in values.items())
    return f"{{ {inside} }}" if inside else "{}"


def _points(table: PointsTable, kind: str) -> str:
    points = table.kinds.get(kind)
    if points is None:
        return "-"
    return f"{points:g} once" if kind in table.once else f"{points:g}"


def _bound(interval: tuple[float, float] | None, side: int) -> str:
    return "unknown" if interval is None else f"{interval[side]:.3f}"

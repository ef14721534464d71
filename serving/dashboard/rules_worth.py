"""What thresholds are worth, drawn, and what a draft would change, in the reader's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.rows.row_types import FigureRow
from serving.comparing import Compared
from serving.dashboard import charts
from serving.dashboard.charts import Series
from serving.dashboard.languages import Words
from serving.dashboard.rules_fields import SECTIONS, Field
from serving.dashboard.rules_state import RulesState
from serving.dashboard.visit import Visit

_MOVES = 12
WAYS = ("gain", "lose", "get_another", "mixed")


def labels(visit: Visit, state: RulesState) -> dict[str, str]:
    """Return what each value that can be edited is called, by its key."""
    return {each.key: _label(visit.words, each) for section in SECTIONS for each in state.fields(section)}


def _spelt(w: Words, length: str) -> str:
    """Write a length as a reader says it: "14d" as 14 days."""
    number, unit = length[:-1], length[-1:]
    return f"{number} {w['unit_' + unit]}" if number.isdigit() and "unit_" + unit in w and number != "1" else length


def _label(w: Words, field: Field) -> str:
    if field.key.endswith(".half_life"):
        return w.half_life
    if field.what in ("from", "below"):
        actions = ", ".join(w.named("action", name) for name in field.name.split(", "))
        return f"{actions}: {w.from_points.lower() if field.what == 'from' else w.below_points.lower()}"
    if field.what in ("cap", "cap_account"):
        channel, _, per = field.name.partition("|")
        return w[field.what].format(channel=w.named("channel", channel) or w.all_channels, per=_spelt(w, per))
    if field.key.startswith("points."):
        return field.name if field.what == "fit" else w.named("kind", field.name)
    return w[field.what].format(action=w.named("action", field.name))


def ladder(visit: Visit, figure: FigureRow | None) -> dict[str, Any] | None:
    """Draw what came of those above each of some totals beside what the model says of those above it now."""
    if figure is None or len(figure.body["ladder"]) < 2:
        return None
    w, n, rows = visit.words, visit.numbers, figure.body["ladder"]
    bounds = [each["before"]["interval"] or (None, None) for each in rows]
    series = [
        Series(w.true_share, [each["before"]["share"] for each in rows], *zip(*bounds, strict=True)),
        Series(w.model_says, [each["now"]["chance"] for each in rows], (), ()),
    ]
    labels = [n.number(each["from"]) for each in rows]
    return {
        "svg": charts.lines(series, labels, lambda share: n.percent(share, 1), w.ladder_means),
        "names": [each.name for each in series],
        "head": [w.from_points, w.then, w.true_share, w.interval, w.now, w.model_says],
        "rows": [
            [
                label,
                n.number(each["before"]["contacts"]),
                n.percent(each["before"]["share"], 1),
                interval(visit, each["before"]["interval"]),
                n.number(each["now"]["contacts"]),
                n.percent(each["now"]["chance"], 1),
            ]
            for label, each in zip(labels, rows, strict=True)
        ],
    }


def interval(visit: Visit, bounds: Any) -> str:
    """Write an interval of shares."""
    n = visit.numbers
    return "–" if bounds is None else f"{n.percent(bounds[0], 1)} – {n.percent(bounds[1], 1)}"


def outcome(visit: Visit, found: Compared) -> Mapping[str, Any] | None:
    """Return what a comparison found; None where there is none."""
    report = found.report
    if report is None:
        return None
    counted = [
        (what, name, each["contacts"]["before"], each["contacts"]["after"])
        for what, counts in (("action", report["actions"]), ("channel", report["channels"]))
        for name, each in counts.items()
        if name not in ("null", "None") and (each["contacts"]["before"] or each["contacts"]["after"])
    ]
    return {
        "report": report,
        "ways": [(way, report["changed"][way]) for way in WAYS if report["changed"][way]],
        "moves": report["moves"][:_MOVES],
        "more_moves": max(len(report["moves"]) - _MOVES, 0),
        "actions": [row[1:] for row in counted if row[0] == "action"],
        "channels": [row[1:] for row in counted if row[0] == "channel"],
        "expected": report["expected"],
        "listed": len(report["list"]),
    }

"""``nba points``: a points table fitted to the data, beside the one in force, and what its thresholds are worth."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from nba.door import moment, settings_at
from nba.output import Output
from nba.settings import Settings
from nba.settings.goals import Goal


def register(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    parser.epilog = "examples:\n  nba points suggest\n  nba points check\n  nba points suggest --goal conversion --json"
    actions = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    suggest = actions.add_parser(
        "suggest",
        help="fit points to what led to a goal, and show them beside those in force",
        description=(
            "Fit points per kind of touchpoint to what led to a goal: whole numbers in steps of 5, none below 0, few "
            "kinds, one half-life. They are fitted on the older rows and judged on the newer ones beside the table in "
            "force, and printed to be pasted. Nothing is changed."
        ),
        epilog="example:\n  nba points suggest --goal conversion",
    )
    suggest.add_argument(
        "--goal",
        metavar="NAME",
        help="what the points shall foretell; default: conversion, else the first goal to reach",
    )
    suggest.add_argument("--as-of", metavar="T", help="from what had happened before T (ISO 8601); default: now")
    suggest.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")
    check = actions.add_parser(
        "check",
        help="count who passes each threshold, and what came of those who passed before",
        description=(
            "For each threshold of the points table: how many contacts pass it now, by the last `nba score`, and what "
            "the model says of them; and how many of those who passed it at an earlier moment reached the goal. The "
            "same for some other totals, at which a threshold might stand instead. `nba serve` does this by itself "
            "once a day for the page Rules (--keep)."
        ),
        epilog="examples:\n  nba points check\n  nba points check --keep",
    )
    check.add_argument(
        "--goal", metavar="NAME", help="what shall come of it; default: conversion, else the first goal to reach"
    )
    check.add_argument("--as-of", metavar="T", help="from what had happened before T (ISO 8601); default: now")
    check.add_argument("--keep", action="store_true", help="keep the figures in the store, for the page Rules")
    check.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Do one of the two."""
    return _suggest(args, out) if args.what == "suggest" else _check(args, out)


def _suggest(args: argparse.Namespace, out: Output) -> int:
    from features.store.store import Store
    from training.dataset import make_rows
    from training.past import WITHOUT_TERMS, read_past
    from training.points.fit import suggest
    from training.points.text import plain, readable
    from training.rows.row_split import split_rows

    settings = settings_at(args, out)
    goal = _goal(settings, args.goal)
    with Store.open(settings.store.url) as store:
        past = read_past(store, settings, moment(args.as_of), without=WITHOUT_TERMS)
    rows = make_rows(past.touchpoints, goal, settings.touchpoints, past.end, past.versions)
    found = suggest(past, goal, rows, split_rows(rows, goal), settings.points)
    if args.json:
        out.json(plain(found, settings.points))
    else:
        out.result(readable(found, settings.points, _within(goal)))
    return 0


def _check(args: argparse.Namespace, out: Output) -> int:
    from features.rows.row_types import FigureRow
    from features.store.figures import store_figures
    from features.store.store import Store
    from features.times import iso
    from training.dataset import make_rows
    from training.past import WITHOUT_TERMS, read_past
    from training.points.check import NAME, check_thresholds

    settings, now = settings_at(args, out), moment(args.as_of)
    goal = _goal(settings, args.goal)
    with Store.open(settings.store.url) as store:
        past, rows = None, None
        if next(iter(store.touchpoint_rows(now)), None) is not None:
            past = read_past(store, settings, now, without=WITHOUT_TERMS)
            rows = make_rows(past.touchpoints, goal, settings.touchpoints, past.end, past.versions)
        found = check_thresholds(store, past, goal, rows, settings.points, settings.source.number)
        found = {"as_of": iso(now), **found}
        if args.keep:
            with store.writing() as writing:
                store_figures(writing, [FigureRow(NAME, now, found)])
    if args.json:
        out.json(found)
    else:
        _show(found, goal, out)
    return 0


def _show(found: Mapping[str, Any], goal: Goal, out: Output) -> None:
    if found["looked_at"] is None:
        out.result("nothing has happened long enough ago to tell what came of it")
    else:
        first, last = (day[:10] for day in found["looked_at"])
        when = f"on {first}" if first == last else f"between {first} and {last}"
        out.result(
            f"`then`: who had these points {when}, and which part of them reached {goal.name} {_within(goal)}; `now`: "
            "who has them by the last `nba score`, and their mean chance by the model"
        )
    columns = ("points", "calls for", "then", "reached it", "95 %", "now", "model")
    everybody = {**found["everybody"], "actions": ["(everybody)"]}
    ladder = [{**each, "actions": []} for each in found["ladder"]]
    for some in ([everybody, *found["thresholds"]], ladder):
        out.result("")
        out.table(columns, [_row(each) for each in some])


def _row(each: Mapping[str, Any]) -> tuple[str, ...]:
    low, high = each["from"], each["below"]
    bounds = [f"from {low:g}"] if low is not None else []
    bounds += [f"below {high:g}"] if high is not None else []
    then, now = each["before"], each["now"]
    interval = "" if then["interval"] is None else " to ".join(f"{x:.1%}" for x in then["interval"])
    return (
        ", ".join(bounds) or "any",
        ", ".join(each["actions"]),
        f"{then['contacts']:,}",
        "" if then["share"] is None else f"{then['share']:.1%}",
        interval,
        f"{now['contacts']:,}",
        "" if now["chance"] is None else f"{now['chance']:.1%}",
    )


def _goal(settings: Settings, name: str | None) -> Goal:
    from features.errors import UsageError, UserError

    reachable = {n: goal for n, goal in settings.need_goals().items() if not goal.is_absence}
    if name is None:
        name = "conversion" if "conversion" in reachable else next(iter(reachable), None)
    known = f"choose from {', '.join(reachable)}" if reachable else "define one with `kinds` in nba.toml"
    if name is None:
        raise UserError(f"every goal is one of absence, and points add up what leads to something; {known}")
    if name not in reachable:
        raise UsageError(
            f"--goal: {name!r} is no goal to be reached, and points add up what leads to something; {known}"
        )
    return reachable[name]


def _within(goal: Goal) -> str:
    from features.times import DAY

    return f"within {goal.horizon / DAY:g} days" if isinstance(goal.horizon, int) else "within its horizon"

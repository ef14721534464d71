"""``nba points``: a points table fitted to the data, beside the one in force."""

from __future__ import annotations

import argparse

from nba.door import moment, settings_at
from nba.output import Output
from nba.settings import Settings
from nba.settings.goals import Goal


def register(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    parser.epilog = "examples:\n  nba points suggest\n  nba points suggest --goal conversion --json"
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


def run(args: argparse.Namespace, out: Output) -> int:
    """Fit and show."""
    from features.store.store import Store
    from training.dataset import make_rows
    from training.past import read_past
    from training.points.fit import suggest
    from training.points.text import plain, readable
    from training.rows.row_split import split_rows

    settings = settings_at(args, out)
    goal = _goal(settings, args.goal)
    with Store.open(settings.store.url) as store:
        past = read_past(store, settings, moment(args.as_of))
    rows = make_rows(past.touchpoints, goal, settings.touchpoints, past.end, past.versions)
    found = suggest(past, goal, rows, split_rows(rows, goal), settings.points)
    if args.json:
        out.json(plain(found, settings.points))
    else:
        out.result(readable(found, settings.points, _within(goal)))
    return 0


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

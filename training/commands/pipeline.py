"""``nba pipeline``: contacts by stage week by week, their moves, who is stuck or leaves, where visits break off."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from nba.door import moment, settings_at
from nba.output import Output


def register(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.description = (
        "Count for the page Pipeline what takes a look at everybody: contacts by stage at moments a week apart, how "
        "many moved from which stage to which, how long they usually stay and who is stuck, who has left, and where "
        "visits to web site and shop break off. The figures are kept in the store; moments that are there already are "
        "not counted anew. `nba serve` does this by itself once a day."
    )
    parser.epilog = (
        "examples:\n  nba pipeline\n  nba pipeline --since 2026-01-01 --again\n  nba pipeline --every 1d --json\n\n"
        "Contacts that partners keep to themselves, and who may not be profiled, are in no figure."
    )
    parser.add_argument("--since", metavar="T", help="the first moment (ISO 8601); default: 26 moments back")
    parser.add_argument("--every", metavar="D", default="7d", help="time between two moments in days; default: 7d")
    parser.add_argument("--as-of", metavar="T", help="the last moment is not after T (ISO 8601); default: now")
    parser.add_argument("--again", action="store_true", help="count moments anew that are there already")
    parser.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Count what is missing, keep it, and show the newest moment."""
    from features.store.figures import figures_of, store_figures
    from features.store.store import Store
    from features.times import iso
    from models.belief import Belief
    from training.past import read_past
    from training.pipeline.moments import moments
    from training.pipeline.pipeline import Pipeline, missing, name_of

    settings, now, every = settings_at(args, out), moment(args.as_of), _every(args.every)
    wanted = moments(None if args.since is None else moment(args.since, "--since"), now, every)
    belief = Belief.installed(settings.folder)
    with Store.open(settings.store.url) as store:
        todo = list(wanted) if args.again else missing(store, wanted, every, settings, belief)
        if todo:
            past = read_past(store, settings, now)
            pipeline = Pipeline(past, settings, belief, every)
            with out.progress("moments", len(todo)) as shown:
                rows = list(pipeline.figures(todo, advance=shown.advance))
            with store.writing() as writing:
                store_figures(writing, rows)
        kept = figures_of(store, name_of(every), wanted[0], wanted[-1] + 1) if wanted else []
    report = {
        "as_of": iso(now),
        "made": [iso(at) for at in todo],
        "moments": [{"at": iso(row.at), **row.body} for row in kept],
    }
    if args.json:
        out.json(report)
    else:
        _show(report, out)
    return 0


def _every(text: str) -> int:
    from features.errors import UsageError
    from features.times import DAY
    from nba.settings.values import positive_duration

    try:
        found = positive_duration(text)
    except ValueError as error:
        raise UsageError(f"--every: {error}") from None
    if found % DAY:
        raise UsageError(f"--every: {text!r} is no whole number of days; write such as 7d")
    return found


def _show(report: Mapping[str, Any], out: Output) -> None:
    if not report["moments"]:
        out.result("no moment lies in that time; choose an earlier --since")
        return
    newest = report["moments"][-1]
    out.result(f"{len(report['made'])} moments counted, {len(report['moments'])} are there")
    out.result(f"{newest['contacts']:,} contacts as of {newest['at']}")
    out.result("")
    came, went = _sums(newest["moves"])
    rows = [
        (
            stage, n, came.get(stage), went.get(stage), newest["lengths"][stage]["usual_days"],
            newest["lengths"][stage]["stuck"], newest["leaving"][stage]["silent"],
        )
        for stage, n in newest["stages"].items()
    ]  # fmt: skip
    out.table(("stage", "contacts", "came in", "went out", "usual days", "stuck", "silent"), rows)
    visits = newest["visits"]
    if visits["visits"]:
        out.result("")
        out.table(
            ("kind", "visits", "ended with it"),
            [(kind, told["visits"], told["ended"]) for kind, told in visits["kinds"].items()],
        )


def _sums(moved: list[dict[str, Any]]) -> tuple[dict[str, int], dict[str, int]]:
    came: dict[str, int] = {}
    went: dict[str, int] = {}
    for row in moved:
        if row["from"] != row["to"]:
            if row["to"] is not None:
                came[row["to"]] = came.get(row["to"], 0) + row["contacts"]
            if row["from"] is not None:
                went[row["from"]] = went.get(row["from"], 0) + row["contacts"]
    return came, went

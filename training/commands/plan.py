"""``nba plan``: the day's worklist under capacities, caps, consent and budget."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import UserError
from nba.output import Output

if TYPE_CHECKING:
    from nba.visibility import Viewer
    from training.planned_day import PlannedDay

_EXAMPLE = """\
examples:
  nba plan --out today.csv
  nba plan --date 2026-11-23 --out monday.parquet --json
  nba plan --partner north --out north.jsonl

Nothing is logged: a plan is a proposal. FILE is CSV, Parquet or JSON Lines by its suffix."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the day, the file and who looks at it."""
    parser.description = (
        "Plan a day: who does what to whom, so that priorities add up to the most under capacities, caps, consent and "
        "budget, and what one more slot would be worth."
    )
    parser.epilog = _EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--date", metavar="D", help="the day, such as 2026-11-23; today when left out")
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="the file to write")
    viewer = parser.add_mutually_exclusive_group()
    viewer.add_argument("--partner", metavar="P", help="only what this partner may see: its own contacts")
    viewer.add_argument("--owner", metavar="NAME", help="only the contacts of this owner")
    parser.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Plan and write."""
    from nba.door import now_us, settings_at
    from training.plan_file import check_path, write_rows

    check_path(args.out)
    settings = settings_at(args, out)
    if not settings.actions:
        raise UserError("there are no actions to plan; describe some in nba.toml, under [actions.NAME]")

    from features.store import Store
    from models.belief import Belief
    from models.local import local_champion
    from nba.plan_moment import PlanDay
    from nba.visibility import Viewer
    from training.everybody import Everybody
    from training.plan_report import report_of, show
    from training.plan_rows import rows_of
    from training.planned_day import plan_day

    day = PlanDay.of(_day(args.date), settings.contact_policy.timezone, now_us())
    champion = local_champion(settings.folder)
    belief = None if champion is None else Belief.load(*champion)
    if belief is None:
        out.say("no champion is installed here; actions are worth what their `start` says (`nba train run` makes one)")
    viewer = Viewer(partner=args.partner, owner=args.owner)
    with Store.open(settings.store.url) as store:
        everybody = Everybody.read(store, settings, day.as_of)
        with out.progress("contacts weighed", len(everybody.names)) as shown:
            planned = plan_day(everybody, settings, belief, day, viewer, advance=shown.advance)
        _check_viewer(viewer, planned)
        with out.progress("rows written", int(planned.done.sum())) as shown:
            rows = rows_of(planned, everybody, advance=shown.advance)
    write_rows(rows, args.out)
    report = report_of(planned, rows)
    if args.json:
        out.json({**report, "file": str(args.out)})
    else:
        show(report, args.out, out)
    return 0


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UserError(f"--date: {text!r} is no day; write it as 2026-11-23") from None


def _check_viewer(viewer: Viewer, planned: PlannedDay) -> None:
    """Refuse a name that no contact has: an empty plan would look like a day without work."""
    for what, name in (("partner", viewer.partner), ("owner", viewer.owner)):
        if name is not None and name not in planned.codes[what]:
            raise UserError(f"no contact has the {what} {name!r}; `nba load contacts` sets their column {what!r}")

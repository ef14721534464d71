"""``nba plan``: the day's worklist under capacities, caps, consent and budget."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import UsageError, UserError
from nba.output import Output

if TYPE_CHECKING:
    from models.belief import Belief
    from nba.partners.visibility import Viewer
    from nba.settings import Settings
    from training.everybody.everybody import Everybody

_EXAMPLE = """\
examples:
  nba plan --out today.csv
  nba plan --date 2026-11-23 --out monday.parquet --json
  nba plan --partner north --out north.jsonl

Nothing is logged: a plan is a proposal. FILE is CSV, Parquet or JSON Lines by its suffix."""

_NAMED = 10
"""How many names are listed beside one that nobody has."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the day, the file and who looks at it."""
    parser.description = (
        "Plan a day: who does what to whom, so that priorities add up to the most under capacities, caps, consent and "
        "budget, and what one more slot would be worth."
    )
    parser.epilog = _EXAMPLE
    parser.add_argument("--date", metavar="D", help="the day, such as 2026-11-23; default: today")
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        required=True,
        help="the file to write: .csv, .parquet or .jsonl by its suffix",
    )
    viewer = parser.add_mutually_exclusive_group()
    viewer.add_argument("--partner", metavar="P", help="only what this partner may see: its own contacts")
    viewer.add_argument("--owner", metavar="NAME", help="only the contacts of this owner")
    parser.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Plan and write."""
    from nba.door import file_in, now_us, settings_at
    from training.plan.file import SUFFIXES, write_rows

    file_in(args.out, SUFFIXES)
    settings = settings_at(args, out)
    if not settings.actions:
        raise UserError("there are no actions to plan; describe some in nba.toml, under [actions.NAME]")

    from features.store.store import Store
    from features.times import iso
    from models.belief import Belief
    from nba.partners.visibility import Viewer
    from nba.plan.moment import PlanDay
    from training.everybody.everybody import Everybody
    from training.plan.planned_day import gather_day, plan_day
    from training.plan.report import report_of, show
    from training.plan.rows import rows_of

    day = PlanDay.of(_day(args.date), settings.contact_policy.timezone, now_us())
    belief = Belief.installed(settings.folder)
    for line in _who_chooses(settings, belief):
        out.say(line)
    viewer = Viewer(partner=args.partner, owner=args.owner)
    with Store.open(settings.store.url) as store:
        out.say("reading the store")
        everybody = Everybody.read(store, settings, day.as_of)
        if not everybody.names:
            out.say(f"the store holds no contacts before {iso(day.as_of)}; load some: `nba load touchpoints FILE`")
        _check_viewer(viewer, everybody)
        with out.progress("contacts weighed", len(everybody.names)) as shown:
            gathered = gather_day(everybody, settings, belief, day, viewer, advance=shown.advance)
        out.say(f"choosing among {len(gathered.evidence):,} actions")
        planned = plan_day(everybody, settings, gathered, day, viewer)
        with out.progress("rows written", int(planned.done.sum())) as shown:
            rows = rows_of(planned, everybody, advance=shown.advance)
    write_rows(rows, args.out)
    report = report_of(planned, rows)
    if args.json:
        out.json({**report, "file": str(args.out)})
    else:
        show(report, args.out, out)
    return 0


def _who_chooses(settings: Settings, belief: Belief | None) -> Iterator[str]:
    """Say what chooses where the learned ranking does not."""
    from nba.actions import Catalogue
    from nba.ranking import settled

    if belief is None:
        yield "no champion is installed here; actions are worth what their `start` says (`nba train run` makes one)"
    serves = settled(Catalogue.of(settings), "points" if belief is None else belief.serves)
    if serves == "points" and settings.points.thresholds:
        yield "the points table chooses for everybody, as it does in service; priorities say who comes first"
    elif serves == "points" and settings.ranking.policy != "points":
        yield "points.thresholds call for nothing, so priorities choose; the service does nothing then, but to explore"
    elif serves.startswith("constant:"):
        yield f"the rule {serves} chooses for everybody, as it does in service; priorities say who comes first"


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--date: {text!r} is no day; write it as 2026-11-23") from None


def _check_viewer(viewer: Viewer, everybody: Everybody) -> None:
    """Refuse a name that no contact has: an empty plan would look like a day without work."""
    for what, name in (("partner", viewer.partner), ("owner", viewer.owner)):
        if name is None:
            continue
        found = (everybody.traits.known(each, everybody.as_of).get(what) for each in everybody.names)
        known = sorted({str(each) for each in found if each is not None and each != ""})
        if name not in known:
            listed = f"there are {', '.join(known[:_NAMED])}{' ...' if len(known) > _NAMED else ''}; " if known else ""
            raise UsageError(
                f"no contact has the {what} {name!r}; {listed}`nba load contacts` sets their column {what!r}"
            )

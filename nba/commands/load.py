"""``nba load``: files into the store."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from features.loading.loading import LoadReport, load_files
from features.rows.schema import TABLES
from features.store.store import Store
from nba.commands.accounts import join_after_load
from nba.commands.stitch import stitch_after_load
from nba.door import now_us, settings_at
from nba.due_values import date_readers
from nba.output import Output

_SHOWN_REASONS = 5


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = (
        "Load CSV, Parquet or JSON Lines files (.gz too) into a table. Bad rows go to the quarantine with "
        "their reason and the load goes on. A repeated load stores nothing."
    )
    parser.epilog = (
        "examples:\n"
        "  nba load touchpoints visits.csv orders.parquet\n"
        "  nba load touchpoints shop.csv --rename who=identity --rename at=occurred_at --set kind=order\n"
        "  nba load contacts crm.csv --timezone Europe/Zurich --json\n"
        "  nba load touchpoints clicks.parquet --lake lake"
    )
    parser.add_argument("table", choices=list(TABLES), metavar="TABLE", help=", ".join(TABLES))
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help=".csv, .parquet, .jsonl, .ndjson; .csv.gz, .jsonl.gz",
    )
    parser.add_argument(
        "--set",
        action=_Pairs,
        default={},
        metavar="COLUMN=VALUE",
        help="give every row this value in this column; may be repeated",
    )
    parser.add_argument(
        "--rename",
        action=_Pairs,
        default={},
        metavar="THEIRS=OURS",
        help="take the file's column THEIRS for the table's column OURS; may be repeated",
    )
    parser.add_argument(
        "--timezone",
        type=_zone,
        metavar="ZONE",
        help="zone of times that name none, such as Europe/Zurich; default: UTC",
    )
    parser.add_argument(
        "--lake",
        type=Path,
        metavar="DIR",
        help="put touchpoints into the lake DIR (Parquet files; made where there is none) instead of the store, "
        "which reads it from then on",
    )
    parser.add_argument("--json", action="store_true", help="print nothing but the counts, as JSON")


def run(args: argparse.Namespace, out: Output) -> int:
    """Load the files; exit status 0 also where rows were refused."""
    settings = settings_at(args, out)
    with Store.open(settings.store.url) as store:
        report = load_files(
            store,
            args.table,
            args.files,
            now_us=now_us(),
            rules=settings.touchpoints,
            set_values=args.set,
            renames=args.rename,
            zone=args.timezone,
            lake=args.lake,
            dates=date_readers(settings, args.table),
            progress=out.progress,
        )
        if args.table == "touchpoints" and settings.touchpoints.visitor_stitching:
            stitch_after_load(store, settings.touchpoints, out)
        if args.table in ("contacts", "accounts", "links") and settings.accounts.email_domains:
            join_after_load(store, settings.touchpoints, out)
    for note in report.notes:
        out.say(note)
    show(report, out, as_json=args.json)
    return 0


def show(report: LoadReport, out: Output, *, as_json: bool) -> None:
    """Print what became of the rows."""
    counts = {
        "read": report.read,
        "stored": report.stored,
        "duplicate": report.duplicate,
        "quarantined": report.quarantined,
    }
    if as_json:
        out.json(counts)
        return
    out.result(", ".join(f"{name} {count:,}" for name, count in counts.items()))
    for rule, count in list(report.reasons.items())[:_SHOWN_REASONS]:
        out.say(f"  {count:,} x {rule}")
    if report.quarantined:
        out.say("`nba quarantine` shows every refused row and why")


class _Pairs(argparse.Action):
    """Collects ``left=right`` options into a dict; the last of equal ones counts."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option_string: str | None = None,
    ) -> None:
        left, equals, right = str(values).partition("=")
        if not left or not equals or (self.dest == "rename" and not right):
            parser.error(f"argument {option_string}: {values!r} is not of the form {self.metavar}")
        setattr(namespace, self.dest, {**getattr(namespace, self.dest), left: right})


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise argparse.ArgumentTypeError(f"{name!r} is not a time zone; write one such as Europe/Zurich") from error

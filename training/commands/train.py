"""``nba train``: learn, report, promote, roll back."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import shutil
import sys
import textwrap
from pathlib import Path

from nba.door import moment, now_us, settings_at
from nba.output import Output
from nba.settings import Settings

_SHOWN = 5
_NOTHING = "nothing has been trained yet; run `nba train run`"

EXAMPLE = """\
examples:
  nba train run
  nba train run --as-of 2026-07-01 --json report.json
  nba train report --last 10
  nba train promote 3 --reason "checked with sales"
  nba train rollback --reason "too many calls"
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    parser.epilog = EXAMPLE
    actions = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    run_ = actions.add_parser(
        "run",
        help="train, judge, publish to MLflow, promote where the gate allows it",
        epilog="examples:\n  nba train run\n  nba train run --as-of 2026-07-01 --json report.json",
    )
    run_.add_argument("--as-of", metavar="T", help="learn only from what happened before T (ISO 8601); default: now")
    run_.add_argument("--json", metavar="FILE", type=Path, help="write the report as JSON to FILE")
    run_.add_argument(
        "--seed", type=int, default=0, metavar="N", help="the same data and seed give the same models (0)"
    )
    report = actions.add_parser(
        "report",
        help="show the last report, and how the last trainings did",
        epilog="examples:\n  nba train report\n  nba train report --last 10 --json",
    )
    report.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")
    report.add_argument("--last", metavar="N", type=int, help="only list the last N trainings, newest first")
    promote = actions.add_parser(
        "promote",
        help="make a version the champion by hand",
        epilog='example:\n  nba train promote 3 --reason "checked with sales"',
    )
    promote.add_argument("version", metavar="VERSION", help="as `nba train report` lists it, such as 3")
    promote.add_argument("--reason", metavar="R", required=True, help="why; kept with the version")
    rollback = actions.add_parser(
        "rollback",
        help="let the previous champion serve again",
        epilog='example:\n  nba train rollback --reason "too many calls"',
    )
    rollback.add_argument("--reason", metavar="R", required=True, help="why; kept with the version")


def run(args: argparse.Namespace, out: Output) -> int:
    """Do what was asked."""
    settings = settings_at(args, out)
    if args.what == "run":
        return _run(args, settings, out)
    if args.what == "report":
        return _report(args, settings, out)
    return _promote(args, settings, out)


def _run(args: argparse.Namespace, settings: Settings, out: Output) -> int:
    from training.report import readable
    from training.retrain import train

    now = moment(args.as_of)
    settings.need_goals()
    if args.json is not None:
        _writable(args.json)
    trained = train(settings, now, say=out.say, seed=args.seed, progress=out.progress)
    if args.json is not None:
        _write_json(args.json, trained.report)
    out.result(_fitted(readable(trained.report)))
    out.result(f"version {trained.version} of model {settings.mlflow.model!r} in {settings.mlflow.tracking_uri}")
    return 0


def _report(args: argparse.Namespace, settings: Settings, out: Output) -> int:
    from features.errors import UsageError, UserError
    from training.promotion import registry_of
    from training.report import readable
    from training.training_list import listed, plain

    registry = registry_of(settings)
    if args.last is not None and args.last < 1:
        raise UsageError(f"--last {args.last} lists nothing; give a number of trainings such as 10")
    if args.last is None:
        report = registry.last_report()
        if report is None:
            raise UserError(_NOTHING)
        if args.json:
            out.json(report)
            return 0
        out.result(_fitted(readable(report)))
        out.result("\nthe last trainings:")
    trainings = registry.trainings(args.last or _SHOWN)
    if not trainings:
        raise UserError(_NOTHING)
    if args.json:
        out.json(plain(trainings))
    else:
        out.table(*listed(trainings))
    return 0


def _promote(args: argparse.Namespace, settings: Settings, out: Output) -> int:
    from training.promotion import promote, rollback

    version, by = getattr(args, "version", None), getpass.getuser()
    if version is None:
        version = rollback(settings, args.reason, by, now_us())
    else:
        promote(settings, version, args.reason, by, now_us())
    out.result(f"version {version} of model {settings.mlflow.model!r} is the champion")
    return 0


def _fitted(text: str, columns: int | None = None) -> str:
    """Break long lines at words where a terminal would break them anywhere; files and pipes get them whole."""
    if columns is None:
        if not sys.stdout.isatty():
            return text
        columns = shutil.get_terminal_size().columns
    lines = []
    for line in text.splitlines():
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        lines += textwrap.wrap(
            line, max(columns, 40), subsequent_indent=indent, break_long_words=False, drop_whitespace=True
        ) or [""]
    return "\n".join(lines)


def _writable(path: Path) -> None:
    """Refuse before the work, not after it."""
    from features.errors import UserError

    if path.is_dir() or not path.absolute().parent.is_dir() or not os.access(path.absolute().parent, os.W_OK):
        raise UserError(f"{path} cannot be written; name a file in a folder that exists and may be written")


def _write_json(path: Path, report: object) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(report, indent=1, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)

"""``nba train``: learn, report, promote, roll back."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from nba.door import moment, settings_at
from nba.output import Output
from nba.settings import Settings

if TYPE_CHECKING:
    from models.registry import Registry

EXAMPLE = """\
examples:
  nba train run
  nba train run --as-of 2026-07-01 --json report.json
  nba train report
  nba train promote 3 --reason "checked with sales"
  nba train rollback --reason "too many calls"
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    parser.epilog = EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    run_ = actions.add_parser("run", help="train, judge, publish to MLflow, promote where the gate allows it")
    run_.add_argument("--as-of", metavar="T", help="learn only from what happened before T (ISO 8601)")
    run_.add_argument("--json", metavar="FILE", type=Path, help="write the report as JSON to FILE")
    run_.add_argument("--seed", type=int, default=0, help="the same data and seed give the same models (default 0)")
    report = actions.add_parser("report", help="show the last report")
    report.add_argument("--json", action="store_true", help="as JSON")
    promote = actions.add_parser("promote", help="make a version the champion by hand")
    promote.add_argument("version", help="as listed in MLflow, such as 3")
    promote.add_argument("--reason", required=True, help="why; kept with the version")
    rollback = actions.add_parser("rollback", help="let the previous champion serve again")
    rollback.add_argument("--reason", required=True, help="why; kept with the version")


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
    out.result(readable(trained.report))
    out.result(f"version {trained.version} of model {settings.mlflow.model!r} in {settings.mlflow.tracking_uri}")
    return 0


def _report(args: argparse.Namespace, settings: Settings, out: Output) -> int:
    from features.errors import UserError
    from training.report import readable

    report = _registry(settings).last_report()
    if report is None:
        raise UserError("nothing has been trained yet; run `nba train run`")
    if args.json:
        out.json(report)
    else:
        out.result(readable(report))
    return 0


def _promote(args: argparse.Namespace, settings: Settings, out: Output) -> int:
    from models.local import install
    from models.verify import verify

    registry = _registry(settings)
    with tempfile.TemporaryDirectory(prefix="nba-promotion-") as room:
        if args.what == "promote":
            version = args.version
            # What cannot be served must not become champion, so it is fetched and tried first.
            verify(registry.fetch(version, Path(room) / "bundle"))
            registry.promote(version, args.reason, by=getpass.getuser())
        else:
            version = registry.rollback(args.reason, by=getpass.getuser())
        folder = registry.fetch(version, Path(room) / "bundle")
        verify(folder)
        named = registry.champion()
        if named is not None and named[0] == version:
            install(settings.folder, folder, version, named[1])
    out.result(f"version {version} of model {settings.mlflow.model!r} is the champion")
    return 0


def _registry(settings: Settings) -> Registry:
    from models.registry import Registry

    return Registry(settings.mlflow.tracking_uri, settings.mlflow.model, settings.mlflow.artifacts)


def _writable(path: Path) -> None:
    """Refuse before the work, not after it."""
    from features.errors import UserError

    if path.is_dir() or not path.absolute().parent.is_dir() or not os.access(path.absolute().parent, os.W_OK):
        raise UserError(f"{path} cannot be written; name a file in a folder that exists and may be written")


def _write_json(path: Path, report: object) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(report, indent=1, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)

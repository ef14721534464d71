"""``nba evaluate log``: the value of a policy from a file of decisions that another one made."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from nba.output import Output

if TYPE_CHECKING:
    from nba.evaluation import Estimate

    _Kinds = argparse._SubParsersAction[argparse.ArgumentParser]

EXAMPLE = """\
examples:
  nba evaluate log decisions.csv
  nba evaluate log decisions.parquet --clip 20 --json

FILE has the columns action, probability, reward, target (the chance that the judged policy gives to the
logged action), and may have estimate_logged and estimate_target (for dr) and cluster (for the interval)."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add ``log``."""
    add_log(kinds_of(parser, "{log}"))


def kinds_of(parser: argparse.ArgumentParser, shown: str) -> _Kinds:
    """Prepare for what can be judged; ``shown`` are the names of all of it."""
    parser.epilog = EXAMPLE
    return parser.add_subparsers(dest="of", required=True, metavar=shown)


def add_log(kinds: _Kinds) -> None:
    """Add the judging of a file."""
    log = kinds.add_parser(
        "log",
        help="judge a logged file",
        description="Off-policy value of a logged file.",
        epilog=EXAMPLE,
    )
    log.add_argument("file", type=Path, metavar="FILE", help="CSV, Parquet or JSON Lines, .gz too")
    log.add_argument("--clip", type=_clip, default=math.inf, metavar="W", help="no weight counts more than this")
    log.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Judge, and print the estimate; a refused one too."""
    from dataclasses import asdict

    from nba.decision_log import read_decision_log
    from nba.evaluation import estimate

    log = read_decision_log(args.file)
    found = estimate(
        log.reward,
        log.probability,
        log.target,
        estimates=log.estimates,
        cluster=log.cluster,
        clip=args.clip,
    )
    if args.json:
        out.json(asdict(found))
    else:
        _show(found, out)
    return 0


def _show(found: Estimate, out: Output) -> None:
    out.table(
        ("", "value"),
        [
            (name, getattr(found, name))
            for name in ("n", "ips", "snips", "dr", "ess", "max_weight", "mean_weight", "clipped")
        ],
    )
    of = "dr" if found.dr is not None else "snips"
    if found.interval is not None:
        out.result(f"95 % interval of {of}: {found.interval[0]:.6g} to {found.interval[1]:.6g}")
    out.result(f"verdict: {found.verdict}. {found.why}")


def _clip(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a weight; write a number above 0")
    return number

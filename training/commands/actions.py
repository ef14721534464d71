"""``nba actions check``: who is eligible for each action, and which gate removes the rest."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from nba.door import moment, settings_at
from nba.output import Output

_BY_THE_CLOCK = ("quiet", "calendar")


def register(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    parser.epilog = "example:\n  nba actions check"
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    kinds = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    check = kinds.add_parser(
        "check",
        help="count for each action who is eligible, and which rule removes the rest",
        description=(
            "Send every contact through the gates of every action, as the service would at this moment, and count: how "
            "many each action may go to, and how many each rule removes. Nothing is logged."
        ),
        epilog="examples:\n  nba actions check\n  nba actions check --as-of 2026-11-23T10:00:00+01:00 --json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument("--as-of", metavar="T", help="as it stood at T (ISO 8601); now when left out")
    check.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Count and show."""
    from features.errors import UserError
    from features.store import Store
    from features.times import iso
    from models.belief import Belief
    from models.local import local_champion
    from training.actions_check import check_actions, placements_of
    from training.everybody import Everybody

    settings, as_of = settings_at(args, out), moment(args.as_of)
    if not settings.actions:
        raise UserError(
            'no action is defined; add one to nba.toml, such as [actions.sales_call] with channel = "phone"'
        )
    champion = local_champion(settings.folder)
    belief = None if champion is None else Belief.load(*champion)
    if belief is None:
        out.say("no champion is installed here; needs for a propensity are met by nobody (`nba train run` makes one)")
    with Store.open(settings.store.url) as store:
        everybody = Everybody.read(store, settings, as_of)
    if not everybody.names:
        raise UserError(f"the store holds no contacts before {iso(as_of)}; load some: `nba load touchpoints FILE`")
    steps = len(everybody.names) * len(placements_of(settings))
    with out.progress("contacts sent through the gates", steps) as shown:
        found = {"as_of": iso(as_of), **check_actions(everybody, settings, belief, advance=shown.advance)}
    if args.json:
        out.json(found)
    else:
        _show(found, out)
    return 0


def _show(found: Mapping[str, Any], out: Output) -> None:
    actions = found["actions"]
    out.result(f"{found['contacts']:,} contacts as of {found['as_of']}")
    out.result("")
    out.table(
        ("action", "channel", "placement", "eligible", "removed by"),
        [
            (name, each["channel"], each["placement"], each["eligible"], _spelt(each["removed"]))
            for name, each in actions.items()
        ],
    )
    if any(rule in each["removed"] for each in actions.values() for rule in _BY_THE_CLOCK):
        out.result("")
        out.result("quiet hours and the calendar remove by the clock: --as-of looks at another moment")


def _spelt(removed: Mapping[str, int]) -> str:
    return ", ".join(f"{rule} {n:,}" for rule, n in removed.items()) or "-"

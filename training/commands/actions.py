"""``nba actions check``: who is eligible for each action, and which gate removes the rest."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from nba.door import check_names, moment, settings_at
from nba.output import Output

_BY_THE_CLOCK = ("quiet", "calendar")


def register(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    parser.epilog = "example:\n  nba actions check"
    kinds = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    check = kinds.add_parser(
        "check",
        help="count for each action who is eligible, and which rule removes the rest",
        description=(
            "Send every contact through the gates of every action, as the service would at this moment, and count: how "
            "many each action may go to in each of its placements, and how many each rule removes: a contact counts "
            "under the first rule that removes it. Nothing is logged."
        ),
        epilog=(
            "examples:\n  nba actions check\n  nba actions check --placement infocenter\n"
            "  nba actions check --as-of 2026-11-23T10:00:00+01:00 --json"
        ),
    )
    check.add_argument("--as-of", metavar="T", help="as it stood at T (ISO 8601); default: now")
    check.add_argument(
        "--placement",
        metavar="P",
        help="only where it is shown there, such as outbound; default: all that actions name",
    )
    check.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Count and show."""
    from features.errors import UserError
    from features.store.store import Store
    from features.times import iso
    from models.belief import Belief
    from training.everybody.actions_check import check_actions, placements_of
    from training.everybody.everybody import Everybody

    settings, as_of = settings_at(args, out), moment(args.as_of)
    if not settings.actions:
        raise UserError(
            'no action is defined; add one to nba.toml, such as [actions.sales_call] with channel = "phone"'
        )
    placements = placements_of(settings)
    if args.placement is not None:
        check_names("--placement", [args.placement], placements)
        placements = [args.placement]
    belief = Belief.installed(settings.folder)
    if belief is None:
        out.say("no champion is installed here; needs for a propensity are met by nobody (`nba train run` makes one)")
    with Store.open(settings.store.url) as store:
        everybody = Everybody.read(store, settings, as_of)
    if not everybody.names:
        raise UserError(f"the store holds no contacts before {iso(as_of)}; load some: `nba load touchpoints FILE`")
    steps = len(everybody.names) * len(placements)
    with out.progress("contacts sent through the gates", steps) as shown:
        found = check_actions(everybody, settings, belief, placements, advance=shown.advance)
    found = {"as_of": iso(as_of), **found}
    if args.json:
        out.json(found)
    else:
        _show(found, out)
    return 0


def _show(found: Mapping[str, Any], out: Output) -> None:
    rows = [
        (name, each["channel"], placement, counts)
        for name, each in found["actions"].items()
        for placement, counts in each["placements"].items()
    ]
    out.result(f"{found['contacts']:,} contacts as of {found['as_of']}")
    out.result("")
    out.table(
        ("action", "channel", "placement", "eligible", "removed by"),
        [(*row, counts["eligible"], _spelt(counts["removed"])) for *row, counts in rows],
    )
    if any(rule in counts["removed"] for *_, counts in rows for rule in _BY_THE_CLOCK):
        out.result("")
        out.result("quiet hours and the calendar remove by the clock: --as-of looks at another moment")
    if found["kept_by_partners"] is not None:
        _show_kept(found["kept_by_partners"], rows, out)


def _show_kept(contacts: int, rows: Sequence[tuple[Any, ...]], out: Output) -> None:
    out.result("")
    out.result(
        f"not counted above: {contacts:,} or a few more whose partners keep recommendations to themselves; of these"
    )
    out.result("")
    out.table(
        ("action", "channel", "placement", "eligible"),
        [(*row, _at_least(counts["kept_by_partners"])) for *row, counts in rows],
    )


def _at_least(n: int | None) -> str:
    from nba.partners.visibility import FEWEST

    return f"fewer than {FEWEST}" if n is None else f"{n:,} or a few more"


def _spelt(removed: Mapping[str, int]) -> str:
    return ", ".join(f"{rule} {n:,}" for rule, n in removed.items()) or "-"

"""``nba correct``: a trait of a person gets its right value."""

from __future__ import annotations

import argparse
import getpass
from typing import TYPE_CHECKING

from nba.output import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXAMPLE = """\
examples:
  nba correct crm:4711 --set country=CH --set role=user --reason "told us on the phone"

The new value holds from now on. The old one stays as what was known before, because decisions were made by it;
`nba erase` takes it away with the person. A touchpoint that is wrong is corrected by its source."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = "Set traits of a person to their right values from now on."
    parser.epilog = _EXAMPLE
    parser.add_argument("identity", metavar="IDENTITY", help='any identity of the contact, such as "crm:4711"')
    parser.add_argument(
        "--set", metavar="TRAIT=VALUE", action="append", required=True, help="the right value; may be repeated"
    )
    parser.add_argument("--reason", metavar="R", required=True, help="why, without the person's name")
    parser.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Correct."""
    from features.store.store import Store
    from nba.door import now_us, settings_at
    from nba.privacy.correction import correct
    from nba.privacy.person import person_of

    values = _values(args.set)
    settings = settings_at(args, out)
    with Store.open(settings.store.url) as store:
        person = person_of(store, args.identity, settings.touchpoints)
        found = correct(store, person, values, reason=args.reason, by=getpass.getuser(), now=now_us())
    if args.json:
        out.json({"before": dict(found.before), "now": dict(found.now)})
        return 0
    for name, value in found.now.items():
        out.result(f"{name}: {value} (before: {found.before[name]})")
    out.say("the values from before stay as what was known then; only `nba erase` takes them away")
    return 0


def _values(given: Sequence[str]) -> dict[str, object]:
    from features.errors import UsageError
    from features.rows.cells import typed
    from nba.privacy.correction import is_shown_column

    found: dict[str, object] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--set: {each!r} is not TRAIT=VALUE; write one such as country=CH")
        found[name.strip()] = value if is_shown_column(name.strip()) else typed(value)
    return found

"""``nba views``: the views that BI tools read, whom they show, and who may read them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from nba.door import now_us, settings_at
from nba.output import Output

if TYPE_CHECKING:
    from features.store.store import Store

_EXAMPLE = """\
examples:
  nba views list
  nba views refresh
  nba views grant metabase
  nba views grant metabase --print

`nba score` refreshes them, too, and a running service does once a day and after partners' terms have changed. Who is
new, or has changed partner, account or identities since the last time, is in none of them before the next."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add listing, refreshing and granting."""
    parser.description = "List the SQL views that BI tools read; bring whom they show up to date; let a role read them."
    parser.epilog = _EXAMPLE
    below = parser.add_subparsers(dest="what", required=True, metavar="list | refresh | grant")
    shown = below.add_parser(
        "list", help="show the views and what a row of each is", epilog="example:\n  nba views list --json"
    )
    shown.add_argument("--json", action="store_true", help="write nothing but JSON to stdout, with every column")
    below.add_parser(
        "refresh",
        help="work out anew who is one contact with whom, and what partners' terms show of them",
        epilog="example:\n  nba views refresh",
    )
    grant = below.add_parser(
        "grant",
        help="let a role of PostgreSQL read the views and nothing else",
        epilog="examples:\n  nba views grant metabase\n  nba views grant metabase --print",
    )
    grant.add_argument(
        "role", metavar="ROLE", help="the role; make it first: CREATE ROLE metabase LOGIN PASSWORD '...'"
    )
    grant.add_argument("--print", action="store_true", dest="only_print", help="print the statements, and do nothing")


def run(args: argparse.Namespace, out: Output) -> int:
    """List, refresh or grant."""
    from features.store.store import Store

    settings = settings_at(args, out)
    with Store.open(settings.store.url) as store:
        if args.what == "list":
            _list(args.json, out)
        elif args.what == "refresh":
            from nba.partners.owner_sights import put_down

            found = put_down(store, settings, now_us())
            said = (
                "somebody else is refreshing them at this moment" if found is None else f"{found:,} contacts looked at"
            )
            out.result(said)
        else:
            _grant(store, args.role, args.only_print, out)
    return 0


def _list(as_json: bool, out: Output) -> None:
    from features.store.views import VIEWS

    if as_json:
        out.json(
            [
                {
                    "view": view.name,
                    "row": view.row,
                    "notes": view.notes,
                    "columns": [{"name": c.name, "type": c.type, "means": c.means} for c in view.columns],
                }
                for view in VIEWS
            ]
        )
        return
    for view in VIEWS:
        out.result(f"{view.name}\n    {view.row}")


def _grant(store: Store, role: str, only_print: bool, out: Output) -> None:
    from features.store.granting import grant, grants

    for statement in grants(store, role):
        out.result(f"{statement};")
    if not only_print:
        grant(store, role)
        out.say(f"{role} may now read the views, and nothing else of the store; it cannot write")

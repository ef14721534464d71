"""``nba audit``: whether the audit log holds, and what stands in it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from nba.output import Output

if TYPE_CHECKING:
    from features.rows.row_types import AuditRow

_EXAMPLE = """\
examples:
  nba audit verify
  nba audit list --json
  nba audit list --about crm:4711

Each entry holds the hash of the one before, so that an entry that was changed or taken out breaks the chain. What was
cut off at the end shows by the last hash: note it somewhere else now and then. Entries about persons name nobody;
--about finds those of a person whose identity you know, after an erasure too."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = "Check the audit log, or list its entries."
    parser.epilog = _EXAMPLE
    parser.add_argument("what", choices=["verify", "list"], help="verify the chain of hashes, or list the entries")
    parser.add_argument("--about", metavar="IDENTITY", help="list only what was done about this person")
    parser.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Verify or list; a broken chain is exit status 1."""
    from features.store.store import Store
    from nba.door import settings_at

    settings = settings_at(args, out)
    with Store.open(settings.store.url) as store:
        if args.what == "verify":
            return _verify(store, out, as_json=args.json)
        if args.about is None:
            rows = list(store.audit_rows())
        else:
            from features.identity.members import members_of
            from nba.privacy.person import EVER
            from nba.privacy.trail import entries_about

            rows = entries_about(store, members_of(store, args.about, EVER, settings.touchpoints).members)
    if args.json:
        out.json([_plain(row) for row in rows])
    elif not rows:
        out.say("no entries")
    else:
        columns = ("number", "at", "by", "what", "subject", "reason")
        out.table(columns, [[_plain(row)[name] for name in columns] for row in rows])
    return 0


def _verify(store: Any, out: Output, *, as_json: bool) -> int:
    from features.store.audit import check

    found = check(store.audit_rows())
    if as_json:
        out.json({"holds": found.fault is None, "entries": found.entries, "last": found.last, "fault": found.fault})
    elif found.fault is None:
        out.result(f"{found.entries:,} entries hold; the last hash is {found.last}")
    else:
        out.result(f"the audit log is broken after {found.entries:,} entries: {found.fault}")
    return 0 if found.fault is None else 1


def _plain(row: AuditRow) -> dict[str, Any]:
    import orjson

    from features.times import iso

    return {**row._asdict(), "at": iso(row.at), "details": orjson.loads(row.details)}

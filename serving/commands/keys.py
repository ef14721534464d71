"""``nba keys``: who may call the service, and what each caller may do."""

from __future__ import annotations

import argparse
import getpass
from typing import TYPE_CHECKING, Any

from features.errors import UsageError
from features.times import iso, parse_duration
from nba.door import now_us, settings_at
from nba.output import Output

if TYPE_CHECKING:
    from features.rows.row_types import KeyRow
    from features.store.store import Store
    from serving.issuing import Issued

_EXAMPLE = """\
examples:
  nba keys add crm --scopes recommend,feedback,read
  nba keys add anna --scopes read,recommend,feedback,ingest
  nba keys add mara --scopes read,admin
  nba keys add north --scopes recommend,feedback --partner north --rate 20
  nba keys add shop --public --origin https://shop.example
  nba keys rotate crm
  nba keys revoke k-5f0c31a7d2e4 --reason "rotated"

A key is shown once and stored nowhere but as its hash. A running service knows of a change within two seconds."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add making, listing, renewing and ending."""
    parser.description = (
        "Add, list, rotate and revoke API keys. With a live key the service may listen on other hosts; once it has had "
        "one, it asks for a key at every address but /healthz. Every change has an entry in the audit log."
    )
    parser.epilog = _EXAMPLE
    below = parser.add_subparsers(dest="what", required=True, metavar="add | list | rotate | revoke")
    added = below.add_parser(
        "add",
        help="make a key and show it, once",
        epilog="examples:\n  nba keys add crm --scopes recommend,feedback,read --expires 365d\n"
        "  nba keys add shop --public --origin https://shop.example",
    )
    added.add_argument("name", metavar="NAME", help="the person or system that will use it, such as anna or crm")
    added.add_argument(
        "--scopes",
        help="what it may do, by commas: ingest (send touchpoints, write notes), recommend, feedback, read (also opens "
        "the pages), privacy, admin (publish rules on the page Rules); public: ingest",
    )
    side = added.add_mutually_exclusive_group()
    side.add_argument("--partner", metavar="P", help="it sees and acts on this partner's contacts only")
    side.add_argument("--owner", metavar="O", help="it sees and acts on this owner's contacts only")
    added.add_argument("--public", action="store_true", help="it will stand in web pages, where everybody can read it")
    added.add_argument("--origin", action="append", default=[], metavar="URL", help="pages that may use it; repeatable")
    added.add_argument("--rate", type=float, metavar="N", help="how many calls a second it may make (no limit)")
    added.add_argument("--expires", metavar="D", help="how long it shall hold, such as 90d (until it is revoked)")
    listed = below.add_parser(
        "list", help="show all there ever were, but never a key itself", epilog="example:\n  nba keys list --json"
    )
    listed.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")
    rotated = below.add_parser(
        "rotate",
        help="make a second key with the same rights; both hold until the older one is revoked",
        epilog="example:\n  nba keys rotate crm",
    )
    rotated.add_argument("name", metavar="NAME", help="the name of a live key")
    rotated.add_argument("--expires", metavar="D", help="how long the new one shall hold (until it is revoked)")
    ended = below.add_parser(
        "revoke",
        help="end a key for ever, at once",
        epilog='example:\n  nba keys revoke crm --reason "the laptop was lost"',
    )
    ended.add_argument("key", metavar="NAME|ID", help="its name, or its id where two keys have the name")
    ended.add_argument("--reason", required=True, metavar="R", help="why, for whoever looks at it later")


def run(args: argparse.Namespace, out: Output) -> int:
    """Do one of the four."""
    from features.store.store import Store

    settings = settings_at(args, out)
    with Store.open(settings.store.url) as store:
        _ACTS[args.what](store, args, out)
    return 0


def _add(store: Store, args: argparse.Namespace, out: Output) -> None:
    from serving.issuing import PUBLIC_SCOPES, Rights, issue

    now = now_us()
    if args.scopes is None and not args.public:
        raise UsageError("--scopes is missing; name what the key may do, such as --scopes recommend,feedback")
    given = PUBLIC_SCOPES if args.scopes is None else tuple(each.strip() for each in args.scopes.split(","))
    rights = Rights(
        name=args.name,
        scopes=tuple(each for each in given if each),
        partner=args.partner,
        owner=args.owner,
        public=args.public,
        origins=tuple(args.origin),
        rate=args.rate,
        expires_at=_end(args.expires, now),
    )
    issued = issue(store, rights, by=_who("add"), now_us=now)
    _show(issued, out)
    if args.partner is not None and not store.record("partners", args.partner, now):
        out.say(f"note: the table partners has no {args.partner!r}; the key sees the contacts whose `partner` it is")


def _rotate(store: Store, args: argparse.Namespace, out: Output) -> None:
    from serving.issuing import rotate

    now = now_us()
    issued = rotate(store, args.name, by=_who("rotate"), now_us=now, expires_at=_end(args.expires, now))
    _show(issued, out)


def _revoke(store: Store, args: argparse.Namespace, out: Output) -> None:
    from serving.issuing import revoke

    row = revoke(store, args.key, reason=args.reason, by=_who("revoke"), now_us=now_us())
    out.say(f"Key {row.name} ({row.key_id}) is revoked; running services turn it away within two seconds.")


def _list(store: Store, args: argparse.Namespace, out: Output) -> None:
    from features.store.keys import stored_keys

    now = now_us()
    rows = [_described(row, now) for row in stored_keys(store)]
    if args.json:
        out.json({"keys": rows})
    elif rows:
        out.table([name for name in rows[0]], [[_cell(value) for value in row.values()] for row in rows])
    else:
        out.say("There are no keys; `nba keys add` makes one. Without any, the service answers this machine only.")


def _show(issued: Issued, out: Output) -> None:
    """Show a key on stdout, once, and what there is to know of it on stderr."""
    row = issued.row
    out.say(f"Key {row.name} ({row.key_id}): {', '.join(row.scopes)}. It is shown this once; keep it as a secret.")
    out.result(issued.key)
    for other in issued.beside:
        out.say(
            f"Key {other.key_id} of the same name holds too, until `nba keys revoke {other.key_id} --reason rotated`."
        )


def _described(row: KeyRow, now: int) -> dict[str, Any]:
    from serving.keys import is_live

    state = "revoked" if row.revoked_at is not None else "live" if is_live(row, now) else "expired"
    return {
        "id": row.key_id,
        "name": row.name,
        "state": state,
        "scopes": list(row.scopes),
        "partner": row.partner,
        "owner": row.owner,
        "public": row.public,
        "origins": list(row.origins),
        "rate": row.rate,
        "created_at": iso(row.created_at),
        "expires_at": None if row.expires_at is None else iso(row.expires_at),
        "revoked_at": None if row.revoked_at is None else iso(row.revoked_at),
    }


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else None
    return ",".join(value) or None if isinstance(value, list) else value


def _end(text: str | None, now: int) -> int | None:
    if text is None:
        return None
    try:
        return now + parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--expires: {error}") from None


def _who(act: str) -> str:
    """Say whose doing an act is: the command's, and who is signed in at this machine."""
    try:
        return f"nba keys {act} by {getpass.getuser()}"
    except (KeyError, OSError):
        return f"nba keys {act}"


_ACTS = {"add": _add, "list": _list, "rotate": _rotate, "revoke": _revoke}

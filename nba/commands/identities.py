"""``nba identities``: under which keys a contact is known and why, and how a wrong join is undone."""

from __future__ import annotations

import argparse
from itertools import pairwise
from typing import TYPE_CHECKING

from features.times import iso
from nba.commands import accounts, stitch
from nba.door import moment, now_us, settings_at
from nba.output import Output

if TYPE_CHECKING:
    from features.identity.members import Contact
    from features.store.store import Store
    from features.touchpoints.touchpoints import TouchpointRules
    from nba.settings.people import Partners

_EXAMPLE = """\
examples:
  nba identities show crm:4711
  nba identities show cookie:9f2 --as-of 2026-03-01 --json
  nba identities split crm:4711 cookie:9f2 --reason "the shop's own tablet"

A split holds from now on: what was decided before stays as it was, and only a link that a person confirms
(how = confirmed) joins the two again."""

_BY = "nba identities split"
_WRONG_USAGE = 2


def register(parser: argparse.ArgumentParser) -> None:
    """Add showing and splitting."""
    parser.description = "Show which identities are one contact and which links made them so; undo a wrong join."
    parser.epilog = _EXAMPLE
    below = parser.add_subparsers(dest="what", required=True, metavar="show | split | stitch | accounts")
    shown = below.add_parser(
        "show",
        help="show the identities of a contact, and which link joined which since when",
        epilog="examples:\n  nba identities show crm:4711\n  nba identities show cookie:9f2 --as-of 2026-03-01 --json",
    )
    shown.add_argument("identity", metavar="IDENTITY", help='any identity of the contact, such as "crm:4711"')
    shown.add_argument("--as-of", metavar="T", help="the moment, ISO 8601; default: now")
    shown.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")
    split = below.add_parser(
        "split",
        help="say that two identities are not one contact, from now on",
        epilog='example:\n  nba identities split crm:4711 cookie:9f2 --reason "the shop\'s own tablet"',
    )
    split.add_argument("identity_a", metavar="A", help="one identity")
    split.add_argument("identity_b", metavar="B", help="the other")
    split.add_argument("--reason", required=True, metavar="R", help="why, for whoever looks at it later")
    stitch.register(below.add_parser("stitch", help="join visitors who never log in by network, place and device"))
    accounts.register(below.add_parser("accounts", help="join contacts to the account of their mail domain"))


def run(args: argparse.Namespace, out: Output) -> int:
    """Show or split."""
    if args.what == "stitch":
        return stitch.run(args, out)
    if args.what == "accounts":
        return accounts.run(args, out)
    if args.what == "split" and not args.reason.strip():
        out.say("nba identities split: --reason is empty; write why, for whoever looks at it later")
        return _WRONG_USAGE
    from features.store.store import Store

    settings = settings_at(args, out)
    with Store.open(settings.store.url) as store:
        if args.what == "show":
            from features.identity.members import Contact, members_of

            as_of = moment(args.as_of)
            found = members_of(store, args.identity, as_of, settings.touchpoints)
            is_shown = _is_shown(store, found, settings.partners, as_of)
            if not is_shown:
                found = Contact.alone(args.identity)
            is_known = is_shown and _is_known(store, args.identity, as_of)
            if not is_known:
                out.say(f"nothing is known of {args.identity!r}; check the spelling (with its prefix, as in the files)")
            if args.json:
                out.json({"contact_id": found.contact_id, **found.to_json()})
            elif not is_known:
                out.result(found.contact_id)
            else:
                _show(found, out, has_links=bool(store.links_of(args.identity, as_of, 1)))
        else:
            _split(store, args, settings.touchpoints, out)
    return 0


def _is_known(store: Store, identity: str, as_of: int) -> bool:
    from features.lake.history import has_touchpoints

    links = store.links_of(identity, as_of, 1)
    return bool(links) or store.is_contact(identity, as_of) or has_touchpoints(store, identity)


def _is_shown(store: Store, contact: Contact, partners: Partners, as_of: int) -> bool:
    """Whether the owner may see under which keys a contact is known."""
    from nba.contact_traits import traits_of
    from nba.partners.visibility import OWNER_SIDE, sight_of
    from nba.tables.memory import tables_of

    traits = traits_of(store, contact.members, as_of)
    return sight_of(OWNER_SIDE, traits, tables_of(store, as_of).partners, partners, as_of).shows("identities")


def _show(contact: Contact, out: Output, *, has_links: bool) -> None:
    out.result(f"{contact.contact_id}: {len(contact.members)} identities" if contact.why else contact.contact_id)
    if not contact.why and has_links:
        out.say(
            "it has links, but none joins it: they are not sure enough (touchpoints.stitch_confidence), were split, or"
            " belong to a key that too many share (touchpoints.stitch_limit)"
        )
        return
    if not contact.why:
        out.say("nothing joins it with another identity; `nba load links FILE` loads links")
        return
    for member in contact.members:
        out.result(f"  {member}")
    out.result("")
    out.table(
        ("identity", "joined with", "since", "how", "confidence"),
        [(row.identity_a, row.identity_b, iso(row.seen_at), row.how or "-", row.confidence) for row in contact.why],
    )


def _split(store: Store, args: argparse.Namespace, rules: TouchpointRules, out: Output) -> None:
    """Store the split of a pair that a link joins now.

    Raises
    ------
    UserError
        Where no link joins the two: then there is nothing to undo, or another pair is to be split.
    """
    from features.errors import UserError
    from features.identity.members import members_of
    from features.rows.row_types import SplitRow

    a, b, now = args.identity_a, args.identity_b, now_us()
    contact = members_of(store, a, now, rules)
    if a == b or b not in contact.members:
        raise UserError(f"{a} and {b} are not one contact, so there is nothing to split; see `nba identities show {a}`")
    way = path(contact, a, b)
    if len(way) > 2:
        pairs = ", ".join(f"{left} {right}" for left, right in pairwise(way))
        raise UserError(
            f"no link joins {a} and {b} directly; they hang together by {pairs}; split the pair that is wrong"
        )
    with store.writing() as writing:
        writing.splits([SplitRow(a, b, now, args.reason, _BY)])
    left = members_of(store, a, now + 1, rules)
    if b in left.members:
        pairs = " - ".join(path(left, a, b))
        out.say(f"note: {a} and {b} still hang together by {pairs}; split what is wrong there too")
    _show(left, out, has_links=True)


def path(contact: Contact, a: str, b: str) -> list[str]:
    """Return the shortest way from one identity of a contact to another, link by link."""
    near: dict[str, list[str]] = {}
    for row in contact.why:
        near.setdefault(row.identity_a, []).append(row.identity_b)
        near.setdefault(row.identity_b, []).append(row.identity_a)
    ways = [[a]]
    seen = {a}
    for way in ways:
        if way[-1] == b:
            return way
        fresh = [other for other in near.get(way[-1], ()) if other not in seen]
        seen.update(fresh)
        ways += [[*way, other] for other in fresh]
    return []

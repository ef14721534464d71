"""``nba duplicates``: pairs of contacts that may be one person, for a person to confirm or refuse."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from features.errors import UserError
from nba.commands.identities import path
from nba.door import now_us, settings_at
from nba.output import Output

if TYPE_CHECKING:
    from features.identity.duplicates import Duplicate
    from features.identity.identity import Identities
    from features.store.store import Store
    from features.touchpoints.touchpoints import TouchpointRules
    from nba.settings import Settings
    from nba.settings.people import Partners

_BY = "nba duplicates"
_WRONG_USAGE = 2
_SHOWN = 50

_EXAMPLE = """\
examples:
  nba duplicates
  nba duplicates --limit 500 --json
  nba duplicates --confirm crm:4711 shop:88
  nba duplicates --refuse crm:4711 crm:4712 --reason "father and son"

Looked at are the columns email, phone, name, account and postcode (also zip, plz) of `contacts`. A key that many have,
such as info@ or a switchboard, joins nobody. Nothing is joined before a person confirms."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = "Show pairs of contacts that may be one person; confirm or refuse one."
    parser.epilog = _EXAMPLE
    word = parser.add_mutually_exclusive_group()
    word.add_argument("--confirm", nargs=2, metavar=("A", "B"), help="the two are one person from now on")
    word.add_argument("--refuse", nargs=2, metavar=("A", "B"), help="the two are not one person; never propose them")
    parser.add_argument("--reason", metavar="R", help="why, for whoever looks at it later; needed with --refuse")
    parser.add_argument("--limit", type=_count, default=_SHOWN, metavar="N", help=f"show at most N pairs ({_SHOWN})")
    parser.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Show, confirm or refuse."""
    from features.store.store import Store

    if args.refuse and not (args.reason and args.reason.strip()):
        out.say('nba duplicates: --refuse needs --reason, such as --reason "father and son"')
        return _WRONG_USAGE
    settings = settings_at(args, out)
    with Store.open(settings.store.url) as store:
        if args.confirm:
            a, b = args.confirm
            _confirm(store, a, b, settings.touchpoints, args.reason, out, as_json=args.json)
        elif args.refuse:
            a, b = args.refuse
            _refuse(store, a, b, settings.touchpoints, args.reason, out, as_json=args.json)
        else:
            _show(store, settings, args.limit, out, as_json=args.json)
    return 0


def _show(store: Store, settings: Settings, limit: int, out: Output, *, as_json: bool) -> None:
    from features.identity.duplicates import duplicates
    from features.identity.identity import Identities

    now, rules = now_us(), settings.touchpoints
    splits = list(store.split_rows(now))
    joined = Identities.of(store.link_rows(now), splits, rules)
    found = duplicates(
        store.contact_rows(now),
        group_of=lambda identity: joined.members(identity, now)[0],
        refused=[split[:2] for split in splits],
        limit=rules.stitch_limit,
    )
    found = [each for each in found if not _is_hidden(store, (each.a, each.b), joined, settings.partners, now)]
    if as_json:
        out.json([_plain(each) for each in found[:limit]])
        return
    if not found:
        out.say("no two contacts look like one person")
        return
    name_of = {each: store.traits(each, now).get("name") for pair in found[:limit] for each in (pair.a, pair.b)}
    out.table(
        ("score", "A", "B", "name of A", "name of B", "why"),
        [(f"{d.score:.2f}", d.a, d.b, name_of[d.a], name_of[d.b], ", ".join(d.reasons)) for d in found[:limit]],
    )
    if len(found) > limit:
        out.say(f"{limit:,} of {len(found):,} pairs; `--limit {len(found)}` shows all")
    out.say(
        "`nba duplicates --confirm A B` joins two, `nba duplicates --refuse A B --reason R` never proposes them again"
    )


def _is_hidden(store: Store, pair: tuple[str, str], joined: Identities, partners: Partners, now: int) -> bool:
    """Whether one of two belongs to a partner whose terms do not show who it is."""
    from nba.contact_traits import traits_of
    from nba.partners.visibility import OWNER_SIDE, sight_of
    from nba.tables.memory import tables_of

    known = tables_of(store, now).partners
    traits = (traits_of(store, joined.members(identity, now), now) for identity in pair)
    return any(not sight_of(OWNER_SIDE, each, known, partners, now).shows("identities") for each in traits)


def _confirm(
    store: Store, a: str, b: str, rules: TouchpointRules, reason: str | None, out: Output, *, as_json: bool
) -> None:
    """Store that two are one.

    Raises
    ------
    UserError
        Where one of the two is not known, both are the same identity, or they are one contact already.
    """
    import orjson

    from features.identity.members import members_of
    from features.rows.row_types import LinkRow

    now = now_us()
    _check(store, a, b, now)
    if b in members_of(store, a, now, rules).members:
        raise UserError(f"{a} and {b} are one contact already; `nba identities show {a}` tells why")
    told = {"by": _BY, **({"reason": reason} if reason else {})}
    with store.writing() as writing:
        writing.links([LinkRow(a, b, now, "confirmed", None, orjson.dumps(told).decode())])
    _say("confirmed", a, b, out, as_json=as_json)
    if b not in members_of(store, a, now + 1, rules).members:
        out.say(f"note: {a} or {b} has so many links that it is shared, and joins nobody; see touchpoints.stitch_limit")


def _refuse(store: Store, a: str, b: str, rules: TouchpointRules, reason: str, out: Output, *, as_json: bool) -> None:
    """Store that two are not one; where a link joins them, they are split from now on.

    Raises
    ------
    UserError
        Where one of the two is not known, or both are the same identity.
    """
    from features.identity.members import members_of
    from features.rows.row_types import SplitRow

    now = now_us()
    _check(store, a, b, now)
    with store.writing() as writing:
        writing.splits([SplitRow(a, b, now, reason.strip(), _BY)])
    _say("refused", a, b, out, as_json=as_json)
    left = members_of(store, a, now + 1, rules)
    if b in left.members:
        pairs = " - ".join(path(left, a, b))
        out.say(f"note: {a} and {b} still hang together by {pairs}; `nba identities split` the pair that is wrong")


def _check(store: Store, a: str, b: str, now: int) -> None:
    from features.lake.history import has_touchpoints

    if a == b:
        raise UserError(f"{a} is named twice; name two identities")
    unknown = [
        f"nothing is known of {identity!r}; `nba duplicates` shows the pairs, spelt as they are"
        for identity in (a, b)
        if not (store.is_contact(identity, now) or has_touchpoints(store, identity) or store.links_of(identity, now, 1))
    ]
    if unknown:
        raise UserError(unknown)


def _say(what: str, a: str, b: str, out: Output, *, as_json: bool) -> None:
    if as_json:
        out.json({"a": a, "b": b, "word": what})
    else:
        out.result(f"{what}: {a} and {b} are {'' if what == 'confirmed' else 'not '}one person")


def _plain(found: Duplicate) -> dict[str, object]:
    return {"a": found.a, "b": found.b, "score": found.score, "reasons": list(found.reasons)}


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of pairs; write 1 or more")
    return int(text)

"""``nba partners route``: which partner should take each lead that has none."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from nba.door import moment, settings_at
from nba.output import Output

if TYPE_CHECKING:
    from collections.abc import Collection

    from nba.partners.routing import Routed
    from training.partners.lead_routing import LeadRoutes

_WITHIN = "90d"
_NEXT = 2
_NOBODY = "nobody covers it, has room and did not decline it"


def register(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    parser.epilog = "examples:\n  nba partners route\n  nba partners route crm:4711 --json"
    kinds = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    route = kinds.add_parser(
        "route",
        help="name the partner who should take each lead",
        description=(
            "For each contact that nobody looks after, neither a partner nor an `owner`, and that did something of "
            "late: the partner who covers its place, has room, and is most likely to take it and to win it. Nothing "
            "is stored: whoever offers the lead sends a touchpoint `lead_offered`."
        ),
        epilog="examples:\n  nba partners route\n  nba partners route crm:4711 --json",
    )
    route.add_argument("identities", metavar="IDENTITY", nargs="*", help="only these; default: every lead")
    route.add_argument("--as-of", metavar="T", help="the moment, ISO 8601; default: now")
    route.add_argument("--within", metavar="D", default=_WITHIN, help=f"how long ago it did something ({_WITHIN})")
    route.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Route and show."""
    from features.errors import UsageError, UserError
    from features.identity.members import members_of
    from features.store.store import Store
    from features.times import iso, parse_duration
    from training.everybody.everybody import Everybody
    from training.partners.lead_routing import route_leads

    settings, as_of = settings_at(args, out), moment(args.as_of)
    try:
        within_us = parse_duration(args.within)
    except ValueError as error:
        raise UsageError(f"--within: {error}") from None
    with Store.open(settings.store.url) as store:
        everybody = Everybody.read(store, settings, as_of)
        if not everybody.surrounding.tables.partners:
            raise UserError("there are no partners; `nba load partners FILE` loads them")
        only = [members_of(store, each, as_of, settings.touchpoints).contact_id for each in args.identities]
        with out.progress("contacts looked at", len(everybody.names)) as shown:
            found = route_leads(everybody, settings, within_us=within_us, only=only, advance=shown.advance)
    if args.json:
        leads = [_lead(name, found) for name in found.leads]
        out.json({"as_of": iso(as_of), "leads": leads, "not_profiled": len(found.not_profiled)})
        return 0
    _show(found, args.within, out)
    _show_left_out(found, only, out)
    return 0


def _lead(name: str, found: LeadRoutes) -> dict[str, Any]:
    best = found.best.get(name)
    return {
        "contact_id": name,
        "topic": found.leads[name].topic,
        **({"partner": None} if best is None else _routed(best)),
        "next": [_routed(each) for each in found.others[name][:_NEXT]],
        "declined_by": sorted(found.leads[name].refused),
    }


def _routed(found: Routed) -> dict[str, Any]:
    return {
        "partner": found.partner,
        "chance": found.chance,
        "takes": found.takes,
        "wins": found.wins,
        "reasons": list(found.reasons),
    }


def _show(found: LeadRoutes, within: str, out: Output) -> None:
    if not found.leads:
        out.say(
            "no leads: every contact has a partner or an owner, waits for a partner's answer, or did nothing in the "
            f"last {within}"
        )
        return
    n, routed = len(found.leads), len(found.best)
    them = "it" if routed == 1 else "them"
    out.result(f"{n:,} lead{'s' * (n != 1)}, {routed:,} with a partner who should take {them}")
    out.result("")
    rows = []
    for name, lead in found.leads.items():
        best = found.best.get(name)
        then = ", ".join(each.partner for each in found.others[name][:_NEXT]) or "-"
        full = "the other leads fill those who would take it" if found.others[name] else _NOBODY
        cells = ("-", "-", "-", "-", full)
        if best is not None:
            chances = (f"{best.takes:.0%}", f"{best.wins:.0%}", f"{best.chance:.0%}")
            cells = (best.partner, *chances, "; ".join(best.reasons))
        rows.append((name, lead.topic, *cells[:4], then, cells[4]))
    out.table(("lead", "topic", "partner", "takes it", "then wins", "both", "next", "why"), rows)


def _show_left_out(found: LeadRoutes, asked: Collection[str], out: Output) -> None:
    for name in asked:
        if name in found.not_profiled:
            out.say(f"{name} may not be profiled (no consent), so that nobody is named for it")
        elif name not in found.leads:
            out.say(f"{name} has a partner or is not known, so that nobody is named for it")
    if found.not_profiled and not asked:
        n = len(found.not_profiled)
        who = "1 lead is" if n == 1 else f"{n:,} leads are"
        out.say(f"{who} left out, because who objects to profiling, or did not agree to it, is not judged")

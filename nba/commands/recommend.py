"""``nba recommend``: what the service would answer for a contact, now or then."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nba.output import Output

if TYPE_CHECKING:
    from pathlib import Path

    from models.belief import Belief
    from nba.request import Request

_EXAMPLE = """\
examples:
  nba recommend crm:4711
  nba recommend crm:4711 --as-of 2026-11-21T10:00:00Z --explain
  nba recommend crm:4711 --placement infocenter --limit 5
  nba recommend crm:4711 --exclude sales_call
  nba recommend crm:4711 --json

Nothing is logged: the next real request is not bound by what is shown here."""

_CATALOGUES = ("asset", "event", "product", "content")
_CALLER = b"nba recommend"
"""Of this command alone, so that its draws say nothing about those of the service."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the contact, the moment and the form."""
    parser.description = (
        "Show what the service would answer for a contact, now or then: its stage, chances and points, and the best "
        "allowed actions with their terms and reasons."
    )
    parser.epilog = _EXAMPLE
    parser.add_argument("identity", metavar="IDENTITY", help='the contact, such as "crm:4711"')
    parser.add_argument("--as-of", metavar="T", help="the moment, ISO 8601; default: now")
    parser.add_argument("--explain", action="store_true", help="show what was removed, and by which rule")
    parser.add_argument(
        "--placement",
        metavar="P",
        default="outbound",
        help="where it would be shown: outbound (default: we approach the contact), infocenter (what to read next), or "
        "one of your own that an action names",
    )
    parser.add_argument(
        "--exclude", metavar="ACTION", action="append", default=[], help="never this action; may be repeated"
    )
    parser.add_argument("--limit", metavar="N", type=int, default=3, help="how many at most, from 1 to 100; default: 3")
    parser.add_argument("--partner", metavar="P", help="as this partner sees it; default: as the owner does")
    parser.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Decide as the service would, and show it."""
    from nba.door import check_names, moment, settings_at
    from nba.settings.actions import INFOCENTER

    as_of = moment(args.as_of)
    settings = settings_at(args, out)
    check_names("--placement", [args.placement], settings.placements)
    check_names("--exclude", args.exclude, (*settings.actions, INFOCENTER))
    request = _request(args)

    from features.store.store import Store
    from features.times import iso
    from nba.actions import Catalogue
    from nba.draw import Draw
    from nba.engine import decide
    from nba.partners.partners import known_partners
    from nba.partners.seen_answer import seen_answer
    from nba.partners.visibility import Viewer, sight_in
    from nba.past import Past

    belief, degraded = _champion(settings.folder, out)
    catalogue, draw = Catalogue.of(settings), Draw(_CALLER)
    # What lies around a contact is read when a rule asks for it, so the store is open until all is decided.
    with Store.open(settings.store.url) as store:
        if args.partner is not None and not store.record("partners", args.partner, as_of):
            check_names("--partner", [args.partner], known_partners(store, as_of))
        past = Past.read(store, request.contact, as_of, settings.touchpoints, counted=catalogue.approach_rule)
        decision = decide(
            request,
            past,
            belief,
            catalogue,
            as_of,
            draw,
            degraded=degraded,
            report=lambda error: out.say(f"the model could not answer, so the points table did: {error}"),
        )
        sight = sight_in(Viewer(partner=args.partner), past, settings.partners, as_of)
    answer = seen_answer(decision.to_json(), sight, request.contact, settings, decision.language)
    if sight.is_nothing:
        # The decision's own name follows from the contact, and would tell which identities are one.
        answer["decision_id"] = draw.fresh_id(request.contact, request.placement, as_of)
    if sight.is_nothing or (past.is_empty and not past.traits):
        # Said of a hidden contact as well, which would otherwise be told from one that is unknown.
        out.say(
            f"nothing is known of {args.identity!r} before {iso(as_of)}, so that it is answered as a stranger; check "
            "the spelling (with its prefix, as in the files)"
        )
    if args.json:
        out.json(answer)
    else:
        _show(answer, out)
        if sight.shows("identities") and past.contact is not None and len(past.contact.members) > 1:
            out.result(f"known as: {', '.join(past.contact.members)}")
    return 0


def _request(args: argparse.Namespace) -> Request:
    from features.errors import UsageError
    from nba.request import Request, RequestError

    asked = {
        "contact": args.identity,
        "explain": args.explain,
        "placement": args.placement,
        "exclude": args.exclude,
        "limit": args.limit,
    }
    try:
        return Request.from_json(asked)
    except RequestError as error:
        raise UsageError(error.complaints) from None


def _champion(folder: Path, out: Output) -> tuple[Belief | None, bool]:
    """Return the bundle that serves here, and whether it should have been there and could not be read."""
    from models.local import local_champion

    found = local_champion(folder)
    if found is None:
        return None, False
    from features.errors import UserError
    from models.belief import Belief

    path, version = found
    try:
        return Belief.load(path, version), False
    except UserError as error:
        out.say(f"the champion {version} cannot be used, so the points table answers: {error}")
        return None, True


def _show(answer: Mapping[str, Any], out: Output) -> None:
    model = f"model {answer['model_version']}" if answer["model_version"] else "no model"
    notes = [f"mode {answer['mode']}", model]
    notes += ["holdout"] if answer["holdout"] else []
    notes += ["degraded"] if answer["degraded"] else []
    out.result(f"{answer['contact_id']} as of {answer['as_of']} ({', '.join(notes)})")
    out.result(f"stage: {answer['stage'] or '-'} (by the rules: {answer['stage_by_rule'] or '-'})")
    for goal, found in answer["propensities"].items():
        grade = f"grade {found['grade']}" if "grade" in found else f"{found['risk']} risk"
        trend = f", {found['trend']}" if found["trend"] else ""
        out.result(f"{goal}: {found['probability']:.1%}, {grade}{trend}")
        for side in ("for", "against"):
            if found.get(side):
                out.result(f"  {side}: {'; '.join(found[side])}")
    parts = [f"{entry['kind']} {entry['points']:g}" for entry in answer["points"]["log"]]
    out.result(f"points: {answer['points']['total']:g}" + (f" = {' + '.join(parts)}" if parts else ""))
    out.result("")
    _show_recommendations(answer, out)
    if "removed" in answer:
        _show_removed(answer, out)


def _show_recommendations(answer: Mapping[str, Any], out: Output) -> None:
    if answer["do_nothing"]:
        again = f"; ask again at {answer['again_at']}" if answer["again_at"] else ""
        out.result(f"do nothing{again}")
        return
    offered = answer["recommendations"]
    out.table(
        ("rank", "action", "channel", "executor", "priority", *offered[0]["terms"], "evidence"),
        [
            (
                each["rank"],
                each["action"],
                each["channel"],
                each["executor"],
                each["priority"],
                *each["terms"].values(),
                each["evidence"],
            )
            for each in offered
        ],
    )
    told = [each for each in offered if each["reasons"]]
    if told:
        out.result("")
    for each in told:
        about = [f"{name} {each[f'{name}_id']}" for name in _CATALOGUES if each[f"{name}_id"] is not None]
        named = f" ({', '.join(about)})" if about else ""
        out.result(f"{each['action']}{named}: {'; '.join(each['reasons'])}")


def _show_removed(answer: Mapping[str, Any], out: Output) -> None:
    out.result("")
    if answer["removed"]:
        out.table(
            ("removed", "rule", "why"),
            [(each["action"], each["rule"], each["detail"]) for each in answer["removed"]],
        )
    left = ", ".join(f"{gate} {n}" for gate, n in answer["left"].items())
    out.result(
        f"left after each gate: {left}" if left else "how many actions each gate left is not shown of this contact"
    )
    for driver in answer["drivers"]:
        sign = "raises" if driver["contribution"] > 0 else "lowers"
        out.result(f"{driver['goal']}: {sign} it: {driver['means']} ({driver['value']})")

"""``nba erase``: everything about a person goes, and what is sent again is refused."""

from __future__ import annotations

import argparse
import getpass

from nba.output import Output

_EXAMPLE = """\
examples:
  nba erase crm:4711 --reason "asked by letter of 3 May"

Under all identities of the contact: touchpoints, traits, links, scores, devices and rows of the quarantine go, from the
store and its lakes; decisions keep their chances under a name made up for them, so that policies can still be judged.
Digests of the identities stay, and whatever comes for them again is refused. It cannot be undone."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = "Erase a person under all identities; it cannot be undone."
    parser.epilog = _EXAMPLE
    parser.add_argument("identity", metavar="IDENTITY", help='any identity of the contact, such as "crm:4711"')
    parser.add_argument("--reason", metavar="R", required=True, help="why, without the person's name")
    parser.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Erase."""
    from features.store.store import Store
    from nba.door import now_us, settings_at
    from nba.privacy.erasure import erase
    from nba.privacy.person import person_of

    settings = settings_at(args, out)
    with Store.open(settings.store.url) as store:
        person = person_of(store, args.identity, settings.touchpoints)
        found = erase(store, person, reason=args.reason, by=getpass.getuser(), now=now_us(), folder=settings.folder)
    if args.json:
        out.json({"erased": True, "removed": dict(found.removed), "notes": found.sentences()})
        return 0
    told = ", ".join(f"{number:,} {kind}" for kind, number in found.removed.items() if number)
    out.result(f"erased: {told or 'nothing was left'}")
    for note in found.sentences():
        out.say(f"note: {note}")
    return 0

"""``nba restrict``: a person's data are kept and not used until the restriction is lifted."""

from __future__ import annotations

import argparse
import getpass

from nba.output import Output

_EXAMPLE = """\
examples:
  nba restrict crm:4711 --reason "disputes that the data are right"
  nba restrict crm:4711 --lift --reason "dispute settled"

While it lasts nothing is worked out from the person's data and nothing recommended: no features, no scores, no rows of
training, every channel closed. What comes in is kept."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = "Restrict the processing of a person's data, or lift the restriction."
    parser.epilog = _EXAMPLE
    parser.add_argument("identity", metavar="IDENTITY", help='any identity of the contact, such as "crm:4711"')
    parser.add_argument("--reason", metavar="R", required=True, help="why, without the person's name")
    parser.add_argument("--lift", action="store_true", help="the restriction is over")
    parser.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Restrict, or lift."""
    from features.store.store import Store
    from nba.door import now_us, settings_at
    from nba.privacy.person import person_of
    from nba.privacy.restriction import restrict

    settings = settings_at(args, out)
    with Store.open(settings.store.url) as store:
        person = person_of(store, args.identity, settings.touchpoints)
        restrict(store, person, reason=args.reason, by=getpass.getuser(), now=now_us(), lift=args.lift)
    if args.json:
        out.json({"restricted": not args.lift})
    else:
        out.result("the restriction is lifted" if args.lift else "restricted: kept, and not used until it is lifted")
        out.say("the next `nba score` scores it again" if args.lift else "its scores are gone")
    return 0

"""``nba export``: everything that is known of a person, as JSON."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from nba.output import Output

_EXAMPLE = """\
examples:
  nba export crm:4711
  nba export crm:4711 --out person.json
  nba export crm:4711 --link

Everything under all identities of the contact: links, touchpoints, traits with since when, consents with their proof,
decisions with why, outcomes, scores, rows of the quarantine that name it, and what was done about its rights.

--link prints the path of a page for the person itself, on this service, valid for 90 days: whoever has the link can see
what is known and choose channels, topics and rhythm. Send it to the person and to nobody else."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = "Write everything that is known of a person as JSON, for the person to read."
    parser.epilog = _EXAMPLE
    parser.add_argument("identity", metavar="IDENTITY", help='any identity of the contact, such as "crm:4711"')
    parser.add_argument("--link", action="store_true", help="print the path of the person's own page instead")
    parser.add_argument("--out", metavar="FILE", type=Path, help="write to this .json file; default: stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Export."""
    import orjson

    from features.store.store import Store
    from nba.door import file_in, now_us, settings_at
    from nba.privacy.export import export
    from nba.privacy.person import person_of
    from nba.privacy.tokens import USUAL_US, token_for
    from serving.secret import read_secret

    target = None if args.out is None else file_in(args.out, [".json"])
    settings = settings_at(args, out)
    with Store.open(settings.store.url) as store:
        person = person_of(store, args.identity, settings.touchpoints)
        if args.link:
            out.result(f"/me/{token_for(read_secret(settings.folder, os.environ), args.identity, now_us() + USUAL_US)}")
            return 0
        found = export(store, person, settings, now_us())
    if target is None:
        out.json(found)
        return 0
    target.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS) + b"\n")
    out.say(
        f"{target}: {len(found['touchpoints']):,} touchpoints and {len(found['decisions']):,} decisions of a person"
    )
    return 0

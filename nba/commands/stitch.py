"""``nba identities stitch``: join visitors who never log in by network, place and device."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from features.errors import UserError
from nba.door import now_us, settings_at
from nba.output import Output

if TYPE_CHECKING:
    from features.store.store import Store
    from features.touchpoints.touchpoints import TouchpointRules
    from nba.stitching import Found

_EXAMPLE = """\
examples:
  nba identities stitch
  nba identities stitch --json

Needs `visitor_stitching = true` under [touchpoints] of nba.toml, touchpoints with the properties network (or ip),
place (or city) and device (or device_model, user_agent), and the consent of each visitor: a touchpoint of kind
consent_given with the property channel = "stitching". `nba identities show` tells who was joined how, and
`nba identities split` undoes it."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = "Find cookies that took over from each other on one device, and write links between them."
    parser.epilog = _EXAMPLE
    parser.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Stitch everything that is in the store."""
    from features.store.store import Store
    from nba.stitching import stitch_store

    settings = settings_at(args, out)
    if not settings.touchpoints.visitor_stitching:
        raise UserError(
            "visitor stitching is off; write `visitor_stitching = true` under [touchpoints] of nba.toml to switch it "
            "on (it joins only visitors who agreed to it)"
        )
    with Store.open(settings.store.url) as store:
        found = stitch_store(store, settings.touchpoints, now_us())
    if args.json:
        out.json(_plain(found))
    else:
        _show(found, settings.touchpoints, out)
    return 0


def stitch_after_load(store: Store, rules: TouchpointRules, out: Output) -> None:
    """Stitch after touchpoints were loaded, and say so; what was loaded stays where that fails."""
    from nba.stitching import stitch_store

    try:
        found = stitch_store(store, rules, now_us())
    except UserError as error:
        out.say(f"visitors were not stitched ({error}); `nba identities stitch` tries again")
        return
    out.say(_sentence(found, rules))


def _show(found: Found, rules: TouchpointRules, out: Output) -> None:
    out.result(_sentence(found, rules))
    if not found.visitors:
        out.say("no touchpoint tells of network, place and device; `nba identities stitch --help` names the properties")
    elif not found.agreed:
        out.say("nobody agreed to stitching; `nba identities stitch --help` tells how consent is recorded")
    else:
        out.table(("confidence from", "pairs"), list(found.at.items()))


def _sentence(found: Found, rules: TouchpointRules) -> str:
    return (
        f"visitor stitching: {found.joining:,} pairs at a confidence of {rules.stitch_confidence:g} or more; "
        f"{found.new_links:,} links and {found.new_splits:,} splits are new"
    )


def _plain(found: Found) -> dict[str, object]:
    return {
        "visitors": found.visitors,
        "agreed": found.agreed,
        "pairs": found.joining,
        "by_confidence": [{"from": level, "pairs": count} for level, count in found.at.items()],
        "new_links": found.new_links,
        "new_splits": found.new_splits,
    }

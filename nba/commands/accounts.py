"""``nba identities accounts``: join contacts to the account of their mail domain."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from features.errors import UserError
from nba.door import moment, settings_at
from nba.output import Output

if TYPE_CHECKING:
    from features.store.store import Store
    from features.touchpoints.touchpoints import TouchpointRules
    from nba.mail_domains import Joined

_EXAMPLE = """\
examples:
  nba identities accounts
  nba identities accounts --json

Needs `email_domains = true` under [accounts] of nba.toml. The account of a domain is the one whose trait domain,
email_domain or website names it, else the one that others with such an address belong to, else one that is called like
the domain. Who belongs to an account already is left there; free mailers and consumers are never joined."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = (
        "Join contacts to the account of their mail domain, where nobody has said which they belong to."
    )
    parser.epilog = _EXAMPLE
    parser.add_argument("--as-of", metavar="T", help="look only at what became known before T (ISO 8601); default: now")
    parser.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Join everybody who is in the store."""
    from features.store.store import Store
    from nba.mail_domains import join_by_domain

    settings = settings_at(args, out)
    if not settings.accounts.email_domains:
        raise UserError("mail domains join nobody; write `email_domains = true` under [accounts] of nba.toml first")
    with Store.open(settings.store.url) as store:
        found = join_by_domain(store, settings.touchpoints, moment(args.as_of))
    if args.json:
        out.json(asdict(found))
    else:
        out.result(_sentence(found))
    return 0


def join_after_load(store: Store, rules: TouchpointRules, out: Output) -> None:
    """Join after contacts were loaded, and say so; what was loaded stays where that fails."""
    from nba.mail_domains import join_by_domain

    try:
        found = join_by_domain(store, rules, moment(None))
    except UserError as error:
        out.say(f"mail domains joined nobody ({error}); `nba identities accounts` tries again")
        return
    out.say(_sentence(found))


def _sentence(found: Joined) -> str:
    said = f"mail domains: {found.contacts:,} contacts joined to {found.accounts:,} accounts"
    return f"{said}; of {found.unclear:,} it is unclear, as several accounts are in question" if found.unclear else said

"""``nba features``: the catalogue, and where one contact's values came from."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from nba.output import Output

if TYPE_CHECKING:
    from features.feature_set import FeatureSet
    from features.store.store import Store
    from nba.commands.explained import TraitValue
    from nba.past import Past
    from nba.settings import Settings

_EXAMPLE = """\
examples:
  nba features list
  nba features explain crm:4711
  nba features explain crm:4711 --as-of 2026-11-21T10:00:00Z --all"""

_MANY = 2000
"""Touchpoints above which an explanation takes more than a few seconds."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    parser.description = "Show the features: every number the models know about a contact."
    parser.epilog = _EXAMPLE
    what = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    listing = what.add_parser(
        "list",
        help="list the catalogue: name, unit, window, meaning",
        epilog="examples:\n  nba features list\n  nba features list --json",
    )
    listing.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")
    explaining = what.add_parser(
        "explain",
        help="show a contact's values, each with the touchpoints it came from",
        epilog="examples:\n  nba features explain crm:4711\n"
        "  nba features explain crm:4711 --as-of 2026-11-21T10:00:00Z --all",
    )
    explaining.add_argument("identity", metavar="IDENTITY", help='the contact, such as "crm:4711"')
    explaining.add_argument("--as-of", metavar="T", help="the moment, ISO 8601; default: now")
    explaining.add_argument("--all", action="store_true", help="list every touchpoint of each value, and what is empty")
    explaining.add_argument("--json", action="store_true", help="write nothing but JSON to stdout; always everything")


def run(args: argparse.Namespace, out: Output) -> int:
    """List the catalogue, or explain a contact's values."""
    return _explain(args, out) if args.what == "explain" else _list(args, out)


def _list(args: argparse.Namespace, out: Output) -> int:
    from dataclasses import asdict

    from features.catalogue import CATALOGUE

    shown = [
        {
            **asdict(feature),
            "means": feature.means.replace("{}", "…"),
            "name": feature.name.replace("{}", "…"),
        }
        for feature in CATALOGUE
    ]
    if args.json:
        out.json(shown)
    else:
        out.table(
            ("name", "unit", "window", "meaning"),
            [(f["name"], f["unit"], f["window"], f["means"]) for f in shown],
        )
    return 0


def _explain(args: argparse.Namespace, out: Output) -> int:
    from nba.door import moment, settings_at

    as_of = moment(args.as_of)
    settings = settings_at(args, out)

    from features.explain import explain
    from features.store.store import Store
    from features.times import iso
    from nba.commands.explained import Told
    from nba.consent import Ledger
    from nba.partners.visibility import OWNER_SIDE, sight_in
    from nba.past import Past

    with Store.open(settings.store.url) as store:
        past = Past.read(store, args.identity, as_of, settings.touchpoints)
        members = past.contact.members if past.contact else (args.identity,)
        sight = sight_in(OWNER_SIDE, past, settings.partners, as_of)
        if sight.is_nothing or (past.is_empty and not past.traits):
            out.say(
                f"nothing is known of {args.identity!r} before {iso(as_of)}; "
                "check the spelling (with its prefix, as in the files), or load its touchpoints: `nba load`"
            )
            return 1
        if not sight.is_whole:
            out.say(f"the terms of its partner do not show what {args.identity!r} did; see [partners]")
            return 1
        if not Ledger(past.touchpoints, as_of, {}).may_profile(settings.contact_policy.consent):
            out.say(f"{args.identity!r} may not be profiled (no consent), so that it has no features")
            return 1
        features, columns_of = _columns(settings, past, as_of, out)
        if features.account:
            out.say("note: the model's columns about the account are not told here")
        if len(past.touchpoints) > _MANY:
            out.say(f"{len(past.touchpoints):,} touchpoints; this takes a while")
        told = Told(
            contact=past.contact.contact_id if past.contact else args.identity,
            identities=members,
            as_of=as_of,
            columns_of=columns_of,
            features=features,
            touchpoints=past.touchpoints,
            history=explain(past.touchpoints, features, as_of),
            traits=_traits(store, past, members, features, as_of),
            money=settings.money.base,
        )
    if args.json:
        out.json(told.to_json())
        return 0
    for line in told.lines(whole=args.all):
        out.result(line)
    return 0


def _columns(settings: Settings, past: Past, as_of: int, out: Output) -> tuple[FeatureSet, str]:
    """Choose the columns: those of the champion, else those that the contact's own touchpoints give.

    Without a model nobody has columns, and to choose them among everybody's touchpoints would take as long as a
    training; every kind, channel and topic of the contact itself then has its own.
    """
    from dataclasses import replace

    from features.errors import UserError
    from features.feature_set import PointWeights, choose
    from features.traits import Traits
    from models.local import local_champion

    found = local_champion(settings.folder)
    if found is not None:
        from models.belief import Belief

        path, version = found
        try:
            return Belief.load(path, version).features, f"the columns of model {version}"
        except UserError as error:
            out.say(f"the champion {version} cannot be used, so the contact's own columns are shown: {error}")
    points = settings.points
    features = choose(
        past.touchpoints,
        rules=settings.touchpoints,
        points=PointWeights(dict(points.kinds), points.once, points.half_life_us),
        topic_half_life=settings.topics.half_life_us,
        before=as_of,
    )
    known = Traits([("contact", as_of - 1, past.traits)])
    traits = known.choose(as_of, without=settings.privacy.protected)
    return replace(features, traits=traits), "no model serves, so the columns are those of this contact"


def _traits(store: Store, past: Past, members: tuple[str, ...], features: FeatureSet, as_of: int) -> list[TraitValue]:
    from features.traits import Traits, row_values
    from nba.commands.explained import TraitValue

    rows = [row for member in members for row in store.traits_of(member, as_of)]
    since = Traits(("contact", row.known_at, row.body) for row in rows).since("contact", as_of)
    values = row_values(past.traits, as_of, features.traits)
    return [
        TraitValue(feature, value, past.traits.get(column.name), since.get(column.name))
        for feature, column, value in zip(features.trait_features, features.traits, values, strict=True)
    ]

"""``nba evaluate content``: how often what the InfoCenter showed was read."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from nba.output import Output

if TYPE_CHECKING:
    from nba.infocenter.content_success import Rate

    _Kinds = argparse._SubParsersAction[argparse.ArgumentParser]


def add_content(kinds: _Kinds) -> None:
    """Add ``content``."""
    content = kinds.add_parser(
        "content",
        help="say how often what the InfoCenter showed was read, new topics beside known ones",
        description=(
            "Count the slots of placement infocenter that were shown at least 14 days ago, and those whose content the "
            "contact read within 14 days; for topics that were new to it, for the others, and for each new topic."
        ),
        epilog="examples:\n  nba evaluate content\n  nba evaluate content --as-of 2026-07-01 --json",
    )
    content.add_argument("--as-of", metavar="T", help="only what happened before T (ISO 8601) counts; default: now")
    content.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Count, and print the rates."""
    from dataclasses import asdict

    from features.store.store import Store
    from nba.door import moment, settings_at
    from nba.infocenter.content_success import Rate, shown_slots, success

    as_of, settings = moment(args.as_of), settings_at(args, out)
    with Store.open(settings.store.url) as store:
        found = success(shown_slots(store, as_of, settings.touchpoints, settings.partners))
    rates = {"new topics": found["new"], "known topics": found["known"]}
    if args.json:
        out.json(
            {
                name: asdict(each) if isinstance(each, Rate) else each
                for name, each in found.items()
                if name != "new_topics"
            }
            | {"new_topics": {topic: asdict(rate) for topic, rate in found["new_topics"].items()}}
        )
        return 0
    rates |= {f"  {topic}": rate for topic, rate in found["new_topics"].items()}
    out.table(("", "slots", "read", "rate", "95 % interval"), [(name, *_cells(rate)) for name, rate in rates.items()])
    between = found["difference"]["interval"]
    if between is not None:
        value = found["difference"]["value"]
        out.result(f"new less known: {value:+.1%}, 95 % interval {between[0]:+.1%} to {between[1]:+.1%}")
    return 0


def _cells(rate: Rate) -> tuple[str, ...]:
    between = rate.interval
    return (
        f"{rate.slots:,}",
        f"{rate.read:,}",
        "" if rate.rate is None else f"{rate.rate:.1%}",
        "" if between is None else f"{between[0]:.1%} to {between[1]:.1%}",
    )

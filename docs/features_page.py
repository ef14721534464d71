"""Write ``docs/features.md`` from the catalogue: ``make docs``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from features.catalogue import (
    ACCOUNT,
    NUMBER,
    OVERALL,
    OWN,
    OWN_CHANNEL,
    OWN_TYPE,
    PER_CHANNEL,
    PER_KIND,
    PER_TOPIC,
    STAGE,
    TRAIT,
    TRAIT_DATE,
    Feature,
)

PAGE = Path(__file__).with_name("features.md")

_HEAD = """\
# Features

A feature is one number about a contact at a moment `as_of`. Only what happened strictly before `as_of` counts.
A window such as `30d` is the half-open span `[as_of - 30 days, as_of)`; `ever` is everything before `as_of`.
What cannot be known is "not a number" (NaN), never 0: the mean gap of a contact with one touchpoint, for example.

The same compiled code fills these columns for one contact in a request and for millions of rows in training.
`{}` stands for a kind, a channel, a topic, a trait or a property. Which ones get columns of their own is chosen at
each training: the most frequent before the first test row. All others, and those that are first seen later,
share the columns of `(other)`. A bundle carries its choice, so a new kind never changes what a model sees.

This page is written by `make docs` from `features/catalogue.py`, and a test compares the two.
`nba features list` prints the same.
"""

_SECTIONS: tuple[tuple[str, str, tuple[Feature, ...]], ...] = (
    ("Per kind of touchpoint", "One set of columns for each of up to 12 kinds, and one for the rest.", PER_KIND),
    ("Per channel", "One set of columns for each of up to 8 channels, and one for the rest.", PER_CHANNEL),
    (
        "Per topic",
        "One set of columns for each of up to 12 topics, and one for the rest. Topics may lie below others: "
        "a touchpoint about `pumps/industrial` counts for `pumps` too, and an action about `pumps` matches it. "
        "Columns about all topics together take each touchpoint's topics as they are given.",
        PER_TOPIC,
    ),
    ("About the whole history", "Always there.", OVERALL),
    (
        "About the contact's account",
        "What everybody of the contact's account did, where accounts are known.",
        ACCOUNT,
    ),
    (
        "About the action or touchpoint itself",
        "For goals whose rows are made after a touchpoint (`snapshots.after`): how the action fits this contact.",
        (*OWN, OWN_TYPE, OWN_CHANNEL, NUMBER),
    ),
    (
        "Traits",
        "One column for each trait, as known at that moment. Names, addresses and the like, and the traits in "
        "`privacy.protected`, never become features.",
        (TRAIT, TRAIT_DATE),
    ),
    (
        "The stage",
        "Where stages were learnt before the first test row: by the same centres in training and in a request.",
        (STAGE,),
    ),
)


def page() -> str:
    """Return the whole page."""
    return "\n".join([_HEAD, *(_section(*each) for each in _SECTIONS)])


def _section(title: str, words: str, features: Iterable[Feature]) -> str:
    rows = [f"| `{each.name}` | {each.unit} | {each.window} | {each.means} |" for each in features]
    return "\n".join(
        [f"## {title}", "", words, "", "| name | unit | window | meaning |", "|---|---|---|---|", *rows, ""]
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

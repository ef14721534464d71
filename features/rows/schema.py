"""The tables that can be loaded and their columns; the only place where a column's name is spelt out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from features.errors import UserError

Kind = Literal["text", "number", "past", "time", "texts", "text or texts", "zone"]
"""``past`` is a time that may not lie more than a day ahead, ``texts`` a JSON list of texts."""


class SchemaError(UserError):
    """A file's columns are not those of the table."""


@dataclass(frozen=True)
class Column:
    """One column: what its values are, and which of them are right."""

    name: str
    kind: Kind = "text"
    required: bool = False
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    above: float | None = None
    empty_tells: bool = False
    """Whether a list of nothing is kept; else it is as if nothing stood there."""


@dataclass(frozen=True)
class Table:
    """One table that can be loaded.

    ``key`` names its rows, ``time`` says since when a row holds or when it happened. ``extras`` is where
    other columns go. Of every tuple in ``either`` one column at least is required.
    """

    name: str
    key: str
    time: str | None
    columns: tuple[Column, ...]
    extras: Literal["properties", "traits"] = "properties"
    either: tuple[tuple[str, ...], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    def check(self, columns: Iterable[str], *, where: str) -> None:
        """Refuse columns that lack a required one.

        Parameters
        ----------
        columns
            The file's columns, as they are called after renaming.
        where
            The file, as the sentence is to call it.

        Raises
        ------
        SchemaError
            A sentence for each column that is missing, with the likely one of the file where there is one.
        """
        found = list(columns)
        wanted = [(c.name,) for c in self.columns if c.required] + list(self.either)
        complaints = [
            self._missing(names, found, where) for names in wanted if not any(name in found for name in names)
        ]
        if complaints:
            raise SchemaError(complaints)

    def _missing(self, names: Sequence[str], found: list[str], where: str) -> str:
        needed = " or ".join(f"{name!r}" for name in names)
        near = _near(names[0], [name for name in found if name not in self.names])
        way = (
            f"is {near!r} meant? `--rename {near}={names[0]}` says so"
            if near
            else f"it has {', '.join(found) or 'none'}; `--rename THEIRS={names[0]}` tells which it is"
        )
        return f"{where} has no column {needed}, which {self.name} need; {way}"

    def doubtful(self, columns: Iterable[str]) -> list[str]:
        """Sentences about columns that are nearly called as one of the table's that the file lacks."""
        found = list(columns)
        absent = [name for name in self.names if name not in found]
        sentences = []
        for name in found:
            near = None if name in self.names else _near(name, absent)
            if near:
                sentences.append(
                    f"column {name!r} is kept among the {self.extras}; if {near!r} is meant, "
                    f"say `--rename {name}={near}`"
                )
        return sentences


def _near(name: str, candidates: Iterable[str]) -> str | None:
    folded = {candidate.strip().lower().replace(" ", "_"): candidate for candidate in candidates}
    hits = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.8)
    return folded[hits[0]] if hits else None


def _text(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name) for name in names)


DIRECTIONS = ("inbound", "outbound")

TOUCHPOINTS = Table(
    "touchpoints",
    key="touchpoint_id",
    time="occurred_at",
    columns=(
        Column("identity", required=True),
        Column("occurred_at", "past", required=True),
        Column("kind", required=True),
        *_text("touchpoint_id", "channel"),
        Column("direction", choices=DIRECTIONS),
        Column("topic"),
        Column("topics", "texts"),
        Column("value", "number"),
        Column("currency"),
        Column("margin", "number"),
        Column("duration", "number", low=0.0),
        *_text("decision_id", "source"),
    ),
)

CONTACTS = Table(
    "contacts",
    key="identity",
    time="known_at",
    columns=(
        Column("identity", required=True),
        Column("known_at", "past"),
        *_text("account", "partner", "owner", "name", "salutation", "phone", "email", "language", "country"),
        Column("timezone", "zone"),
        Column("role"),
        Column("person_type", choices=("business", "consumer")),
        Column("crm_url"),
    ),
    extras="traits",
)

LINKS = Table(
    "links",
    key="identity_a",
    time="seen_at",
    columns=(
        Column("identity_a", required=True),
        Column("identity_b", required=True),
        Column("seen_at", "past", required=True),
        Column("how", choices=("login", "alias", "click", "confirmed", "stitched")),
        Column("confidence", "number", low=0.0, high=1.0),
    ),
)

DECISIONS = Table(
    "decisions",
    key="decision_id",
    time="decided_at",
    columns=(
        Column("identity", required=True),
        Column("decided_at", "past", required=True),
        Column("action", required=True),
        Column("decision_id"),
        Column("probability", "number", above=0.0, high=1.0),
        Column("allowed", "texts"),
        Column("policy"),
        Column("topics", "texts"),
    ),
)

ACCOUNTS = Table(
    "accounts",
    key="account",
    time="known_at",
    columns=(Column("account", required=True), Column("known_at", "past"), *_text("name", "parent")),
    extras="traits",
)

PARTNERS = Table(
    "partners",
    key="partner",
    time="known_at",
    columns=(
        Column("partner", required=True),
        Column("known_at", "past"),
        *_text("name", "parent", "account"),
        Column("territory", "text or texts"),
        Column("topics", "texts"),
        Column("capacity", "number", low=0.0),
        Column("language"),
        Column("mode", choices=("partner_only", "partner_first", "inform", "direct")),
        Column("visible", "texts", empty_tells=True),
        Column("agreement_from", "time"),
        Column("agreement_to", "time"),
    ),
    extras="traits",
)

PRODUCTS = Table(
    "products",
    key="product_id",
    time="known_at",
    columns=(
        Column("product_id", required=True),
        Column("known_at", "past"),
        Column("topic"),
        Column("margin", "number"),
    ),
    extras="traits",
)

ASSETS = Table(
    "assets",
    key="asset_id",
    time="known_at",
    columns=(
        Column("asset_id", required=True),
        Column("known_at", "past"),
        *_text("identity", "account", "product_id", "partner"),
        Column("next_service_on", "time"),
        Column("contract_ends_on", "time"),
    ),
    extras="traits",
    either=(("identity", "account"),),
)

EVENTS = Table(
    "events",
    key="event_id",
    time="known_at",
    columns=(
        Column("event_id", required=True),
        Column("starts_at", "time", required=True),
        Column("known_at", "past"),
        Column("ends_at", "time"),
        Column("place"),
        Column("topics", "texts"),
        Column("seats", "number", low=0.0),
        Column("language"),
    ),
    extras="traits",
)

CONTENT = Table(
    "content",
    key="content_id",
    time="known_at",
    columns=(
        Column("content_id", required=True),
        Column("title", required=True),
        Column("topics", "texts", required=True),
        Column("known_at", "past"),
        Column("url"),
        Column("stages", "texts"),
        Column("roles", "texts"),
        Column("language"),
        Column("tone", choices=("plain", "promotional")),
        Column("valid_from", "time"),
        Column("valid_to", "time"),
    ),
    extras="traits",
)

RECORDS = ("accounts", "partners", "products", "assets", "events", "content")
"""Tables that are kept as one body per key and time it is known since."""

TABLES = MappingProxyType(
    {
        table.name: table
        for table in (
            TOUCHPOINTS,
            CONTACTS,
            LINKS,
            DECISIONS,
            ACCOUNTS,
            PARTNERS,
            PRODUCTS,
            ASSETS,
            EVENTS,
            CONTENT,
        )
    }
)

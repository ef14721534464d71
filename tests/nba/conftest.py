"""Pasts and settings in a few words; of the session, so that hypothesis may use them."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import pytest

from features.rows.row_types import DecisionRow
from features.times import parse_time
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
from nba.actions import Catalogue
from nba.consent import Ledger
from nba.contact_policy import Verdict, allowed
from nba.past import Past
from nba.request import Request
from nba.settings import parse_settings
from nba.situation import Situation
from nba.tables.surroundings import ALONE, Surroundings

CONTACT = "crm:1"

Row = tuple[Any, ...]
RowOf = Callable[..., Row]
PastOf = Callable[..., Past]
CatalogueOf = Callable[[str], Catalogue]
Judge = Callable[..., Verdict]


@pytest.fixture(scope="session")
def row() -> RowOf:
    """A touchpoint as the store reads it, at an ISO time or in microseconds."""

    def make(
        at: str | int,
        kind: str,
        *,
        channel: str | None = None,
        direction: str | None = None,
        topics: Sequence[str] = (),
        value: float | None = None,
        margin: float | None = None,
        decision_id: str | None = None,
        action: str | None = None,
        **properties: Any,
    ) -> Row:
        us = at if isinstance(at, int) else parse_time(at)
        return (
            CONTACT,
            us,
            "",
            kind,
            channel,
            direction,
            json.dumps(list(topics)) if topics else None,
            value,
            None,
            margin,
            None,
            decision_id,
            action,
            json.dumps(properties) if properties else None,
        )

    return make


@pytest.fixture(scope="session")
def past_of() -> PastOf:
    """The past of these rows, traits and decisions."""

    def make(
        *rows: Row,
        traits: Mapping[str, Any] | None = None,
        decisions: Sequence[DecisionRow] = (),
        around: Surroundings = ALONE,
    ) -> Past:
        ordered = sorted(((*r[:2], f"t{i:04}", *r[3:]) for i, r in enumerate(rows)), key=lambda r: r[:3])
        return Past(Touchpoints.from_rows(ordered, TouchpointRules()), traits or {}, decisions, around=around)

    return make


@pytest.fixture(scope="session")
def catalogue_of() -> CatalogueOf:
    """The catalogue of a settings file."""
    return cache(lambda toml: Catalogue.of(parse_settings(toml)))


@pytest.fixture(scope="session")
def judge(catalogue_of: CatalogueOf, past_of: PastOf) -> Judge:
    """The verdict of the contact policy on a contact with this past."""

    def run(
        toml: str,
        *rows: Row,
        traits: Mapping[str, Any] | None = None,
        decisions: Sequence[DecisionRow] = (),
        around: Surroundings = ALONE,
        request: Mapping[str, Any] | None = None,
        as_of: int = parse_time("2026-06-15T10:00:00Z"),
        **facts: Any,
    ) -> Verdict:
        catalogue = catalogue_of(toml)
        past = past_of(*rows, traits=traits, decisions=decisions, around=around)
        asked = Request.from_json({"contact": CONTACT, **(request or {})})
        ledger = Ledger(past.touchpoints, as_of, catalogue.channel_of)
        return allowed(Situation(catalogue, asked, past, past, as_of, ledger, **facts))

    return run

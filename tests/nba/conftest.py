"""Pasts and settings in a few words; of the session, so that hypothesis may use them."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import pytest

from features.row_types import DecisionRow
from features.times import parse_time
from features.touchpoints import TouchpointRules, Touchpoints
from nba.actions import Catalogue
from nba.past import Past
from nba.settings import parse_settings

CONTACT = "crm:1"

Row = tuple[Any, ...]
RowOf = Callable[..., Row]
PastOf = Callable[..., Past]
CatalogueOf = Callable[[str], Catalogue]


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

    def make(*rows: Row, traits: Mapping[str, Any] | None = None, decisions: Sequence[DecisionRow] = ()) -> Past:
        ordered = sorted(((*r[:2], f"t{i:04}", *r[3:]) for i, r in enumerate(rows)), key=lambda r: r[:3])
        return Past(Touchpoints.from_rows(ordered, TouchpointRules()), traits or {}, decisions)

    return make


@pytest.fixture(scope="session")
def catalogue_of() -> CatalogueOf:
    """The catalogue of a settings file."""
    return cache(lambda toml: Catalogue.of(parse_settings(toml)))

"""Consent with its proof: what a person agreed to, by which text, when and where, and what holds now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from features.touchpoints.touchpoints import Touchpoints
from models.saying.tongues import EN, say
from nba.consent import PROFILING, Ledger, word_of
from nba.settings.consent import Consent

Row = Mapping[str, Any]

_TEXTS = ("text_version", "text", "source", "ground", "url", "form")
"""Properties of a touchpoint that prove what was agreed to; the others are kept and shown as well."""


def consents(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return every word about consent, by time, with its proof.

    Parameters
    ----------
    rows
        Touchpoints as an export shows them.
    """
    return [_word(row) for row in rows if word_of(row["kind"]) is not None]


def _word(row: Row) -> dict[str, Any]:
    told = row.get("properties")
    properties = dict(told) if isinstance(told, Mapping) else {}
    about = properties.pop("channel", None) or row.get("channel")
    return {
        "at": row["occurred_at"],
        "word": row["kind"],
        "about": about,
        "came_by": row.get("channel"),
        "source": row.get("source") or None,
        "proof": {name: properties.pop(name) for name in _TEXTS if name in properties},
        "properties": properties,
    }


def standing(
    touchpoints: Touchpoints,
    as_of: int,
    channel_of: Mapping[str, str],
    consent: Consent,
    person_type: str | None,
    language: str = EN,
) -> dict[str, Any]:
    """Say what holds at a moment: per channel what is asked for, and whether it is met, or why not.

    A double opt-in that was not confirmed is not met, and says so.
    """
    ledger = Ledger(touchpoints, as_of, channel_of)
    channels = sorted({*channel_of.values(), *ledger.channels} - {PROFILING})
    found: dict[str, Any] = {"restricted": ledger.is_restricted, "profiling": ledger.may_profile(consent)}
    found["channels"] = {name: _channel(ledger, consent, name, person_type, language) for name in channels}
    return found


def _channel(ledger: Ledger, consent: Consent, name: str, person_type: str | None, language: str) -> dict[str, Any]:
    refusal = ledger.refusal(consent, name, person_type)
    why_not = None if refusal is None else say(refusal, language)
    return {"asks": consent.asks(name, person_type), "allowed": refusal is None, "why_not": why_not}

"""Why something was recommended, in words that a person without training understands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from features.rows.row_types import DecisionRow
from models.saying.said import Said
from models.saying.tongues import EN, say
from nba.actions import DO_NOTHING

_TERMS = ("propensity", "without_action", "value", "lever", "context", "cost")
_MODES = ("learned", "constant", "points", "default")


def in_words(row: DecisionRow, language: str = EN) -> str:
    """Say what was decided, with which chance, and what led to it.

    The reasons are those that were given then, in the language of that answer.

    Examples
    --------
    >>> in_words(DecisionRow("d", "crm:1", 0, "call", 0.9, chances={"do_nothing": 0.1, "call": 0.9}, mode="points"))
    "On 1970-01-01 00:00 UTC the action 'call' was chosen among 2 that were allowed, by the points table; it was drawn \
with a chance of 90%."
    """
    allowed = len(row.allowed or row.chances or ())
    parts = {
        "at": row.decided_at,
        "action": row.action,
        "among": Said("why.among", {"n": allowed}) if allowed else "",
        "how": Said(f"why.{row.mode}") if row.mode in _MODES else "",
        "chance": "" if row.probability is None else Said("why.chance", {"percent": round(100 * row.probability, 4)}),
        "worth": _worth(row),
        "because": _because(row),
    }
    return say(Said("why.nothing" if row.action == DO_NOTHING else "why.action", parts), language)


def _worth(row: DecisionRow) -> Said | str:
    terms = (row.terms or {}).get(row.action)
    if not isinstance(terms, Mapping):
        return ""
    said = {name: terms.get(name) for name in ("priority", *_TERMS)}
    is_whole = all(isinstance(value, int | float) for value in said.values())
    return Said("why.worth", said) if is_whole else ""


def _because(row: DecisionRow) -> Said | str:
    said = reasons(row)
    return Said("why.because", {"reasons": "; ".join(said)}) if said else ""


def reasons(row: DecisionRow) -> Sequence[str]:
    """Return the reasons that were given with the first recommendation of a decision."""
    if row.answer is None:
        return ()
    try:
        offers = orjson.loads(row.answer).get("recommendations") or []
    except (orjson.JSONDecodeError, AttributeError):
        return ()
    first = offers[0] if isinstance(offers, list) and offers else {}
    found = first.get("reasons") if isinstance(first, Mapping) else None
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else ()

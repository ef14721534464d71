"""Why something was recommended, in words that a person without training understands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from features.rows.row_types import DecisionRow
from features.times import iso
from nba.actions import DO_NOTHING

_TERMS = ("propensity", "without_action", "value", "lever", "context", "cost")
_WORTH = (
    " It was thought worth {priority}: the chance of success with it was put at {propensity} and without it at "
    "{without_action}, a success at {value}, weighed by {lever} and {context}, less a cost of {cost}."
)
_MODES = {
    "learned": "by what was learnt from the past of all contacts",
    "constant": "because it was the best action for everybody",
    "points": "by the points table",
    "default": "by rules alone, without looking at the person",
}


def in_words(row: DecisionRow) -> str:
    """Say what was decided, with which chance, and what led to it.

    Examples
    --------
    >>> in_words(DecisionRow("d", "crm:1", 0, "call", 0.9, chances={"do_nothing": 0.1, "call": 0.9}, mode="points"))
    "On 1970-01-01T00:00:00Z the action 'call' was chosen among 2 that were allowed, by the points table; it was drawn \
with a chance of 90 %."
    """
    what = "to do nothing" if row.action == DO_NOTHING else f"the action {row.action!r}"
    among = f" among {len(row.allowed or row.chances or ())} that were allowed" if row.allowed or row.chances else ""
    how = f", {_MODES[row.mode]}" if row.mode in _MODES else ""
    chance = "" if row.probability is None else f"; it was drawn with a chance of {100 * row.probability:.4g} %"
    verb = "it was decided" if row.action == DO_NOTHING else ""
    said = " ".join(part for part in (verb, what, "" if row.action == DO_NOTHING else "was chosen") if part)
    return f"On {iso(row.decided_at)} {said}{among}{how}{chance}.{_worth(row)}{_because(row)}"


def _worth(row: DecisionRow) -> str:
    terms = (row.terms or {}).get(row.action)
    if not isinstance(terms, Mapping) or "propensity" not in terms:
        return ""
    said = {name: terms.get(name) for name in ("priority", *_TERMS)}
    return _WORTH.format(**said)


def _because(row: DecisionRow) -> str:
    said = reasons(row)
    return f" What spoke for it: {'; '.join(said)}." if said else ""


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

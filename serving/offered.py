"""What a decision offered, and which of it a piece of feedback is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from features.frozen import Frozen
from features.rows.row_types import DecisionRow
from nba.actions import DO_NOTHING
from nba.reading_list import CONTENT, slots_of

IDS = ("product_id", "content_id", "event_id", "asset_id")
"""Names of what a recommendation may be about."""


@dataclass(frozen=True)
class Offered:
    """One action of a decision, with the ids of what it is about."""

    action: str
    ids: Mapping[str, str]
    topics: Sequence[str] | None = None

    def is_about(self, action: str | None, ids: Mapping[str, str]) -> bool:
        """Whether feedback with this action and these ids can be about it; what is left out may be anything."""
        return action in (None, self.action) and all(self.ids.get(name) == each for name, each in ids.items())


def offered(decision: DecisionRow) -> tuple[Offered, ...]:
    """Return everything that a decision offered: its choice, the ranks below it, every slot.

    Of a decision that was loaded and not made here nothing but its action is known, and what was allowed besides.
    """
    topics = {slot.get(CONTENT): slot.get("topics") for slot in slots_of(decision)}
    told = orjson.loads(decision.answer).get("recommendations", ()) if decision.answer else ()
    found = [_of(each, topics.get(each.get(CONTENT))) for each in told if each.get("action")]
    if decision.action not in {each.action for each in found}:
        found.insert(0, _of({**(decision.properties or {}), "action": decision.action}, None))
    if not decision.answer:
        found += [Offered(name, Frozen()) for name in decision.allowed or () if name != decision.action]
    return tuple(found)


def narrowed(decision: DecisionRow, action: str | None, ids: Mapping[str, str]) -> Offered | None:
    """Return what feedback is about, with everything that is certain of it; None where no such thing was offered.

    Where several fit, such as slots with one action, no id is added to those that were given.
    """
    if action == DO_NOTHING and not ids:
        return Offered(DO_NOTHING, Frozen())
    # Without any word of its own it is about what was chosen.
    asked = decision.action if action is None and not ids else action
    found = [each for each in offered(decision) if each.is_about(asked, ids)]
    if not found:
        return None
    first = found[0]
    return first if len(found) == 1 else Offered(first.action, Frozen(ids))


def _of(told: Mapping[str, Any], topics: object) -> Offered:
    ids = {name: told[name] for name in IDS if isinstance(told.get(name), str)}
    return Offered(told["action"], Frozen(ids), topics if isinstance(topics, list) else None)

"""What a contact could read next: for its language, stage and role, valid now, neither read nor shown lately."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import orjson

from features.rows.row_types import DecisionRow
from nba.approach_rule import OUTBOUND
from nba.languages import is_spoken
from nba.past import Past
from nba.situation import Situation
from nba.tables.tables import Content

SLOTS = "slots"
"""Under this name a decision keeps what its slots were filled with."""
CONTENT = "content_id"
"""The property that says which content a touchpoint, a slot or a decision is about."""

_ADDRESS = "url"


def readable(at: Situation) -> list[Content]:
    """Return what could be read next, by id."""
    seen = seen_at(at)
    content = at.past.around.tables().content.values()
    found = [each for each in content if each.content_id not in seen and suits(each, at)]
    return sorted(found, key=lambda each: each.content_id)


def suits(content: Content, at: Situation) -> bool:
    """Whether something is valid now and meant for such a contact; what is not known of it speaks against nothing."""
    if content.valid_from is not None and at.as_of < content.valid_from:
        return False
    if content.valid_to is not None and at.as_of >= content.valid_to:
        return False
    if content.stages and at.stage not in content.stages and at.rule_stage not in content.stages:
        return False
    role = at.known.traits.get("role")
    if content.roles and isinstance(role, str) and role not in content.roles:
        return False
    return is_spoken(content.language, at.past.traits.get("language"))


def seen_at(at: Situation) -> Mapping[str, int]:
    """Return when each content was last read or shown, of what still rests.

    It was read where a touchpoint of the contact names its id or its address, and shown where an outbound touchpoint
    names its id, or where it filled a slot of a decision that was carried out or went out with one.
    """
    since = at.as_of - at.catalogue.settings.content.pause_us
    found: dict[str, int] = {}
    met = ((content, moment) for content, moment, _ in touched(at.past, since))
    for content, moment in (*met, *_shown(at, since)):
        found[content] = max(moment, found.get(content, moment))
    return found


def rests_until(at: Situation) -> int | None:
    """Return the earliest time at which the clock alone brings something to read; None where it never will."""
    pause, tables = at.catalogue.settings.content.pause_us, at.past.around.tables()
    # The pause is half-open like every window: what was seen exactly so long ago still rests.
    rested = [moment + pause + 1 for content, moment in seen_at(at).items() if content in tables.content]
    begin = [each.valid_from for each in tables.content.values() if each.valid_from is not None]
    return min((moment for moment in (*rested, *begin) if moment > at.as_of), default=None)


def touched(past: Past, since: int) -> Iterator[tuple[str, int, bool]]:
    """Yield each content that a touchpoint from ``since`` on was about, when that was, and whether the contact read it.

    Otherwise it was sent to it.
    """
    t, pages = past.touchpoints, past.around.tables().pages
    for row in range(int(t.occurred_at.searchsorted(since)), len(t)):
        text, is_read = t.properties[row], not t.outbound[row]
        if text and (CONTENT in text or _ADDRESS in text):
            properties = orjson.loads(text)
            names = [*_named(properties.get(CONTENT)), *(pages.at(properties.get(_ADDRESS)) if is_read else ())]
            yield from ((content, past.times[row], is_read) for content in names)


def _shown(at: Situation, since: int) -> Iterator[tuple[str, int]]:
    for row in at.past.decisions:
        moment = row.carried_out_at
        if row.chances is None or row is at.held or moment is None or not since <= moment < at.as_of:
            continue
        properties = row.properties or {}
        for slot in slots_of(row):
            yield from ((content, moment) for content in _named(slot.get(CONTENT)))
        if (row.placement or OUTBOUND) == OUTBOUND:
            yield from ((content, moment) for content in _named(properties.get(CONTENT)))


def slots_of(row: DecisionRow) -> Sequence[Mapping[str, object]]:
    """Return what the slots of a decision were filled with; nothing where it had none."""
    found = (row.properties or {}).get(SLOTS)
    return [slot for slot in found if isinstance(slot, Mapping)] if isinstance(found, list) else []


def _named(value: object) -> Sequence[str]:
    found = value if isinstance(value, list) else [value]
    return [each for each in found if isinstance(each, str)]

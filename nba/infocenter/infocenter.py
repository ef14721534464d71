"""Placement ``infocenter``: slots filled with what this contact should read next, from the table ``content``.

An allowed action that is for this placement carries the content about its topics. What none carries the placement
shows by itself, under the name ``infocenter`` and on channel ``web``: it approaches nobody, but holds, pauses, wishes,
the partner's terms and an objection to everything count all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from models.saying.said import Said
from models.saying.tongues import say
from nba.actions import DO_NOTHING, about_same
from nba.choice import Choice, repeated
from nba.contact_policy import GATES
from nba.decision import Recommendation
from nba.draw import Draw
from nba.infocenter.content_choice import Filling, Shares, Shelf, fill
from nba.interests import FADED, Interests
from nba.offers import offer
from nba.priority import Terms
from nba.reading_list import CONTENT, SLOTS, readable, rests_until, slots_of, suits
from nba.reasons import MOST_REASONS, Story
from nba.settings.actions import INFOCENTER, Action
from nba.situation import Situation
from nba.sticky import RESTRICTED, Judged, held_choice, is_as_known
from nba.tables.tables import Content, Subject

if TYPE_CHECKING:
    from features.rows.row_types import DecisionRow

CARRIER = Action(name=INFOCENTER, channel="web", placements=(INFOCENTER,))
"""What shows content that no action carries."""

_FREE = Terms(propensity=0.0, without_action=0.0, value=0.0, lever=1.0, context=1.0, cost=0.0)
_BY_TOPIC = ("preference", "paused")
"""Gates that look at topics: an action may be about more than the content that it carries."""
_OF_THE_PLACE = (*_BY_TOPIC, "partner", "hold", "excluded")


_FILLED, _ASKED, _ROOT = "filled", "asked", "root"
"""Names under which a decision keeps what it filled, how many slots were asked for, and whose draws it goes on with."""


@dataclass(frozen=True)
class Slot:
    """What a slot was filled with, and its chance given the slots before; ``is_new`` is about its topics."""

    content: Content
    action: Action
    probability: float
    is_new: bool

    def to_json(self) -> dict[str, object]:
        """Return it as the log keeps it."""
        return {
            CONTENT: self.content.content_id,
            "action": self.action.name,
            "topics": list(self.content.topics),
            "probability": self.probability,
            "new": self.is_new,
            "promotional": self.content.tone == "promotional",
        }


@dataclass(frozen=True)
class Filled:
    """An answer of the placement; ``choice`` is about the first slot."""

    choice: Choice
    offered: tuple[Recommendation, ...]
    properties: Mapping[str, object]
    topics: tuple[str, ...]
    again_at: int | None


def filled(found: Judged, terms: Sequence[Terms], draw: Draw) -> Filled | None:
    """Fill the slots; None where something else is asked for, or there is no content to fill them with."""
    at = found.situation
    if at.request.placement != INFOCENTER or not at.past.around.tables().content:
        return None
    carriers = _Carriers(found, terms)
    bounds = {_FILLED: INFOCENTER, "exclude": sorted(at.request.exclude)}
    held, usual = _held(at, bounds)
    base = held or usual
    slots = [] if base is None else [slot for row in slots_of(base) if (slot := _again(row, at, carriers)) is not None]
    if base is not None and slots and _is_enough(base, slots, at, is_own=held is not None):
        return _answer(repeated(base), slots[: at.request.limit], base.properties or {}, at, carriers)
    choice, slots, root = _drawn(at, carriers, draw, base, slots[: at.request.limit])
    if held is not None and held.action == choice.action == DO_NOTHING:
        choice = repeated(held)
    kept = {RESTRICTED: bounds, SLOTS: [slot.to_json() for slot in slots], _ASKED: at.request.limit, _ROOT: root}
    return _answer(choice, slots, kept, at, carriers)


def _held(at: Situation, bounds: Mapping[str, object]) -> tuple[DecisionRow | None, DecisionRow | None]:
    """Return the answer that such requests have had, and else the one that others have had."""
    sticky_us = at.catalogue.settings.ranking.sticky_us
    held = held_choice(at.past, sticky_us, at.as_of, bounds)
    if held is not None and is_as_known(held, at):
        return held, None
    free = held_choice(at.past, sticky_us, at.as_of, {**bounds, "exclude": []})
    free = free or held_choice(at.past, sticky_us, at.as_of, lambda found: found is not None and _FILLED in found)
    return None, free if free is not None and is_as_known(free, at) else None


def _is_enough(base: DecisionRow, slots: Sequence[Slot], at: Situation, *, is_own: bool) -> bool:
    """Whether an earlier answer needs no more slots: as many were asked for, and the request took none of them away."""
    asked = (base.properties or {}).get(_ASKED)
    limit = at.request.limit
    return len(slots) >= limit or (
        isinstance(asked, int) and limit <= asked and (is_own or len(slots) == len(slots_of(base)))
    )


class _Carriers:
    """Which action carries a content, with its terms."""

    def __init__(self, found: Judged, terms: Sequence[Terms]) -> None:
        at = self._at = found.situation
        columns = sorted(found.verdict.columns[1:], key=lambda column: (-terms[column - 1].priority, column))
        self._named = [at.catalogue.action(column) for column in columns]
        self.terms = {action.name: terms[at.catalogue.column[action.name] - 1] for action in self._named}
        self._gates = [(name, gate) for name, gate, _ in GATES]
        self._found: dict[tuple[str, ...], Action | None] = {}
        asked = at.catalogue.settings.contact_policy.consent
        # An action that is called so by the settings is theirs.
        self._shows_itself = (
            INFOCENTER not in at.catalogue.column and at.ledger.refusal(asked, CARRIER.channel, at.person_type) is None
        )

    def of(self, content: Content) -> Action | None:
        """Return the carrying action of the highest priority; None where the content may not be shown."""
        topics = content.topics
        if topics not in self._found:
            self._found[topics] = self._carrier(topics)
        return self._found[topics]

    def _carrier(self, topics: tuple[str, ...]) -> Action | None:
        for action in self._named:
            is_about = not action.topics or any(about_same(topic, action.topics) for topic in topics)
            if is_about and self._passes(action, topics, _BY_TOPIC):
                return action
        return CARRIER if self._shows_itself and self._passes(CARRIER, topics, _OF_THE_PLACE) else None

    def _passes(self, action: Action, topics: tuple[str, ...], names: Sequence[str]) -> bool:
        gates = [gate for name, gate in self._gates if name in names]
        about = replace(action, topics=topics) if gates else action
        return all(gate(about, self._at) is None for gate in gates)


def _drawn(
    at: Situation, carriers: _Carriers, draw: Draw, base: DecisionRow | None, given: Sequence[Slot]
) -> tuple[Choice, list[Slot], str]:
    """Fill what is left after the slots that are ``given`` again; returns the root of the draws, too.

    Whoever asks in ever new ways gets one draw a slot, and not as many as it asks for.
    """
    request, settings = at.request, at.catalogue.settings
    there = {content.content_id: content for content in readable(at) if carriers.of(content) is not None}
    there |= {slot.content.content_id: slot.content for slot in given}
    contents = [there[name] for name in sorted(there)]
    shelf = _shelf(contents, at)
    shares = Shares(settings.content.fresh_share, settings.content.plain_share, settings.ranking.epsilon)
    filling = Filling(shelf, shares, request.limit)
    first = filling.chances().tolist()
    for slot in given:
        filling.put(contents.index(slot.content))
    decision_id = request.decision_id or draw.fresh_id(request.contact, request.placement, at.as_of)
    root = decision_id if base is None else str((base.properties or {}).get(_ROOT) or base.decision_id)
    fractions = (draw.fraction_in_slot(root, slot) for slot in range(len(given), request.limit))
    slots = list(given)
    for column, chance in fill(filling, fractions):
        action = carriers.of(contents[column]) or CARRIER
        slots.append(Slot(contents[column], action, chance, bool(shelf.is_new[column])))
    chances = {DO_NOTHING: 0.0 if slots else 1.0}
    for content, chance in zip(contents, first, strict=True):
        action = carriers.of(content) or CARRIER
        chances[action.name] = chances.get(action.name, 0.0) + chance
    choice = Choice(
        decision_id=decision_id,
        action=slots[0].action.name if slots else DO_NOTHING,
        chances=chances,
        holdout=False,
        mode="default" if at.known.is_empty else "points",
        policy=INFOCENTER,
        decided_at=at.as_of,
    )
    return choice, slots, root


def _shelf(contents: Sequence[Content], at: Situation) -> Shelf:
    interests = Interests.of(at.known, at.as_of, at.catalogue.settings.topics.half_life_us, now=at.request.topic)
    levels: dict[tuple[str, ...], tuple[float, bool]] = {}
    codes: dict[str, int] = {}
    for each in contents:
        if each.topics not in levels:
            levels[each.topics] = interests.level(each.topics), bool(each.topics) and interests.is_new(each.topics)
    interest = np.array([levels[each.topics][0] for each in contents], dtype=np.float64)
    main = [each.topics[0] if each.topics else "" for each in contents]
    return Shelf(
        interest=interest,
        is_new=np.array([levels[each.topics][1] for each in contents], dtype=np.bool_),
        is_live=interest >= FADED,
        is_promotional=np.array([each.tone == "promotional" for each in contents], dtype=np.bool_),
        topic=np.array([codes.setdefault(topic, len(codes)) for topic in main], dtype=np.int64),
    )


def _again(row: Mapping[str, object], at: Situation, carriers: _Carriers) -> Slot | None:
    """Return a slot of an earlier answer as it was, if it may still be shown."""
    content = at.past.around.tables().content.get(str(row.get(CONTENT)))
    action = carriers.of(content) if content is not None and suits(content, at) else None
    if content is None or action is None or action.name in at.request.exclude:
        return None
    probability = row.get("probability")
    return Slot(
        content, action, float(probability) if isinstance(probability, float | int) else 0.0, bool(row.get("new"))
    )


def _answer(
    choice: Choice, slots: Sequence[Slot], kept: Mapping[str, object], at: Situation, carriers: _Carriers
) -> Filled:
    story = Story(at.known, at.as_of, at.language)
    sticky_end = choice.decided_at + at.catalogue.settings.ranking.sticky_us
    offered = []
    for slot in slots:
        terms = carriers.terms.get(slot.action.name, _FREE)
        carried = replace(slot.action, topics=slot.content.topics)
        found = offer(carried, at, story, None, terms, slot.probability, sticky_end, by_points=False)
        ends = [end for end in (found.valid_until, slot.content.valid_to) if end is not None]
        subject, reasons = Subject(content_id=slot.content.content_id), _reasons(slot, found.reasons, at)
        offered.append(found._replace(subject=subject, reasons=reasons, valid_until=min(ends, default=None)))
    return Filled(
        choice=choice,
        offered=tuple(offered),
        properties=kept,
        topics=slots[0].content.topics if slots else (),
        again_at=None if slots else rests_until(at),
    )


def _reasons(slot: Slot, found: Sequence[str], at: Situation) -> Sequence[str]:
    """Say what a content is about for this contact before anything else that speaks for it."""
    if at.known.is_empty:
        return found
    suited = []
    if at.stage in slot.content.stages:
        suited = [say(Said("because.stage", {"stage": at.stage}), at.language)]
    if slot.is_new:
        return [say(Said("because.new_topic", {"topic": slot.content.topics[0]}), at.language), *suited]
    return [*found, *suited][:MOST_REASONS]

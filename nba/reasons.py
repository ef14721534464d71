"""Why an action is offered, in plain words: from kinds, topics and counts of touchpoints, never from traits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from features.times import DAY
from nba import consent
from nba.actions import about_same
from nba.past import Past
from nba.settings.actions import Action
from nba.settings.contact_policy import OUTCOMES

MOST_REASONS = 3
_WINDOWS = (7, 30, 90, 365)

_DID = {
    "bounce": "left after one page",
    "demo_request": "asked for a demo",
    "download": "downloaded something",
    "newsletter_open": "opened a newsletter",
    "newsletter_signup": "signed up for the newsletter",
    "order": "ordered",
    "page_view": "viewed a page",
    "price_list": "asked for the price list",
    "redemption": "redeemed a coupon",
    "return": "returned something",
    "search": "searched",
    "service_call": "called the service line",
    "service_search": "searched the service pages",
    "support_ticket": "opened a support ticket",
    "visit": "visited",
}
"""What a single touchpoint of a kind is called; other kinds are called by their name."""

_SILENT = frozenset({*consent.KINDS, *OUTCOMES})
"""Kinds that are about our own doing and no reason to do anything."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Touchpoints of one kind, perhaps about one topic; ages in microseconds, the newest first."""

    kind: str
    topic: str | None
    ages: tuple[int, ...]


def reasons(
    action: Action, known: Past, as_of: int, *, points: float, by_points: bool, misses: tuple[str, ...] = ()
) -> list[str]:
    """Return at most three reasons, the strongest first; at least one.

    Parameters
    ----------
    points
        Total of the points table.
    by_points
        Whether the points table chose the action.
    misses
        Kinds whose absence the action works against: how long ago the last one was is a reason.
    """
    found = [f"has {points:g} points, and the points table calls for this"] if by_points else []
    found += [said for kind in misses if (said := _silence(kind, known, as_of))]
    groups = _about(action.topics, known, as_of) if action.topics else []
    found += [_said(group) for group in (*groups, *_recent(known, as_of))]
    return list(dict.fromkeys(found))[:MOST_REASONS] or ["nothing is known of this contact yet"]


def _recent(known: Past, as_of: int) -> Sequence[_Group]:
    """Every kind of the last year, the one with the newest touchpoint first."""
    ages: dict[str, list[int]] = {}
    for row in _own_rows(known, as_of):
        ages.setdefault(known.kinds[row], []).append(as_of - known.times[row])
    return [_Group(kind, None, tuple(each)) for kind, each in ages.items()]


def _about(topics: tuple[str, ...], known: Past, as_of: int) -> Sequence[_Group]:
    """Kinds of the last year that were about the action's topics, most touchpoints first."""
    t = known.touchpoints
    wanted = {code: name for code, name in enumerate(t.topics) if about_same(name, topics)}
    if not wanted:
        return []
    ages: dict[tuple[str, str], list[int]] = {}
    for row in _own_rows(known, as_of):
        for code in t.topic[t.topic_start[row] : t.topic_start[row + 1]].tolist():
            if code in wanted:
                ages.setdefault((known.kinds[row], wanted[code]), []).append(as_of - known.times[row])
    groups = [_Group(kind, topic, tuple(each)) for (kind, topic), each in ages.items()]
    return sorted(groups, key=lambda group: -len(group.ages))[:2]


def _own_rows(known: Past, as_of: int) -> list[int]:
    """Rows of what the contact itself did in the last year, the newest first."""
    t = known.touchpoints
    first = int(t.occurred_at.searchsorted(as_of - _WINDOWS[-1] * DAY))
    rows = (first + (~t.outbound[first:]).nonzero()[0]).tolist()
    return [row for row in reversed(rows) if known.kinds[row] not in _SILENT]


def _said(group: _Group) -> str:
    about = f" about {group.topic}" if group.topic else ""
    for days in _WINDOWS:
        count = sum(age <= days * DAY for age in group.ages)
        if count > 1:
            return f"{count} {_many(group.kind)}{about} in the last {days} days"
        if count == 1 and days == _WINDOWS[0]:
            break
    did = _DID.get(group.kind) or _one(group.kind)
    return f"{did}{about} {_ago(group.ages[0])}"


def _silence(kind: str, known: Past, as_of: int) -> str | None:
    at = known.last_seen.get(kind)
    return None if at is None else f"last {_one(kind)} {_ago(as_of - at)}"


def _ago(age: int) -> str:
    days = age // DAY
    return "in the last 24 hours" if days == 0 else "1 day ago" if days == 1 else f"{days} days ago"


def _one(kind: str) -> str:
    return kind.replace("_", " ")


def _many(kind: str) -> str:
    word = _one(kind)
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    return word[:-1] + "ies" if word.endswith("y") and word[-2:-1] not in "aeiou" else word + "s"


def strongest_topic(action: Action, known: Past, as_of: int, context_topic: str | None) -> str | None:
    """Return the topic that an action should be about: what the request names, else what interests the contact."""
    if not action.topics:
        return None
    if context_topic is not None:
        named = [topic for topic in action.topics if about_same(context_topic, [topic])]
        if named:
            return named[0]
    counts: Counter[str] = Counter()
    for group in _about(action.topics, known, as_of):
        for topic in action.topics:
            if group.topic is not None and about_same(group.topic, [topic]):
                counts[topic] += len(group.ages)
    return counts.most_common(1)[0][0] if counts else action.topics[0]

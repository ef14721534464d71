"""Who may be done what to on a day: everybody's actions sent through the gates, as arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from features.frozen import Frozen
from nba.calendar import local_day, opens_at, why_closed
from nba.contact_policy import Verdict, allowed
from nba.draw import in_holdout
from nba.plan_moment import PlanDay
from nba.priority import Terms
from nba.ranking import Choices, points_policy
from nba.settings import Settings
from nba.settings.contact_policy import ContactPolicy
from nba.situation import Situation
from nba.taken import name_in
from nba.visibility import Sight, Viewer, sight_by
from nba.weighing import Weighed

TERMS = ("propensity", "without_action", "value", "context", "cost")
"""What is kept of the terms of each candidate; the lever is the same for everybody."""

Removed = Counter[tuple[str, str]]
"""How many contacts lose an action to a rule, by action and rule."""


@dataclass(frozen=True)
class Asked:
    """What the gathering of all contacts has in common."""

    day: PlanDay
    policy: ContactPolicy
    """Of the settings as they are, with quiet hours and calendar."""
    viewer: Viewer


@dataclass
class Gathered:
    """Contacts and their candidates, growing; candidates point at contacts by their place here."""

    names: list[str] = field(default_factory=list)
    account: list[str | None] = field(default_factory=list)
    owner: list[str | None] = field(default_factory=list)
    partner: list[str | None] = field(default_factory=list)
    served: list[bool] = field(default_factory=list)
    """Whether a partner looks after the contact now."""
    points: list[float] = field(default_factory=list)
    by_points: list[bool] = field(default_factory=list)
    """Whether the points table chooses for the contact."""
    sight: dict[int, Sight] = field(default_factory=dict)
    """Of contacts that the viewer does not see whole."""
    sent: list[list[int]] = field(default_factory=list)
    today: list[list[int]] = field(default_factory=list)
    wanted: list[tuple[int, int, tuple[int, ...]]] = field(default_factory=list)
    """Place of a contact, room that its wish leaves, columns that the wish is about."""
    contact: list[NDArray[np.int64]] = field(default_factory=list)
    column: list[NDArray[np.int64]] = field(default_factory=list)
    numbers: list[NDArray[np.float64]] = field(default_factory=list)
    """Priority, the terms, and from when on, shape (n, 2 + len(TERMS))."""
    evidence: list[str] = field(default_factory=list)
    removed: Removed = field(default_factory=Counter)

    def add(self, other: Gathered) -> None:
        """Take over what was gathered elsewhere."""
        begin = len(self.names)
        for name in _OF_CONTACTS:
            getattr(self, name).extend(getattr(other, name))
        self.sight.update({begin + place: sight for place, sight in other.sight.items()})
        self.wanted += [(begin + place, room, columns) for place, room, columns in other.wanted]
        self.contact += [part + begin for part in other.contact]
        self.column += other.column
        self.numbers += other.numbers
        self.evidence += other.evidence
        self.removed.update(other.removed)

    def in_order(self) -> Gathered:
        """Return the same with contacts by name and candidates by contact, wherever each was gathered."""
        order = sorted(range(len(self.names)), key=self.names.__getitem__)
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        packed = _packed(self)
        contact = place[packed.contact[0]] if packed.contact else np.empty(0, dtype=np.int64)
        by = np.argsort(contact, kind="stable")
        of_contacts = {name: [getattr(self, name)[at] for at in order] for name in _OF_CONTACTS}
        return Gathered(
            **of_contacts,
            sight={int(place[at]): sight for at, sight in self.sight.items()},
            wanted=sorted((int(place[at]), room, columns) for at, room, columns in self.wanted),
            contact=[contact[by]],
            column=[each[by] for each in packed.column] or [np.empty(0, dtype=np.int64)],
            numbers=[each[by] for each in packed.numbers] or [np.empty((0, 2 + len(TERMS)))],
            evidence=[self.evidence[at] for at in by.tolist()],
            removed=self.removed,
        )


_OF_CONTACTS = ("names", "account", "owner", "partner", "served", "points", "by_points", "sent", "today")


def open_settings(settings: Settings) -> Settings:
    """Return settings under which gates leave to the plan what the plan shares out or puts off to a later hour."""
    policy = replace(settings.contact_policy, quiet=None, calendar=None)
    actions = {name: replace(action, capacity=None) for name, action in settings.actions.items()}
    return replace(settings, contact_policy=policy, actions=Frozen(actions))


def gather(weighing: Iterator[tuple[str, Weighed]], asked: Asked) -> Gathered:
    """Keep what the plan needs of everybody who was weighed."""
    found = Gathered()
    openings: dict[tuple[str, str], int | None] = {}
    for name, weighed in weighing:
        at, verdict = weighed.judged.situation, weighed.judged.verdict
        if at.held is not None:
            # A plan is made anew: an earlier choice counts like anything else that was done.
            at = replace(at, held=None)
            verdict = allowed(at)
        place = len(found.names)
        _add_contact(found, name, at, asked)
        # Of contacts that are not for the viewer's eyes nothing is counted either.
        sight = found.sight.get(place)
        removed: Removed = Counter() if sight is not None and sight.is_nothing else found.removed
        removed.update((refusal.action, refusal.rule) for refusal in verdict.refusals)
        rows = _candidates(at, verdict, weighed.terms, _called(at, verdict, found), asked, openings, removed)
        if rows:
            found.contact.append(np.full(len(rows), place, dtype=np.int64))
            found.column.append(np.array([row[0] for row in rows], dtype=np.int64))
            found.numbers.append(np.array([row[1] for row in rows], dtype=np.float64))
            found.evidence += [row[2] for row in rows]
    return _packed(found)


def _packed(found: Gathered) -> Gathered:
    """Put many small arrays together, so that they are sent back quickly."""
    for name in ("contact", "column", "numbers"):
        parts = getattr(found, name)
        setattr(found, name, [np.concatenate(parts)] if parts else [])
    return found


def _add_contact(found: Gathered, name: str, at: Situation, asked: Asked) -> None:
    traits, place = at.past.traits, len(found.names)
    sight = sight_by(asked.viewer, traits, at.agreement)
    if not sight.is_whole:
        found.sight[place] = sight
    found.names.append(name)
    found.account.append(name_in(traits.get("account")))
    found.owner.append(name_in(traits.get("owner")))
    found.partner.append(name_in(traits.get("partner")))
    found.served.append(at.agreement is not None)
    found.points.append(at.points)
    caps, catalogue = asked.policy.caps, at.catalogue
    spans = [at.as_of - asked.day.begins, *(cap.per_us for cap in caps), *(wish.per_us or 0 for wish in at.wishes)]
    approaches = catalogue.approach_rule.approaches(
        at.past.touchpoints, at.past.decisions, at.as_of, since=at.as_of - max(spans)
    )
    if not approaches:
        found.sent.append([0] * len(caps))
        found.today.append([0] * len(catalogue.channels))
    else:
        found.sent.append(
            [
                sum(a.at >= at.as_of - cap.per_us and cap.channel in (None, a.channel) for a in approaches)
                for cap in caps
            ]
        )
        today = [a.channel for a in approaches if a.at >= asked.day.begins]
        found.today.append([today.count(channel) for channel in catalogue.channels])
    for wish in at.wishes:
        if wish.per_us is not None:
            used = sum(a.at >= at.as_of - wish.per_us and wish.is_about(a.channel, a.topics) for a in approaches)
            about = [c for c, a in enumerate(catalogue.actions, start=1) if wish.is_about(a.channel, a.topics)]
            found.wanted.append((place, wish.count - used, tuple(about)))


def _called(at: Situation, verdict: Verdict, found: Gathered) -> int | None:
    """Return the column that the points table calls for where it chooses; None where priorities do."""
    settings = at.catalogue.settings
    account = at.past.traits.get("account")
    chooses = (
        settings.ranking.policy == "points"
        or at.known.is_empty
        or in_holdout(at.request.contact, str(account) if account else None, at.as_of, settings.ranking.holdout)
    )
    found.by_points.append(chooses)
    if not chooses:
        return None
    n = len(at.catalogue)
    choices = Choices(np.zeros((1, n)), np.array([verdict.allowed]), np.array([at.points]))
    return int(points_policy(at.catalogue).probabilities(choices)[0].argmax())


Row = tuple[int, Sequence[float], str]
_terms = attrgetter(*TERMS)


def _candidates(
    at: Situation,
    verdict: Verdict,
    terms: Sequence[Terms],
    called: int | None,
    asked: Asked,
    openings: dict[tuple[str, str], int | None],
    removed: Removed,
) -> list[Row]:
    rows: list[Row] = []
    ends, zone = asked.day.ends, at.zone.key
    for column in verdict.columns[1:]:
        action, term = at.catalogue.action(column), terms[column - 1]
        priority = term.priority
        if action.class_ != "mandatory":
            if called is not None and column != called:
                removed[action.name, "points"] += 1
                continue
            if not priority > 0:
                removed[action.name, "priority"] += 1
                continue
        key = action.channel, zone
        if key not in openings:
            openings[key] = opens_at(asked.policy, action.channel, at.as_of, at.zone)
        opens = openings[key]
        if opens is None or opens >= ends or (action.valid.to is not None and opens >= action.valid.to):
            removed[action.name, _why_shut(at, asked)] += 1
            continue
        rows.append((column, (priority, *_terms(term), opens), term.evidence))
    return rows


def _why_shut(at: Situation, asked: Asked) -> str:
    calendar = asked.policy.calendar
    shut = calendar is not None and why_closed(calendar, local_day(at.as_of, at.zone)) is not None
    return "calendar" if shut else "quiet"

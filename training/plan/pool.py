"""Who may be done what to on a day: everybody's actions sent through the gates, as arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import attrgetter

import numpy as np

from features.frozen import Frozen
from nba.calendar import local_day, opens_at, why_closed
from nba.contact_policy import Verdict, allowed
from nba.draw import in_holdout
from nba.occasions.events import needs_seat, seated_at
from nba.occasions.occasions import occurrence
from nba.occurrence import Occurrence, at_event
from nba.partners.lead_offers import offers_of
from nba.partners.leads import OFFERED
from nba.partners.visibility import Viewer, sight_by
from nba.plan.moment import PlanDay
from nba.priority import Terms
from nba.ranking import Choices, points_policy, settled
from nba.settings import Settings
from nba.settings.contact_policy import ContactPolicy
from nba.situation import Situation
from nba.tables.taken import name_in
from nba.weighing import Weighed
from training.plan.gathered import FREE, TERMS, Gathered, Removed

SHOWN = "recommendations"
"""The part of what is seen of a contact without which a plan says nothing of it."""


@dataclass(frozen=True)
class Asked:
    """What the gathering of all contacts has in common."""

    day: PlanDay
    policy: ContactPolicy
    """Of the settings as they are, with quiet hours and calendar."""
    viewer: Viewer
    serves: str = "points"
    """What the bundle's gate lets serve; ``points`` without a bundle."""

    @property
    def rule(self) -> str:
        """What it is called that a simple rule chooses another action."""
        return "constant" if self.serves.startswith("constant:") else "points"

    @cached_property
    def openings(self) -> dict[tuple[str, str], int | None]:
        """From when on each channel is open in each time zone, as far as it was asked."""
        return {}


def open_settings(settings: Settings) -> Settings:
    """Return settings under which gates leave to the plan what the plan shares out or puts off to a later hour."""
    policy = replace(settings.contact_policy, quiet=None, calendar=None)
    actions = {name: replace(action, capacity=None) for name, action in settings.actions.items()}
    return replace(settings, contact_policy=policy, actions=Frozen(actions))


def gather(weighing: Iterator[tuple[str, Weighed]], asked: Asked) -> Gathered:
    """Keep what the plan needs of everybody who was weighed."""
    found = Gathered()
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
        removed: Removed = found.removed if sight is None or sight.shows(SHOWN) else Counter()
        removed.update((refusal.action, refusal.rule) for refusal in verdict.refusals)
        called = _called(at, verdict, asked.serves if weighed.estimate is not None else "points", found)
        rows = _candidates(at, verdict, weighed.terms, called, asked, removed)
        if rows:
            _add_candidates(found, place, rows, at)
    return found.packed()


def _add_candidates(found: Gathered, place: int, rows: list[Row], at: Situation) -> None:
    first = len(found.evidence)
    columns = [row[0] for row in rows]
    event = np.full(len(rows), FREE, dtype=np.int64)
    for n, column in enumerate(columns):
        action = at.catalogue.action(column)
        calling = None if action.when is None else occurrence(action, at)
        if calling is not None:
            found.calling[first + n] = calling
            event[n] = _seat(calling, at, found)
    found.contact.append(np.full(len(rows), place, dtype=np.int64))
    found.column.append(np.array(columns, dtype=np.int64))
    found.event.append(event)
    found.numbers.append(np.array([row[1] for row in rows], dtype=np.float64))
    found.evidence += [row[2] for row in rows]


def _seat(calling: Occurrence, at: Situation, found: Gathered) -> int:
    """Return the event of which a seat would be taken, by its place among all; ``FREE``: of none."""
    events = at.past.around.tables().events
    event = events.get(calling.event_id or "")
    if event is None or calling.of != at_event(event.event_id) or not needs_seat(event, at):
        return FREE
    place = sorted(events).index(event.event_id)
    found.seated[place] = len(seated_at(event, at))
    return place


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
    found.in_hand.append(_in_hand(at))
    found.points.append(at.points)
    found.stages.append((at.stage, at.rule_stage))
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


def _in_hand(at: Situation) -> str | None:
    """Name the partner that was offered the contact last, while it may still answer or win it."""
    if OFFERED not in at.past.touchpoints.kinds:
        return None
    catalogue = at.catalogue
    goal, money = catalogue.usual_goal, catalogue.settings.touchpoints.money
    kinds = money if goal is None else catalogue.settings.goals[goal].kinds
    held = [offer.partner for offer in offers_of(at.past, kinds, at.as_of) if offer.is_open(at.as_of)]
    return held[-1] if held else None


def _called(at: Situation, verdict: Verdict, serves: str, found: Gathered) -> int | None:
    """Return the one column that a simple rule chooses, as the service would; None where priorities choose.

    Parameters
    ----------
    serves
        What the gate lets serve for this contact.
    """
    catalogue = at.catalogue
    ranking, account = catalogue.settings.ranking, at.past.traits.get("account")
    serves = settled(catalogue, serves)
    bound = (
        ranking.policy == "points"
        or at.known.is_empty
        or in_holdout(at.request.contact, str(account) if account else None, at.as_of, ranking.holdout)
    )
    # A table that calls for nothing at all is no rule to follow.
    by_points = bound or (serves == "points" and bool(catalogue.thresholds))
    found.by_points.append(by_points)
    if not by_points:
        kind, _, constant = serves.partition(":")
        return catalogue.column[constant] if kind == "constant" else None
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
    removed: Removed,
) -> list[Row]:
    rows: list[Row] = []
    ends, zone, openings = asked.day.ends, at.zone.key, asked.openings
    for column in verdict.columns[1:]:
        action, term = at.catalogue.action(column), terms[column - 1]
        priority = term.priority
        if action.class_ != "mandatory":
            if called is not None and column != called:
                removed[action.name, asked.rule] += 1
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

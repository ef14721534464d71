"""What is offered once an action is chosen: it and the next best ones, with when and why."""

from __future__ import annotations

from collections.abc import Sequence

from nba.actions import DO_NOTHING
from nba.choice import Choice
from nba.contact_policy import Verdict
from nba.decision import Recommendation
from nba.gates.timing import ends_at, not_before
from nba.occasions.occasions import occurrence
from nba.partners.partners import INFORM, PARTNER_FIRST
from nba.priority import Terms
from nba.reasons import Story
from nba.settings.actions import Action
from nba.situation import Situation
from nba.subject import Subjects
from nba.tables.tables import NOTHING


def offers(
    situation: Situation,
    verdict: Verdict,
    terms: Sequence[Terms],
    choice: Choice,
    sticky_end: int,
) -> tuple[Recommendation, ...]:
    """Return the chosen action, then the other allowed ones by priority, as many as asked for.

    Empty where "do nothing" was chosen. Only the first was drawn, so only it has a probability. Mandatory
    actions come before all others, as no ranking applies to them. Where the points table chose, the others are those
    that it calls for, in its order: a priority that no model stands behind ranks nothing.
    """
    if choice.action == DO_NOTHING:
        return ()
    catalogue = situation.catalogue
    first = catalogue.column[choice.action]
    by_points = is_by_points(choice)
    called = called_for(situation)
    priority = [each.priority for each in terms]
    others = [column for column in verdict.columns[1:] if column != first]
    if by_points:
        others = [c for c in others if c in called or c in catalogue.mandatory]
        others.sort(key=lambda c: (c not in catalogue.mandatory, called.get(c, 0), c))
    else:
        others.sort(key=lambda c: (c not in catalogue.mandatory, -priority[c - 1], c))
    story, subjects = Story(situation.known, situation.as_of, situation.language), Subjects(situation)
    return tuple(
        offer(
            catalogue.action(column),
            situation,
            story,
            subjects,
            terms[column - 1],
            choice.chances[choice.action] if column == first else None,
            sticky_end,
            choice.mode == "points" and column in called,
        )
        for column in [first, *others][: situation.request.limit]
    )


def is_by_points(choice: Choice) -> bool:
    """Whether the points table chose."""
    return choice.mode in ("points", "default")


def called_for(situation: Situation) -> dict[int, int]:
    """Return the columns that the points table calls for, each with its place in the table's order."""
    thresholds = situation.catalogue.thresholds
    columns = (c for threshold, columns in thresholds if threshold.holds(situation.points) for c in columns)
    return {column: place for place, column in enumerate(dict.fromkeys(columns))}


def offer(
    action: Action,
    situation: Situation,
    story: Story,
    subjects: Subjects | None,
    terms: Terms,
    probability: float | None,
    sticky_end: int,
    by_points: bool,
) -> Recommendation:
    """Put one action together as it stands in an answer.

    Parameters
    ----------
    subjects
        Finds what it is about; None where the caller knows.
    probability
        The chance it was drawn with; None where it was not drawn.
    sticky_end
        Until when the choice stays, in microseconds.
    by_points
        Whether the points table calls for it.
    """
    goal = situation.catalogue.settings.goals.get(action.goal or "")
    calling = occurrence(action, situation)
    topic = story.topic(action, situation.request.topic)
    starts = not_before(action, situation)
    return Recommendation(
        action=action.name,
        channel=action.channel,
        executor=_executor(action, situation),
        goal=action.goal,
        topic=topic,
        terms=terms,
        probability=probability,
        not_before=starts,
        valid_until=_valid_until(action, situation, sticky_end, starts),
        reasons=story.reasons(
            action,
            points=situation.points,
            by_points=by_points,
            misses=goal.absence_of if goal is not None else (),
            occasion=None if calling is None else calling.said,
        ),
        subject=NOTHING if subjects is None else subjects.of(action, topic),
        inform=_informed(action, situation),
    )


def _informed(action: Action, situation: Situation) -> str | None:
    """Name the partner who is told that the owner acts for its contact."""
    agreed = situation.agreement
    if agreed is None or action.executor == "partner" or agreed.mode not in (INFORM, PARTNER_FIRST):
        return None
    return agreed.name


def _executor(action: Action, situation: Situation) -> str:
    if action.executor == "partner" and situation.agreement is None:
        return "sales"
    return action.executor


def _valid_until(action: Action, situation: Situation, sticky_end: int, starts: int) -> int | None:
    """When the offer ends at the latest: with the choice, the action's season or occasion, or its channel's hours."""
    last = ends_at(action, situation, sticky_end)
    closes = situation.closes_at(action.channel, last, starts)
    return last if closes is None else closes

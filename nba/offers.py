"""What is offered once an action is chosen: it and the next best ones, with when and why."""

from __future__ import annotations

from nba.actions import DO_NOTHING
from nba.choice import Choice
from nba.contact_policy import Verdict
from nba.decision import Recommendation
from nba.occasions import occurrence
from nba.partners import INFORM, PARTNER_FIRST
from nba.priority import Terms
from nba.reasons import Story
from nba.settings.actions import Action
from nba.situation import Situation
from nba.subject import Subjects
from nba.tables import NOTHING


def offers(
    situation: Situation,
    verdict: Verdict,
    terms: tuple[Terms, ...],
    choice: Choice,
    sticky_end: int,
) -> tuple[Recommendation, ...]:
    """Return the chosen action, then the other allowed ones by priority, as many as asked for.

    Empty where "do nothing" was chosen. Only the first was drawn, so only it has a probability. Mandatory
    actions come before all others, as no ranking applies to them.
    """
    if choice.action == DO_NOTHING:
        return ()
    catalogue = situation.catalogue
    first = catalogue.column[choice.action]
    by_points = choice.mode == "points"
    others = [column for column in verdict.columns[1:] if column != first]
    others.sort(key=lambda c: (catalogue.action(c).class_ != "mandatory", -terms[c - 1].priority, c))
    called = {c for threshold, columns in catalogue.thresholds if threshold.holds(situation.points) for c in columns}
    story, subjects = Story(situation.known, situation.as_of), Subjects(situation)
    return tuple(
        offer(
            catalogue.action(column),
            situation,
            story,
            subjects,
            terms[column - 1],
            choice.chances[choice.action] if column == first else None,
            sticky_end,
            by_points and column in called,
        )
        for column in [first, *others][: situation.request.limit]
    )


def again_at(situation: Situation, verdict: Verdict, sticky_end: int) -> int | None:
    """Return the earliest time at which the clock alone may change "do nothing"; None where it never will.

    What would go out on a day or at an hour at which nothing does waits for the next at which it may.
    """
    as_of, channel_of = situation.as_of, situation.catalogue.channel_of
    found = sticky_end if sticky_end > as_of else None
    ends = [(refusal.until, channel_of[refusal.action]) for refusal in verdict.refusals if refusal.until is not None]
    for end, channel in sorted(ends):
        if found is not None and end >= found:
            break
        opens = situation.opens_at(channel, end) if end > as_of else None
        if opens is not None and (found is None or opens < found):
            found = opens
    return found


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
    return Recommendation(
        action=action.name,
        channel=action.channel,
        executor=_executor(action, situation),
        goal=action.goal,
        topic=topic,
        terms=terms,
        probability=probability,
        not_before=situation.as_of,
        valid_until=_valid_until(action, situation, sticky_end),
        reasons=story.reasons(
            action,
            points=situation.points,
            by_points=by_points,
            misses=goal.absence_of if goal is not None else (),
            occasion=None if calling is None else calling.about,
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


def _valid_until(action: Action, situation: Situation, sticky_end: int) -> int | None:
    """When the offer ends at the latest: with the choice, the action's season or occasion, or its channel's hours."""
    ends = [sticky_end] if sticky_end > situation.as_of else []
    if action.valid.to is not None:
        ends.append(action.valid.to)
    calling = occurrence(action, situation)
    if calling is not None:
        ends.append(calling.ends)
    last = min(ends, default=None)
    closes = situation.closes_at(action.channel, last)
    return last if closes is None else closes

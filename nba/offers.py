"""What is offered once an action is chosen: it and the next best ones, with when and why."""

from __future__ import annotations

from nba.actions import DO_NOTHING
from nba.choice import Choice
from nba.contact_policy import Verdict
from nba.decision import Recommendation
from nba.priority import Terms
from nba.quiet import quiet_from
from nba.reasons import Story
from nba.settings.actions import Action
from nba.situation import Situation


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
    story = Story(situation.known, situation.as_of)
    return tuple(
        _offer(
            catalogue.action(column),
            situation,
            story,
            terms[column - 1],
            choice.chances[choice.action] if column == first else None,
            sticky_end,
            by_points and column in called,
        )
        for column in [first, *others][: situation.request.limit]
    )


def again_at(verdict: Verdict, sticky_end: int, as_of: int) -> int | None:
    """Return the earliest time at which the clock alone may change "do nothing"; None where it never will."""
    ends = [refusal.until for refusal in verdict.refusals if refusal.until is not None]
    return min((end for end in (*ends, sticky_end) if end > as_of), default=None)


def _offer(
    action: Action,
    situation: Situation,
    story: Story,
    terms: Terms,
    probability: float | None,
    sticky_end: int,
    by_points: bool,
) -> Recommendation:
    goal = situation.catalogue.settings.goals.get(action.goal or "")
    return Recommendation(
        action=action.name,
        channel=action.channel,
        executor=_executor(action, situation),
        goal=action.goal,
        topic=story.topic(action, situation.request.topic),
        terms=terms,
        probability=probability,
        not_before=situation.as_of,
        valid_until=_valid_until(action, situation, sticky_end),
        reasons=story.reasons(
            action,
            points=situation.points,
            by_points=by_points,
            misses=goal.absence_of if goal is not None else (),
        ),
    )


def _executor(action: Action, situation: Situation) -> str:
    if action.executor == "partner" and not situation.past.traits.get("partner"):
        return "sales"
    return action.executor


def _valid_until(action: Action, situation: Situation, sticky_end: int) -> int | None:
    """When the offer ends at the latest: the choice's own end, the action's season, the next quiet hours."""
    ends = [sticky_end] if sticky_end > situation.as_of else []
    if action.valid.to is not None:
        ends.append(action.valid.to)
    quiet = situation.catalogue.settings.contact_policy.quiet
    if quiet is not None and situation.goes_out and action.channel in (quiet.channels or (action.channel,)):
        ends.append(quiet_from(quiet, action.channel, situation.as_of, situation.zone))
    return min(ends, default=None)

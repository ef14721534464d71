"""What would be recommended to everybody at one moment: the policy's best allowed action, nothing drawn or logged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from nba.actions import DO_NOTHING
from nba.choice import drawn, rung_of
from nba.draw import Draw
from nba.partners.visibility import OWNER_SIDE, sight_in
from nba.settings import Settings
from nba.weighing import Weighed
from training.everybody.everybody import Everybody
from training.everybody.weighed import map_weighed

if TYPE_CHECKING:
    from models.belief import Belief

_DRAW = Draw(b"", "whatif")
SHOWN = "recommendations"


@dataclass
class Choices:
    """What is best for each contact, with its chance of the usual goal, and what the rules removed."""

    action: dict[str, str] = field(default_factory=dict)
    """By contact; ``do_nothing`` where nothing is worth doing."""
    chance: dict[str, float] = field(default_factory=dict)
    """Of the usual goal, if that is done; without contacts of which no model, or their partner's terms, tell it."""
    removed: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many contacts lose an action to a rule, by action and rule."""
    hidden: set[str] = field(default_factory=set)
    """Contacts whose recommendations their partners keep from the owner."""

    def add(self, other: Choices) -> None:
        """Take over what was found elsewhere."""
        self.action |= other.action
        self.chance |= other.chance
        self.removed.update(other.removed)
        self.hidden |= other.hidden


def choices_at(
    everybody: Everybody, settings: Settings, belief: Belief | None, *, advance: Callable[[int], None]
) -> Choices:
    """Choose for everybody as ``nba score`` does: no earlier choice stays, nothing is explored, nobody is held out.

    What went out before counts in caps and pauses.
    """
    summarise = partial(chosen, serves="points" if belief is None else belief.serves)
    found = Choices()
    for part in map_weighed(everybody, by_worth(settings), belief, summarise, advance=advance):
        found.add(part)
    return found


def by_worth(settings: Settings) -> Settings:
    """Return settings under which the choice follows from the contact alone."""
    return replace(settings, ranking=replace(settings.ranking, epsilon=0.0, holdout=0.0, sticky_us=0))


def chosen(weighing: Iterator[tuple[str, Weighed]], serves: str) -> Choices:
    """Choose for some contacts.

    Parameters
    ----------
    serves
        What the bundle lets serve where it has an estimate.
    """
    found = Choices()
    for name, weighed in weighing:
        situation, verdict = weighed.judged.situation, weighed.judged.verdict
        tells = True
        if situation.past.traits.get("partner"):
            sight = sight_in(OWNER_SIDE, situation.past, situation.catalogue.settings.partners, situation.as_of)
            tells = sight.shows("propensities.*.probability")
            if not sight.shows(SHOWN):
                # Sums with and without a few contacts would tell of each by their difference.
                found.hidden.add(name)
                continue
        found.action[name] = action = best(weighed, serves)
        chance = chance_of(weighed, action)
        if chance is not None and tells:
            found.chance[name] = chance
        found.removed.update((refusal.action, refusal.rule) for refusal in verdict.refusals)
    return found


def best(weighed: Weighed, serves: str) -> str:
    """Return the action that the serving policy takes most often, of equals the first."""
    situation, verdict = weighed.judged.situation, weighed.judged.verdict
    rung = rung_of(situation, verdict, serves if weighed.estimate is not None else "points")
    chances = drawn(situation, verdict, weighed.terms, rung, _DRAW).chances
    return max(chances, key=lambda action: chances[action])


def chance_of(weighed: Weighed, action: str) -> float | None:
    """Return a contact's chance of the usual goal if an action is done; None where no model tells."""
    catalogue = weighed.judged.situation.catalogue
    goal = catalogue.usual_goal
    if weighed.estimate is None or goal is None or goal not in weighed.estimate.propensities:
        return None
    terms = {each.name: t for each, t in zip(catalogue.actions, weighed.terms, strict=True) if each.goal == goal}
    if action != DO_NOTHING and action in terms:
        return terms[action].propensity
    # What is done for another goal, or nothing, leaves the chance what it is without an action.
    return next((t.without_action for t in terms.values()), weighed.estimate.propensities[goal])

"""Who is eligible for each action at a moment, and which rule removes everybody else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nba.visibility import OWNER_SIDE, counted, sight_in
from nba.weighing import Weighed
from training.everybody import Everybody
from training.weighed import OUTBOUND, map_weighed

if TYPE_CHECKING:
    from models.belief import Belief
    from nba.settings import Settings

Rules = Counter[tuple[str, str]]
"""How many contacts by action and rule."""


@dataclass
class Tally:
    """What the gates said of some contacts; ``protected`` counts those that partners keep to themselves."""

    eligible: Counter[str] = field(default_factory=Counter)
    removed: Rules = field(default_factory=Counter)
    protected: int = 0

    def add(self, other: Tally) -> None:
        """Count what was found elsewhere, too."""
        self.eligible.update(other.eligible)
        self.removed.update(other.removed)
        self.protected += other.protected


def check_actions(
    everybody: Everybody,
    settings: Settings,
    belief: Belief | None,
    *,
    advance: Callable[[int], None] = lambda n: None,
) -> dict[str, Any]:
    """Send every contact through the gates of every action.

    An action is looked at in placement ``outbound``, else in the first of its own. Contacts that partners keep to
    themselves are in the counts, and in no other way: their number is told where it is not too small.

    Returns
    -------
    What ``nba actions check --json`` prints: for each action how many are eligible, and how many each rule removes,
    the largest first; both add up to ``contacts``.
    """
    placed = {action.name: placement_of(action.placements) for action in settings.actions.values()}
    found = {placement: Tally() for placement in dict.fromkeys(placed.values())}
    for placement, tally in found.items():
        for part in map_weighed(everybody, settings, belief, tally_of, placement=placement, advance=advance):
            tally.add(part)
    protected = max((tally.protected for tally in found.values()), default=0)
    return {
        "contacts": len(everybody.names),
        "protected_by_partners": counted(protected) if protected else 0,
        "actions": {
            name: {
                "channel": settings.actions[name].channel,
                "placement": placement,
                "eligible": found[placement].eligible[name],
                "removed": removed_of(name, found[placement].removed),
            }
            for name, placement in placed.items()
        },
    }


def placement_of(placements: tuple[str, ...]) -> str:
    """Return where an action is looked at."""
    return OUTBOUND if OUTBOUND in placements or not placements else placements[0]


def placements_of(settings: Settings) -> list[str]:
    """Return every placement that the actions are looked at in."""
    return list(dict.fromkeys(placement_of(action.placements) for action in settings.actions.values()))


def tally_of(weighing: Iterator[tuple[str, Weighed]]) -> Tally:
    """Count what the gates say of some contacts."""
    tally = Tally()
    for _, weighed in weighing:
        situation, verdict = weighed.judged.situation, weighed.judged.verdict
        names = situation.catalogue.names
        tally.eligible.update(names[column] for column in verdict.columns[1:])
        tally.removed.update((refusal.action, refusal.rule) for refusal in verdict.refusals)
        partners = situation.catalogue.settings.partners
        tally.protected += sight_in(OWNER_SIDE, situation.past, partners, situation.as_of).is_nothing
    return tally


def removed_of(action: str, removed: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """Return how many each rule removes from one action, the largest first."""
    found = [(rule, n) for (name, rule), n in removed.items() if name == action]
    return dict(sorted(found, key=lambda each: (-each[1], each[0])))

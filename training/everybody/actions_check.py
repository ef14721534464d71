"""Who is eligible for each action at a moment, and which rule removes everybody else.

Contacts whose recommendations their partners keep from the owner are apart from all others: two counts that they are in
would tell of a single one by their difference. Of them it is told how many there are and how many each action may go
to, in whole fives and from five on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nba.partners.visibility import FEWEST, OWNER_SIDE, sight_in
from nba.weighing import Weighed
from training.everybody.everybody import Everybody
from training.everybody.weighed import map_weighed

if TYPE_CHECKING:
    from models.belief import Belief
    from nba.settings import Settings

_SHOWN = "recommendations"
"""The part of a contact that has to be seen for it to be counted with the others."""

Rules = Counter[tuple[str, str]]
"""How many contacts by action and rule."""


@dataclass
class Tally:
    """What the gates said of some contacts, and apart from them of those that partners keep to themselves."""

    contacts: int = 0
    eligible: Counter[str] = field(default_factory=Counter)
    removed: Rules = field(default_factory=Counter)
    kept: int = 0
    kept_eligible: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Count what was found elsewhere, too."""
        self.contacts += other.contacts
        self.eligible.update(other.eligible)
        self.removed.update(other.removed)
        self.kept += other.kept
        self.kept_eligible.update(other.kept_eligible)


def check_actions(
    everybody: Everybody,
    settings: Settings,
    belief: Belief | None,
    placements: Sequence[str],
    *,
    advance: Callable[[int], None] = lambda n: None,
) -> dict[str, Any]:
    """Send every contact through the gates of every action.

    Parameters
    ----------
    placements
        Where actions are looked at: each that is for a placement, there.

    Returns
    -------
    What ``nba actions check --json`` prints: for each placement of each action how many contacts are eligible, and how
    many each rule removes, the largest first; both add up to ``contacts``. ``kept_by_partners`` tells of the others.
    """
    found = {placement: Tally() for placement in placements}
    for placement, tally in found.items():
        for part in map_weighed(everybody, settings, belief, tally_of, placement=placement, advance=advance):
            tally.add(part)
    some = next(iter(found.values()), Tally())
    return {
        "contacts": some.contacts,
        "kept_by_partners": in_fives(some.kept),
        "actions": {
            name: {
                "channel": action.channel,
                "placements": {each: _said(name, found[each]) for each in action.placements if each in found},
            }
            for name, action in settings.actions.items()
            if any(placement in found for placement in action.placements)
        },
    }


def placements_of(settings: Settings) -> list[str]:
    """Return every placement that actions name, in their order."""
    return list(dict.fromkeys(each for action in settings.actions.values() for each in action.placements))


def tally_of(weighing: Iterator[tuple[str, Weighed]]) -> Tally:
    """Count what the gates say of some contacts."""
    tally = Tally()
    for _, weighed in weighing:
        situation, verdict = weighed.judged.situation, weighed.judged.verdict
        names = situation.catalogue.names
        eligible = [names[column] for column in verdict.columns[1:]]
        partners = situation.catalogue.settings.partners
        if sight_in(OWNER_SIDE, situation.past, partners, situation.as_of).shows(_SHOWN):
            tally.contacts += 1
            tally.eligible.update(eligible)
            tally.removed.update((refusal.action, refusal.rule) for refusal in verdict.refusals)
        else:
            tally.kept += 1
            tally.kept_eligible.update(eligible)
    return tally


def in_fives(n: int) -> int | None:
    """Return how many contacts there are, in whole fives; None where they are too few to be counted together.

    Examples
    --------
    >>> in_fives(13), in_fives(4), in_fives(0)
    (10, None, None)
    """
    return n // FEWEST * FEWEST or None


def _said(action: str, tally: Tally) -> dict[str, Any]:
    return {
        "eligible": tally.eligible[action],
        "removed": removed_of(action, tally.removed),
        "kept_by_partners": in_fives(tally.kept_eligible[action]),
    }


def removed_of(action: str, removed: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """Return how many each rule removes from one action, the largest first."""
    found = [(rule, n) for (name, rule), n in removed.items() if name == action]
    return dict(sorted(found, key=lambda each: (-each[1], each[0])))

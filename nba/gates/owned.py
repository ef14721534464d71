"""What a contact has already, or what was done for it already."""

from __future__ import annotations

from collections.abc import Sequence

from models.saying.said import Said
from nba.gates.refusal import Refusal
from nba.settings.actions import Action
from nba.situation import Situation


def owned(action: Action, at: Situation) -> Refusal | None:
    """Refuse what offers a product that the contact has, and what was done and not been answered."""
    return _has(action, at) or _done(action, at)


def _has(action: Action, at: Situation) -> Refusal | None:
    product = action.unless_owned
    if product is None:
        return None
    how = at.possessions.of(product)
    return None if how is None else Refusal(action.name, "owned", Said("gate.owned", {"product": product, "how": how}))


def _done(action: Action, at: Situation) -> Refusal | None:
    # An action with an occasion is offered once for each of them, and the next may come soon.
    done = at.achieved.get(action.name) if action.when is None else None
    if done is None:
        return None
    until = done + at.catalogue.settings.ranking.sticky_us
    return Refusal(action.name, "owned", Said("gate.done", {"at": done, "until": until}), until)


def may_be_owned(at: Situation) -> Sequence[tuple[int, Action]]:
    """Return the actions that may be owned or done."""
    return at.catalogue.numbered if at.achieved else at.catalogue.unless_owned

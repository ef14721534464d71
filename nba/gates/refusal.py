"""Why an action is not offered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from nba.settings.actions import Action
from nba.situation import Situation


class Refusal(NamedTuple):
    """Why an action is not offered: the first gate that removed it."""

    action: str
    rule: str
    told: str | Callable[[], str]
    """Why, in words; or what puts them together, as they are seldom asked for."""
    until: int | None = None
    """Microseconds: when this rule may remove it no more, where the clock alone tells."""

    @property
    def detail(self) -> str:
        """Why, in words."""
        return self.told if isinstance(self.told, str) else self.told()

    def to_json(self) -> dict[str, Any]:
        """Return it as it stands in an answer."""
        return {"action": self.action, "rule": self.rule, "detail": self.detail}


Gate = Callable[[Action, Situation], Refusal | None]
"""Removes an action from a situation, or lets it pass with None."""

Asked = Callable[[Situation], Sequence[tuple[int, Action]]]
"""The actions that a gate may remove in a situation, with their columns; it lets all others pass."""

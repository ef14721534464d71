"""Why an action is not offered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from models.saying.said import Said
from models.saying.tongues import EN, say
from nba.settings.actions import Action
from nba.situation import Situation


class Tells(Protocol):
    """Finds out why when it is called."""

    def __call__(self) -> Said | str:
        """Return a sentence."""


class Refusal(NamedTuple):
    """Why an action is not offered: the first gate that removed it."""

    action: str
    rule: str
    told: Said | str | Tells
    """Why; or what finds it out, as it is seldom asked for."""
    until: int | None = None
    """Microseconds: when this rule may remove it no more, where the clock alone tells."""

    @property
    def detail(self) -> str:
        """Why, in English."""
        return self.in_words(EN)

    def in_words(self, language: str) -> str:
        """Say why."""
        told = self.told
        return say(told if isinstance(told, Said | str) else told(), language)

    def to_json(self, language: str = EN) -> dict[str, Any]:
        """Return it as it stands in an answer."""
        return {"action": self.action, "rule": self.rule, "detail": self.in_words(language)}


Gate = Callable[[Action, Situation], Refusal | None]
"""Removes an action from a situation, or lets it pass with None."""

Asked = Callable[[Situation], Sequence[tuple[int, Action]]]
"""The actions that a gate may remove in a situation, with their columns; it lets all others pass."""

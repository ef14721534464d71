"""Why an action is not offered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nba.settings.actions import Action
from nba.situation import Situation


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an action is not offered: the first gate that removed it."""

    action: str
    rule: str
    detail: str
    until: int | None = None
    """Microseconds: when this rule may remove it no more, where the clock alone tells."""

    def to_json(self) -> dict[str, Any]:
        """Return it as it stands in an answer."""
        return {"action": self.action, "rule": self.rule, "detail": self.detail}


Gate = Callable[[Action, Situation], Refusal | None]
"""Removes an action from a situation, or lets it pass with None."""

Asked = Callable[[Situation], object]
"""Whether a gate can remove anything in a situation at all."""

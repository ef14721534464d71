"""The rules that name a contact's journey stage, beside the learnt one."""

from __future__ import annotations

from dataclasses import dataclass

from features.times import DAY

STAGES = ("unaware", "need", "evaluate", "purchase", "use", "renew")
"""Names of the stages, in order, where ``nba.toml`` gives none."""


@dataclass(frozen=True)
class StageRule:
    """A stage that a contact is in when one of the kinds was seen within the time before ``as_of``."""

    name: str
    seen: tuple[str, ...]
    within_us: int


@dataclass(frozen=True)
class StageRules:
    """Rules in the order they are tried: the first that holds names the stage, else the first name does."""

    names: tuple[str, ...] = STAGES
    rules: tuple[StageRule, ...] = (
        StageRule("use", ("service_search", "support_ticket"), 60 * DAY),
        StageRule("purchase", ("order",), 30 * DAY),
        StageRule("evaluate", ("price_list", "demo_request", "download"), 60 * DAY),
        StageRule("need", ("page_view", "newsletter_open", "search"), 90 * DAY),
    )

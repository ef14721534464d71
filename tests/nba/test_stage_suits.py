"""Claims about the stages an action suits: the learnt one counts, and the rule's where no such stage was learnt."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from features.times import parse_time
from models.estimate import Estimate
from nba.draw import Draw
from nba.engine import decide
from nba.request import Request

NOW = parse_time("2026-06-15T10:00:00Z")
TOML = """
[goals.conversion]
kinds = ["order"]
horizon = "30d"
[actions.offer]
channel = "email"
stages = ["purchase"]
[actions.help]
channel = "email"
needs = { stage = "evaluate" }
[actions.news]
channel = "email"
"""


@dataclass
class Told:
    """A belief that tells the same of everybody."""

    stage: str | None
    learnt: tuple[str, ...]
    serves = "learned"
    version = "1"
    manifest: ClassVar[dict[str, Any]] = {"goals": {"conversion": {}}}

    def estimate(self, touchpoints, traits, as_of, candidates, *, explain=False) -> Estimate:
        n = len(candidates)
        return Estimate(
            self.stage, {"conversion": 0.2}, {"conversion": "A"}, np.full(n, 0.2), np.full(n, 0.1), ("none",) * n,
            learnt_stages=self.learnt,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("belief", "refused"),
    [
        (None, {"help"}),  # by rule the contact is in "purchase"
        (Told("evaluate", ("need", "evaluate", "purchase")), {"offer"}),
        # No contact was ever learnt to be in "purchase": the rule says who is.
        (Told("evaluate", ("need", "evaluate", "use")), set()),
        (Told("use", ("need", "evaluate", "use")), {"help"}),
        # No stages at all were learnt.
        (Told(None, ()), {"help"}),
    ],
)
def test_which_stage_counts(belief, refused, catalogue_of, past_of, row):
    past = past_of(row("2026-06-01", "order", value=10.0))
    draw = Draw(b"secret", "key")
    decision = decide(Request.from_json({"contact": "crm:1"}), past, belief, catalogue_of(TOML), NOW, draw)
    assert decision.stage_by_rule == "purchase"
    by_stage = {refusal.action for refusal in decision.verdict.refusals if refusal.rule == "suitability"}
    assert by_stage == refused

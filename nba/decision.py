"""A decision: what was chosen with which chance, why, and what else could have been."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from features.frozen import Frozen
from features.times import iso
from models.saying.feature_means import said_of
from models.saying.tongues import EN, say
from nba.actions import DO_NOTHING
from nba.contact_policy import Refusal, Verdict
from nba.priority import Terms
from nba.tables.tables import NOTHING, Subject

if TYPE_CHECKING:
    from features.rows.row_types import DecisionRow
    from models.estimate import Driver


class Recommendation(NamedTuple):
    """One action that is offered; ``probability`` only where it was drawn. Times in microseconds."""

    action: str
    channel: str
    executor: str
    goal: str | None
    topic: str | None
    terms: Terms
    probability: float | None
    not_before: int
    valid_until: int | None
    reasons: Sequence[str]
    subject: Subject = NOTHING
    inform: str | None = None
    """The partner who is told that the owner acts for its contact."""

    def to_json(self, rank: int) -> dict[str, Any]:
        """Return it as it stands in an answer."""
        return {
            "rank": rank,
            "action": self.action,
            "channel": self.channel,
            "executor": self.executor,
            "goal": self.goal,
            "topic": self.topic,
            **self.subject.to_json(),
            "priority": self.terms.priority,
            "terms": self.terms.to_json(),
            "probability": self.probability,
            "evidence": self.terms.evidence,
            "not_before": iso(self.not_before),
            "valid_until": None if self.valid_until is None else iso(self.valid_until),
            "reasons": list(self.reasons),
            "inform": self.inform,
        }


@dataclass(frozen=True)
class Decision:
    """The answer to a request, and the row it is logged as.

    ``chances`` has every allowed action in the order they were drawn in, "do nothing" first. ``is_new`` is
    false where an earlier choice was given again: that is logged already.
    """

    decision_id: str
    contact: str
    as_of: int
    placement: str
    action: str
    chances: Mapping[str, float]
    terms: Mapping[str, Terms]
    recommendations: Sequence[Recommendation]
    points: Mapping[str, Any]
    verdict: Verdict
    mode: str
    policy: str
    stage: str | None = None
    stage_by_rule: str | None = None
    stage_by_topic: Mapping[str, str] = field(default_factory=Frozen)
    propensities: Mapping[str, Mapping[str, Any]] = field(default_factory=Frozen)
    again_at: int | None = None
    holdout: bool = False
    degraded: bool = False
    model_version: str | None = None
    topics: tuple[str, ...] = ()
    drivers: Sequence[Driver] = ()
    explain: bool = False
    language: str = EN
    """What is told in words is told in it; reasons are in it already."""
    defer: bool = False
    is_new: bool = True
    passed_over: Sequence[Refusal] = ()
    """Why allowed actions were not offered all the same; told only where an explanation is asked for."""
    segments: tuple[str, ...] = ()
    """Named groups that the contact is in."""
    properties: Mapping[str, object] | None = None
    """What the log keeps beside the columns."""
    features_sha: str | None = None
    """Of the features that the model saw, so that the same can be shown to come out of the store later."""

    @property
    def probability(self) -> float:
        """The chance that the chosen action had."""
        return self.chances[self.action]

    def to_json(self) -> dict[str, Any]:
        """Return the answer of ``POST /v1/recommend``."""
        answer = {
            "decision_id": self.decision_id,
            "contact_id": self.contact,
            "as_of": iso(self.as_of),
            "stage": self.stage,
            "stage_by_rule": self.stage_by_rule,
            "stage_by_topic": dict(self.stage_by_topic),
            "segments": list(self.segments),
            "propensities": {goal: dict(found) for goal, found in self.propensities.items()},
            "points": dict(self.points),
            "recommendations": [each.to_json(rank) for rank, each in enumerate(self.recommendations, start=1)],
            "do_nothing": self.action == DO_NOTHING,
            "again_at": None if self.again_at is None else iso(self.again_at),
            "holdout": self.holdout,
            "mode": self.mode,
            "degraded": self.degraded,
            "model_version": self.model_version,
        }
        if self.explain:
            answer["removed"] = [
                refusal.to_json(self.language) for refusal in (*self.verdict.refusals, *self.passed_over)
            ]
            answer["left"] = dict(self.verdict.left)
            answer["drivers"] = [_driver(driver, self.language) for driver in self.drivers]
        return answer

    def row(
        self, *, key: str | None = None, request_hash: str | None = None, answer: bytes | None = None
    ) -> DecisionRow:
        """Return the decision as it is logged.

        Parameters
        ----------
        key, request_hash, answer
            Who asked, and what makes the same call give the same bytes again.
        """
        from features.rows.row_types import DecisionRow

        return DecisionRow(
            decision_id=self.decision_id,
            identity=self.contact,
            decided_at=self.as_of,
            action=self.action,
            probability=self.probability,
            allowed=tuple(self.chances),
            policy=self.policy,
            topics=self.topics or None,
            properties=self.properties,
            chances=dict(self.chances),
            mode=self.mode,
            placement=self.placement,
            model_version=self.model_version,
            terms={name: terms.logged() for name, terms in self.terms.items()},
            key=key,
            request_hash=request_hash,
            answer=answer,
            as_of=self.as_of,
            deferred=self.defer,
            holdout=self.holdout,
            features_sha=self.features_sha,
        )


def _driver(driver: Driver, language: str) -> dict[str, Any]:
    # JSON has no NaN: a value that is not known is null.
    value = driver.value if driver.value == driver.value else None
    return {
        "goal": driver.goal,
        "feature": driver.feature.name,
        "means": say(said_of(driver.feature), language),
        "value": value,
        "contribution": driver.contribution,
    }

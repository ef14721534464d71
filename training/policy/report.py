"""Which policy serves, and what the logged decisions can and cannot show about that."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from features.times import DAY, iso, parse_time
from models.stages.stages import StageModel
from nba.settings import Settings
from training.past import Past
from training.policy.gate import THOMPSON, Chosen, best_simple, choose, in_words
from training.policy.learning import Learn, Lesson, learn_effects, learn_mean, taken_chances
from training.policy.values import LEARNED, POINTS, Bench, Chances, judged_on
from training.policy.worth import worth_of
from training.rows.decision_leaks import honest_matrix
from training.rows.decision_rows import DecisionRows, decision_rows
from training.rows.telling_columns import Leak

Flags = NDArray[np.bool_]

NOTHING_SHOWN: Mapping[str, Any] = {"value": None, "interval": None}
FEWEST_NEW = 100
"""New held-out decisions below which a gate waits for more."""


@dataclass(frozen=True)
class Judged:
    """Policies valued on held-out decisions, and which of them may serve."""

    bench: Bench
    chosen: Chosen
    leaks: Sequence[Leak]
    """Traits that tell what came of decisions, and were left out."""

    def gain_to_json(self) -> dict[str, Any]:
        """Write the gain over the best simple policy as in the report."""
        gain = self.chosen.gain
        interval = None if gain.interval is None else list(gain.interval)
        return {"value": gain.value, "interval": interval, "best_simple": self.chosen.best_simple}


def policies(
    past: Past,
    settings: Settings,
    features: FeatureSet,
    *,
    stages: StageModel | None = None,
    success_values: Mapping[str, float] | None = None,
    last: Mapping[str, Any] | None = None,
    learn: Learn = learn_effects,
    rows: DecisionRows | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Write the report's part about policies; what cannot be estimated is null.

    Parameters
    ----------
    features
        What decisions are looked at by.
    stages
        Learnt before the first test row, where the feature set has a column for the stage.
    success_values
        Mean margin of a success per goal, as learnt.
    last
        This part of the report before; its gate is not asked again on the same day or about the same decisions, so
        that what serves then goes on serving.
    learn
        How effects are learnt from decisions that teach.
    rows
        From ``decision_rows``, where somebody has made them already.
    """
    rows = decision_rows(past, settings) if rows is None else rows
    refusal = no_judgement(settings, rows)
    if refusal is not None:
        return _nothing(*refusal, _serving_unjudged(settings, rows))
    gate = _Gate(past, settings, rows)
    is_shut = gate.is_shut(last)
    judged = judge(
        past, settings, rows, features, stages=stages, success_values=success_values or {}, learn=learn, seed=seed,
        held_out=rows.held_out if is_shut else gate.newer(last), shown_before=_serves(last) == LEARNED,
    )  # fmt: skip
    found = _written(judged)
    if judged.chosen.gain.interval is None:
        # Nothing was tested, so nothing is used up.
        return found
    if last is None or not is_shut:
        return found | {"gate": gate.to_json()}
    return found | {"gate": last["gate"]} | _as_before(found, last)


def no_judgement(settings: Settings, rows: DecisionRows) -> tuple[str, str] | None:
    """Return the evidence and why policies cannot be judged at all; None where they can."""
    if not settings.actions:
        return "none", "no actions are defined, so nothing is recommended"
    if not len(rows):
        return "none", "there are no logged decisions to judge a policy on, so the points baseline chooses"
    if not rows.held_out.any():
        return rows.evidence, (
            f"the outcomes of all {len(rows):,} decisions are still open (their horizon ends after the data), so "
            f"{in_words(_serving_unjudged(settings, rows))} chooses"
        )
    return None


def judge(
    past: Past,
    settings: Settings,
    rows: DecisionRows,
    features: FeatureSet,
    *,
    stages: StageModel | None = None,
    success_values: Mapping[str, float],
    held_out: Flags | None = None,
    learn: Learn = learn_effects,
    seed: int = 0,
    shown_before: bool = False,
) -> Judged:
    """Value every policy on held-out decisions, by models that have seen none of them.

    Parameters
    ----------
    held_out
        Which decisions, of those that ``rows`` hold out; all of them when left out.
    """
    X, leaks = honest_matrix(rows, past, features, stages)
    worth = worth_of(past, settings, rows, success_values)
    points = X[:, features.columns.index("points")].astype(np.float64)
    tested = judged_on(rows, rows.held_out if held_out is None else held_out)
    lesson = Lesson(rows, X, features, seed)

    def bench(which: Flags, how: Learn) -> Bench:
        chances = {}
        for goal in rows.goals:
            without, effect = how(lesson, goal, rows.train(goal))(X[which])
            chances[goal] = Chances(without, effect, settings.goals[goal].is_absence)
        return Bench(
            settings=settings,
            rows=rows.only(which),
            worth=worth.only(which),
            points=points[which],
            chances=chances,
            logged=taken_chances(lesson, which),
        )

    found = bench(tested, learn)
    drawn = rows.complete & ~np.isnan(rows.probability)
    fallback = best_simple(bench(drawn, learn_mean)) if drawn.any() else POINTS
    chosen = choose(found, fallback, policy=settings.ranking.policy, shown_before=shown_before)
    return Judged(found, chosen, leaks)


def _serving_unjudged(settings: Settings, rows: DecisionRows) -> str:
    """Return what serves where no decision can be judged: thompson tries what it is not sure of."""
    tries = settings.ranking.policy == THOMPSON and bool(settings.actions) and len(rows) > 0
    return LEARNED if tries else POINTS


def _nothing(evidence: str, why: str, serves: str) -> dict[str, Any]:
    return {
        "evidence": evidence,
        "estimates": {},
        "gain_over_best_simple": dict(NOTHING_SHOWN),
        "serves": serves,
        "why": why,
    }


def _written(judged: Judged) -> dict[str, Any]:
    chosen = judged.chosen
    return {
        "evidence": judged.bench.evidence,
        "estimates": judged.bench.to_json(),
        "gain_over_best_simple": judged.gain_to_json(),
        "serves": chosen.serves,
        "why": chosen.why,
        "left_out": [str(leak) for leak in judged.leaks],
    }


def _as_before(found: Mapping[str, Any], last: Mapping[str, Any]) -> dict[str, Any]:
    """Let serve what served: the gate is asked once a day, about decisions newer than the last."""
    if found["serves"] == last["serves"]:
        return {}
    why = (
        f"{in_words(last['serves'])} goes on: the gate was asked at {last['gate']['at']}, and is asked once a day, "
        f"about decisions newer than those; asked now it would say: {found['why']}"
    )
    return {"serves": last["serves"], "why": why}


def _serves(last: Mapping[str, Any] | None) -> str | None:
    return None if last is None else last.get("serves")


class _Gate:
    """When the gate was last asked, and about which decisions: asked every night, chance would open it one day."""

    def __init__(self, past: Past, settings: Settings, rows: DecisionRows) -> None:
        self._now, self._rows = past.now, rows
        self._through = int(rows.decided_at[rows.held_out].max())
        asked = [repr(part) for part in (settings.ranking, settings.actions, settings.goals, settings.points)]
        self._about = hashlib.sha256(orjson.dumps(asked)).hexdigest()[:16]

    def is_shut(self, last: Mapping[str, Any] | None) -> bool:
        """Whether the last verdict stands: it is of today, or too few decisions are newer."""
        before = self._before(last)
        if before is None:
            return False
        is_today = before["at_us"] // DAY == self._now // DAY
        return is_today or int(self.newer(last).sum()) < FEWEST_NEW

    def newer(self, last: Mapping[str, Any] | None) -> Flags:
        """Held-out decisions that no gate was asked about."""
        before = self._before(last)
        held_out = self._rows.held_out
        return held_out if before is None else held_out & (self._rows.decided_at > before["through_us"])

    def to_json(self) -> dict[str, Any]:
        """Write what the next gate has to know."""
        return {"at": iso(self._now), "decisions_through": iso(self._through), "about": self._about}

    def _before(self, last: Mapping[str, Any] | None) -> dict[str, int] | None:
        """Moments of the last gate; None where there was none, or it was about other goals and actions."""
        found = (last or {}).get("gate")
        if found is None or found.get("about") != self._about:
            return None
        at = parse_time(found["at"])
        # Who trains as of an earlier moment asks what would have been then.
        return {"at_us": at, "through_us": parse_time(found["decisions_through"])} if at <= self._now else None

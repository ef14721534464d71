"""One training, from the store to the champion: each step whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from features.feature_set import FeatureSet, PointWeights, choose
from features.loading import Progress, silent
from features.store import Store
from features.times import iso
from models.belief import Belief
from models.bundle import Bundle, judged_fits
from models.local import install
from models.registry import Registry
from models.verify import verify
from nba.settings import Settings
from nba.settings.goals import Goal
from training import plots
from training.dataset import Rows, Split, make_rows, split_rows
from training.fit import GoalFit, fit_goal
from training.gate import Champion, Verdict, judge
from training.goal_rows import build
from training.past import Past, read_past
from training.policy_report import policies
from training.profiles import action_profiles, describe_goal
from training.report import full_report, logged_metrics
from training.stage_rows import fit_stages
from training.turn import own_turn

Say = Callable[[str], None]


@dataclass(frozen=True)
class Trained:
    """What came of a training."""

    report: dict[str, Any]
    version: str
    promoted: bool


def train(settings: Settings, now: int, *, say: Say, seed: int = 0, progress: Progress = silent) -> Trained:
    """Learn from everything before ``now``, publish, judge, and promote where the gate allows it.

    Parameters
    ----------
    settings
        With at least one goal.
    now
        Microseconds; nothing at or after it is looked at.
    say
        Told what is being done, a sentence each.
    seed
        The same data and seed give the same models.
    progress
        Shows how far long steps have come.

    Raises
    ------
    UserError
        Where there is nothing to learn from, or the registry does not answer.
    """
    settings.need_goals()
    with own_turn(settings.folder, say):
        return _train(settings, now, say, seed, progress)


def _train(settings: Settings, now: int, say: Say, seed: int, progress: Progress) -> Trained:
    goals = settings.goals
    with Store.open(settings.store.url) as store:
        say("reading touchpoints, traits and decisions")
        past = read_past(store, settings, now)
    registry = Registry(settings.mlflow.tracking_uri, settings.mlflow.model, settings.mlflow.artifacts)
    splits = {name: _rows(past, goal, settings) for name, goal in goals.items()}
    features = choose_features(past, settings, _known_until(splits, past))
    fits = []
    for name, goal in goals.items():
        rows, split = splits[name]
        say(f"{name}: {len(rows):,} rows, {int(rows.label.sum()):,} positive; building features and fitting")
        with progress(f"rows of {name}", len(rows)) as shown:
            data = build(past, goal, rows, split, features, settings.scale, advance=shown.advance)
        fits.append(fit_goal(data, past, seed=seed))
    say("learning the stages")
    stages = fit_stages(past, settings, features, past.end, seed)
    with tempfile.TemporaryDirectory(prefix="nba-training-") as room:
        champion = _champion(registry, Path(room))
        verdict = judge(fits, past, champion)
        chosen = policies(past, settings)
        report = full_report(past, fits, stages, chosen, verdict)
        folder = Path(room) / "bundle"
        bundle = Bundle(
            manifest=_manifest(past, settings, features, fits, chosen, report),
            propensities={fit.data.goal.name: fit.final for fit in fits if fit.final is not None},
            stages=stages,
            judged={fit.data.goal.name: fit.judged for fit in fits if fit.judged is not None},
        ).save(folder)
        say("trying the bundle in a process of its own")
        verify(folder)
        say("publishing to MLflow")
        version = registry.publish(
            folder,
            params=_params(past, settings, fits, seed),
            metrics=logged_metrics(report),
            report=report,
            plots=_plots(fits),
            tags=_tags(past, verdict),
        )
        report["bundle"] = {"version": version, "sha256": bundle.sha256}
        if verdict.promote:
            registry.promote(version, "; ".join(verdict.reasons), by="nba train run")
            install(settings.folder, folder, version, bundle.sha256)
    return Trained(report, version, verdict.promote)


def choose_features(past: Past, settings: Settings, before: int) -> FeatureSet:
    """Choose the fixed-width feature set, chosen on what was known before the first test row."""
    points = settings.points
    features = choose(
        past.recorded,
        rules=settings.touchpoints,
        points=PointWeights(dict(points.kinds), points.once, points.half_life_us),
        topic_half_life=settings.topics.half_life_us,
        before=before,
    )
    groups = past.groups
    return replace(
        features,
        traits=past.recorded_traits.choose(before, without=settings.privacy.protected),
        account=groups is not None and groups.are_worth_looking_at(before),
    )


def _rows(past: Past, goal: Goal, settings: Settings) -> tuple[Rows, Split]:
    rows = make_rows(past.touchpoints, goal, settings.touchpoints, past.end, past.versions)
    return rows, split_rows(rows, goal)


def _known_until(splits: Mapping[str, tuple[Rows, Split]], past: Past) -> int:
    """Find the first test moment of any goal: what was not known then must not choose anything."""
    first = [int(rows.as_of[split.test].min()) for rows, split in splits.values() if split.test.any()]
    return min(first, default=past.end)


def _champion(registry: Registry, room: Path) -> Champion | None:
    found = registry.champion()
    if found is None:
        return None
    folder = registry.fetch(found[0], room / "champion")
    verify(folder)
    return Champion(Belief.load(folder, found[0]), judged_fits(folder))


def _manifest(
    past: Past,
    settings: Settings,
    features: FeatureSet,
    fits: list[GoalFit],
    chosen: Mapping[str, Any],
    report: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "created_at": iso(past.now),
        "features": features.to_json(),
        "goals": {fit.data.goal.name: describe_goal(fit, past) for fit in fits if fit.final is not None},
        "actions": action_profiles(past, settings, fits),
        "policies": dict(chosen),
        "data": {**report["data"], "end_us": past.end},
    }


def _params(past: Past, settings: Settings, fits: list[GoalFit], seed: int) -> dict[str, object]:
    params: dict[str, object] = {"seed": seed, "as_of": iso(past.now), "goals": ",".join(settings.goals)}
    for fit in fits:
        if fit.judged is not None:
            name = fit.data.goal.name
            params[f"{name}.rounds"] = fit.judged.rounds
            params[f"{name}.calibration"] = fit.judged.calibration.method
            params |= {f"{name}.{key}": value for key, value in fit.judged.params.items()}
    return params


def _tags(past: Past, verdict: Verdict) -> dict[str, str]:
    return {
        "trained_through": iso(past.end),
        "validation": "passed" if verdict.promote else "failed",
        "verdict": "; ".join(verdict.reasons)[:4000],
    }


def _plots(fits: list[GoalFit]) -> dict[str, bytes]:
    drawn: dict[str, bytes] = {}
    for fit in fits:
        label = fit.data.rows.label[fit.test]
        if fit.predicted is None or not 0 < int(label.sum()) < len(label):
            continue
        name = fit.data.goal.name
        title = f"{name}: test rows {fit.report['test']['from'][:10]} to {fit.report['test']['to'][:10]}"
        scores = {"model": fit.predicted} | {rule: values for rule, values in fit.rules.items() if values is not None}
        drawn[f"{name}-calibration.png"] = plots.calibration_plot(label.astype(np.float64), fit.predicted, title)
        drawn[f"{name}-lift.png"] = plots.lift_plot(label.astype(np.float64), scores, title)
    return drawn

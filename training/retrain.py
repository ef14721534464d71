"""One training, from the store to the champion: each step whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from features.feature_set import FeatureSet, PointWeights, choose
from features.loading.loading import Progress, silent
from features.store.store import Store
from features.times import iso
from models.bundle import Bundle
from models.registry.training_run import TrainingRun
from models.verify import verify
from nba.door import now_us
from nba.settings import Settings
from nba.settings.goals import Goal
from training.bias.bias import tell_bias
from training.champion import Champion, champion_of
from training.code_version import code_version
from training.dataset import Rows, make_rows
from training.drift.rows import references, tell_drift
from training.effect_fit import learn_all_effects
from training.fit import GoalFit, fit_goal
from training.gate import Verdict, judge
from training.partners.lead_drivers import tell_leads
from training.past import Past, read_past
from training.plots.drift import drift_plots
from training.plots.effects import effect_plots
from training.plots.pictures import pictures
from training.plots.stages import stage_plots
from training.policy.report import policies
from training.profiles import action_profiles, describe_goal, success_value
from training.promotion import promote, registry_of
from training.report import full_report, logged_metrics
from training.rows.data_used import data_used
from training.rows.decision_rows import decision_rows
from training.rows.goal_rows import build
from training.rows.row_split import Split, split_rows
from training.stages.fit import learn_stages, serving_stages
from training.stages.report import stage_report
from training.turn import own_turn

Say = Callable[[str], None]

FEWEST_OF_A_TOPIC = 20
"""Contacts that share a topic before it has columns: reports name columns, and of fewer no model learns."""


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
    registry = registry_of(settings)
    splits = {name: _rows(past, goal, settings) for name, goal in goals.items()}
    before = _known_until(splits, past)
    features = choose_features(past, settings, before)
    with tempfile.TemporaryDirectory(prefix="nba-training-") as room:
        champion = champion_of(registry, Path(room))
        say("learning the stages")
        learnt = learn_stages(past, settings, features, before, serving_stages(champion), seed)
        features = replace(features, stage=learnt.judged is not None)
        fits = []
        for name, goal in goals.items():
            rows, split = splits[name]
            say(f"{name}: {len(rows):,} rows, {int(rows.label.sum()):,} positive; building features and fitting")
            with progress(f"rows of {name}", len(rows)) as shown:
                data = build(
                    past, goal, rows, split, features, settings.scale, stages=learnt.judged, advance=shown.advance
                )
            fits.append(fit_goal(data, past, seed=seed, stages=learnt.final))
        tell_leads(fits, past)
        drift = tell_drift(fits, past, settings, champion.belief if isinstance(champion, Champion) else None)
        verdict = judge(fits, past, champion, drift)
        decided = decision_rows(past, settings)
        bias = tell_bias(fits, past, settings, decided)
        if len(decided):
            say(f"valuing policies on the {int(decided.held_out.sum()):,} decisions held out of {len(decided):,}")
        chosen = policies(
            past,
            settings,
            features,
            stages=learnt.judged,
            success_values={fit.data.goal.name: success_value(fit.data.goal, fit) for fit in fits},
            last=(registry.last_report() or {}).get("policies"),
            rows=decided,
            seed=seed,
        )
        _warn(fits, chosen.get("left_out", ()))
        told = stage_report(learnt.final, past, settings, features, seed)
        fitted = [fit.data.goal.name for fit in fits if fit.final is not None]
        effects = learn_all_effects(
            past, settings, features, fitted, stages=learnt.final, say=say, rows=decided, seed=seed
        )
        report = full_report(past, fits, told, chosen, verdict) | {"effects": dict(effects.report), "bias": bias}
        folder = Path(room) / "bundle"
        bundle = Bundle(
            manifest=_manifest(past, settings, features, fits, chosen, report),
            propensities={fit.data.goal.name: fit.final for fit in fits if fit.final is not None},
            stages=learnt.final,
            judged={fit.data.goal.name: fit.judged for fit in fits if fit.judged is not None},
            judged_stages=learnt.judged,
            effects=effects.by_goal,
        ).save(folder)
        say("trying the bundle in a process of its own")
        verify(folder)
        say("publishing to MLflow")
        version = registry.publish(
            folder,
            TrainingRun(
                params=_params(past, settings, fits, seed),
                metrics=logged_metrics(report),
                report=report,
                plots=pictures(
                    fits,
                    drift_plots(drift),
                    stage_plots(told["profiles"]),
                    effect_plots(effects.by_goal, effects.report),
                ),
                tags=_tags(past, verdict),
                data=data_used(past, settings.store.url),
                at=past.now,
            ),
        )
        report["bundle"] = {"version": version, "sha256": bundle.sha256}
        if verdict.promote:
            promote(settings, version, "; ".join(verdict.reasons), "nba train run", now_us(), folder)
    return Trained(report, version, verdict.promote)


def _warn(fits: list[GoalFit], left_out: Iterable[str]) -> None:
    """Name what decisions showed to be filled in after the fact in the warnings of goals that did not find it."""
    for fit in fits:
        known = {warning.partition("' ")[0] for warning in fit.report["warnings"]}
        fit.report["warnings"] += [leak for leak in left_out if leak.partition("' ")[0] not in known]


def choose_features(past: Past, settings: Settings, before: int) -> FeatureSet:
    """Choose the fixed-width feature set, chosen on what was known before the first test row."""
    points = settings.points
    features = choose(
        past.recorded,
        rules=settings.touchpoints,
        points=PointWeights(dict(points.kinds), points.once, points.half_life_us),
        topic_half_life=settings.topics.half_life_us,
        before=before,
        sharing=FEWEST_OF_A_TOPIC,
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
        "drift": references(fits, past),
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
        **code_version(),
    }

"""What is known of the champion and of the challenger, for whoever does not ask MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.registry.registry import CHALLENGER, CHAMPION, Registry

_OF_GOAL = ("train", "test", "metrics", "calibration", "reliability", "warnings", "drift")
_OF_DRIFT = ("level", "sentence", "moved", "moved_far", "of", "by_themselves", "features", "score", "outcome")
_OF_ESTIMATE = ("value", "interval", "success_rate", "n", "verdict", "why")
_OF_EFFECT = ("value", "interval", "decisions", "evidence", "means")


def standing(registry: Registry) -> dict[str, Any]:
    """Tell who serves and who wants to.

    Returns
    -------
    dict
        ``champion`` and ``challenger``: version, hash, whose doing and why, run, and of its report what judges it; None
        where there is none, or where the newest version is the champion.

    Raises
    ------
    RegistryError
        Where MLflow does not answer.
    """
    champion, challenger = (registry.aliased(alias) for alias in (CHAMPION, CHALLENGER))
    newer = None if challenger == champion else challenger
    return {"champion": _version(registry, champion), "challenger": _version(registry, newer)}


def _version(registry: Registry, named: tuple[str, str] | None) -> dict[str, Any] | None:
    if named is None:
        return None
    version, sha256 = named
    past, report = registry.training(version), registry.report(version)
    return {
        "version": version,
        "sha256": sha256,
        "trained_through": past.tags.get("trained_through"),
        "promoted_by": past.tags.get("promoted_by"),
        "reason": past.tags.get("reason"),
        "experiment_id": past.experiment_id,
        "run_id": past.run_id,
        "report": None if report is None else judgement(report),
    }


def judgement(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return of a training's report what it was judged by, without what it is long of."""
    policies = report["policies"]
    return {
        "data": report["data"],
        "goals": {goal: _of_goal(told) for goal, told in report["goals"].items()},
        "policies": {
            **{name: policies.get(name) for name in ("evidence", "serves", "why", "gain_over_best_simple")},
            "estimates": {name: _only(told, _OF_ESTIMATE) for name, told in policies.get("estimates", {}).items()},
        },
        "effects": {
            goal: {name: _only(told, _OF_EFFECT) for name, told in learnt.get("actions", {}).items()}
            for goal, learnt in report.get("effects", {}).items()
        },
        "verdict": report["verdict"],
    }


def _of_goal(told: Mapping[str, Any]) -> dict[str, Any]:
    found = _only(told, _OF_GOAL)
    drift = found.get("drift")
    if drift is not None:
        found["drift"] = {
            name: None if moved is None else _only(moved, _OF_DRIFT)
            for name, moved in drift.items()
            if moved is None or isinstance(moved, Mapping)
        }
    return found


def _only(told: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: told[name] for name in names if name in told}

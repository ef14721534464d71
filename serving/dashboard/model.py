"""Model: who serves and who wants to, how good each was found, and how good the data are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from nba.interests import SILENT
from serving.api.model import model_of
from serving.condition import conditions
from serving.dashboard import charts
from serving.dashboard.charts import Bar, Series
from serving.dashboard.numbers import NONE
from serving.dashboard.pages import Page
from serving.dashboard.visit import Visit
from serving.service import Service
from serving.standing import counts_in

PATH = "/model"
_WHO = ("model", "points", "recency", "frequency", "abc", "logistic")
_FINDINGS = ("quarantined", "quarantined repeat", "late outcome", "pending outcome", "possible duplicate", "new kind")
"""Those of the view ``v_data_quality``, in the order of the page."""
_CHANCE = 0.5


async def model(visit: Visit) -> Response:
    """Show what serves, what it was judged by, and what is wrong."""
    service = visit.service
    told, parts, counts = await asyncio.to_thread(_told, service)
    champion, challenger = (told["standing"][name] for name in ("champion", "challenger"))
    if champion is not None and champion["version"] != told["version"]:
        # The registry knows a champion that has not come here yet, or one that was refused.
        champion, challenger = None, challenger or champion
    report = champion["report"] if champion is not None else None
    policies = told["policies"] or {}
    gain = policies.get("gain_over_best_simple") or {"value": None, "interval": None, "best_simple": None}
    return visit.shown(
        "model.html",
        told=told,
        wrong=[part.wrong for part in parts.values() if part.wrong],
        champion=champion,
        challenger=None if challenger is None else _challenger(visit, challenger),
        promoted=_promoted(counts, told["version"]),
        run=run_address(service.settings.mlflow.tracking_uri, champion),
        goals=_goals(visit, told["metrics"], report),
        warnings=_warnings(report),
        policies=policies,
        gain=gain,
        best=policy_name(visit, gain["best_simple"] or "points"),
        worth=_worth(visit, policies.get("estimates") or {}),
        worth_rows=_worth_rows(visit, policies.get("estimates") or {}),
        counts=counts,
        quality=_quality(counts, _named_kinds(service)),
    )


def _told(service: Service) -> tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any] | None]:
    return model_of(service), conditions(service), counts_in(service.settings.folder)


def run_address(tracking_uri: str, champion: Mapping[str, Any] | None) -> str | None:
    """Return where MLflow shows the training; None where nothing of it can be reached by a browser.

    Examples
    --------
    >>> run_address("https://me:secret@mlflow.example.org/", {"experiment_id": "1", "run_id": "a b"})
    'https://mlflow.example.org/#/experiments/1/runs/a%20b'
    >>> run_address("sqlite:///mlflow.db", {"experiment_id": "1", "run_id": "ab"}) is None
    True
    """
    scheme, _, rest = tracking_uri.partition("://")
    if scheme not in ("http", "https") or champion is None or not champion.get("run_id"):
        return None
    # A user and a password may stand before the host; they are nobody's to read.
    host, slash, path = rest.partition("/")
    base = f"{scheme}://{host.rpartition('@')[2]}{slash}{path}".rstrip("/")
    return f"{base}/#/experiments/{quote(champion['experiment_id'])}/runs/{quote(champion['run_id'])}"


def _promoted(counts: Mapping[str, Any] | None, version: str | None) -> Mapping[str, Any] | None:
    """Return what the view ``v_model_versions`` has of a version."""
    rows = [] if counts is None or version is None else counts["versions"]
    return next((row for row in rows if row["model_version"] == version), None)


def _goals(visit: Visit, metrics: Mapping[str, Any], report: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    told = {name: {"metrics": {"model": own or {}}} for name, own in metrics.items()}
    learnt = report["goals"] if report is not None else told
    return [_goal(visit, name, told) for name, told in learnt.items()]


def _goal(visit: Visit, name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    w, n = visit.words, visit.numbers
    found = [(who, told["metrics"][who]) for who in _WHO if told["metrics"].get(who, {}).get("auc") is not None]
    bars = [Bar(w[f"who_{who}"], each["auc"], *(each.get("auc_interval") or (None, None))) for who, each in found]
    means = w.auc_means.format(goal=w.named("goal", name))
    drift = told.get("drift") or {}
    return {
        "name": name,
        "model": told["metrics"].get("model") or {},
        "test": told.get("test"),
        "train": told.get("train"),
        "auc": charts.bars(bars, lambda x: n.number(x, 2), means),
        "auc_rows": [_auc_row(visit, who, each) for who, each in found],
        "calibration": told.get("calibration"),
        **_reliability(visit, name, told.get("reliability") or ()),
        "drift": drift.get("in_data"),
        "since": drift.get("since_champion"),
        "moved": [each for each in (drift.get("in_data") or {}).get("features", ()) if "psi" in each][:8],
        "verdict": _verdict(told["metrics"]),
    }


def _verdict(metrics: Mapping[str, Any]) -> str:
    """Say in one word how the model stands beside chance and beside the best of the simple rules."""
    own = metrics.get("model") or {}
    if own.get("auc") is None:
        return "unknown"
    low = (own.get("auc_interval") or [own["auc"]])[0]
    if low <= _CHANCE:
        return "chance"
    others = [each["auc"] for who, each in metrics.items() if who != "model" and each.get("auc") is not None]
    return "better" if others and low > max(others) else "unsure" if others else "alone"


def _auc_row(visit: Visit, who: str, told: Mapping[str, Any]) -> list[str]:
    n = visit.numbers
    interval = told.get("auc_interval")
    bounds = "" if not interval else f"{n.number(interval[0], 3)} – {n.number(interval[1], 3)}"
    return [visit.words[f"who_{who}"], n.number(told["auc"], 3), bounds]


def _reliability(visit: Visit, name: str, curve: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Draw what was predicted beside what happened, in tenths of the contacts by their propensity."""
    w, n = visit.words, visit.numbers
    series = [Series(w.predicted, [row[1] for row in curve]), Series(w.happened, [row[2] for row in curve])]
    labels = [n.percent(row[1]) for row in curve]
    means = w.reliability_means.format(goal=w.named("goal", name))
    rows = [
        [n.number(i + 1), n.number(row[0]), n.percent(row[1], 1), n.percent(row[2], 1)] for i, row in enumerate(curve)
    ]
    return {"reliability": charts.lines(series, labels, n.percent, means), "reliability_rows": rows}


def _warnings(report: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Return each warning with the goals it is about."""
    found: dict[str, list[str]] = {}
    for goal, told in (report or {"goals": {}})["goals"].items():
        for warning in told.get("warnings", ()):
            found.setdefault(warning, []).append(goal)
    return [(", ".join(goals), warning) for warning, goals in found.items()]


def _challenger(visit: Visit, told: Mapping[str, Any]) -> dict[str, Any]:
    report = told["report"] or {"goals": {}, "verdict": {"reasons": []}}
    return {
        **told,
        "reasons": report["verdict"]["reasons"],
        "rows": [
            (name, *_auc_row(visit, "model", each["metrics"]["model"])[1:])
            for name, each in report["goals"].items()
            if each["metrics"]["model"].get("auc") is not None
        ],
        "run": run_address(visit.service.settings.mlflow.tracking_uri, told),
    }


def policy_name(visit: Visit, name: str) -> str:
    """Return what a way of choosing is called."""
    kind, _, action = name.partition(":")
    if kind == "constant":
        return visit.words.always.format(action=visit.words.named("action", action))
    return visit.words.named("policy", name)


def _known(estimates: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    found = [(name, each) for name, each in estimates.items() if each.get("value") is not None]
    return sorted(found, key=lambda each: -each[1]["value"])


def _worth(visit: Visit, estimates: Mapping[str, Any]) -> Any:
    found = [
        Bar(policy_name(visit, name), each["value"], *(each.get("interval") or (None, None)))
        for name, each in _known(estimates)
    ]
    return charts.bars(found, visit.numbers.short, visit.words.worth_means)


def _worth_rows(visit: Visit, estimates: Mapping[str, Any]) -> list[list[str]]:
    n = visit.numbers
    rows = []
    for name, each in _known(estimates):
        interval = each.get("interval")
        bounds = NONE if not interval else f"{n.number(interval[0], 2)} – {n.number(interval[1], 2)}"
        rows.append([policy_name(visit, name), n.number(each["value"], 2), bounds])
    return rows


def _named_kinds(service: Service) -> frozenset[str]:
    """Return the kinds of touchpoints that the settings name, or that everybody knows: outcomes and consent."""
    settings = service.settings
    watched = (kind for goal in settings.goals.values() for kind in goal.watched)
    rules = settings.touchpoints
    return SILENT.union(watched, settings.points.kinds, rules.money, rules.outbound, rules.returns)


def _quality(counts: Mapping[str, Any] | None, named: frozenset[str]) -> list[dict[str, Any]]:
    """Return each finding of the last three months with its rows; a new kind says whether the settings know it."""
    if counts is None:
        return []
    found = []
    for finding in _FINDINGS:
        rows = [row for row in counts["quality_lately"] if row["finding"] == finding]
        rows = [
            {
                **row,
                "first": _microseconds(row["first_day"]),
                "last": _microseconds(row["last_day"]),
                "is_named": row["subject"] in named,
            }
            for row in rows
        ]
        found.append({"finding": finding, "rows": rows, "total": sum(row["rows"] for row in rows)})
    return found


def _microseconds(day: str) -> int:
    """Return the noon of a day, which is the same day in nearly every zone."""
    return (date.fromisoformat(day).toordinal() - date(1970, 1, 1).toordinal()) * 86_400_000_000 + 43_200_000_000


PAGES = (Page("model", PATH, model, title="model", for_bound=False),)

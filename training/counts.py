"""What a look at everything counts, for pages that answer at once: uses of actions, gates, topics, data quality."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import date, timedelta
from heapq import nlargest
from typing import TYPE_CHECKING, Any

from features.digest import digests
from features.rows.row_types import DecisionRow
from features.store.read_view import read_view
from features.store.store import Store
from features.times import DAY, iso
from nba.infocenter.content_success import shown_slots, success
from nba.settings import Settings
from training.everybody.actions_check import check_actions, placements_of
from training.everybody.everybody import Everybody
from training.past import WITHOUT_TERMS, read_past
from training.rows.decision_rows import decision_rows, was_chosen

if TYPE_CHECKING:
    from models.belief import Belief

WINDOW = 90 * DAY
"""How far back "lately" reaches."""
_WEEKS = 26
_COMPARED = 1000
"""Decisions whose features are built again: the newest ones."""
_SUMS = ("decisions", "carried_out", "answered", "accepted", "converted", "rejected", "value")
_OF_USE = ("action", "placement", "loaded")
_OF_FINDING = ("finding", "table_name", "subject")

Rows = Iterable[Mapping[str, Any]]


def count(store: Store, settings: Settings, belief: Belief | None, now: int) -> dict[str, Any]:
    """Count as of ``now`` (microseconds).

    Returns
    -------
    dict
        ``uses`` and ``uses_lately``: the rows of ``v_decisions_daily`` summed over days by action, placement, loaded;
        ``weeks``: decisions by week and action; ``lift`` and ``versions``: ``v_action_lift`` and ``v_model_versions``
        as they are; ``quality`` and ``quality_lately``: ``v_data_quality`` summed over days, ``first_day`` and
        ``last_day`` beside; ``gates``: what ``nba actions check`` tells, None without actions or contacts; ``topics``:
        what ``nba evaluate content`` tells; ``parity``: see there.
    """
    since = iso(now - WINDOW)[:10]
    daily, quality = read_view(store, "v_decisions_daily"), read_view(store, "v_data_quality")
    return {
        "as_of": iso(now),
        "lately_since": since,
        "uses": uses(daily),
        "uses_lately": uses(row for row in daily if row["day"] >= since),
        "weeks": weeks(daily),
        "lift": read_view(store, "v_action_lift"),
        "versions": read_view(store, "v_model_versions"),
        "quality": findings(quality),
        "quality_lately": findings(row for row in quality if row["day"] >= since),
        "gates": _gates(store, settings, belief, now),
        "topics": _topics(store, settings, now),
        "parity": parity(store, settings, belief, now),
    }


def uses(daily: Rows) -> list[dict[str, Any]]:
    """Sum days; the most used first.

    Examples
    --------
    >>> row = dict.fromkeys(_SUMS, 1) | {"action": "call", "placement": "outbound", "loaded": 0, "value": None}
    >>> [(each["decisions"], each["value"]) for each in uses([row, row])]
    [(2, None)]
    """
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in daily:
        key = tuple(row[name] for name in _OF_USE)
        sums = found.setdefault(key, {**dict(zip(_OF_USE, key, strict=True)), **dict.fromkeys(_SUMS)})
        for name in _SUMS:
            if row[name] is not None:
                sums[name] = (sums[name] or 0) + (float(row[name]) if name == "value" else int(row[name]))
    return sorted(found.values(), key=lambda each: (-each["decisions"], each["action"], each["placement"]))


def weeks(daily: Rows) -> list[dict[str, Any]]:
    """Count decisions by action in each of the newest weeks that have any, those between them too; Monday first."""
    found: dict[date, dict[str, int]] = {}
    for row in daily:
        day = date.fromisoformat(row["day"])
        of_week = found.setdefault(day - timedelta(days=day.weekday()), {})
        of_week[row["action"]] = of_week.get(row["action"], 0) + int(row["decisions"])
    if not found:
        return []
    last = max(found)
    first = max(min(found), last - timedelta(weeks=_WEEKS - 1))
    mondays = (first + timedelta(weeks=i) for i in range((last - first).days // 7 + 1))
    return [{"week": monday.isoformat(), "decisions": found.get(monday, {})} for monday in mondays]


def findings(quality: Rows) -> list[dict[str, Any]]:
    """Sum days; the most frequent of each finding first."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in quality:
        key = tuple(row[name] for name in _OF_FINDING)
        told = {**dict(zip(_OF_FINDING, key, strict=True)), "rows": 0, "first_day": row["day"], "last_day": row["day"]}
        sums = found.setdefault(key, told)
        sums["rows"] += int(row["row_count"])
        sums["first_day"], sums["last_day"] = min(sums["first_day"], row["day"]), max(sums["last_day"], row["day"])
    return sorted(found.values(), key=lambda each: (each["finding"], -each["rows"], each["subject"] or ""))


def parity(store: Store, settings: Settings, belief: Belief | None, now: int) -> dict[str, Any] | None:
    """Build the features of the newest decisions as training does, and compare them with those that were served.

    Returns
    -------
    dict | None
        ``compared`` decisions of the champion, and ``differ``: those whose features are not the same to the bit, as
        where something that happened before the decision came in after it; None without a champion.
    """
    if belief is None:
        return None
    version = belief.version

    def newest(decisions: Iterator[DecisionRow]) -> list[DecisionRow]:
        ours = (row for row in decisions if row.features_sha is not None and row.model_version == version)
        return nlargest(_COMPARED, filter(was_chosen, ours), key=lambda row: (row.decided_at, row.decision_id))

    past = read_past(store, settings, now, without=WITHOUT_TERMS, picked=newest)
    if not past.decisions:
        return {"compared": 0, "differ": 0}
    rows = decision_rows(past, settings)
    found = digests(rows.matrix(past, belief.features, belief.bundle.stages))
    differ = sum(row.features_sha != sha for row, sha in zip(rows.made, found, strict=True))
    return {"compared": len(rows), "differ": differ}


def _gates(store: Store, settings: Settings, belief: Belief | None, now: int) -> dict[str, Any] | None:
    if not settings.actions:
        return None
    everybody = Everybody.read(store, settings, now)
    return check_actions(everybody, settings, belief, placements_of(settings)) if everybody.names else None


def _topics(store: Store, settings: Settings, now: int) -> dict[str, Any]:
    found = success(shown_slots(store, now, settings.touchpoints, settings.partners))
    return {
        "new": asdict(found["new"]),
        "known": asdict(found["known"]),
        "difference": found["difference"],
        "new_topics": {topic: asdict(rate) for topic, rate in found["new_topics"].items()},
    }

"""Which model answers, how good it was found, and since when it serves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from models.belief import Belief
from models.daily_log import DailyLog
from serving import shown
from serving.caller import caller_of
from serving.operations import Operation, reply
from serving.service import Service, service_of
from serving.standing import standing_in


async def get_model(request: Request) -> Response:
    """Describe the bundle that serves; without one the points baseline does.

    How good it was found is told of all contacts together, so whoever sees a part of them is not told.
    """
    service = service_of(request)
    if caller_of(request).is_bound:
        return reply({**service.bundles.report(), **_described(service.bundles.current), **_OF_EVERYBODY})
    return reply(await asyncio.to_thread(model_of, service))


def model_of(service: Service) -> dict[str, Any]:
    """Return all that is told of what serves."""
    folder = service.settings.folder
    return {
        **service.bundles.report(),
        **_described(service.bundles.current),
        "comparisons": DailyLog.of(folder).last(),
        "standing": standing_in(folder),
    }


_OF_EVERYBODY: Mapping[str, Any] = {
    "metrics": {},
    "data": None,
    "policies": None,
    "comparisons": None,
    "standing": None,
}


def _described(belief: Belief | None) -> dict[str, Any]:
    manifest = belief.manifest if belief else {}
    return {
        "created_at": manifest.get("created_at"),
        "evidence": belief.evidence if belief else "none",
        "metrics": {goal: told.get("metrics") for goal, told in manifest.get("goals", {}).items()},
        "data": manifest.get("data"),
        "policies": manifest.get("policies"),
    }


OPERATIONS = (
    Operation(
        id="getModel",
        method="GET",
        scope="read",
        path="/v1/model",
        handler=get_model,
        means="Which model answers, its metrics, and since when.",
        response=shown.MODEL,
        response_example={
            "version": "3",
            "sha256": "9f2c",
            "serves": "learned",
            "since": "2026-11-21T10:00:00Z",
            "refused": None,
            "created_at": "2026-11-21T09:50:00Z",
            "evidence": "randomised",
            "metrics": {"conversion": {"auc": 0.86}},
            "comparisons": {
                "day": "2026-11-21",
                "decisions": 2210,
                "value": 3.1,
                "holdout": {"held_out": 44, "value": None, "interval": None},
                "over": {"points": {"value": 0.8, "interval": [0.2, 1.4]}},
            },
            "standing": {
                "champion": {"version": "3", "promoted_by": "nba train run", "reason": "conversion: AUC 0.860"},
                "challenger": None,
            },
        },
    ),
)

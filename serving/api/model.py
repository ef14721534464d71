"""Which model answers, how good it was found, and since when it serves."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from serving import schemas
from serving.operations import Operation, reply
from serving.service import service_of

_TOLD = ("trained_at", "data", "metrics", "policies", "stages")
"""Parts of a bundle's manifest that say how it came about."""


async def get_model(request: Request) -> Response:
    """Describe the bundle that serves; without one the points baseline does."""
    bundles = service_of(request).bundles
    belief = bundles.current
    manifest = belief.manifest if belief else {}
    told: dict[str, Any] = {name: manifest[name] for name in _TOLD if name in manifest}
    return reply(
        {**bundles.report(), "metrics": {}, "evidence": belief.evidence if belief else "none", **told}
    )


OPERATIONS = (
    Operation(
        id="getModel",
        method="GET",
        path="/v1/model",
        handler=get_model,
        means="Which model answers, its metrics, and since when.",
        response=schemas.MODEL,
        response_example={
            "version": "3",
            "sha256": "9f2c",
            "serves": "learned",
            "since": "2026-11-21T10:00:00Z",
            "refused": None,
            "evidence": "randomised",
            "metrics": {"conversion": {"auc": 0.86}},
        },
    ),
)

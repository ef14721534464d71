"""The worklist: whom people should turn to now."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from nba.worklist import Wanted
from serving import queried, schemas, shown
from serving.caller import caller_of
from serving.cursor import LONGEST
from serving.operations import Operation, Parameter, reply
from serving.packed import HEADERS, VARIES, packed, takes_gzip
from serving.service import service_of
from serving.unchanged import has_already, not_modified, tag_of
from serving.wished import wished_language
from serving.worklist import page

USUAL, MOST = 50, 200
_WORTH_PACKING = 1_000


async def get_worklist(request: Request) -> Response:
    """Show a page of contacts to turn to, by priority; nothing is logged."""
    wanted = Wanted(*(queried.text(request, name) for name in ("owner", "partner", "stage", "action")))
    limit = queried.whole(request, "limit", USUAL, 1, MOST)
    cursor = queried.text(request, "cursor", LONGEST)
    service = service_of(request)
    language = wished_language(request, service.settings.serving.language)
    found = await page(service, caller_of(request).viewer, wanted, limit, cursor, language)
    tag = tag_of(_state(found))
    if has_already(request, tag):
        return not_modified({**VARIES, "ETag": tag})
    response = reply(found)
    if takes_gzip(request) and len(response.body) >= _WORTH_PACKING:
        response = Response(b"".join(packed([bytes(response.body)])), media_type=response.media_type, headers=HEADERS)
    response.headers.update({**VARIES, "ETag": tag})
    return response


def _state(found: dict[str, Any]) -> dict[str, Any]:
    """Leave out what makes no other page of it: when it was made, and the cursor, which is enciphered anew."""
    now = found["as_of"]
    rows = [each | {"not_before": None} if each["not_before"] == now else each for each in found["contacts"]]
    return {**found, "as_of": None, "next_cursor": found["next_cursor"] is None, "contacts": rows}


OPERATIONS = (
    Operation(
        id="getWorklist",
        method="GET",
        scope="read",
        path="/v1/worklist",
        handler=get_worklist,
        means="Contacts that people should turn to now, by priority: with what to do, when and why.",
        parameters=(
            Parameter("owner", "Of contacts of one of your own people only.", schemas.NAME, "jane", place="query"),
            Parameter("partner", "Of one partner's contacts only.", schemas.NAME, "north", place="query"),
            Parameter("stage", "In this stage at the last scoring.", schemas.NAME, "evaluate", place="query"),
            Parameter("action", "With this action for people.", schemas.NAME, "sales_call", place="query"),
            Parameter(
                "limit",
                "How many contacts.",
                {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL},
                20,
                place="query",
            ),
            Parameter(
                "cursor",
                "`next_cursor` of the page before, as it is.",
                {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": "^[A-Za-z0-9_-]+$"},
                None,
                place="query",
            ),
        ),
        response=shown.WORKLIST,
        response_example={
            "as_of": "2026-11-21T10:00:00Z",
            "scored_at": "2026-11-21T02:00:00Z",
            "contacts": [
                {
                    "contact_id": "crm:4711",
                    "name": "Ann Lee",
                    "account": "acme",
                    "owner": "jane",
                    "phone": "+41 44 123 45 67",
                    "email": "ann@acme.example",
                    "crm_url": None,
                    "partner": None,
                    "stage": "evaluate",
                    "points": 265.0,
                    "action": "sales_call",
                    "channel": "phone",
                    "executor": "sales",
                    "topic": "pumps",
                    "not_before": "2026-11-23T07:00:00Z",
                    "valid_until": None,
                    "priority": 106.8,
                    "evidence": "randomised",
                    "reasons": ["called the service line 2 days ago"],
                    "propensity": {
                        "goal": "conversion",
                        "probability": 0.31,
                        "grade": "A",
                        "risk": None,
                        "trend": "rising",
                    },
                    "last_contact": {
                        "at": "2026-11-19T09:30:00Z",
                        "kind": "service_call",
                        "channel": "phone",
                        "direction": "inbound",
                    },
                    "decision_id": None,
                }
            ],
            "next_cursor": None,
        },
        answers=(304, 404, 409),
    ),
)

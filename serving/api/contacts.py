"""Looking at a contact: profile and timeline."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from serving import schemas, shown
from serving.caller import caller_of
from serving.operations import Operation, Parameter, reply
from serving.portrait import LONGEST_TIMELINE, USUAL_TIMELINE, portrait
from serving.queried import whole
from serving.service import service_of
from serving.wished import wished_language


async def get_contact(request: Request) -> Response:
    """Show what is believed of a contact and what happened lately; nothing is logged."""
    service = service_of(request)
    asked, viewer = request.path_params["contact_id"], caller_of(request).viewer
    limit = whole(request, "limit", USUAL_TIMELINE, 1, LONGEST_TIMELINE)
    language = wished_language(request, service.settings.serving.language)
    found = portrait(service, viewer, asked, service.now_us(), limit=limit, language=language)
    return reply(found.profile)


OPERATIONS = (
    Operation(
        id="getContact",
        method="GET",
        scope="read",
        path="/v1/contacts/{contact_id}",
        handler=get_contact,
        means="A contact's identities, stage, propensities, points, interests and latest touchpoints.",
        parameters=(
            Parameter("contact_id", "Any identity of the contact.", schemas.NAME, "crm:4711"),
            Parameter(
                "limit",
                "How many of the latest touchpoints.",
                {"type": "integer", "minimum": 1, "maximum": LONGEST_TIMELINE, "default": USUAL_TIMELINE},
                20,
                place="query",
            ),
        ),
        response=shown.CONTACT,
        response_example={
            "contact_id": "crm:4711",
            "as_of": "2026-11-21T10:00:00Z",
            "identities": ["cookie:9f2", "crm:4711"],
            "links": [
                {
                    "identity_a": "cookie:9f2",
                    "identity_b": "crm:4711",
                    "since": "2026-11-20T18:03:00Z",
                    "how": "login",
                    "confidence": 1.0,
                }
            ],
            "account": {
                "account": "acme",
                "name": "Acme AG",
                "parent": None,
                "members": 3,
                "roles": ["user"],
                "missing_roles": ["decision_maker", "purchasing"],
            },
            "partner": {
                "partner": "north",
                "name": "North Tools",
                "history": [{"partner": "north", "from": "2026-01-01T00:00:00Z", "to": None}],
            },
            "stage": "evaluate",
            "propensities": {
                "conversion": {
                    "probability": 0.31,
                    "grade": "A",
                    "trend": "rising",
                    "for": ["3 visits about pumps in the last 7 days"],
                    "against": ["no purchase for 7 months"],
                }
            },
            "points": {
                "total": 5,
                "log": [{"part": "activity", "kind": "visit", "points": 5, "count": 1}],
                "fit": None,
            },
            "interests": {"pumps": 0.98},
            "touchpoints": 1,
            "timeline": [{"occurred_at": "2026-11-21T09:58:00Z", "kind": "visit", "topics": ["pumps"]}],
        },
        answers=(404, 422, 503),
    ),
)

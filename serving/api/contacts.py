"""Looking at a contact: profile and timeline."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from features.times import iso
from nba.partners.seen_answer import seen_profile
from nba.partners.visibility import sight_in
from nba.past import Past
from nba.request import Request as Question
from nba.settings import Settings
from serving import schemas, shown
from serving.belonging import account_shown, partner_shown
from serving.caller import caller_of
from serving.deciding import decision_of
from serving.operations import Operation, Parameter, reply
from serving.problems import Problem
from serving.profile import interests, timeline
from serving.queried import whole
from serving.reach import Reach
from serving.service import service_of

USUAL_TIMELINE, LONGEST_TIMELINE = 50, 500


async def get_contact(request: Request) -> Response:
    """Show what is believed of a contact and what happened lately; nothing is logged."""
    service = service_of(request)
    asked, viewer = request.path_params["contact_id"], caller_of(request).viewer
    limit = whole(request, "limit", USUAL_TIMELINE, 1, LONGEST_TIMELINE)
    now = service.now_us()
    settings = service.settings
    identity = Reach(service.store, viewer, settings, now).contact(asked)
    past = Past.read(service.store, identity, now, settings.touchpoints)
    sight = sight_in(viewer, past, settings.partners, now)
    if sight.is_nothing or (past.is_empty and not past.traits):
        raise Problem(404, "no-such-contact", "nothing is known of a contact with this identity")
    believed = decision_of(service, Question(contact=identity, explain=True), past, now).to_json()
    profile = {
        "contact_id": believed["contact_id"] if identity == asked else asked,
        "as_of": iso(now),
        **({} if past.contact is None else past.contact.to_json()),
        "account": account_shown(service.store, past, now, settings.accounts.roles, settings.partners, viewer),
        "partner": partner_shown(service.store, past, now, viewer),
        **{name: believed.get(name) for name in _BELIEVED},
        "interests": _interests(past, believed["mode"], now, settings),
        "touchpoints": len(past.touchpoints),
        "timeline": timeline(past.touchpoints, limit),
    }
    return reply(seen_profile(profile, sight, settings))


def _interests(past: Past, mode: str, now: int, settings: Settings) -> dict[str, float]:
    # Of somebody who objects to profiling nothing is worked out, only shown what happened.
    if mode == "default":
        return {}
    return interests(past.touchpoints, now, settings.touchpoints, settings.topics.half_life_us)


_BELIEVED = (
    "stage",
    "stage_by_rule",
    "stage_by_topic",
    "segments",
    "propensities",
    "points",
    "mode",
    "degraded",
    "model_version",
)


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

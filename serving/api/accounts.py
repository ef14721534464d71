"""Looking at an account: its buying group."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from serving import schemas, shown
from serving.caller import caller_of
from serving.operations import Operation, Parameter, reply
from serving.seen_group import seen_group
from serving.service import service_of


async def get_account(request: Request) -> Response:
    """Show who buys together and how they are spoken to; nothing is logged."""
    service, viewer = service_of(request), caller_of(request).viewer
    found = await seen_group(service, viewer, request.path_params["account"], service.now_us())
    return reply(found.to_json())


OPERATIONS = (
    Operation(
        id="getAccount",
        method="GET",
        scope="read",
        path="/v1/accounts/{account}",
        handler=get_account,
        means="An account's buying group: members, roles, who is missing, joint interests, approaches and room left.",
        parameters=(Parameter("account", "Its name, as in the column `account`.", schemas.NAME, "acme"),),
        response=shown.BUYING_GROUP,
        response_example={
            "account": "acme",
            "as_of": "2026-11-21T10:00:00Z",
            "name": "Acme AG",
            "parent": None,
            "too_large": False,
            "stage_by_rule": "evaluate",
            "members": [
                {
                    "contact_id": "crm:4711",
                    "name": "Ann Lee",
                    "role": "user",
                    "stage_by_rule": "evaluate",
                    "points": 265.0,
                    "interests": ["pumps"],
                    "touchpoints_90d": 7,
                    "last_touchpoint_at": "2026-11-21T09:58:00Z",
                    "last_touchpoint": "visit",
                }
            ],
            "others": None,
            "roles": ["user"],
            "missing_roles": ["decision_maker", "purchasing"],
            "interests": [{"topic": "pumps", "strength": 2.13, "contacts": 1}],
            "approaches": {"email": 2, "phone": 1},
            "caps": [{"channel": "email", "per": "7d", "count": 4, "left": 2}],
        },
    ),
)

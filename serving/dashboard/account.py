"""Account: who buys together, in which roles, who is missing, what they are about, how often they were approached."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from serving.dashboard.charts import Bar, bars
from serving.dashboard.pages import Page
from serving.dashboard.reaching import ACCOUNTS, account_href, contact_href
from serving.dashboard.visit import Visit
from serving.seen_group import seen_group

PATH = ACCOUNTS + "/{account:path}"
_BARS = 10


async def account(visit: Visit) -> Response:
    """Show an account's buying group, as programs are answered."""
    asked = visit.request.path_params["account"]
    group = (await seen_group(visit.service, visit.viewer, asked, visit.now)).to_json()
    return visit.shown("account.html", **_told(visit, group))


def _told(visit: Visit, group: dict[str, Any]) -> dict[str, Any]:
    n, w = visit.numbers, visit.words
    topics = group["interests"]
    drawn = bars([Bar(each["topic"], each["strength"]) for each in topics[:_BARS]], n.short, w.interests_means)
    roles = {member["role"] for member in group["members"] if member["role"] is not None}
    return {
        "group": group,
        "members": [{**each, "href": contact_href(each["contact_id"])} for each in _by_activity(group["members"])],
        "parent_href": account_href(group["parent"]),
        "roles": sorted(roles),
        "drawn": drawn,
        "head": [w.topic, w.strength, w.contacts],
        "rows": [[each["topic"], n.number(each["strength"], 2), n.number(each["contacts"])] for each in topics],
    }


def _by_activity(members: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return those who did most lately first; of equals the last to do anything."""
    return sorted(
        members,
        key=lambda each: (each["touchpoints_90d"] or 0, each["last_touchpoint_at"] or "", each["contact_id"]),
        reverse=True,
    )


PAGES = (Page("account", PATH, account),)

"""Today: whom to turn to, what to do, and why; what came of it is told with one click."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from features.times import ALWAYS
from nba.gates.capacity import window
from nba.in_line import is_for_people
from nba.worklist import Wanted
from serving.dashboard.pages import Page
from serving.dashboard.reaching import account_href, contact_href, ways
from serving.dashboard.telling import OUTCOMES, take
from serving.dashboard.visit import Visit
from serving.problems import Problem
from serving.worklist import page

PATH = "/today"
_SHOWN = 25
_FILTERS = ("owner", "stage", "action", "partner")


async def today(visit: Visit) -> Response:
    """Show the list, from a place in it on."""
    asked = {name: visit.query(name) for name in _FILTERS}
    wanted = Wanted(**{name: value or None for name, value in asked.items()})
    cursor = visit.query("cursor") or None
    try:
        found = await page(visit.service, visit.viewer, wanted, _SHOWN, cursor, visit.language)
    except Problem as problem:
        if cursor is None:
            raise
        # Everybody was scored anew meanwhile: the list begins anew, too.
        return visit.back(visit.here(cursor=None)) if problem.status in (404, 409) else _raise(problem)
    settings = visit.service.settings
    return visit.shown(
        "today.html",
        items=[_item(visit, each) for each in found["contacts"]],
        scored_at=found["scored_at"],
        next=None if found["next_cursor"] is None else visit.here(cursor=found["next_cursor"], said=None),
        is_begin=cursor is None,
        asked=asked,
        stages=settings.stages.names,
        actions=[name for name, action in settings.actions.items() if is_for_people(action)],
        rooms=_rooms(visit),
        said=visit.query("said") if visit.query("said") in OUTCOMES else "",
        is_bound=visit.caller.is_bound,
    )


async def tell(visit: Visit) -> Response:
    """Take what came of an item."""
    fields = await visit.form()
    told = await take(visit, fields)
    if visit.is_part:
        return visit.shown(
            "today_told.html", who=fields.get("name") or fields["contact"], outcome=told.outcome, until=told.until
        )
    return visit.back(f"{PATH}?{_kept(fields)}said={told.outcome}")


def _item(visit: Visit, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **row,
        **ways(row),
        "shown": row["name"] or row["contact_id"],
        "href": contact_href(row["contact_id"]),
        "account_href": account_href(row["account"]),
        "reasons": row["reasons"][:2],
        "is_later": row["not_before"] is not None and row["not_before"] > visit.numbers.stamp,
    }


def _rooms(visit: Visit) -> list[dict[str, Any]]:
    """Return how much of each limited action for people is left today, for everybody together."""
    if visit.caller.is_bound:
        return []
    service, found = visit.service, []
    zone = service.settings.contact_policy.timezone
    for name, action in service.settings.actions.items():
        limit = action.capacity
        if limit is None or limit.by is not None or not is_for_people(action):
            continue
        most = limit.count if limit.total is None else limit.total
        since, _ = window(action, limit, visit.now, zone)
        taken = service.store.taken_count(name, visit.now, max(since, ALWAYS), "outbound")
        found.append({"action": name, "left": max((most or 0) - taken, 0), "of": most})
    return found


def _kept(fields: Mapping[str, str]) -> str:
    """Return the filters that the list was read with, for an address."""
    asked = {name: fields.get("of_action" if name == "action" else name) for name in _FILTERS}
    return "".join(f"{name}={quote(value)}&" for name, value in asked.items() if value)


def _raise(problem: Problem) -> Response:
    raise problem


PAGES = (
    Page("today", PATH, today, title="today"),
    Page("today", PATH, tell, method="POST"),
)

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
_SHOWN = 10
_LOOKED_AT = 60
"""Contacts that are looked at for these: behind many that are done fewer are shown at once."""
_BY_ITSELF = 30
"""Items that come without being asked for."""
_FILTERS = ("owner", "stage", "action", "partner")


async def today(visit: Visit) -> Response:
    """Show the list from a place in it on; to a script that asks for what comes next, only the items."""
    asked = {name: visit.query(name) for name in _FILTERS}
    wanted = Wanted(**{name: value or None for name, value in asked.items()})
    cursor = visit.query("cursor") or None
    try:
        found = await page(visit.service, visit.viewer, wanted, _SHOWN, cursor, visit.language, _LOOKED_AT)
    except Problem as problem:
        if cursor is None or problem.status not in (404, 409):
            raise
        # Everybody was scored anew meanwhile: the list begins anew, too.
        return _begun_anew(visit, asked)
    before = _before(visit)
    then = before + len(found["contacts"])
    next_ = found["next_cursor"]
    items: dict[str, Any] = {
        "items": [_item(visit, each) for each in found["contacts"]],
        "before": before,
        "then": then,
        "comes_by_itself": _BY_ITSELF,
        "next": None if next_ is None else visit.here(cursor=next_, after=then, said=None),
        "asked": asked,
    }
    if visit.is_part and cursor is not None:
        return visit.shown("today_next.html", is_outdated=False, **items)
    settings = visit.service.settings
    return visit.shown(
        "today.html",
        **items,
        scored_at=found["scored_at"],
        is_begin=cursor is None,
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


def _begun_anew(visit: Visit, asked: Mapping[str, str]) -> Response:
    """Begin the list anew; under the eyes of somebody who is reading it this is only said."""
    if not visit.is_part:
        return visit.back(visit.here(cursor=None, after=None))
    before = _before(visit)
    return visit.shown(
        "today_next.html", items=(), before=before, then=before, next=None, asked=asked, is_outdated=True
    )


def _before(visit: Visit) -> int:
    """Return how many items stand before the first one, as the address says."""
    said = visit.query("after")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 7 else 0


def _item(visit: Visit, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **row,
        **ways(row),
        "shown": row["name"] or row["contact_id"],
        "href": contact_href(row["contact_id"]),
        "account_href": account_href(row["account"]),
        "account_name": _account_name(visit, row["account"]),
        "reasons": row["reasons"][:2],
        "is_later": row["not_before"] is not None and row["not_before"] > visit.numbers.stamp,
    }


def _account_name(visit: Visit, account: str | None) -> str | None:
    """Return what an account is called; its key where it has no name."""
    if not account:
        return None
    return str(visit.service.store.record("accounts", account, visit.now).get("name") or account)


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


PAGES = (
    Page("today", PATH, today, title="today"),
    Page("today", PATH, tell, method="POST"),
)

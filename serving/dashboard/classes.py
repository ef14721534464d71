"""ABC: classes by last year's revenue against the chances of the coming time, and whom ranking by revenue misses."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from starlette.responses import Response

from features.identity.members import members_of
from features.store.figures import figures_of
from features.store.line import scored_at
from features.store.sights import score_with_sight
from features.times import DAY
from nba.contact_traits import traits_of
from serving.dashboard import charts
from serving.dashboard.charts import Bar
from serving.dashboard.downloading import download
from serving.dashboard.pages import Page
from serving.dashboard.reaching import account_href, contact_href
from serving.dashboard.visit import Visit
from serving.exported import is_missed
from serving.problems import Problem

PATH = "/classes"
FILE = PATH + "/file"
_CLASSES, _MISSED = "classes", "missed"
_SHADES = 4

Body = Mapping[str, Any]


async def classes(visit: Visit) -> Response:
    """Show the classes against the chances, and whom revenue misses."""
    at, last, named = await asyncio.to_thread(_read, visit)
    if last is None:
        return visit.shown("classes.html", at=at, last=None)
    horizon = last["horizon_us"]
    return visit.shown(
        "classes.html",
        at=at,
        last=last,
        days=None if horizon is None else round(horizon / DAY),
        has_revenue=last["revenue"] > 0,
        classes=[{**each, "mean": _ratio(each["expected"], each["contacts"])} for each in last["classes"]],
        cells=_cells(last),
        mean=_ratio(last["expected"], last["contacts"]),
        share_of_missed=_ratio(last["missed"]["expected"], last["expected"]),
        chart=_chart(visit, last),
        named=named,
    )


async def file(visit: Visit) -> Response:
    """Send whom revenue misses."""
    _, last, _ = await asyncio.to_thread(_read, visit, names=False)
    if last is None:
        raise Problem(404, "no-such-figures", visit.words.not_counted)
    return await download(visit, "missed-by-revenue", is_missed(last["goal"], last["missed"]["from"]))


def _read(visit: Visit, *, names: bool = True) -> tuple[int | None, Body | None, list[dict[str, Any]]]:
    """Return when contacts were scored, what was counted then, and whom revenue misses first of all."""
    store = visit.service.store
    at = scored_at(store)
    rows = [] if at is None else figures_of(store, _CLASSES, at, at + 1)
    if not rows:
        return at, None, []
    listed = figures_of(store, _MISSED, 0, 1) if names else []
    first = listed[0].body["contacts"] if listed and listed[0].body["as_of"] == at else []
    return at, rows[0].body, list(_named(visit, first, rows[0].body))


def _named(visit: Visit, contacts: Sequence[str], last: Body) -> Iterator[dict[str, Any]]:
    """Return those of a list who may still be seen, and are still missed."""
    store, settings, now = visit.service.store, visit.service.settings, visit.now
    is_wanted = is_missed(last["goal"], last["missed"]["from"])
    for contact_id in contacts:
        found = score_with_sight(store, contact_id, now)
        if found is None or not is_wanted(found[0], found[1].shows or ""):
            continue
        score = found[0]
        traits = traits_of(store, members_of(store, contact_id, now, settings.touchpoints).members, now)
        account = traits.get("account")
        yield {
            "shown": traits.get("name") or contact_id,
            "href": contact_href(contact_id),
            "account_href": account_href(account),
            "account": account and (store.record("accounts", str(account), now).get("name") or account),
            "class": score.body["abc"],
            "chance": score.body[f"p_{last['goal']}"],
            "stage": score.stage,
            "action": score.body.get("action_1"),
        }


def _cells(last: Body) -> list[dict[str, Any]]:
    """Return the tenths with their cells, each with how dark it is; a tenth nobody is in is left out."""
    most = max(cell["expected"] for row in last["cells"] for cell in row)
    found: list[dict[str, Any]] = []
    for band, row in zip(last["bands"], last["cells"], strict=True):
        if band["contacts"]:
            shaded = [{**cell, "shade": math.ceil(_SHADES * cell["expected"] / most) if most else 0} for cell in row]
            found.append({**band, "to": found[-1]["from"] if found else None, "cells": shaded})
    return found


def _chart(visit: Visit, last: Body) -> Any:
    """Draw how likely the contacts of each class are on average."""
    w, n = visit.words, visit.numbers
    bars = [
        Bar(w[f"class_{each['class']}"], each["expected"] / each["contacts"])
        for each in last["classes"]
        if each["contacts"]
    ]
    return charts.bars(bars, lambda x: n.percent(x, 1), w.mean_means)


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


PAGES = (
    Page("classes", PATH, classes, for_bound=False),
    Page("classes", FILE, file, for_bound=False),
)

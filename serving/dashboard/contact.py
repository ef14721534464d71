"""Contact: who it is, where it stands and why, what to do, and what happened; the same as programs are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from features.times import iso
from nba.consent import Ledger, Word
from nba.privacy.consents import standing
from serving.dashboard import charts, outlook, story
from serving.dashboard.lanes import Mark, lanes
from serving.dashboard.pages import Page
from serving.dashboard.reaching import CONTACTS, account_href, contact_href, ways
from serving.dashboard.telling import OUTCOMES, take
from serving.dashboard.visit import Visit
from serving.portrait import LONGEST_TIMELINE, USUAL_TIMELINE, Portrait, portrait

PATH = CONTACTS + "/{contact_id:path}"
_HEAD = ("name", "role", "owner", "phone", "email", "crm_url")
"""Traits at the head of the page."""


async def contact(visit: Visit) -> Response:
    """Show a contact."""
    asked = visit.request.path_params["contact_id"]
    return visit.shown("contact.html", **await asyncio.to_thread(_told, visit, asked))


async def tell(visit: Visit) -> Response:
    """Take what came of the item of the list that the contact is."""
    fields = await visit.form()
    asked = visit.request.path_params["contact_id"]
    # Whoever may not see the contact is told that there is none before anything is stored.
    found = await asyncio.to_thread(portrait, visit.service, visit.viewer, asked, visit.now, limit=1)
    named = found.identity if found.past.contact is None else found.past.contact.contact_id
    told = await take(visit, {**fields, "contact": named})
    return visit.back(f"{contact_href(asked)}?said={told.outcome}")


def _told(visit: Visit, asked: str) -> dict[str, Any]:
    """Return all that the page stands on."""
    limit = _limit(visit)
    found = portrait(visit.service, visit.viewer, asked, visit.now, limit=limit, language=visit.language)
    profile, sight = found.profile, found.sight
    seen = outlook.outlook(visit, found)
    total = (profile.get("points") or {}).get("total", 0.0)
    levels = outlook.thresholds(visit.service.settings, total) if sight.shows("points") else []
    traits = {name: found.past.traits.get(name) if sight.shows(name) else None for name in _HEAD}
    happened, touchpoints = story.events(visit, found), profile.get("touchpoints")
    said = visit.query("said")
    return {
        "profile": profile,
        "traits": traits,
        "ways": ways(traits),
        "shown": traits["name"] or profile["contact_id"],
        "account_href": account_href((profile.get("account") or {}).get("account")),
        "action_to": contact_href(asked),
        "said": said if said in OUTCOMES else "",
        "item": seen.item,
        "offers": [_offer(visit, each, seen.answer["mode"]) for each in seen.answer["recommendations"]],
        "answer": seen.answer,
        "removed": [{**each, "plain": outlook.plain_rule(each["rule"])} for each in seen.removed],
        "changes": outlook.changes(visit, found, seen, levels),
        "levels": levels,
        "points": lambda value: outlook.points(visit.numbers, value),
        "shows": sight.shows,
        "by_rule": story.stages_by_rule(visit, found),
        "by_model": story.stages_by_model(found),
        "why_stage": story.why_stage(visit, found),
        **_interests(visit, found),
        "consents": _consents(visit, found),
        "events": happened,
        "lanes": _lanes(visit, happened),
        "is_more": isinstance(touchpoints, int) and touchpoints > limit and limit < LONGEST_TIMELINE,
        "further": min(limit * 4, LONGEST_TIMELINE),
        "of_all": touchpoints,
        "scored_at": None if found.past.scored is None else iso(found.past.scored.as_of),
    }


def _limit(visit: Visit) -> int:
    asked = visit.query("limit")
    wanted = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else USUAL_TIMELINE
    return min(max(wanted, 1), LONGEST_TIMELINE)


def _offer(visit: Visit, offer: Mapping[str, Any], mode: str) -> dict[str, Any]:
    """Add from which of its two chances an action's worth is counted, and whether it is more than doing nothing."""
    goals = visit.service.settings.goals
    goal = goals.get(offer["goal"] or "")
    priority = offer["priority"]
    # Where the points table decides, what it calls for comes first, whatever it would be worth.
    is_worth = priority is None or priority > 0 or mode != "learned" or offer["rank"] == 1
    return {**offer, "is_absence": goal is not None and goal.is_absence, "is_worth": is_worth}


def _interests(visit: Visit, found: Portrait) -> dict[str, Any]:
    n = visit.numbers
    moments, over = story.fading(visit, found)
    days = [n.day(at) for at in moments]
    drawn = charts.lines(
        [charts.Series(topic, strengths) for topic, strengths in over.items()],
        days,
        n.short,
        visit.words.interests_means,
    )
    now = found.profile.get("interests") or {}
    rows = [[day, *(n.number(over[topic][i], 2) for topic in over)] for i, day in enumerate(days)]
    return {
        "interests": now,
        "fading": drawn if over else None,
        "fading_names": list(over),
        "fading_head": [visit.words.week, *over],
        "fading_rows": rows,
    }


def _consents(visit: Visit, found: Portrait) -> dict[str, Any] | None:
    """Return what holds per channel and since when; None where the reader sees nothing of what happened."""
    if not found.sight.shows("timeline"):
        return None
    catalogue, past = visit.service.catalogue, found.past
    consent, of_person = visit.service.settings.contact_policy.consent, past.traits.get("person_type")
    kind = of_person if found.sight.shows("person_type") else None
    now = standing(past.touchpoints, visit.now, catalogue.channel_of, consent, kind, visit.language)
    ledger = Ledger(past.touchpoints, visit.now, catalogue.channel_of)
    channels = [
        {"channel": name, **each, **_since(ledger.word(name, consent))} for name, each in now["channels"].items()
    ]
    return {"restricted": now["restricted"], "profiling": now["profiling"], "channels": channels}


def _since(word: Word) -> dict[str, Any]:
    """Return the last word about a channel, and when it was said; None where there was none."""
    told = {"given": word.given, "confirmed": word.confirmed, "presumed": word.presumed, "withdrawn": word.withdrawn}
    last = max(told, key=lambda name: (told[name], name == "withdrawn"))
    is_said = told[last] > -(2**63)
    return {"word": last if is_said else None, "since": told[last] if is_said else None}


def _lanes(visit: Visit, happened: Sequence[Mapping[str, Any]]) -> Markup:
    """Draw what happened, a line for each channel."""
    w, n = visit.words, visit.numbers
    marks = []
    for each in happened:
        what = w.named("action", each["action"]) if each["is"] == "decision" else w.named("kind", each["kind"])
        lane = w.named("channel", each["channel"] or "other")
        marks.append(Mark(lane, each["at"], each["is"], f"{n.time(each['at'])}: {what}"))
    return lanes(marks, visit.now, n.day, w.lanes_means)


PAGES = (
    Page("contact", PATH, contact),
    Page("contact", PATH, tell, method="POST", scope="feedback"),
)

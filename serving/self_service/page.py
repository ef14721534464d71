"""The page of one person, from an export's lines to HTML."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba.actions import Catalogue
from nba.interests import Interests
from nba.past import Past
from nba.privacy.consents import standing
from nba.privacy.person import EVER, Person, since
from nba.privacy.reasoning import in_words
from nba.settings import Settings
from nba.wishes import wishes
from serving.self_service.words import WORDS

if TYPE_CHECKING:
    from jinja2 import Template

    from features.store.store import Store

RHYTHMS = {"any": "often_any", "1/7d": "often_week", "1/30d": "often_month", "1/90d": "often_quarter"}
"""What may be chosen, with the word for it."""

_MOST_LINES, _MOST_DECISIONS = 20, 3
_NOT_SHOWN = ("crm_url", "owner", "partner")


def person_shown(store: Store, person: Person, settings: Settings, now: int, language: str) -> dict[str, Any]:
    """Return what the page says of a person as of ``now``, in microseconds, and in a language."""
    past = Past.read(store, person.asked, now, settings.touchpoints)
    catalogue = Catalogue.of(settings)
    consent = settings.contact_policy.consent
    holds = standing(past.touchpoints, now, catalogue.channel_of, consent, past.traits.get("person_type"))
    said = wishes(past, catalogue.channels)
    may = holds["profiling"]
    by_topic = Interests.of(past, now, settings.topics.half_life_us).by_topic if may else {}
    left_out = {wish.topic for wish in said if wish.topic is not None and wish.per_us is None}
    topics = sorted({*by_topic, *left_out}, key=lambda name: (-by_topic.get(name, 0.0), name))
    general = [wish.spelt for wish in said if wish.channel is None and wish.topic is None]
    return {
        "restricted": holds["restricted"],
        "channels": [_channel(name, each) for name, each in holds["channels"].items()]
        + [{"name": "profiling", "allowed": may, "pending": False}],
        "rhythm": general[-1] if general else "any",
        "topics": [{"name": name, "left_out": name in left_out} for name in topics],
        "traits": _traits(store, person),
        "identities": person.identities,
        "timeline": _timeline(past),
        "decisions": [in_words(row, language) for row in past.decisions[: -_MOST_DECISIONS - 1 : -1]],
    }


def page(person: Mapping[str, Any] | None, language: str, *, saved: bool = False) -> str:
    """Return the page; None: the link opens nothing."""
    return _template().render(
        person=person, w=WORDS[language], language=language, saved=saved, rhythms=list(RHYTHMS.items())
    )


def _channel(name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "allowed": found["allowed"], "pending": "not confirmed" in (found["why_not"] or "")}


def _traits(store: Store, person: Person) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    rows = [row for each in person.identities for row in store.traits_of(each, EVER)]
    for row in sorted(rows, key=lambda row: row.known_at):
        for name, value in row.body.items():
            found[name] = {"name": name, "value": value, "since": _day(since(row.known_at))}
    return [found[name] for name in sorted(found) if name not in _NOT_SHOWN]


def _timeline(past: Past) -> list[dict[str, Any]]:
    from features.times import iso

    t = past.touchpoints
    rows = range(len(t) - 1, max(-1, len(t) - 1 - _MOST_LINES), -1)
    return [
        {
            "at": iso(past.times[row])[:10],
            "kind": past.kinds[row],
            "channel": t.channels[int(t.channel[row])] if int(t.channel[row]) >= 0 else None,
            "topics": [t.topics[code] for code in t.topic[t.topic_start[row] : t.topic_start[row + 1]].tolist()],
        }
        for row in rows
    ]


def _day(moment: str | None) -> str | None:
    return None if moment is None else moment[:10]


@cache
def style_seal() -> str:
    """Return the hash by which the page's policy names its one style, so that no other is let in."""
    source = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")
    style = source.partition("<style>")[2].partition("</style>")[0]
    return f"sha256-{b64encode(hashlib.sha256(style.encode()).digest()).decode()}"


@cache
def _template() -> Template:
    # Loaded with the first page and not with the service.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("serving.self_service", ".")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template("page.html")

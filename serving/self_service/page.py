"""The page of one person, from an export's lines to HTML."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from features.times import iso
from models.saying.tongues import TONGUES
from nba.actions import Catalogue
from nba.interests import Interests
from nba.past import Past
from nba.privacy.consents import standing
from nba.privacy.person import EVER, Person
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
        "channels": [_channel(name, each, language) for name, each in holds["channels"].items()]
        + [{"name": "profiling", "label": WORDS[language]["profiling"], "allowed": may, "pending": False}],
        "rhythm": general[-1] if general else "any",
        "topics": [{"name": name, "left_out": name in left_out} for name in topics],
        "traits": _traits(store, person, language),
        "identities": person.identities,
        "timeline": _timeline(past, language),
        "decisions": [in_words(row, language) for row in past.decisions[: -_MOST_DECISIONS - 1 : -1]],
    }


def page(person: Mapping[str, Any] | None, language: str, *, saved: bool = False) -> str:
    """Return the page; None: the link opens nothing."""
    return _template().render(
        person=person, w=WORDS[language], language=language, saved=saved, rhythms=list(RHYTHMS.items())
    )


def _channel(name: str, found: Mapping[str, Any], language: str) -> dict[str, Any]:
    pending = "not confirmed" in (found["why_not"] or "")
    return {"name": name, "label": _label(name, language), "allowed": found["allowed"], "pending": pending}


def _label(channel: str, language: str) -> str:
    """Name a channel as people do."""
    return WORDS[language].get(f"channel_{channel}") or TONGUES[language].writers["one"](channel)


def _traits(store: Store, person: Person, language: str) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    rows = [row for each in person.identities for row in store.traits_of(each, EVER)]
    for row in sorted(rows, key=lambda row: row.known_at):
        for name, value in row.body.items():
            label = WORDS[language].get(f"trait_{name}") or name.replace("_", " ")
            said = WORDS[language].get(f"value_{name}_{value}") if isinstance(value, str) else None
            found[name] = {
                "name": label,
                "value": said or _spelt(value, language),
                "since": _day(row.known_at, language),
            }
    return [found[name] for name in sorted(found) if name not in _NOT_SHOWN]


def _spelt(value: object, language: str) -> str:
    """Write a trait's value without anything that only programs read."""
    if value is None:
        return WORDS[language]["none"]
    if isinstance(value, bool):
        return WORDS[language]["true" if value else "false"]
    if isinstance(value, list):
        return ", ".join(_spelt(each, language) for each in value)
    return orjson.dumps(value).decode() if isinstance(value, dict) else str(value)


def _timeline(past: Past, language: str) -> list[dict[str, Any]]:
    t, did = past.touchpoints, TONGUES[language].writers["did"]
    rows = range(len(t) - 1, max(-1, len(t) - 1 - _MOST_LINES), -1)
    return [
        {
            "at": iso(past.times[row])[:10],
            "day": _day(past.times[row], language),
            "did": did(past.kinds[row]),
            "channel": _label(t.channels[int(t.channel[row])], language) if int(t.channel[row]) >= 0 else None,
            "topics": [t.topics[code] for code in t.topic[t.topic_start[row] : t.topic_start[row + 1]].tolist()],
        }
        for row in rows
    ]


def _day(moment: int, language: str) -> str | None:
    """Write a day; None for what is taken as always known."""
    return None if abs(moment) >= EVER else TONGUES[language].writers["date"](moment)


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

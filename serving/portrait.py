"""What is shown of one contact: the same to programs and on its page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from features.times import iso
from nba.partners.seen_answer import seen_profile
from nba.partners.visibility import Sight, Viewer, sight_in
from nba.past import Past
from nba.request import Request as Question
from nba.settings import Settings
from serving.belonging import account_shown, partner_shown
from serving.deciding import decision_of
from serving.problems import Problem
from serving.profile import interests, timeline
from serving.reach import Reach
from serving.service import Service

USUAL_TIMELINE, LONGEST_TIMELINE = 50, 500

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


@dataclass(frozen=True)
class Portrait:
    """A contact as a viewer sees it at one moment.

    Attributes
    ----------
    identity
        What the store calls whom the viewer asked for.
    profile
        Without what the viewer does not see.
    """

    identity: str
    past: Past
    sight: Sight
    profile: Mapping[str, Any]


def portrait(
    service: Service, viewer: Viewer, asked: str, now: int, *, limit: int = USUAL_TIMELINE, language: str | None = None
) -> Portrait:
    """Look at a contact; nothing is logged.

    Parameters
    ----------
    asked
        Any identity of it.
    limit
        How many of its latest touchpoints.
    language
        Of what is told in words; None: that of the settings.

    Raises
    ------
    Problem
        404 where nothing is known of it, or nothing that the viewer may see.
    """
    settings = service.settings
    identity = Reach(service.store, viewer, settings, now).contact(asked)
    past = Past.read(service.store, identity, now, settings.touchpoints)
    sight = sight_in(viewer, past, settings.partners, now)
    if sight.is_nothing or (past.is_empty and not past.traits):
        raise Problem(404, "no-such-contact", "nothing is known of a contact with this identity")
    believed = decision_of(service, Question(contact=identity, explain=True, language=language), past, now).to_json()
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
    return Portrait(identity, past, sight, seen_profile(profile, sight, settings))


def _interests(past: Past, mode: str, now: int, settings: Settings) -> dict[str, float]:
    # Of somebody who objects to profiling nothing is worked out, only shown what happened.
    if mode == "default":
        return {}
    return interests(past.touchpoints, now, settings.touchpoints, settings.topics.half_life_us)

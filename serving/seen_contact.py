"""A contact as far as somebody sees it; who is not there and who is not to be seen look alike."""

from __future__ import annotations

from dataclasses import dataclass

from nba.partners.visibility import Sight, Viewer, sight_in
from nba.past import Past
from serving.reach import Reach
from serving.service import Service


@dataclass(frozen=True)
class Seen:
    """A contact as far as a viewer sees it."""

    identity: str
    past: Past
    sight: Sight

    @property
    def name(self) -> str | None:
        """What it is called, where that is known and seen."""
        found = self.past.traits.get("name") if self.sight.shows("name") else None
        return None if found in (None, "") else str(found)


def seen_contact(service: Service, viewer: Viewer, name: str, now: int) -> Seen | None:
    """Return a contact that somebody may know of; None where there is none, or where it is not theirs to see."""
    identity = Reach(service.store, viewer, service.settings, now).contact(name)
    past = Past.read(service.store, identity, now, service.settings.touchpoints)
    sight = sight_in(viewer, past, service.settings.partners, now)
    if sight.is_nothing or (past.is_empty and not past.traits):
        return None
    return Seen(identity, past, sight)

"""An account as one buyer: who belongs to it, what they are about together, how much room there is to write to them.

What the viewer may not see of a member is left out of the member and out of every sum. Members that it may not see at
all are counted by the owner's side alone, and only where they are enough not to tell of single ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from features.accounts import MOST_CONTACTS
from features.store.store import Store
from features.times import DAY, iso
from models.stages.rules import rule_stage
from nba.actions import Catalogue
from nba.approach_rule import OUTBOUND, Approach
from nba.consent import Ledger
from nba.partners.visibility import OWNER_SIDE, Sight, Viewer, counted, sight_in
from nba.past import Past
from nba.settings import Settings
from nba.standing import standing
from serving.profile import interests

LATELY = 90 * DAY
"""How far back activity and approaches are counted."""
MOST_TOPICS = 20


@dataclass(frozen=True)
class Member:
    """One contact of the account, as far as the viewer sees it."""

    name: str
    past: Past
    sight: Sight
    settings: Settings
    as_of: int

    @classmethod
    def read(cls, store: Store, identity: str, catalogue: Catalogue, viewer: Viewer, as_of: int) -> Member:
        """Read whoever an identity is."""
        settings = catalogue.settings
        past = Past.read(
            store,
            identity,
            as_of,
            settings.touchpoints,
            memory_us=max(catalogue.memory_of(OUTBOUND), LATELY),
            counted=catalogue.approach_rule,
        )
        name = identity if past.contact is None else past.contact.contact_id
        return cls(name, past, sight_in(viewer, past, settings.partners, as_of), settings, as_of)

    @property
    def is_seen(self) -> bool:
        """Whether the viewer may see that the contact belongs to the account."""
        return not self.sight.is_nothing and self.sight.shows("account")

    @property
    def role(self) -> str | None:
        """Its part in buying."""
        found = self.past.traits.get("role")
        return str(found) if found and self.sight.shows("role") else None

    @cached_property
    def is_profiled(self) -> bool:
        """Whether anything may be worked out of what it did."""
        ledger = Ledger(self.past.touchpoints, self.as_of, {})
        return ledger.may_profile(self.settings.contact_policy.consent)

    @cached_property
    def interests(self) -> Mapping[str, float]:
        """Its fading interests."""
        if not self.is_profiled or not self.sight.shows("interests"):
            return {}
        settings = self.settings
        return interests(self.past.touchpoints, self.as_of, settings.touchpoints, settings.topics.half_life_us)

    def to_json(self) -> dict[str, Any]:
        """Return it as it stands in the answer; null for what is not seen, or not worked out."""
        rules = standing(self.past, self.settings, self.as_of) if self.is_profiled else None
        by_rule = None if rules is None or not self.sight.shows("stage_by_rule") else rules.stage
        fit = self.settings.points.fit
        points = None
        # The total holds what the trait of the fit says, so that it is seen by whoever sees that.
        if rules is not None and self.sight.shows("points") and (fit is None or self.sight.shows("points.fit")):
            points = rules.total
        return {
            "contact_id": self.name,
            "name": self.past.traits.get("name") if self.sight.shows("name") else None,
            "role": self.role,
            "stage_by_rule": by_rule,
            "points": points,
            "interests": list(self.interests)[:3],
            **self._activity(),
        }

    def _activity(self) -> dict[str, Any]:
        if not self.sight.shows("timeline"):
            return {"touchpoints_90d": None, "last_touchpoint_at": None, "last_touchpoint": None}
        t, n = self.past.touchpoints, len(self.past.touchpoints)
        first = int(t.occurred_at.searchsorted(self.as_of - LATELY))
        return {
            "touchpoints_90d": int((~t.outbound[first:]).sum()),
            "last_touchpoint_at": iso(int(t.occurred_at[-1])) if n else None,
            "last_touchpoint": t.kinds[int(t.kind[-1])] if n else None,
        }


@dataclass(frozen=True)
class BuyingGroup:
    """The contacts of an account at one moment; ``members`` None where there are too many to be one buyer."""

    account: str
    known: Mapping[str, object]
    members: Sequence[Member] | None
    catalogue: Catalogue
    viewer: Viewer
    as_of: int

    @property
    def is_seen(self) -> bool:
        """Whether the viewer may know of the account at all."""
        if self.viewer == OWNER_SIDE and self.known:
            return True
        return any(member.is_seen for member in self.members or ())

    def to_json(self) -> dict[str, Any]:
        """Return the answer."""
        seen = [member for member in self.members or () if member.is_seen]
        hidden = len(self.members or ()) - len(seen)
        roles = sorted({member.role for member in seen if member.role is not None})
        wanted = self.catalogue.settings.accounts.roles
        return {
            "account": self.account,
            "as_of": iso(self.as_of),
            "name": self.known.get("name"),
            "parent": self.known.get("parent"),
            "too_large": self.members is None,
            "stage_by_rule": self._stage(seen),
            "members": [member.to_json() for member in seen],
            "others": counted(hidden) if self.viewer == OWNER_SIDE else None,
            "roles": roles,
            "missing_roles": None if self.members is None else [role for role in wanted if role not in roles],
            "interests": self._interests(seen),
            "approaches": self._by_channel(seen),
            "caps": [] if self.members is None else list(self._caps(self.members)),
        }

    def _stage(self, seen: Iterable[Member]) -> str | None:
        """Apply the rules to what anybody of the account did."""
        last: dict[str, int] = {}
        told = [member for member in seen if member.is_profiled and member.sight.shows("stage_by_rule")]
        for member in told:
            for kind, at in member.past.last_seen.items():
                last[kind] = max(at, last.get(kind, at))
        if not told:
            return None
        days = {kind: (self.as_of - at) / DAY for kind, at in last.items()}
        return rule_stage(self.catalogue.settings.stages.rules, days)

    def _interests(self, seen: Iterable[Member]) -> list[dict[str, Any]]:
        strength, contacts = dict[str, float](), Counter[str]()
        for member in seen:
            for topic, much in member.interests.items():
                strength[topic] = strength.get(topic, 0.0) + much
                contacts[topic] += 1
        order = sorted(strength, key=lambda topic: (-contacts[topic], -strength[topic], topic))
        return [
            {"topic": topic, "strength": round(strength[topic], 3), "contacts": contacts[topic]}
            for topic in order[:MOST_TOPICS]
        ]

    def _by_channel(self, seen: Iterable[Member]) -> dict[str, int]:
        found = Counter(
            each.channel or "other"
            for member in seen
            if member.sight.shows("timeline")
            for each in self._approaches(member, self.as_of - LATELY)
        )
        return dict(sorted(found.items()))

    def _caps(self, members: Sequence[Member]) -> Iterable[dict[str, Any]]:
        """Return the limits of the whole account and the room in them, which is what decisions go by."""
        for cap in self.catalogue.settings.contact_policy.caps:
            if cap.account:
                found = [each for one in members for each in self._approaches(one, self.as_of - cap.per_us)]
                n = sum(cap.channel in (None, each.channel) for each in found)
                yield {
                    "channel": cap.channel, "per": cap.per, "count": cap.count, "left": max(cap.count - n, 0)
                }  # fmt: skip

    def _approaches(self, member: Member, since: int) -> Sequence[Approach]:
        past = member.past
        return self.catalogue.approach_rule.approaches(past.touchpoints, past.decisions, self.as_of, since=since)


def identities_of(store: Store, account: str, as_of: int) -> list[str] | None:
    """Return whoever was ever said to belong to an account; None where that are too many to be one buyer."""
    found = store.account_members(account, as_of)
    return None if len(found) > MOST_CONTACTS else found


def belongs(member: Member, account: str) -> bool:
    """Whether a contact belongs to an account now."""
    return str(member.past.traits.get("account")) == account

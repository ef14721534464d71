"""What a decision takes that others may take at the same moment: room in caps and capacities, seats at an event.

A decision is made on what was stored when the contact's past was read. Before it is stored it is compared with what is
stored by then, inside the transaction that stores it, so that of several that want the last place one gets it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from features.times import MINUTE
from nba.actions import Catalogue
from nba.approach_rule import OUTBOUND
from nba.consent import Ledger
from nba.decision import Decision
from nba.gates.capacity import capacity
from nba.gates.caps import cap
from nba.occasions.occasions import OCCASION, occurrence
from nba.past import Past
from nba.request import Request
from nba.settings.actions import Action
from nba.situation import Situation
from nba.tables.around_store import StoreSurroundings
from nba.tables.around_writing import WritingSurroundings
from nba.tables.taken import EVER

if TYPE_CHECKING:
    from features.store.reading import Reading

_AT_ONCE = MINUTE
"""How long before a decision another one of the same contact may have been made and not have been stored yet."""


@dataclass(frozen=True)
class Claim:
    """A decision that takes something of what there is not enough for everybody."""

    decision: Decision
    action: Action
    request: Request
    past: Past
    """Of the contact, as the decision was made on it."""
    catalogue: Catalogue

    @classmethod
    def of(cls, decision: Decision, request: Request, past: Past, catalogue: Catalogue) -> Claim | None:
        """Return what a decision claims; None where nobody else can be in its way.

        An earlier choice that is given again takes nothing anew, and what was deferred takes it once it is activated.
        """
        action = catalogue.settings.actions.get(decision.action)
        if action is None or not decision.is_new or decision.defer or decision.placement != OUTBOUND:
            return None
        claim = cls(decision, action, request, past, catalogue)
        return claim if claim._counts_in_caps or claim._is_shared else None

    def is_lost(self, seen: Reading) -> bool:
        """Whether somebody else was first.

        Parameters
        ----------
        seen
            What the transaction sees that is to store the decision.
        """
        return self._is_decided_meanwhile(seen) or (self._is_shared and self._is_used_up(seen))

    @property
    def _counts_in_caps(self) -> bool:
        return self.action.class_ == "default" and bool(self.catalogue.settings.contact_policy.caps)

    @property
    def _is_shared(self) -> bool:
        caps, when = self.catalogue.settings.contact_policy.caps, self.action.when
        return (
            (self.action.capacity is not None and self.action.class_ != "mandatory")
            or (when is not None and when.trigger == "event")
            or (self._counts_in_caps and bool(self.past.traits.get("account")) and any(each.account for each in caps))
        )

    def _is_decided_meanwhile(self, seen: Reading) -> bool:
        """Whether something was decided for the contact itself since its past was read."""
        known = {row.decision_id for row in self.past.decisions}
        contact = self.past.contact
        since = self.decision.as_of - min(_AT_ONCE, self.catalogue.memory_of(self.decision.placement))
        members: Collection[str] = (self.decision.contact,) if contact is None else contact.members
        rows = (row for member in members for row in seen.decisions_of(member, EVER, since))
        return any(row.chances is not None and row.decision_id not in known for row in rows)

    def _is_used_up(self, seen: Reading) -> bool:
        around, as_of = self.past.around, self.decision.as_of
        if not isinstance(around, StoreSurroundings):
            return False
        past = self.past.beside(WritingSurroundings(around, seen))
        ledger = Ledger(past.touchpoints, as_of, self.catalogue.channel_of)
        at = Situation(self.catalogue, self.request, past, past, as_of, ledger)
        if capacity(self.action, at) is not None or cap(self.action, at) is not None:
            return True
        calling = occurrence(self.action, at)
        return (calling and calling.of) != (self.decision.properties or {}).get(OCCASION)

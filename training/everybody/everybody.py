"""Everybody as decisions look at them at one moment: the past of each contact, from one reading of the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

from features.accounts import crowded_at
from features.frozen import Frozen
from features.identity.identity import Identities
from features.identity.members import Contact
from features.lake.history import touchpoints_of
from features.rows.row_types import EXPLAINED, DecisionRow, ScoreRow
from features.store.store import Store
from features.times import ALWAYS
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
from features.traits import Traits
from nba.account_past import AccountPast
from nba.actions import Catalogue
from nba.approach_rule import ApproachRule
from nba.past import Past
from nba.settings import Settings
from training.everybody.around import Around, GrowingTaken, Surrounding, owners_of
from training.rows.membership import Membership

Sent = tuple[str, int, str | None]
"""Contact, time and channel of an approach."""


@dataclass(frozen=True)
class Everybody:
    """All contacts at ``as_of`` (microseconds), with what had happened and was known strictly before it.

    ``touchpoints`` has the contacts that have any, ``traits`` those of which something is known, under their names.
    """

    names: tuple[str, ...]
    """Everybody who has touchpoints or traits, sorted."""
    as_of: int
    rules: TouchpointRules
    counted: ApproachRule
    touchpoints: Touchpoints
    traits: Traits
    changed_at: Mapping[str, int]
    """When something was last known of a contact; without those of whom no time is known."""
    decisions: Mapping[str, tuple[DecisionRow, ...]]
    joined: Mapping[str, Contact]
    """The contacts of several identities, by name."""
    surrounding: Surrounding
    crowded: Mapping[str, int] = field(default_factory=Frozen)
    """Since when each account that has too many contacts is not looked at."""
    sent: Mapping[str, Sequence[Sent]] | None = None
    """What went out to the contacts of each account; None where all of them are here and can be looked at."""
    store: Store | None = None
    """Where a past reads more when it is asked for; None where nobody will ask."""

    @classmethod
    def read(cls, store: Store, settings: Settings, as_of: int, *, memory_us: int | None = None) -> Everybody:
        """Read everything that had happened and was known strictly before ``as_of``.

        Parameters
        ----------
        memory_us
            How far back decisions are looked at; left out: as far as the service does under these settings.
        """
        rules, catalogue = settings.touchpoints, Catalogue.of(settings)
        identities = Identities.of(store.link_rows(as_of), store.split_rows(as_of), rules)
        recorded = touchpoints_of(store, as_of, rules)
        rows = list(store.contact_rows(as_of))
        told = {row.key for row in rows}
        who = Membership.of(identities, {*recorded.contacts, *told}, told, as_of)
        traits = who.traits(rows)
        taken = GrowingTaken(lambda identity: traits.known(who.name_of.get(identity, identity), as_of), as_of)
        since = max(ALWAYS, as_of - (catalogue.memory_us if memory_us is None else memory_us))
        decisions = who.decisions(store.decision_rows(as_of, without=EXPLAINED), since, taken.note)
        return cls(
            names=tuple(sorted(who.members)),
            as_of=as_of,
            rules=rules,
            counted=catalogue.approach_rule,
            touchpoints=who.touchpoints(recorded),
            traits=traits,
            changed_at=who.changed_at(rows),
            decisions=decisions,
            joined=who.joined,
            surrounding=Surrounding.read(store, as_of, taken.taken()),
            crowded=crowded_at(rows),
            store=store,
        )

    def pasts(self, names: Iterable[str]) -> Iterator[tuple[str, Past]]:
        """Past of each contact, as ``Past.read`` gives it while the store is open."""
        for name in names:
            yield name, replace(self.past(name), scored=self._scores.get(name))

    def past(self, name: str) -> Past:
        """Past of one contact, without what it was scored before, which no choice looks at."""
        code = self.place.get(name)
        contact = self._contact(name)
        traits = self.traits.known(name, self.as_of)
        return Past(
            touchpoints=_nobody() if code is None else self.touchpoints.only(code),
            traits=traits,
            decisions=self.decisions.get(name, ()),
            traits_changed_at=self.changed_at.get(name),
            contact=contact,
            account=self._account(traits.get("account"), contact),
            around=Around(self, name, contact.members, traits),
        )

    def under(self, catalogue: Catalogue) -> Everybody:
        """Return the same, where other actions are ours."""
        return replace(self, counted=catalogue.approach_rule)

    def part(self, names: Sequence[str], catalogue: Catalogue) -> Everybody:
        """Return some of the contacts with all that decisions under a catalogue need of the others.

        For another process, or a step of the work: it reads no more from the store.
        """
        here = [self.place[name] for name in names if name in self.place]
        traits = self.traits.merged((name, (name,)) for name in names)
        known = {name: traits.known(name, self.as_of) for name in names}
        owners = [owner for name in names for owner in owners_of(self._contact(name).members, known[name])]
        limited = [a.name for a in catalogue.actions if a.capacity is not None or a.when is not None]
        return replace(
            self,
            names=tuple(names),
            touchpoints=self.touchpoints.take(here),
            traits=traits,
            changed_at={name: self.changed_at[name] for name in names if name in self.changed_at},
            decisions={name: self.decisions[name] for name in names if name in self.decisions},
            joined={name: self.joined[name] for name in names if name in self.joined},
            surrounding=replace(self.surrounding.only(owners), taken=self.surrounding.taken.only(limited)),
            crowded={},
            sent=self._sent_to_accounts(known.values(), catalogue),
            store=None,
        )

    @cached_property
    def place(self) -> Mapping[str, int]:
        """Code in ``touchpoints`` of every contact that has any."""
        return {name: code for code, name in enumerate(self.touchpoints.contacts)}

    def sent_to(self, account: str, since: int) -> Sequence[Sent]:
        """Everything that went out to the contacts of an account from ``since`` on; nothing of one with too many."""
        if self.sent is not None:
            return self.sent.get(account, ())
        if account in self.crowded:
            return ()
        return [sent for name in self._members.get(account, ()) for sent in self._approaches(name, since)]

    def _contact(self, name: str) -> Contact:
        return self.joined.get(name) or Contact.alone(name)

    def _account(self, account: Any, contact: Contact) -> AccountPast | None:
        return AccountPast(self.store, str(account), contact, self.rules) if account and self.store else None

    def _approaches(self, name: str, since: int) -> Iterator[Sent]:
        code = self.place.get(name)
        touchpoints = _nobody() if code is None else self.touchpoints.only(code)
        for found in self.counted.approaches(touchpoints, self.decisions.get(name, ()), self.as_of, since=since):
            yield name, found.at, found.channel

    def _sent_to_accounts(
        self, traits: Iterable[Mapping[str, Any]], catalogue: Catalogue
    ) -> Mapping[str, Sequence[Sent]] | None:
        spans = [cap.per_us for cap in catalogue.settings.contact_policy.caps if cap.account]
        if self.sent is not None or not spans:
            return self.sent or {}
        accounts = {str(account) for known in traits if (account := known.get("account"))}
        return {account: self._all_sent(account, self.as_of - max(spans)) for account in sorted(accounts)}

    def _all_sent(self, account: str, since: int) -> Sequence[Sent]:
        if account not in self._known_sent:
            self._known_sent[account] = self.sent_to(account, since)
        return self._known_sent[account]

    @cached_property
    def _known_sent(self) -> dict[str, Sequence[Sent]]:
        return {}

    @cached_property
    def _members(self) -> Mapping[str, Sequence[str]]:
        """Names of the contacts that belong to each account."""
        found: dict[str, list[str]] = {}
        for name in self.names:
            if account := self.traits.known(name, self.as_of).get("account"):
                found.setdefault(str(account), []).append(name)
        return found

    @cached_property
    def _scores(self) -> Mapping[str, ScoreRow]:
        return {} if self.store is None else {row.contact_id: row for row in self.store.score_rows()}


@cache
def _nobody() -> Touchpoints:
    return Past.nothing().touchpoints

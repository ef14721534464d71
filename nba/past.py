"""One contact's past as decisions look at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from features.frozen import Frozen
from features.history_reading import contact_touchpoints
from features.link_rules import name_rank
from features.members import Contact, members_of
from features.times import ALWAYS, DAY
from features.touchpoints import TouchpointRules, Touchpoints
from nba.account_past import AccountPast
from nba.surroundings import ALONE, Surroundings

if TYPE_CHECKING:
    from features.row_types import DecisionRow, ScoreRow
    from features.store import Store

YEAR = 365 * DAY


@dataclass(frozen=True)
class Past:
    """What happened with a contact and what was known of it, all strictly before one moment.

    ``decisions`` are in the order of their time.
    """

    touchpoints: Touchpoints
    traits: Mapping[str, Any] = field(default_factory=Frozen)
    decisions: Sequence[DecisionRow] = ()
    traits_changed_at: int | None = None
    """Microseconds: when something was last known of the contact; None where no time is known."""
    contact: Contact | None = None
    """Who it is: its name, its identities, and why they are one; None where nobody asked the store."""
    account: AccountPast | None = None
    """What its account did, read only where a model asks; None where it belongs to none."""
    scored: ScoreRow | None = None
    """What the last ``nba score`` found, of whatever moment; None where the contact was not scored."""
    around: Surroundings = ALONE
    """What lies around it."""

    @classmethod
    def read(cls, store: Store, identity: str, as_of: int, rules: TouchpointRules, *, memory_us: int = -ALWAYS) -> Past:
        """Read everything that had happened and was known strictly before ``as_of``.

        Of all identities that had been linked to ``identity`` by then.

        Parameters
        ----------
        memory_us
            How far back decisions are looked at; touchpoints and traits are read whole.
        """
        contact = members_of(store, identity, as_of, rules)
        since = max(ALWAYS, as_of - memory_us)
        if len(contact.members) > 1:
            return _read_linked(store, contact, as_of, since, rules)
        traits = store.traits(identity, as_of)
        return cls(
            touchpoints=contact_touchpoints(store, identity, as_of, rules),
            traits=traits,
            decisions=tuple(store.decisions_of(identity, as_of, since)),
            traits_changed_at=store.traits_changed_at(identity, as_of),
            contact=contact,
            account=_account(store, contact, traits, rules),
            scored=store.scores_of(contact.contact_id),
        )

    @classmethod
    def nothing(cls) -> Past:
        """Return the past of somebody nothing is known of."""
        return cls(Touchpoints.from_rows((), TouchpointRules()))

    @property
    def is_empty(self) -> bool:
        """Whether the contact never had a touchpoint."""
        return len(self.touchpoints) == 0

    @cached_property
    def kinds(self) -> list[str]:
        """Kind of each touchpoint."""
        names = self.touchpoints.kinds
        return [names[code] for code in self.touchpoints.kind.tolist()]

    @cached_property
    def times(self) -> list[int]:
        """Time of each touchpoint, rising."""
        found: list[int] = self.touchpoints.occurred_at.tolist()
        return found

    @cached_property
    def last_seen(self) -> Mapping[str, int]:
        """When each kind was last seen, in either direction."""
        return dict(zip(self.kinds, self.times, strict=True))

    def tenure(self, as_of: int) -> int:
        """Microseconds since the first touchpoint; 0 without one."""
        return as_of - self.times[0] if self.times else 0

    def revenue(self, rules: TouchpointRules, as_of: int, within: int = YEAR) -> float:
        """Revenue less returns in ``[as_of - within, as_of)``."""
        return float(np.sum(self._signed(self.touchpoints.value, rules)[self._since(as_of - within)]))

    def margin(self, rules: TouchpointRules, as_of: int, within: int = YEAR) -> float:
        """Contribution margin of revenue less returns in ``[as_of - within, as_of)``."""
        return float(np.sum(self._signed(self.touchpoints.margins(rules.margin), rules)[self._since(as_of - within)]))

    def mean_margin(self, kinds: Sequence[str], rules: TouchpointRules) -> float:
        """Mean margin of the contact's own touchpoints of these kinds; 0 without one."""
        found = self.touchpoints.margins(rules.margin)[self._of(kinds)]
        return float(found.mean()) if len(found) else 0.0

    def _signed(self, amounts: NDArray[np.float64], rules: TouchpointRules) -> NDArray[np.float64]:
        known = np.nan_to_num(amounts)
        # Systems write a return as 20 or as -20; either way it takes 20 away.
        signed: NDArray[np.float64] = known * self._of(rules.money) - np.abs(known) * self._of(rules.returns)
        return signed

    def _of(self, kinds: Sequence[str]) -> NDArray[np.bool_]:
        """Which touchpoints are the contact's own of these kinds."""
        t = self.touchpoints
        wanted = np.array([kind in kinds for kind in t.kinds], dtype=np.bool_)
        return wanted[t.kind] & ~t.outbound if len(t) else np.zeros(0, dtype=np.bool_)

    def _since(self, moment: int) -> slice:
        return slice(int(np.searchsorted(self.touchpoints.occurred_at, moment)), None)


def _read_linked(store: Store, contact: Contact, as_of: int, since: int, rules: TouchpointRules) -> Past:
    """Put together what is known under several identities."""
    members = contact.members
    decisions = [row for member in members for row in store.decisions_of(member, as_of, since)]
    changed = (store.traits_changed_at(member, as_of) for member in members)
    traits = _merged_traits(store, members, as_of)
    return Past(
        touchpoints=_together(
            [contact_touchpoints(store, member, as_of, rules) for member in members], contact.contact_id
        ),
        traits=traits,
        decisions=tuple(sorted(decisions, key=lambda row: (row.decided_at, row.decision_id))),
        traits_changed_at=max((at for at in changed if at is not None), default=None),
        contact=contact,
        account=_account(store, contact, traits, rules),
        scored=store.scores_of(contact.contact_id),
    )


def _account(store: Store, contact: Contact, traits: Mapping[str, Any], rules: TouchpointRules) -> AccountPast | None:
    account = traits.get("account")
    return AccountPast(store, str(account), contact, rules) if account else None


def _together(parts: Sequence[Touchpoints], name: str) -> Touchpoints:
    found = Touchpoints.joined(parts)
    return found.merged([range(len(found.contacts))], [name]) if found.contacts else found


def _merged_traits(store: Store, members: Sequence[str], as_of: int) -> Mapping[str, Any]:
    """Let what became known later win; of what became known at once, what is known of the better name."""
    worst_first = sorted(members, key=name_rank, reverse=True)
    rows = [row for member in worst_first for row in store.traits_of(member, as_of)]
    found: dict[str, Any] = {}
    for row in sorted(rows, key=lambda row: row.known_at):
        found.update(row.body)
    return found

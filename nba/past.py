"""One contact's past as decisions look at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from features.compiled import I32, I64, compiled_for
from features.frozen import Frozen
from features.identity.link_rules import name_rank
from features.identity.members import Contact, members_of
from features.lake.history import contact_touchpoints
from features.store.contact import ContactRows, read_contact
from features.times import ALWAYS, DAY
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
from nba.account_past import AccountPast
from nba.approach_rule import ApproachRule
from nba.contact_traits import merged_traits
from nba.once import once
from nba.tables.around_store import StoreSurroundings
from nba.tables.surroundings import ALONE, Surroundings
from nba.takings import Takings, takings_of

if TYPE_CHECKING:
    from features.rows.row_types import DecisionRow, ScoreRow
    from features.store.store import Store

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
    def read(
        cls,
        store: Store,
        identity: str,
        as_of: int,
        rules: TouchpointRules,
        *,
        memory_us: int = -ALWAYS,
        counted: ApproachRule | None = None,
        whole_decisions: bool = True,
    ) -> Past:
        """Read everything that had happened and was known strictly before ``as_of``.

        Of all identities that had been linked to ``identity`` by then.

        Parameters
        ----------
        memory_us
            How far back decisions are looked at; touchpoints and traits are read whole.
        counted
            What counts as an approach to the account's other contacts, ``Catalogue.approach_rule``; None: any
            outbound touchpoint.
        whole_decisions
            False: decisions come as ``DecisionRow.brief`` has them, which is all that another decision looks at.
        """
        since = max(ALWAYS, as_of - memory_us)
        read = partial(read_contact, store, before=as_of, since=since, whole_decisions=whole_decisions)
        own = read(identity)
        contact = members_of(store, identity, as_of, rules) if own.has_links else Contact.alone(identity)
        if len(contact.members) > 1:
            known = {name: read(name) for name in contact.members if name != identity}
            return _of_linked(store, contact, {identity: own, **known}, as_of, rules, counted)
        traits = merged_traits([own.traits])
        account = _account(store, contact, traits, rules)
        return cls(
            touchpoints=contact_touchpoints(store, identity, as_of, rules, own.packed),
            traits=traits,
            decisions=tuple(own.decisions),
            traits_changed_at=own.changed_at,
            contact=contact,
            account=account,
            scored=own.scored,
            around=StoreSurroundings(store, contact, traits, account, as_of, rules, counted or ApproachRule()),
        )

    @classmethod
    def nothing(cls) -> Past:
        """Return the past of somebody nothing is known of."""
        return cls(Touchpoints.from_rows((), TouchpointRules()))

    def beside(self, around: Surroundings) -> Past:
        """Return the same past with something else around it; what was worked out of the past goes along."""
        found = copy(self)
        object.__setattr__(found, "around", around)
        return found

    @property
    def is_empty(self) -> bool:
        """Whether the contact never had a touchpoint."""
        return len(self.touchpoints) == 0

    @once
    def kinds(self) -> list[str]:
        """Kind of each touchpoint."""
        names = self.touchpoints.kinds
        return [names[code] for code in self.touchpoints.kind.tolist()]

    @once
    def times(self) -> list[int]:
        """Time of each touchpoint, rising."""
        found: list[int] = self.touchpoints.occurred_at.tolist()
        return found

    @once
    def last_seen(self) -> Mapping[str, int]:
        """When each kind was last seen, in either direction."""
        return {kind: self.times[rows[-1]] for kind, rows in self.rows.items()}

    @once
    def rows(self) -> Mapping[str, Sequence[int]]:
        """Rows of the touchpoints of each kind, rising, in either direction."""
        t = self.touchpoints
        out = np.zeros(len(t.kinds) + 1 + len(t), dtype=np.int64)
        _group(out, t.kind)
        found = out.tolist()
        places = pairwise(found[: len(t.kinds) + 1])
        return {kind: found[low:high] for kind, (low, high) in zip(t.kinds, places, strict=True) if low < high}

    def tenure(self, as_of: int) -> int:
        """Microseconds since the first touchpoint; 0 without one."""
        return as_of - self.times[0] if self.times else 0

    def revenue(self, rules: TouchpointRules, as_of: int, within: int = YEAR) -> float:
        """Revenue less returns in ``[as_of - within, as_of)``."""
        return self.takings(rules).since(as_of - within)

    def margin(self, rules: TouchpointRules, as_of: int, within: int = YEAR) -> float:
        """Contribution margin of revenue less returns in ``[as_of - within, as_of)``."""
        return self._taken(rules, rules.margin).since(as_of - within)

    def takings(self, rules: TouchpointRules) -> Takings:
        """Return times and amounts of revenue, and of returns as amounts below 0."""
        return self._taken(rules, None)

    def mean_margin(self, kinds: Sequence[str], rules: TouchpointRules) -> float:
        """Mean margin of the contact's own touchpoints of these kinds; 0 without one."""
        found = self.touchpoints.margins(rules.margin)[self._of(kinds)]
        return float(found.mean()) if len(found) else 0.0

    def _taken(self, rules: TouchpointRules, margin: float | None) -> Takings:
        asked = (rules.money, rules.returns, margin)
        found = self._told.get(asked)
        if found is None:
            found = self._told[asked] = takings_of(self.touchpoints, rules, margin)
        return found

    @once
    def _told(self) -> dict[tuple[tuple[str, ...], tuple[str, ...], float | None], Takings]:
        return {}

    def _of(self, kinds: Sequence[str]) -> NDArray[np.bool_]:
        """Which touchpoints are the contact's own of these kinds."""
        t = self.touchpoints
        wanted = np.array([kind in kinds for kind in t.kinds], dtype=np.bool_)
        return wanted[t.kind] & ~t.outbound if len(t) else np.zeros(0, dtype=np.bool_)


@compiled_for(np.int32)
def _group(out: I64, kind: I32) -> bool:
    """Fill ``out``, which is 0: where the rows of each kind begin in it, and these rows, kind by kind."""
    first = len(out) - len(kind)
    for code in kind:
        out[code + 1] += 1
    out[0] = first
    for code in range(1, first):
        out[code] += out[code - 1]
    for row in range(len(kind)):
        # Each place moves on as it is filled, and so comes to be where the next kind's begins.
        out[out[kind[row]]] = row
        out[kind[row]] += 1
    for code in range(first - 1, 0, -1):
        out[code] = out[code - 1]
    out[0] = first
    return True


def _of_linked(
    store: Store,
    contact: Contact,
    known: Mapping[str, ContactRows],
    as_of: int,
    rules: TouchpointRules,
    counted: ApproachRule | None,
) -> Past:
    """Put together what is known under several identities."""
    decisions = [row for member in contact.members for row in known[member].decisions]
    changed = (known[member].changed_at for member in contact.members)
    traits = merged_traits([known[member].traits for member in sorted(contact.members, key=name_rank, reverse=True)])
    account = _account(store, contact, traits, rules)
    parts = [contact_touchpoints(store, each, as_of, rules, known[each].packed) for each in contact.members]
    return Past(
        touchpoints=_together(parts, contact.contact_id),
        traits=traits,
        decisions=tuple(sorted(decisions, key=lambda row: (row.decided_at, row.decision_id))),
        traits_changed_at=max((at for at in changed if at is not None), default=None),
        contact=contact,
        account=account,
        scored=known[contact.contact_id].scored,
        around=StoreSurroundings(store, contact, traits, account, as_of, rules, counted or ApproachRule()),
    )


def _account(store: Store, contact: Contact, traits: Mapping[str, Any], rules: TouchpointRules) -> AccountPast | None:
    account = traits.get("account")
    return AccountPast(store, str(account), contact, rules) if account else None


def _together(parts: Sequence[Touchpoints], name: str) -> Touchpoints:
    found = Touchpoints.joined(parts)
    return found.merged([range(len(found.contacts))], [name]) if found.contacts else found

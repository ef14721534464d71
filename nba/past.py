"""One contact's past as decisions look at it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from features.frozen import Frozen
from features.identity.members import Contact, members_of
from features.lake.history import contact_touchpoints
from features.times import ALWAYS, DAY
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
from nba.account_past import AccountPast
from nba.approach_rule import ApproachRule
from nba.contact_traits import traits_of
from nba.tables.around_store import StoreSurroundings
from nba.tables.surroundings import ALONE, Surroundings

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
        """
        contact = members_of(store, identity, as_of, rules)
        since = max(ALWAYS, as_of - memory_us)
        if len(contact.members) > 1:
            return _read_linked(store, contact, as_of, since, rules, counted)
        traits = store.traits(identity, as_of)
        account = _account(store, contact, traits, rules)
        return cls(
            touchpoints=contact_touchpoints(store, identity, as_of, rules),
            traits=traits,
            decisions=tuple(store.decisions_of(identity, as_of, since)),
            traits_changed_at=store.traits_changed_at(identity, as_of),
            contact=contact,
            account=account,
            scored=store.scores_of(contact.contact_id),
            around=StoreSurroundings(store, contact, traits, account, as_of, rules, counted or ApproachRule()),
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
        return {kind: self.times[rows[-1]] for kind, rows in self.rows.items()}

    @cached_property
    def rows(self) -> Mapping[str, Sequence[int]]:
        """Rows of the touchpoints of each kind, rising, in either direction."""
        found: defaultdict[str, list[int]] = defaultdict(list)
        for row, kind in enumerate(self.kinds):
            found[kind].append(row)
        return dict(found)

    def tenure(self, as_of: int) -> int:
        """Microseconds since the first touchpoint; 0 without one."""
        return as_of - self.times[0] if self.times else 0

    def revenue(self, rules: TouchpointRules, as_of: int, within: int = YEAR) -> float:
        """Revenue less returns in ``[as_of - within, as_of)``."""
        return self._total(rules, as_of - within, None)

    def margin(self, rules: TouchpointRules, as_of: int, within: int = YEAR) -> float:
        """Contribution margin of revenue less returns in ``[as_of - within, as_of)``."""
        return self._total(rules, as_of - within, rules.margin)

    def takings(self, rules: TouchpointRules) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return times and amounts of revenue, and of returns as amounts below 0, both of shape (n,), times rising."""
        found = [(self.times[row], amount) for row, amount in self._signed(rules) if amount]
        times, amounts = zip(*found, strict=True) if found else ((), ())
        return np.array(times, dtype=np.int64), np.array(amounts, dtype=np.float64)

    def mean_margin(self, kinds: Sequence[str], rules: TouchpointRules) -> float:
        """Mean margin of the contact's own touchpoints of these kinds; 0 without one."""
        found = self.touchpoints.margins(rules.margin)[self._of(kinds)]
        return float(found.mean()) if len(found) else 0.0

    def _total(self, rules: TouchpointRules, since: int, margin: float | None) -> float:
        return math.fsum(amount for row, amount in self._signed(rules, margin) if self.times[row] >= since)

    def _signed(self, rules: TouchpointRules, margin: float | None = None) -> list[tuple[int, float]]:
        """Rows of the contact's own orders and returns, rising, and what each brought.

        Parameters
        ----------
        margin
            The share of a value that is margin where the touchpoint does not say it; None: revenue is asked for.
        """
        asked = (rules.money, rules.returns, margin)
        if asked not in self._told:
            self._told[asked] = self._find_signed(rules, margin)
        return self._told[asked]

    @cached_property
    def _told(self) -> dict[tuple[tuple[str, ...], tuple[str, ...], float | None], list[tuple[int, float]]]:
        return {}

    def _find_signed(self, rules: TouchpointRules, margin: float | None) -> list[tuple[int, float]]:
        rows = sorted({row for kind in (*rules.money, *rules.returns) for row in self.rows.get(kind, ())})
        if not rows:
            return []
        t, found = self.touchpoints, []
        amounts, outbound = t.value[rows].tolist(), t.outbound[rows].tolist()
        # NaN is unequal to itself: an amount that is not known brings nothing.
        if margin is not None:
            told = zip(t.margin[rows].tolist(), amounts, strict=True)
            amounts = [own if own == own else value * margin for own, value in told]
        for row, amount, is_ours in zip(rows, amounts, outbound, strict=True):
            if not is_ours and amount == amount:
                kind = self.kinds[row]
                # Systems write a return as 20 or as -20; either way it takes 20 away.
                found.append((row, amount * (kind in rules.money) - abs(amount) * (kind in rules.returns)))
        return found

    def _of(self, kinds: Sequence[str]) -> NDArray[np.bool_]:
        """Which touchpoints are the contact's own of these kinds."""
        t = self.touchpoints
        wanted = np.array([kind in kinds for kind in t.kinds], dtype=np.bool_)
        return wanted[t.kind] & ~t.outbound if len(t) else np.zeros(0, dtype=np.bool_)


def _read_linked(
    store: Store, contact: Contact, as_of: int, since: int, rules: TouchpointRules, counted: ApproachRule | None
) -> Past:
    """Put together what is known under several identities."""
    members = contact.members
    decisions = [row for member in members for row in store.decisions_of(member, as_of, since)]
    changed = (store.traits_changed_at(member, as_of) for member in members)
    traits = traits_of(store, members, as_of)
    account = _account(store, contact, traits, rules)
    return Past(
        touchpoints=_together(
            [contact_touchpoints(store, member, as_of, rules) for member in members], contact.contact_id
        ),
        traits=traits,
        decisions=tuple(sorted(decisions, key=lambda row: (row.decided_at, row.decision_id))),
        traits_changed_at=max((at for at in changed if at is not None), default=None),
        contact=contact,
        account=account,
        scored=store.scores_of(contact.contact_id),
        around=StoreSurroundings(store, contact, traits, account, as_of, rules, counted or ApproachRule()),
    )


def _account(store: Store, contact: Contact, traits: Mapping[str, Any], rules: TouchpointRules) -> AccountPast | None:
    account = traits.get("account")
    return AccountPast(store, str(account), contact, rules) if account else None


def _together(parts: Sequence[Touchpoints], name: str) -> Touchpoints:
    found = Touchpoints.joined(parts)
    return found.merged([range(len(found.contacts))], [name]) if found.contacts else found

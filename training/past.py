"""Everything known before a moment, read from the store once for training and scoring."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.accounts import Groups, crowded_at
from features.errors import UserError
from features.feature_set import FeatureSet
from features.identity.identity import Identities
from features.identity.link_rules import EVER, name_rank
from features.identity.versions import Versions, version_name
from features.lake.history import touchpoints_of
from features.matrix import History
from features.rows.row_types import ANSWERED, DecisionRow, RecordRow
from features.store.store import Store
from features.times import iso
from features.touchpoints.touchpoints import Touchpoints
from features.traits import Traits
from nba.consent import Ledger, Word, word_of
from nba.settings import Settings
from nba.tables.memory import tables_of
from nba.tables.tables import Tables
from training.dataset import data_end


@dataclass(frozen=True)
class Past:
    """Touchpoints, traits and decisions strictly before ``now``; ``end`` is where the data end.

    Where identities were linked, ``touchpoints`` and ``traits`` are those of ``versions`` of contacts: the same
    touchpoint counts for every version that it belonged to. ``recorded`` has each once.
    """

    touchpoints: Touchpoints
    traits: Traits
    decisions: tuple[Any, ...]
    now: int
    end: int
    quarantined: int
    versions: Versions | None = None
    known: Traits | None = None
    groups: Groups | None = None
    """Whose contacts belong together; None where nobody was ever said to belong to an account."""
    tables: Tables = field(default_factory=Tables)
    """Partners, products, events and content."""
    not_profiled: tuple[Mapping[str, Any], ...] = ()
    """Of each contact that is left out because it may not be profiled: its ``partner`` and ``account``, if any."""

    @property
    def recorded(self) -> Touchpoints:
        """Every touchpoint once, under the identity it was recorded with."""
        return self.touchpoints if self.versions is None else self.versions.recorded

    @property
    def recorded_traits(self) -> Traits:
        """Traits under the identity they were recorded with."""
        return self.traits if self.known is None else self.known

    def current(self) -> dict[str, int]:
        """Return everybody who is a contact now, by name: the code in ``touchpoints``, -1 without touchpoints."""
        if self.versions is None:
            of: dict[str, int] = {name: code for code, name in enumerate(self.touchpoints.contacts)}
            others = self.traits.identities()
        else:
            names = self.touchpoints.contacts
            of = {names[code]: code for code in self.versions.current(self.now).tolist()}
            others = sorted({*self.traits.identities()} - {*names})
        return dict.fromkeys(others, -1) | of

    def fill_account(
        self, features: FeatureSet, contact: NDArray[np.int64], as_of: NDArray[np.int64], X: NDArray[np.float32]
    ) -> None:
        """Fill the columns about the account of each row's contact, in place; for all rows at once.

        Contacts of one account lie in any partition, so that no partition can tell them alone.
        """
        if features.account:
            at = len(features.columns) - len(features.own_features)
            columns = X[:, at - len(features.account_features) : at]
            History(self.touchpoints, features).fill_account(self.groups, contact, as_of, columns)

    def stands(self, contact: NDArray[np.int64], as_of: NDArray[np.int64] | int) -> NDArray[np.bool_]:
        """Whether each contact (a code of ``touchpoints``) stood so at ``as_of``."""
        if self.versions is None:
            return np.ones(len(contact), dtype=np.bool_)
        return self.versions.holds(contact, np.broadcast_to(np.int64(as_of), len(contact)))


WITHOUT_TERMS = ANSWERED | {"terms"}


def read_past(
    store: Store,
    settings: Settings,
    now: int,
    *,
    without: frozenset[str] = ANSWERED,
    picked: Callable[[Iterator[DecisionRow]], Iterable[DecisionRow]] = tuple,
) -> Past:
    """Read what happened strictly before ``now``, without the contacts that may not be profiled.

    Parameters
    ----------
    without
        Fields of decisions that are not read: the more, the less memory many decisions take.
    picked
        What is kept of the decisions, which come one by one; left out: all.

    Raises
    ------
    UserError
        Where nothing happened before it.
    """
    identities = Identities.of(store.link_rows(now), store.split_rows(now), settings.touchpoints)
    recorded = touchpoints_of(store, now, settings.touchpoints)
    rows = list(store.contact_rows(now))
    known_since = {row.key: row.known_at for row in reversed(rows) if row.key in identities.linked}
    versions = Versions.of(recorded, identities, known_since, now) if len(identities) else None
    refused = _objecting(recorded, versions, settings, now)
    if objecting := frozenset(name for members in refused for name in members):
        agreed = [code for code, name in enumerate(recorded.contacts) if name not in objecting]
        recorded = recorded.take(agreed)
        if versions is not None:
            versions = Versions.of(recorded, identities, known_since, now)
    if not len(recorded):
        if refused:
            raise UserError(
                f"everybody who did something before {iso(now)} may not be profiled, by objection or for want of "
                "consent; see [contact_policy.consent] profiling in nba.toml"
            )
        raise UserError(
            f"the store holds no touchpoints before {iso(now)} to learn from; load some: `nba load touchpoints FILE`"
        )
    known = Traits(row for row in rows if row.key not in objecting)
    touchpoints = recorded if versions is None else versions.touchpoints
    traits = known if versions is None else _traits(known, versions, identities, known_since, now)
    return Past(
        touchpoints=touchpoints,
        traits=traits,
        decisions=tuple(
            picked(
                row
                for row in store.decision_rows(now, without=without)
                # A repeat stands for a decision that is there already.
                if row.identity not in objecting and row.policy != "repeat"
            )
        ),
        now=now,
        end=data_end(recorded, now),
        quarantined=store.counts()["quarantined"],
        versions=versions,
        known=None if versions is None else known,
        groups=_groups(rows, touchpoints, traits, versions),
        tables=tables_of(store, now),
        not_profiled=_belonging((row for row in rows if row.key in objecting), refused, now),
    )


def _belonging(rows: Iterable[RecordRow], groups: Sequence[Sequence[str]], now: int) -> tuple[Mapping[str, Any], ...]:
    """Partner and account of each contact, given as its identities; of who may not be profiled no more is kept."""
    worst_first = [sorted(members, key=name_rank, reverse=True) for members in groups]
    traits = Traits(rows).merged((members[-1], members) for members in worst_first)
    known = (traits.known(members[-1], now) for members in worst_first)
    return tuple({name: each[name] for name in ("partner", "account") if name in each} for each in known)


def _groups(
    rows: Sequence[RecordRow], touchpoints: Touchpoints, traits: Traits, versions: Versions | None
) -> Groups | None:
    """Whose contacts belong together; how many is counted by identity, as a request does, who objects included."""
    if not any(row.body.get("account") for row in rows):
        return None
    stood = None if versions is None else (versions.begin, versions.end)
    return Groups.of(traits.rows(), touchpoints.contacts, stood=stood, crowded=crowded_at(rows))


def _traits(
    known: Traits, versions: Versions, identities: Identities, known_since: Mapping[str, int], now: int
) -> Traits:
    """Traits of every version, and of the contacts that have no touchpoint."""
    groups = {name: versions.members(code) for code, name in enumerate(versions.names)}
    seen = {name for code in versions.current(now).tolist() for name in versions.members(code)}
    for name in known.identities():
        if name not in seen:
            members = identities.members(name, now)
            seen.update(members)
            groups[version_name(members, EVER, known_since, now)] = members
    return known.merged((name, sorted(members, key=name_rank, reverse=True)) for name, members in groups.items())


def _objecting(recorded: Touchpoints, versions: Versions | None, settings: Settings, now: int) -> list[Sequence[str]]:
    """Identities of each contact that may not be profiled, as the contacts are now."""
    if versions is None:
        return [(name,) for name in sorted(objections(recorded, settings, now))]
    current: list[int] = versions.current(now).tolist()
    refused = objections(versions.touchpoints.take(current), settings, now)
    return [versions.members(code) for code in current if versions.names[code] in refused]


def objections(touchpoints: Touchpoints, settings: Settings, now: int) -> frozenset[str]:
    """Contacts that may not be profiled: who objects gives no features, no scores and no training rows."""
    consent = settings.contact_policy.consent
    silent_may = Word().meets(consent.profiling)
    spoke = np.array([word_of(kind) is not None for kind in touchpoints.kinds], dtype=np.bool_)[touchpoints.kind]
    speakers = set(touchpoints.contact[spoke].tolist())
    refused = set() if silent_may else set(range(len(touchpoints.contacts))) - speakers
    for contact in speakers:
        if not Ledger(touchpoints.only(contact), now, {}).may_profile(consent):
            refused.add(contact)
    return frozenset(touchpoints.contacts[contact] for contact in refused)

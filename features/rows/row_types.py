"""What the rows of the store are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

LOGGED_WITHIN = 10_000_000
"""Microseconds after which a decision is in the store, as a rule: one that is stored later is late."""


class TouchpointRow(NamedTuple):
    """A touchpoint as the store keeps it; the first fourteen fields are what the store reads.

    ``occurred_at`` is in microseconds, ``topics`` a JSON list, ``properties`` a JSON object with sorted keys.
    ``touchpoint_id`` is None until the loader has given one.
    """

    identity: str
    occurred_at: int
    touchpoint_id: str | None
    kind: str
    channel: str | None = None
    direction: str | None = None
    topics: str | None = None
    value: float | None = None
    currency: str | None = None
    margin: float | None = None
    duration: float | None = None
    decision_id: str | None = None
    action: str | None = None
    properties: str | None = None
    source: str = ""


class LinkRow(NamedTuple):
    """Evidence that two identities are one contact; ``seen_at`` in microseconds."""

    identity_a: str
    identity_b: str
    seen_at: int
    how: str = ""
    confidence: float | None = None
    properties: str | None = None


class SplitRow(NamedTuple):
    """A person's word that two identities are not one contact, from ``at`` (microseconds) on; ``by`` whose word."""

    identity_a: str
    identity_b: str
    at: int
    reason: str = ""
    by: str = ""


class KeyRow(NamedTuple):
    """A key of the HTTP service, without the key itself; times in microseconds.

    ``digest`` is its SHA-256 in hexadecimal; ``public`` says that browsers hold it, on pages of ``origins``; ``rate``
    is how many requests a second it may make, None: as many as it likes.
    """

    key_id: str
    name: str
    digest: str
    scopes: tuple[str, ...]
    partner: str | None
    owner: str | None
    public: bool
    origins: tuple[str, ...]
    rate: float | None
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None


class SessionRow(NamedTuple):
    """A sign-in to the pages; times in microseconds, ``digest`` the SHA-256 of its cookie in hexadecimal."""

    digest: str
    key_id: str
    begun_at: int
    ends_at: int


class AuditRow(NamedTuple):
    """An entry of the audit log; ``at`` in microseconds, ``details`` a JSON object with sorted keys.

    ``before`` is the hash of the entry before, ``hash`` that of this one; see ``features.store.audit``.
    """

    number: int
    at: int
    by: str
    what: str
    subject: str
    reason: str
    details: str
    before: str
    hash: str


class RecordRow(NamedTuple):
    """What is known of a contact, account, product ... since ``known_at`` (microseconds)."""

    key: str
    known_at: int
    body: Mapping[str, object]


ContactRow = RecordRow
"""Traits of a contact: the key is its identity."""


ANSWERED = frozenset({"request_hash", "answer"})
"""Fields of a decision that only a repeated call needs."""
EXPLAINED = ANSWERED | {"allowed", "terms", "features_sha"}
"""Fields that no later decision looks at: most of a decision's bytes."""


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A choice that was made, as logged; times in microseconds.

    ``chances`` has the probability of every allowed action, ``terms`` what the priorities were made of,
    ``key`` the name of the API key that asked, ``request_hash`` and ``answer`` what makes a repeated call
    give the same bytes.
    """

    decision_id: str
    identity: str
    decided_at: int
    action: str
    probability: float | None = None
    allowed: tuple[str, ...] | None = None
    policy: str | None = None
    topics: tuple[str, ...] | None = None
    properties: Mapping[str, object] | None = None
    chances: Mapping[str, float] | None = None
    mode: str | None = None
    placement: str | None = None
    model_version: str | None = None
    terms: Mapping[str, Any] | None = None
    key: str | None = None
    request_hash: str | None = None
    answer: bytes | None = None
    as_of: int | None = None
    activated_at: int | None = None
    deferred: bool = False
    holdout: bool = False
    features_sha: str | None = None

    @property
    def carried_out_at(self) -> int | None:
        """When it was carried out as far as we know: at once, or where it was deferred when it was activated."""
        return self.activated_at if self.deferred else self.decided_at

    @property
    def brief(self) -> DecisionRow:
        """The same without what was answered and what that was made of: no later decision looks at it."""
        return self.without(EXPLAINED)

    def without(self, fields: Collection[str]) -> DecisionRow:
        """Return the same with None in the place of some fields."""
        nothing: dict[str, Any] = dict.fromkeys(fields)
        return replace(self, **nothing)


class OutcomeRow(NamedTuple):
    """What came of a decision; ``pending`` while the decision is not known. Times in microseconds."""

    feedback_id: str
    decision_id: str
    outcome: str
    occurred_at: int
    received_at: int
    action: str | None = None
    reason: str | None = None
    note: str | None = None
    until: int | None = None
    value: float | None = None
    pending: bool = False


class ScoreRow(NamedTuple):
    """What ``nba score`` found for a contact; ``body`` holds the other columns. ``as_of`` in microseconds.

    ``work`` is what people should do, by whose contacts: ``owner`` and ``partner`` were known at ``as_of``. ``behind``
    and, among equals, ``behind_by_points`` say how far behind in the line of such work it stands: least first.
    """

    contact_id: str
    as_of: int
    stage: str | None
    points: float | None
    body: Mapping[str, object]
    model_version: str | None
    work: str | None = None
    behind: float | None = None
    behind_by_points: float | None = None
    owner: str | None = None
    partner: str | None = None


class SightRow(NamedTuple):
    """What the owner's side sees of the contact that an identity belongs to; ``until`` in microseconds.

    ``named`` is the partner that the contact names, ``partner`` the same while its agreement is in force. ``shows`` is
    ``*`` for everything, empty for nothing, else fields between bars, such as ``|stage|points|``; None where the
    contact's belonging has changed since. From ``until`` on it holds no more.
    """

    identity: str
    contact_id: str
    named: str | None = None
    partner: str | None = None
    account: str | None = None
    owner: str | None = None
    shows: str | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """A row that was refused.

    ``raw`` is JSON: an object where the row could be read, else its text. ``rule`` is the reason without the
    value. ``nth`` counts equal rows of one file, so that a repeated load adds none.
    """

    table: str
    raw: str
    reason: str
    rule: str
    refused_at: int
    file: str = ""
    line: int | None = None
    zone: str | None = None
    nth: int = 0
    number: int = field(default=0, compare=False)


class SettingsVersion(NamedTuple):
    """Values that were published over those of the settings file; ``published_at`` in microseconds.

    ``changes`` holds all that differs from the file, by dotted key; None leaves a key out. ``undoes`` is the number of
    the version that this one takes back.
    """

    number: int
    published_at: int
    by: str
    reason: str
    changes: Mapping[str, Any]
    undoes: int | None = None


class FigureRow(NamedTuple):
    """What was counted over everybody as of a moment, in microseconds."""

    name: str
    at: int
    body: Mapping[str, Any]

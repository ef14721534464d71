"""The store's tables, the same in every database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects import postgresql

from features.store.found_by import FoundBy

METADATA = MetaData()


# Texts are compared byte by byte everywhere, so that every database has the same order, which is Python's too.
TEXT = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def _text(*names: str) -> list[Column[Any]]:
    return [Column(name, TEXT) for name in names]


def _number(*names: str) -> list[Column[Any]]:
    return [Column(name, Double) for name in names]


def _only_where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def _found_by(index: str, what: str) -> Index:
    told = FoundBy(what).is_not(None)
    return Index(index, FoundBy(what), "identity", sqlite_where=told, postgresql_where=told)


OF_LEADS = "kind IN ('lead_accepted', 'lead_declined', 'lead_lost', 'lead_offered')"
"""Which touchpoints tell of leads; who asks in other words does not get their index."""

VERSION = Table("nba_store", METADATA, Column("version", Integer, primary_key=True, autoincrement=False))

# Clustered on identity and time, so that one contact's history is one short read.
TOUCHPOINTS = Table(
    "touchpoints",
    METADATA,
    Column("identity", TEXT, primary_key=True),
    Column("occurred_at", BigInteger, primary_key=True),
    Column("touchpoint_id", TEXT, primary_key=True),
    # The key's columns come first: SQLite 3.40 checks the integrity of tables laid out otherwise wrongly.
    Column("source", TEXT, primary_key=True),
    Column("kind", TEXT, nullable=False),
    *_text("channel", "direction", "topics"),
    *_number("value"),
    *_text("currency"),
    *_number("margin", "duration"),
    *_text("decision_id", "action", "properties"),
    Index("touchpoints_once", "source", "touchpoint_id", unique=True),
    Index("touchpoints_of_decision", "decision_id", **_only_where("decision_id IS NOT NULL")),
    Index("touchpoints_of_leads", "occurred_at", "identity", **_only_where(OF_LEADS)),
    sqlite_with_rowid=False,
)

CONTACTS = Table(
    "contacts",
    METADATA,
    Column("identity", TEXT, primary_key=True),
    Column("known_at", BigInteger, primary_key=True),
    Column("body", TEXT, nullable=False),
    _found_by("contacts_by_name", "name"),
    _found_by("contacts_by_last_name", "last_name"),
    _found_by("contacts_by_email", "email"),
    _found_by("contacts_by_phone", "last_digits"),
    sqlite_with_rowid=False,
)

RECORDS = Table(
    "records",
    METADATA,
    Column("table_name", TEXT, primary_key=True),
    Column("key", TEXT, primary_key=True),
    Column("known_at", BigInteger, primary_key=True),
    Column("body", TEXT, nullable=False),
    Index("accounts_by_name", "table_name", FoundBy("name"), "key", **_only_where("table_name = 'accounts'")),
    sqlite_with_rowid=False,
)

# How often rows of each table were changed, so that whoever keeps one in memory sees that it is old.
RECORD_CHANGES = Table(
    "record_changes",
    METADATA,
    Column("table_name", TEXT, primary_key=True),
    Column("number", BigInteger, nullable=False),
)

# Whose a device was ever said to be, so that one owner's devices are one short read; ``owner_kind`` is the column of
# ``assets`` that says it.
ASSET_OWNERS = Table(
    "asset_owners",
    METADATA,
    Column("owner_kind", TEXT, primary_key=True),
    Column("owner", TEXT, primary_key=True),
    Column("asset_id", TEXT, primary_key=True),
    Column("known_at", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)

LINKS = Table(
    "links",
    METADATA,
    Column("identity_a", TEXT, primary_key=True),
    Column("identity_b", TEXT, primary_key=True),
    Column("seen_at", BigInteger, primary_key=True),
    Column("how", TEXT, primary_key=True),
    *_number("confidence"),
    *_text("properties"),
    Index("links_of_b", "identity_b", "seen_at"),
    sqlite_with_rowid=False,
)

# Both directions of every link, so that one identity's links are one short read however many name it; of equal
# ones the earliest. Without a confidence a link is certain.
LINK_ENDS = Table(
    "link_ends",
    METADATA,
    Column("identity", TEXT, primary_key=True),
    Column("other", TEXT, primary_key=True),
    Column("how", TEXT, primary_key=True),
    Column("confidence", Double, primary_key=True, server_default=text("1.0")),
    Column("seen_at", BigInteger, nullable=False),
    Index("link_ends_of", "identity", "seen_at"),
    sqlite_with_rowid=False,
)

SPLITS = Table(
    "splits",
    METADATA,
    Column("identity_a", TEXT, primary_key=True),
    Column("identity_b", TEXT, primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("reason", TEXT, nullable=False),
    Column("by", TEXT, nullable=False),
    Index("splits_of_b", "identity_b", "at"),
    sqlite_with_rowid=False,
)

ACCOUNT_MEMBERS = Table(
    "account_members",
    METADATA,
    Column("account", TEXT, primary_key=True),
    Column("identity", TEXT, primary_key=True),
    Column("known_at", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)

LAKES = Table("lakes", METADATA, Column("path", TEXT, primary_key=True))

PACKED = Table(
    "packed",
    METADATA,
    Column("identity", TEXT, primary_key=True),
    Column("blob", LargeBinary, nullable=False),
)

# All that is asked of whom something was taken for, so that the rows with their answers are not looked at.
_TAKEN = ("decided_at", "activated_at", "deferred", "placement", "identity")
_OURS = _only_where("chances IS NOT NULL")

DECISIONS = Table(
    "decisions",
    METADATA,
    Column("decision_id", TEXT, primary_key=True),
    Column("identity", TEXT, nullable=False),
    Column("decided_at", BigInteger, nullable=False),
    Column("action", TEXT, nullable=False),
    *_number("probability"),
    *_text("allowed", "policy", "topics", "properties", "chances", "mode", "placement", "model_version", "terms"),
    *_text("key", "request_hash"),
    Column("answer", LargeBinary),
    Column("as_of", BigInteger),
    Column("activated_at", BigInteger),
    Column("deferred", Boolean, nullable=False),
    Column("holdout", Boolean, nullable=False),
    *_text("features_sha"),
    Index("decisions_of", "identity", "decided_at"),
    Index("decisions_taken", "action", text("coalesce(activated_at, decided_at)"), *_TAKEN, **_OURS),
)

OUTCOMES = Table(
    "outcomes",
    METADATA,
    Column("feedback_id", TEXT, primary_key=True),
    Column("decision_id", TEXT, nullable=False),
    Column("outcome", TEXT, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    *_text("action", "reason", "note"),
    Column("until", BigInteger),
    *_number("value"),
    Column("pending", Boolean, nullable=False),
    Index("outcomes_of", "decision_id", "occurred_at"),
)

_PLACE_IN_LINE = ("behind", "behind_by_points", "contact_id")

# ``work`` is what people should do. ``behind`` and, among equals, ``behind_by_points`` say how far behind in the line
# of such work the contact stands: least first. All three are null where there is nothing to do.
SCORES = Table(
    "scores",
    METADATA,
    Column("contact_id", TEXT, primary_key=True),
    Column("as_of", BigInteger, nullable=False),
    *_text("stage"),
    *_number("points"),
    Column("body", TEXT, nullable=False),
    *_text("model_version", "work"),
    *_number("behind", "behind_by_points"),
    *_text("owner", "partner"),
    Index("scores_in_line", *_PLACE_IN_LINE, **_only_where("behind IS NOT NULL")),
    Index("scores_of_owner", "owner", *_PLACE_IN_LINE, **_only_where("owner IS NOT NULL")),
    Index("scores_of_partner", "partner", *_PLACE_IN_LINE, **_only_where("partner IS NOT NULL")),
)

# What the owner's side sees of whom, so that views and exports leave out what partners keep; see ``SightRow``.
OWNER_SIGHTS = Table(
    "owner_sights",
    METADATA,
    Column("identity", TEXT, primary_key=True),
    Column("contact_id", TEXT, nullable=False),
    *_text("named", "partner", "account", "owner", "shows"),
    Column("until", BigInteger),
    Index("owner_sights_of", "contact_id"),
    Index("owner_sights_of_partner", "partner", "contact_id", **_only_where("partner IS NOT NULL")),
    sqlite_with_rowid=False,
)

VIEW_DEFINITIONS = Table(
    "view_definitions", METADATA, Column("name", TEXT, primary_key=True), Column("digest", TEXT, nullable=False)
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    *(Column(name, TEXT, nullable=False) for name in ("by", "what", "subject", "reason", "details", "before", "hash")),
)

# A key itself is nowhere: ``digest`` is its SHA-256. Lists are JSON.
KEYS = Table(
    "keys",
    METADATA,
    Column("key_id", TEXT, primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("digest", TEXT, nullable=False, unique=True),
    Column("scopes", TEXT, nullable=False),
    *_text("partner", "owner"),
    Column("public", Boolean, nullable=False),
    Column("origins", TEXT, nullable=False),
    *_number("rate"),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
)

# Who is signed in to the pages: ``digest`` is the SHA-256 of what stands in the cookie, which is nowhere itself.
SESSIONS = Table(
    "sessions",
    METADATA,
    Column("digest", TEXT, primary_key=True),
    Column("key_id", TEXT, nullable=False),
    Column("begun_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
)

# Who was erased, as digests that say nothing of the name: what is sent again is refused by them.
TOMBSTONES = Table(
    "tombstones",
    METADATA,
    Column("digest", TEXT, primary_key=True),
    Column("erased_at", BigInteger, nullable=False),
)

# What the digests of tombstones are made with; there is one since the first erasure, so that a store in which nobody
# was erased is known by its absence.
TOMBSTONE_KEY = Table("tombstone_key", METADATA, Column("key", TEXT, primary_key=True))

# Messages of tracking clients that leave no touchpoint (identify, group, alias), so that a repeat is known for ever.
MESSAGES = Table(
    "messages",
    METADATA,
    Column("source", TEXT, primary_key=True),
    Column("message_id", TEXT, primary_key=True),
    sqlite_with_rowid=False,
)

QUARANTINE = Table(
    "quarantine",
    METADATA,
    Column("number", Integer().with_variant(BigInteger, "postgresql"), Identity(), primary_key=True),
    Column("fingerprint", TEXT, nullable=False, unique=True),
    Column("table_name", TEXT, nullable=False),
    Column("raw", TEXT, nullable=False),
    Column("reason", TEXT, nullable=False),
    Column("rule", TEXT, nullable=False),
    Column("refused_at", BigInteger, nullable=False),
    Column("file", TEXT, nullable=False),
    Column("line", BigInteger),
    *_text("zone"),
    Column("nth", Integer, nullable=False),
)

"""The store's tables, the same in every database."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, Identity, Index, Integer, LargeBinary, Table, text

from features.store.found_by import FoundBy
from features.store.service_tables import FIGURES as FIGURES
from features.store.service_tables import KEYS as KEYS
from features.store.service_tables import MESSAGES as MESSAGES
from features.store.service_tables import SESSIONS as SESSIONS
from features.store.service_tables import SETTINGS_DRAFTS as SETTINGS_DRAFTS
from features.store.service_tables import SETTINGS_VERSIONS as SETTINGS_VERSIONS
from features.store.table_columns import METADATA as METADATA
from features.store.table_columns import TEXT, numbers, only_where, texts


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
    *texts("channel", "direction", "topics"),
    *numbers("value"),
    *texts("currency"),
    *numbers("margin", "duration"),
    *texts("decision_id", "action", "properties"),
    Index("touchpoints_once", "source", "touchpoint_id", unique=True),
    Index("touchpoints_of_decision", "decision_id", **only_where("decision_id IS NOT NULL")),
    Index("touchpoints_of_leads", "occurred_at", "identity", **only_where(OF_LEADS)),
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
    Index("accounts_by_name", "table_name", FoundBy("name"), "key", **only_where("table_name = 'accounts'")),
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
    *numbers("confidence"),
    *texts("properties"),
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
_OURS = only_where("chances IS NOT NULL")

DECISIONS = Table(
    "decisions",
    METADATA,
    Column("decision_id", TEXT, primary_key=True),
    Column("identity", TEXT, nullable=False),
    Column("decided_at", BigInteger, nullable=False),
    Column("action", TEXT, nullable=False),
    *numbers("probability"),
    *texts("allowed", "policy", "topics", "properties", "chances", "mode", "placement", "model_version", "terms"),
    *texts("key", "request_hash"),
    Column("answer", LargeBinary),
    Column("as_of", BigInteger),
    Column("activated_at", BigInteger),
    Column("deferred", Boolean, nullable=False),
    Column("holdout", Boolean, nullable=False),
    *texts("features_sha"),
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
    *texts("action", "reason", "note"),
    Column("until", BigInteger),
    *numbers("value"),
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
    *texts("stage"),
    *numbers("points"),
    Column("body", TEXT, nullable=False),
    *texts("model_version", "work"),
    *numbers("behind", "behind_by_points"),
    *texts("owner", "partner"),
    Index("scores_in_line", *_PLACE_IN_LINE, **only_where("behind IS NOT NULL")),
    Index("scores_of_owner", "owner", *_PLACE_IN_LINE, **only_where("owner IS NOT NULL")),
    Index("scores_of_partner", "partner", *_PLACE_IN_LINE, **only_where("partner IS NOT NULL")),
    # With the other thing that is asked for behind the place, so that rows of others are not looked at.
    Index("scores_of_work", "work", *_PLACE_IN_LINE, "stage", **only_where("behind IS NOT NULL")),
    Index("scores_of_stage", "stage", *_PLACE_IN_LINE, "work", **only_where("behind IS NOT NULL")),
)

# What the owner's side sees of whom, so that views and exports leave out what partners keep; see ``SightRow``.
OWNER_SIGHTS = Table(
    "owner_sights",
    METADATA,
    Column("identity", TEXT, primary_key=True),
    Column("contact_id", TEXT, nullable=False),
    *texts("named", "partner", "account", "owner", "shows"),
    Column("until", BigInteger),
    Index("owner_sights_of", "contact_id"),
    Index("owner_sights_of_owner", "owner", "identity", **only_where("owner IS NOT NULL")),
    Index("owner_sights_marked", "identity", **only_where("shows IS NULL")),
    Index("owner_sights_of_partner", "partner", "contact_id", **only_where("partner IS NOT NULL")),
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
    *texts("zone"),
    Column("nth", Integer, nullable=False),
)

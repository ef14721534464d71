"""Tables of the service alone: who may call, who is signed in to the pages, and which messages it had."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Table

from features.store.table_columns import METADATA, TEXT, numbers, texts

# A key itself is nowhere: ``digest`` is its SHA-256. Lists are JSON.
KEYS = Table(
    "keys",
    METADATA,
    Column("key_id", TEXT, primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("digest", TEXT, nullable=False, unique=True),
    Column("scopes", TEXT, nullable=False),
    *texts("partner", "owner"),
    Column("public", Boolean, nullable=False),
    Column("origins", TEXT, nullable=False),
    *numbers("rate"),
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

# Messages of tracking clients that leave no touchpoint (identify, group, alias), so that a repeat is known for ever.
MESSAGES = Table(
    "messages",
    METADATA,
    Column("source", TEXT, primary_key=True),
    Column("message_id", TEXT, primary_key=True),
    sqlite_with_rowid=False,
)

# Values that were published over those of the settings file, a version for each time: ``changes`` is JSON, all that
# differs from the file. What was published stays; the newest version counts.
SETTINGS_VERSIONS = Table(
    "settings_versions",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("published_at", BigInteger, nullable=False),
    *(Column(name, TEXT, nullable=False) for name in ("by", "reason", "changes")),
    Column("undoes", BigInteger),
)

# What somebody is about to publish, one draft for each key.
SETTINGS_DRAFTS = Table(
    "settings_drafts",
    METADATA,
    Column("key_id", TEXT, primary_key=True),
    Column("changes", TEXT, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)

# What was counted over everybody as of a moment, so that no page has to.
FIGURES = Table(
    "figures",
    METADATA,
    Column("name", TEXT, primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("body", TEXT, nullable=False),
    sqlite_with_rowid=False,
)

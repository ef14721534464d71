"""How a store of an older schema becomes one of the newest: ordered steps, each from one version to the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

Run = Callable[[str], object]
"""Executes one statement inside the transaction of the migration."""

# The texts are those of their time: a later schema must not change what an earlier step does. A store of schema 1
# was always SQLite.
_FROM_1 = (
    """CREATE TABLE link_ends (
        identity TEXT NOT NULL, other TEXT NOT NULL, how TEXT NOT NULL, confidence DOUBLE DEFAULT (1.0) NOT NULL,
        seen_at BIGINT NOT NULL, PRIMARY KEY (identity, other, how, confidence)
    ) WITHOUT ROWID""",
    "CREATE INDEX link_ends_of ON link_ends (identity, seen_at)",
    """CREATE TABLE splits (
        identity_a TEXT NOT NULL, identity_b TEXT NOT NULL, at BIGINT NOT NULL, reason TEXT NOT NULL,
        "by" TEXT NOT NULL, PRIMARY KEY (identity_a, identity_b, at)
    ) WITHOUT ROWID""",
    "CREATE INDEX splits_of_b ON splits (identity_b, at)",
    """CREATE TABLE account_members (
        account TEXT NOT NULL, identity TEXT NOT NULL, known_at BIGINT NOT NULL,
        PRIMARY KEY (account, identity, known_at)
    ) WITHOUT ROWID""",
    "CREATE TABLE lakes (path TEXT NOT NULL, PRIMARY KEY (path))",
    "CREATE TABLE packed (identity TEXT NOT NULL, blob BLOB NOT NULL, PRIMARY KEY (identity))",
    """INSERT INTO link_ends (identity, other, how, confidence, seen_at)
        SELECT identity, other, how, confidence, min(seen_at) FROM (
            SELECT identity_a AS identity, identity_b AS other, how, coalesce(confidence, 1.0) AS confidence, seen_at
            FROM links
            UNION ALL
            SELECT identity_b, identity_a, how, coalesce(confidence, 1.0), seen_at FROM links
        ) WHERE identity <> other GROUP BY identity, other, how, confidence""",
    """INSERT INTO account_members (account, identity, known_at)
        SELECT json_extract(body, '$.account'), identity, known_at FROM contacts
        WHERE json_type(body, '$.account') = 'text'""",
)

# From here on a store may be of either database: names in braces stand for what each says its own way.
_FROM_2 = (
    """CREATE TABLE audit (
        number BIGINT NOT NULL, at BIGINT NOT NULL, "by" {text} NOT NULL, what {text} NOT NULL,
        subject {text} NOT NULL, reason {text} NOT NULL, details {text} NOT NULL, before {text} NOT NULL,
        hash {text} NOT NULL, PRIMARY KEY (number)
    )""",
)

_FROM_3 = (
    "CREATE TABLE record_changes (table_name {text} NOT NULL, number BIGINT NOT NULL, PRIMARY KEY (table_name))",
    "INSERT INTO record_changes (table_name, number) SELECT table_name, count(*) FROM records GROUP BY table_name",
    """CREATE TABLE asset_owners (
        owner_kind {text} NOT NULL, owner {text} NOT NULL, asset_id {text} NOT NULL, known_at BIGINT NOT NULL,
        PRIMARY KEY (owner_kind, owner, asset_id, known_at)
    ){clustered}""",
    """INSERT INTO asset_owners (owner_kind, owner, asset_id, known_at)
        SELECT 'identity', {identity}, "key", known_at FROM records
        WHERE table_name = 'assets' AND {identity} IS NOT NULL""",
    """INSERT INTO asset_owners (owner_kind, owner, asset_id, known_at)
        SELECT 'account', {account}, "key", known_at FROM records
        WHERE table_name = 'assets' AND {account} IS NOT NULL""",
    "CREATE INDEX decisions_taken ON decisions (action, coalesce(activated_at, decided_at))",
)

_FROM_4 = (
    """CREATE TABLE keys (
        key_id {text} NOT NULL, name {text} NOT NULL, digest {text} NOT NULL, scopes {text} NOT NULL,
        partner {text}, owner {text}, public BOOLEAN NOT NULL, origins {text} NOT NULL, rate {double},
        created_at BIGINT NOT NULL, expires_at BIGINT, revoked_at BIGINT, PRIMARY KEY (key_id),
        UNIQUE (digest)
    )""",
    "CREATE TABLE tombstones (digest {text} NOT NULL, erased_at BIGINT NOT NULL, PRIMARY KEY (digest))",
    "CREATE TABLE tombstone_key (key {text} NOT NULL, PRIMARY KEY (key))",
    """CREATE TABLE messages (
        source {text} NOT NULL, message_id {text} NOT NULL, PRIMARY KEY (source, message_id)
    ){clustered}""",
    "ALTER TABLE scores ADD COLUMN work {text}",
    "ALTER TABLE scores ADD COLUMN behind {double}",
    "ALTER TABLE scores ADD COLUMN behind_by_points {double}",
    "ALTER TABLE scores ADD COLUMN owner {text}",
    "ALTER TABLE scores ADD COLUMN partner {text}",
    "CREATE INDEX scores_in_line ON scores (behind, behind_by_points, contact_id) WHERE behind IS NOT NULL",
    """CREATE INDEX scores_of_owner ON scores (owner, behind, behind_by_points, contact_id)
        WHERE owner IS NOT NULL""",
    """CREATE INDEX scores_of_partner ON scores (partner, behind, behind_by_points, contact_id)
        WHERE partner IS NOT NULL""",
    """CREATE TABLE owner_sights (
        identity {text} NOT NULL, contact_id {text} NOT NULL, named {text}, partner {text}, account {text},
        owner {text}, shows {text}, until BIGINT, PRIMARY KEY (identity)
    ){clustered}""",
    "CREATE INDEX owner_sights_of ON owner_sights (contact_id)",
    "CREATE TABLE view_definitions (name {text} NOT NULL, digest {text} NOT NULL, PRIMARY KEY (name))",
)

_FROM_5 = (
    """CREATE TABLE sessions (
        digest {text} NOT NULL, key_id {text} NOT NULL, begun_at BIGINT NOT NULL, ends_at BIGINT NOT NULL,
        PRIMARY KEY (digest)
    )""",
    "DROP INDEX decisions_taken",
    """CREATE INDEX decisions_taken ON decisions (
        action, coalesce(activated_at, decided_at), decided_at, activated_at, deferred, placement, identity
    ) WHERE chances IS NOT NULL""",
    "CREATE INDEX touchpoints_of_decision ON touchpoints (decision_id) WHERE decision_id IS NOT NULL",
    "CREATE INDEX touchpoints_of_leads ON touchpoints (occurred_at, identity) "
    "WHERE kind IN ('lead_accepted', 'lead_declined', 'lead_lost', 'lead_offered')",
    "CREATE INDEX owner_sights_of_partner ON owner_sights (partner, contact_id) WHERE partner IS NOT NULL",
    "CREATE INDEX contacts_by_name ON contacts (({name}), identity) WHERE ({name}) IS NOT NULL",
    "CREATE INDEX contacts_by_last_name ON contacts (({last_name}), identity) WHERE ({last_name}) IS NOT NULL",
    "CREATE INDEX contacts_by_email ON contacts (({email}), identity) WHERE ({email}) IS NOT NULL",
    "CREATE INDEX contacts_by_phone ON contacts (({last_digits}), identity) WHERE ({last_digits}) IS NOT NULL",
    "CREATE INDEX accounts_by_name ON records (table_name, ({name}), \"key\") WHERE table_name = 'accounts'",
)

_FROM_6 = (
    """CREATE TABLE settings_versions (
        number BIGINT NOT NULL, published_at BIGINT NOT NULL, "by" {text} NOT NULL, reason {text} NOT NULL,
        changes {text} NOT NULL, undoes BIGINT, PRIMARY KEY (number)
    )""",
    """CREATE TABLE settings_drafts (
        key_id {text} NOT NULL, changes {text} NOT NULL, changed_at BIGINT NOT NULL, PRIMARY KEY (key_id)
    )""",
    "CREATE TABLE figures (name {text} NOT NULL, at BIGINT NOT NULL, body {text} NOT NULL, PRIMARY KEY (name, at))"
    "{clustered}",
    """CREATE INDEX scores_of_work ON scores (work, behind, behind_by_points, contact_id, stage)
        WHERE behind IS NOT NULL""",
    """CREATE INDEX scores_of_stage ON scores (stage, behind, behind_by_points, contact_id, work)
        WHERE behind IS NOT NULL""",
)

_FROM_7 = (
    "CREATE INDEX owner_sights_of_owner ON owner_sights (owner, identity) WHERE owner IS NOT NULL",
    "CREATE INDEX owner_sights_marked ON owner_sights (identity) WHERE shows IS NULL",
)

_STEPS: Sequence[tuple[str, ...]] = (_FROM_1, _FROM_2, _FROM_3, _FROM_4, _FROM_5, _FROM_6, _FROM_7)

NEWEST = 1 + len(_STEPS)
"""The version of the schema that ``features.store.tables`` describes."""


def migrate(version: int, run: Run, words: Mapping[str, str]) -> None:
    """Take a store from its version to the newest, one step after the other.

    Parameters
    ----------
    version
        What the store says it is, from 1 to ``NEWEST``.
    run
        Called with each statement; whoever calls sees to the transaction.
    words
        What the database says for each name in braces: ``text``, its type of a text; ``double``, of a number;
        ``clustered``, what makes a table one with the index of its key; ``identity`` and ``account``, these entries of
        the JSON in ``body``; and what contacts are found by (``features.store.found_by``).
    """
    for step in _STEPS[version - 1 :]:
        for statement in step:
            for name, said in words.items():
                statement = statement.replace(f"{{{name}}}", said)
            run(statement)
    run(f"UPDATE nba_store SET version = {NEWEST}")

"""Views about how the service runs: which model served when, and what came in badly."""

from __future__ import annotations

from features.store.view_types import DAY, FLAG, TEXT, WHOLE, Column, View, moment, moments
from features.store.view_words import COUNTS, Words

_LATE_US = 86_400_000_000


def _versions(words: Words) -> str:
    ended = words.place.format(a="a.subject", b="' of '")
    said = words.number.format(text="f.details", name="entry")
    return (
        'WITH acts AS (SELECT a.number AS number, a.at AS at, a."by" AS doer, a.what AS what, a.reason AS reason, '
        f"substr(a.subject, 9, {ended} - 9) AS version FROM audit AS a "
        "WHERE a.what IN ('promotion', 'rollback') AND substr(a.subject, 1, 8) = 'version ' "
        # What failed has an entry of its own that names the one it is about.
        f"AND NOT EXISTS (SELECT 1 FROM audit AS f WHERE f.what = a.what || ' failed' AND {said} = a.number)), "
        "acted AS (SELECT version, min(at) AS first_at, max(at) AS last_at, max(number) AS last_number, "
        "sum(CASE WHEN what = 'promotion' THEN 1 ELSE 0 END) AS promotions, "
        "sum(CASE WHEN what = 'rollback' THEN 1 ELSE 0 END) AS rollbacks FROM acts GROUP BY version), "
        "decided AS (SELECT d.model_version AS version, count(*) AS decisions, min(d.decided_at) AS first_at, "
        "max(d.decided_at) AS last_at FROM decisions AS d JOIN owner_sights AS w ON w.identity = d.identity "
        f"WHERE d.model_version IS NOT NULL AND d.chances IS NOT NULL AND {COUNTS} "
        f"AND {words.stands} AND {words.seen('recommendations')} GROUP BY d.model_version), "
        "scored AS (SELECT s.model_version AS version, count(*) AS contacts FROM scores AS s "
        f"JOIN owner_sights AS w ON w.identity = s.contact_id WHERE s.model_version IS NOT NULL AND {words.stands} "
        "GROUP BY s.model_version), "
        "named AS (SELECT version FROM acted UNION SELECT version FROM decided UNION SELECT version FROM scored) "
        "SELECT n.version AS model_version, "
        "CASE WHEN p.last_number = (SELECT max(number) FROM acts) THEN 1 ELSE 0 END AS is_champion, "
        f"{moments(words, 'p.first_at', 'first_promoted')}, {moments(words, 'p.last_at', 'promoted')}, "
        "coalesce(p.promotions, 0) AS promotions, coalesce(p.rollbacks, 0) AS rollbacks, "
        "l.doer AS promoted_by, l.reason AS reason, coalesce(d.decisions, 0) AS decisions, "
        f"{moments(words, 'd.first_at', 'first_decision')}, {moments(words, 'd.last_at', 'last_decision')}, "
        "coalesce(s.contacts, 0) AS contacts_scored "
        "FROM named AS n LEFT JOIN acted AS p ON p.version = n.version LEFT JOIN acts AS l ON l.number = p.last_number "
        "LEFT JOIN decided AS d ON d.version = n.version LEFT JOIN scored AS s ON s.version = n.version"
    )


def _quality(words: Words) -> str:
    seen = f"{words.stands} AND {words.seen('timeline')}"
    refused = (
        f"SELECT {words.day.format(us='q.refused_at')} AS day, 'quarantined' AS finding, q.table_name AS table_name, "
        "q.rule AS subject FROM quarantine AS q"
    )
    repeated = (
        f"SELECT {words.day.format(us='q.refused_at')}, 'quarantined repeat', q.table_name, q.rule "
        "FROM quarantine AS q WHERE q.nth > 0"
    )
    late = (
        f"SELECT {words.day.format(us='o.received_at')}, 'late outcome', 'outcomes', o.outcome FROM outcomes AS o "
        "JOIN decisions AS d ON d.decision_id = o.decision_id JOIN owner_sights AS w ON w.identity = d.identity "
        f"WHERE o.received_at - o.occurred_at > {_LATE_US} AND {seen}"
    )
    pending = (
        f"SELECT {words.day.format(us='o.received_at')}, 'pending outcome', 'outcomes', o.outcome "
        "FROM outcomes AS o WHERE o.pending"
    )
    shown = (
        "shown AS (SELECT t.identity AS identity, t.occurred_at AS occurred_at, t.kind AS kind "
        f"FROM touchpoints AS t JOIN owner_sights AS w ON w.identity = t.identity WHERE {seen})"
    )
    first = "SELECT kind, min(occurred_at) AS first_at FROM shown GROUP BY kind"
    twice = (
        "SELECT occurred_at, kind, count(*) - 1 AS more FROM shown GROUP BY identity, occurred_at, kind "
        "HAVING count(*) > 1"
    )
    return (
        f"WITH {shown}, each AS ({refused} UNION ALL {repeated} UNION ALL {late} UNION ALL {pending}) "
        "SELECT day, finding, table_name, subject, count(*) AS row_count FROM each "
        "GROUP BY day, finding, table_name, subject "
        f"UNION ALL SELECT {words.day.format(us='occurred_at')}, 'possible duplicate', 'touchpoints', kind, "
        f"CAST(sum(more) AS BIGINT) FROM ({twice}) AS twice GROUP BY {words.day.format(us='occurred_at')}, kind "
        f"UNION ALL SELECT {words.day.format(us='f.first_at')}, 'new kind', 'touchpoints', f.kind, "
        "(SELECT count(*) FROM shown AS s WHERE s.kind = f.kind) "
        f"FROM ({first}) AS f"
    )


VERSIONS = View(
    "v_model_versions",
    "A version of the model that was promoted, that decided, or that scored.",
    "Promotions and rollbacks are those of the audit log that did not fail. Decisions are this service's own.",
    (
        Column("model_version", TEXT, "The version, as in MLflow."),
        Column("is_champion", FLAG, "1 for the version that was promoted or rolled back to last."),
        *moment("first_promoted", "When it was promoted first; null where it never was."),
        *moment("promoted", "When it was promoted, or rolled back to, last."),
        Column("promotions", WHOLE, "How often it was promoted."),
        Column("rollbacks", WHOLE, "How often it was rolled back to."),
        Column("promoted_by", TEXT, "Whose doing the last of these was."),
        Column("reason", TEXT, "The reason given."),
        Column("decisions", WHOLE, "How many decisions it made."),
        *moment("first_decision", "When it made the first."),
        *moment("last_decision", "When it made the last."),
        Column("contacts_scored", WHOLE, "How many contacts have their newest score from it."),
    ),
    _versions,
)

QUALITY = View(
    "v_data_quality",
    "A day (UTC), a finding, a table and what it is about.",
    "`quarantined`: rows that were refused, by the day of refusal and the rule; `nba quarantine` shows them. "
    "`quarantined repeat`: those among them that stood in the same file before. `late outcome`: feedback received "
    "more than a day after it happened. `pending outcome`: feedback for a decision that is not known. `possible "
    "duplicate`: touchpoints of one identity with the same kind and moment but other ids. `new kind`: a kind of "
    "touchpoint on the first day it happened, with all its touchpoints since: a misspelling shows here. Rows that "
    "were duplicates by their id were never stored, and when a touchpoint came in is not kept: neither can be "
    "counted here.",
    (
        Column("day", DAY, "The day."),
        Column("finding", TEXT, "What was found; see above."),
        Column("table_name", TEXT, "The table."),
        Column("subject", TEXT, "The rule that was broken, the outcome or the kind."),
        Column("row_count", WHOLE, "How many rows."),
    ),
    _quality,
)

VIEWS = (VERSIONS, QUALITY)

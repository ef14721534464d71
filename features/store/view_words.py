"""What views say in the words of each database: moments, days, lists and sight."""

from __future__ import annotations

from dataclasses import dataclass

OBJECTING = ("consent_withdrawn", "objection", "restricted", "unsubscribed")
"""Kinds of touchpoints after which a score is shown no more before the contact is scored again, if it still may be."""

AGREES = (
    "NOT EXISTS (SELECT 1 FROM touchpoints AS o JOIN owner_sights AS m ON m.identity = o.identity "
    "WHERE m.contact_id = w.contact_id AND o.occurred_at >= s.as_of AND o.kind IN "
    f"({', '.join(repr(kind) for kind in OBJECTING)}))"
)
"""Says of the score ``s`` of the sight ``w`` that nobody has objected since."""

COUNTS = "coalesce(d.policy, '') <> 'repeat'"
"""Says of the decision ``d`` that it counts: a repeat stands for a decision that is there already."""

_SECONDS_SQLITE = "({us} - (({us} % 1000000) + 1000000) % 1000000) / 1000000"
# What is left of a second, with its zeros in front.
_REST_SQLITE = "substr(1000000 + (({us} % 1000000) + 1000000) % 1000000, 2)"
_MOMENT_SQLITE = f"strftime('%Y-%m-%dT%H:%M:%S.', {_SECONDS_SQLITE}, 'unixepoch') || {_REST_SQLITE} || 'Z'"
_DAY_SQLITE = f"strftime('%Y-%m-%d', {_SECONDS_SQLITE}, 'unixepoch')"
_LIST_SQLITE = "(SELECT group_concat(value, ', ') FROM json_each({text}))"
_LIST_POSTGRESQL = (
    "(SELECT string_agg(item, ', ' ORDER BY place) "
    "FROM json_array_elements_text({text}::json) WITH ORDINALITY AS listed (item, place))"
)


@dataclass(frozen=True)
class Words:
    """One database's words; templates in whose braces a column, a text or a moment is put.

    Attributes
    ----------
    moment
        Microseconds as what BI tools take for a time.
    day
        Microseconds as a day in UTC.
    listed
        A JSON list of texts as one text with commas; null stays null.
    place
        Where the second text begins in the first, 0 where it does not.
    said, number
        A member of a JSON object, as a text and as a number.
    entry
        A text in an object within a JSON object, by a key that is worked out.
    members
        A JSON object as rows ``member.key`` and ``member.value``, to be joined.
    now
        The present moment in microseconds.
    """

    moment: str
    day: str
    listed: str
    place: str
    said: str
    number: str
    entry: str
    members: str
    now: str

    def seen(self, *fields: str) -> str:
        """Say whether the owner sees one of these fields, by the sight ``w`` that stands for the contact."""
        listed = " OR ".join(f"{self.place.format(a='w.shows', b=_quoted(f'|{field}|'))} > 0" for field in fields)
        return f"(w.shows = '*' OR {listed})"

    @property
    def stands(self) -> str:
        """Say that the sight ``w`` is up to date."""
        return f"w.shows <> '' AND (w.until IS NULL OR w.until > {self.now})"


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


WORDS = {
    "sqlite": Words(
        moment=_MOMENT_SQLITE,
        day=_DAY_SQLITE,
        listed=_LIST_SQLITE,
        place="instr({a}, {b})",
        said="json_extract({text}, '$.{name}')",
        number="json_extract({text}, '$.{name}')",
        entry="(SELECT named.value FROM json_each({text}, '$.{name}') AS named WHERE named.key = {key})",
        members="json_each({text}) AS member",
        now="CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER)",
    ),
    "postgresql": Words(
        moment="(timestamptz 'epoch' + {us} * interval '1 microsecond')",
        day="CAST(timestamp 'epoch' + {us} * interval '1 microsecond' AS DATE)",
        listed=_LIST_POSTGRESQL,
        place="strpos({a}, {b})",
        said="CAST({text} AS JSON) ->> '{name}'",
        number="CAST(CAST({text} AS JSON) ->> '{name}' AS DOUBLE PRECISION)",
        entry="CAST({text} AS JSON) -> '{name}' ->> {key}",
        members="json_each_text(CAST({text} AS JSON)) AS member (key, value)",
        now="CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)",
    ),
}
"""By the name of the dialect."""

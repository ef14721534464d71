"""What was told of leads, and how many contacts partners look after, for everybody at once."""

from __future__ import annotations

from typing import NamedTuple

import orjson
from sqlalchemy import text

from features.store.dialect import Sql
from features.store.reading import Reading
from features.store.tables import OF_LEADS


class LeadRow(NamedTuple):
    """A touchpoint about a lead; ``occurred_at`` in microseconds, ``topics`` may be none."""

    identity: str
    occurred_at: int
    kind: str
    partner: str
    topics: tuple[str, ...]


_LEADS = Sql(
    text(
        f"SELECT identity, occurred_at, kind, properties, topics FROM touchpoints WHERE {OF_LEADS} "
        "AND occurred_at >= :a AND occurred_at < :b ORDER BY occurred_at DESC, identity LIMIT :c"
    )
)
_MARK = Sql(
    text(
        # Seconds, so that many of them are still a number of both databases.
        "SELECT count(*), coalesce(max(occurred_at), 0), CAST(coalesce(sum(occurred_at / 1000000), 0) AS bigint) "
        f"FROM touchpoints WHERE {OF_LEADS} AND occurred_at >= :a AND occurred_at < :b"
    )
)
_CONTACTS = Sql(
    text(
        "SELECT partner, count(DISTINCT contact_id) FROM owner_sights WHERE partner IS NOT NULL "
        "GROUP BY partner ORDER BY partner"
    )
)
_OF_ONE = Sql(text("SELECT count(DISTINCT contact_id) FROM owner_sights WHERE partner = :a"))


def lead_rows(reading: Reading, since: int, before: int, most: int) -> list[LeadRow]:
    """Return the newest touchpoints about leads that name a partner, in ``[since, before)``, the newest first."""
    found = []
    for identity, at, kind, properties, topics in reading._all(_LEADS, (since, before, most)):
        partner = orjson.loads(properties or "{}").get("partner")
        if partner is not None:
            found.append(LeadRow(identity, int(at), kind, str(partner), tuple(orjson.loads(topics or "[]"))))
    return found


def leads_mark(reading: Reading, since: int, before: int) -> tuple[int, int, int]:
    """Return what changes where ``lead_rows`` of the same span may, without reading them: one look at their index."""
    n, newest, seconds = reading._all(_MARK, (since, before))[0]
    return int(n), int(newest), int(seconds)


def contacts_by_partner(reading: Reading) -> dict[str, int]:
    """Count the contacts of each partner, as the owner's side was last told whose they are."""
    return {partner: int(n) for partner, n in reading._all(_CONTACTS)}


def contacts_of_partner(reading: Reading, partner: str) -> int:
    """Count the contacts of one partner."""
    return int(reading._all(_OF_ONE, (partner,))[0][0])

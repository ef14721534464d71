"""Contacts and accounts found by what somebody remembers: how a name or an address begins, the end of a number.

What is found is whose row said so at any time; whoever asks looks whether it still holds and may be seen.
"""

from __future__ import annotations

from functools import cache

from sqlalchemy import text

from features.store.dialect import Sql
from features.store.found_by import FOUND_BY, LAST_DIGITS, LONGEST
from features.store.reading import Reading

_LAST = "\U0010ffff"
_NOT_WHERE = "NOT EXISTS (SELECT 1 FROM owner_sights AS w WHERE w.identity = contacts.identity AND {})"
# Of whom no sight is put down yet, nobody knows whose a contact is: it came, or was changed, since they were.
_ELSES = "w.shows IS NOT NULL AND coalesce(w.{}, '') <> :c"
_WHOSE = {
    **{kind: _NOT_WHERE.format(_ELSES.format(kind)) for kind in ("partner", "owner")},
    "": _NOT_WHERE.format("w.shows = ''"),
}
_NAMED = ("name", "last_name", "email")


def people(
    reading: Reading, begin: str, before: int, most: int, *, partner: str | None = None, owner: str | None = None
) -> list[str]:
    """Return identities of whom it was known that a name, its last word or an address of mail begins so.

    Parameters
    ----------
    before
        Microseconds; what became known at or after it does not count.
    most
        Of each of the three ways.
    partner, owner
        Whose contacts, as the owner's side was last told; those that came since are among them. None: everybody's,
        but whom the owner's side does not see.
    """
    kind, named = _of(partner, owner)
    found: dict[str, None] = {}
    for way in _NAMED:
        for one in _spellings(begin):
            rows = reading._all(_people(reading._dialect.name, way, kind), (one, one + _LAST, *named, before, most))
            found.update(dict.fromkeys(row[0] for row in rows))
    return list(found)


def people_by_phone(
    reading: Reading, digits: str, before: int, most: int, *, partner: str | None = None, owner: str | None = None
) -> list[str]:
    """Return identities of whom it was known that their number ends with the last digits of this one."""
    kind, named = _of(partner, owner)
    end = digits[-LAST_DIGITS:]
    statement = _people(reading._dialect.name, "last_digits", kind)
    return list(dict.fromkeys(row[0] for row in reading._all(statement, (end, end + "!", *named, before, most))))


def accounts_named(reading: Reading, begin: str, before: int, most: int) -> list[str]:
    """Return accounts of which it was known that their name begins so, by name."""
    found: dict[str, None] = {}
    for one in _spellings(begin):
        rows = reading._all(_accounts(reading._dialect.name), (one, one + _LAST, before, most))
        found.update(dict.fromkeys(row[0] for row in rows))
    return list(found)


def accounts_from(reading: Reading, begin: str, behind: str, before: int, most: int) -> list[str]:
    """Return accounts whose own name begins so and stands behind another, in order; with or without contacts."""
    within = (begin, begin + _LAST, behind, before, most)
    return sorted({row[0] for statement in _FROM for row in reading._all(statement, within)})[:most]


def accounts_of(reading: Reading, behind: str, most: int, *, partner: str | None, owner: str | None) -> list[str]:
    """Return accounts of a partner's or an owner's scored contacts, behind a name, in order."""
    kind, named = _of(partner, owner)
    return [row[0] for row in reading._all(_OF[kind], (*named, behind, most))]


def _of(partner: str | None, owner: str | None) -> tuple[str, tuple[str, ...]]:
    if partner is not None:
        return "partner", (partner,)
    return ("", ()) if owner is None else ("owner", (owner,))


def _spellings(begin: str) -> list[str]:
    """Write the beginning of a text as the databases have it, some of which make only plain letters small."""
    small = begin.strip()[:LONGEST]
    plain = "".join(c.lower() if c.isascii() else c for c in small)
    first = "".join(c.lower() if c.isascii() else c for c in small.lower().title())
    return sorted({small.lower(), plain, first})


@cache
def _people(dialect: str, way: str, kind: str) -> Sql:
    words = FOUND_BY[dialect][way]
    return Sql(
        text(
            f"SELECT identity FROM contacts WHERE {words} >= :a AND {words} < :b AND {_WHOSE[kind]} AND known_at < :d "
            f"ORDER BY {words}, identity LIMIT :e"
        )
    )


@cache
def _accounts(dialect: str) -> Sql:
    words = FOUND_BY[dialect]["name"]
    return Sql(
        text(
            f"SELECT \"key\" FROM records WHERE table_name = 'accounts' AND {words} >= :a AND {words} < :b "
            f'AND known_at < :c ORDER BY {words}, "key" LIMIT :d'
        )
    )


_FROM = tuple(
    Sql(
        text(
            f"SELECT DISTINCT {name} FROM {table} AND {name} >= :a AND {name} < :b AND {name} > :c AND known_at < :d "
            f"ORDER BY {name} LIMIT :e"
        )
    )
    for name, table in (("account", "account_members WHERE 1 = 1"), ('"key"', "records WHERE table_name = 'accounts'"))
)
_OF = {
    kind: Sql(
        text(
            "SELECT DISTINCT w.account FROM scores AS s JOIN owner_sights AS w ON w.identity = s.contact_id "
            f"WHERE s.{kind} = :a AND w.account > :b ORDER BY w.account LIMIT :c"
        )
    )
    for kind in ("partner", "owner")
}

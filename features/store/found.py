"""Contacts and accounts found by what somebody remembers: how a name or an address begins, the end of a number.

What is found is whose row said so at any time; whoever asks looks whether it still holds and may be seen.
"""

from __future__ import annotations

from functools import cache
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import text

from features.store.dialect import Sql
from features.store.found_by import FOUND_BY, LAST_DIGITS, LONGEST
from features.store.reading import Reading
from features.store.sight_marks import COUNTED_AS

_GLANCE = 400
"""Entries of an index that are looked through for somebody's own before they are looked for from the other side."""
_MOST_OWN = 12_000
"""Identities of one partner or owner that are looked through for a name. Who has more is found among all: of so many
each hundredth or so is theirs."""
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
    if kind:
        near = _at_a_glance(reading, begin, before, most, kind, named)
        if near is None and _are_few(reading, kind, named):
            near = _among_own(reading, begin, before, most, kind, named)
        if near is not None:
            return list(near)
    found: dict[str, None] = {}
    for way in _NAMED:
        for one in _spellings(begin):
            rows = reading._all(_people(reading._dialect.name, way, kind), (one, one + _LAST, *named, before, most))
            found.update(dict.fromkeys(row[0] for row in rows))
    return list(found)


def _at_a_glance(
    reading: Reading, begin: str, before: int, most: int, kind: str, named: tuple[str, ...]
) -> dict[str, None] | None:
    """Look through those who are called so, whosever they are; None where they are too many for that."""
    found: dict[str, None] = {}
    for way in _NAMED:
        for one in _spellings(begin):
            asked = (*named, one, one + _LAST, before, _GLANCE)
            rows = reading._all(_glance(reading._dialect.name, way, kind), asked)
            own = [identity for identity, is_elses in rows if not is_elses]
            if len(rows) == _GLANCE and len(own) < most:
                return None
            found.update(dict.fromkeys(own[:most]))
    return found


def _are_few(reading: Reading, kind: str, named: tuple[str, ...]) -> bool:
    """Whether it is known whose contacts are whose, and few enough are somebody's that all can be looked through."""
    if COUNTED_AS not in reading.record_changes():
        return False
    return int(reading._all(_HOW_MANY[kind], (*named, _MOST_OWN, _MOST_OWN))[0][0]) < _MOST_OWN


def _among_own(
    reading: Reading, begin: str, before: int, most: int, kind: str, named: tuple[str, ...]
) -> dict[str, None]:
    """Look through all that are somebody's, or may have come to be."""
    small = begin.strip().casefold()
    told: dict[str, set[tuple[str, str]]] = {way: set() for way in _NAMED}
    for identity, body in reading._all(_OWN[kind], (*named, before)):
        for way, words in _words_of(orjson.loads(body)).items():
            if words.startswith(small):
                told[way].add((words, identity))
    return dict.fromkeys(identity for way in _NAMED for _, identity in islice(sorted(told[way]), most))


def _words_of(body: dict[str, Any]) -> dict[str, str]:
    """Return what somebody is found by, as ``features.store.found_by`` has it."""
    name, email = (str(body[trait])[:LONGEST].casefold() if body.get(trait) else "" for trait in ("name", "email"))
    return {"name": name, "last_name": name.rpartition(" ")[2], "email": email}


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


def accounts_of_named(
    reading: Reading, begin: str, behind: str, before: int, most: int, *, partner: str | None, owner: str | None
) -> list[str]:
    """Return those of ``accounts_of`` whose own name begins so, or of which it was known that their name does."""
    kind, named = _of(partner, owner)
    small, found = begin.strip().casefold(), dict[str, None]()
    for account, body in reading._all(_OF_WITH_NAMES[kind], (*named, behind, most, before)):
        name = orjson.loads(body).get("name") if body else None
        if any(str(each or "").casefold().startswith(small) for each in (account, name)):
            found[account] = None
    return list(found)


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
def _glance(dialect: str, way: str, kind: str) -> Sql:
    words = FOUND_BY[dialect][way]
    return Sql(
        text(
            f"SELECT identity, EXISTS (SELECT 1 FROM owner_sights AS w WHERE w.identity = contacts.identity "
            f"AND {_ELSES.format(kind)}) FROM contacts WHERE {words} >= :a AND {words} < :b AND known_at < :d "
            f"ORDER BY {words}, identity LIMIT :e"
        )
    )


# Who came, or was changed, since it was put down whose contacts are whose may be anybody's.
_HOW_MANY = {
    kind: Sql(
        text(
            f"SELECT (SELECT count(*) FROM (SELECT 1 FROM owner_sights WHERE {kind} = :a LIMIT :b) AS own) "
            "+ (SELECT count(*) FROM (SELECT 1 FROM owner_sights WHERE shows IS NULL LIMIT :c) AS marked)"
        )
    )
    for kind in ("partner", "owner")
}
_OWN = {
    kind: Sql(
        text(
            "SELECT c.identity, c.body FROM (SELECT identity FROM owner_sights "
            f"WHERE {kind} = :a UNION SELECT identity FROM owner_sights WHERE shows IS NULL) AS w "
            "JOIN contacts AS c ON c.identity = w.identity WHERE c.known_at < :b"
        )
    )
    for kind in ("partner", "owner")
}


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
_OF_WITH_NAMES = {
    kind: Sql(
        text(
            "SELECT o.account, r.body FROM (SELECT DISTINCT w.account FROM scores AS s "
            f"JOIN owner_sights AS w ON w.identity = s.contact_id WHERE s.{kind} = :a AND w.account > :b "
            "ORDER BY w.account LIMIT :c) AS o LEFT JOIN records AS r "
            "ON r.table_name = 'accounts' AND r.\"key\" = o.account AND r.known_at < :d ORDER BY o.account"
        )
    )
    for kind in ("partner", "owner")
}

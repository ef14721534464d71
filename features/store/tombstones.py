"""Tombstones: who was erased, as keyed digests that say nothing of the name and refuse what is sent again.

The key is made at the first erasure of a store and stays in it. A digest cannot be turned back into a name; whoever
holds the store can still ask whether a name they know is among them, which is what a tombstone is for.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import select, text

from features.rows.row_types import DecisionRow, OutcomeRow, QuarantineRow, RecordRow
from features.store import tables
from features.store.dialect import Sql, once
from features.store.own_names import bare

if TYPE_CHECKING:
    from features.store.reading import Reading

REFUSED = "belongs to somebody whose data were erased; it is refused, and nothing of it is kept"
"""The rule that what is sent again breaks."""

Row = TypeVar("Row")

_KEY = Sql(select(tables.TOMBSTONE_KEY.c.key))
INSERT_KEY = once(tables.TOMBSTONE_KEY)
INSERT = once(tables.TOMBSTONES)
_ALL = Sql(select(tables.TOMBSTONES.c.digest))
_PARTS = re.compile(r"""[\s"'`<>,;{}\[\]()|=&?/\\]+""")
_AT_ONCE = (1, 16, 256)
_MANY = 4096
_AMONG = {
    n: Sql(text(f"SELECT digest FROM tombstones WHERE digest IN ({', '.join(f':d{i}' for i in range(n))})"))
    for n in _AT_ONCE
}


def new_key() -> str:
    """Return a key for a store that has none."""
    return secrets.token_hex(32)


def key_of(reading: Reading) -> str | None:
    """Return the store's key; None where nobody was ever erased."""
    found = reading._one(_KEY)
    return None if found is None else str(found[0])


def digest_of(key: str, name: str) -> str:
    """Return the digest of an identity under a store's key.

    Examples
    --------
    >>> digest_of("00" * 32, "crm:4711") == digest_of("00" * 32, "crm:4711")
    True
    >>> digest_of("00" * 32, "crm:4711") == digest_of("11" * 32, "crm:4711")
    False
    """
    return blake2b(name.encode(errors="surrogatepass"), key=bytes.fromhex(key), digest_size=20).hexdigest()


def decision_name(decision_id: str) -> str:
    """Return what stands for a decision among identities, which hold no NUL."""
    return f"decision\0{decision_id}"


def of_identity(row: Sequence[Any]) -> Sequence[str]:
    """Return whom a touchpoint, a row of traits or of scores names."""
    return row[:1]


def of_pair(row: Sequence[Any]) -> Sequence[str]:
    """Return whom a link or a split names."""
    return row[:2]


def of_asset(row: RecordRow) -> Sequence[str]:
    """Return whom a device belongs to, where that is a person."""
    owner = row.body.get("identity")
    return (owner,) if isinstance(owner, str) else ()


def of_decision(row: DecisionRow) -> Sequence[str]:
    """Return whom a decision names, and its own tombstone's name."""
    return row.identity, decision_name(row.decision_id)


def of_outcome(row: OutcomeRow) -> Sequence[str]:
    """Return the name of the tombstone that its decision may have."""
    return (decision_name(row.decision_id),)


class Erased:
    """Who was erased, as one transaction knows it.

    Costs one short read for a transaction while nobody was ever erased.

    Attributes
    ----------
    refused
        How many rows it refused.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._key: str | None = None
        self._is_known = False
        self.refused = 0

    @property
    def key(self) -> str | None:
        """The store's key; None where nobody was ever erased."""
        if not self._is_known:
            self._key, self._is_known = key_of(self._reading), True
        return self._key

    @property
    def has_key(self) -> bool:
        """Whether the store's key has been read: somebody was erased once."""
        return self._key is not None

    def again(self) -> None:
        """Look anew: what was read before a transaction began may be old."""
        self._is_known = False

    def among(self, names: Iterable[str]) -> frozenset[str]:
        """Return those of the names that have a tombstone, or under which callers of their own keep somebody who has.

        Whoever was erased is not to come back as ``ann@partner:north`` either.
        """
        key = self.key
        if key is None:
            return frozenset()
        asked: dict[str, set[str]] = {}
        for name in set(names):
            # What stands for a decision is nobody's name.
            for said in {name} if "\0" in name else {name, bare(name)}:
                asked.setdefault(digest_of(key, said), set()).add(name)
        return frozenset(name for digest in _present(self._reading, asked) for name in asked[digest])

    def without(self, rows: Sequence[Row], names_of: Callable[[Row], Sequence[str]]) -> Sequence[Row]:
        """Return the rows in which nobody is named who was erased."""
        if self.key is None or not rows:
            return rows
        gone = self.among(name for row in rows for name in names_of(row))
        kept = [row for row in rows if gone.isdisjoint(names_of(row))] if gone else rows
        self.refused += len(rows) - len(kept)
        return kept

    def silenced(self, rows: Sequence[QuarantineRow]) -> Sequence[QuarantineRow]:
        """Take everything but the reason out of refused rows in which somebody is named who was erased."""
        if self.key is None or not rows:
            return rows
        # Feedback names no person, but a decision that may have been for one.
        told = [names | {decision_name(name) for name in names} for names in map(names_in, (row.raw for row in rows))]
        gone = self.among(name for names in told for name in names)
        if not gone:
            return rows
        return [
            row if gone.isdisjoint(names) else replace(row, raw="null", reason=REFUSED, rule=REFUSED)
            for row, names in zip(rows, told, strict=True)
        ]


def names_in(raw: str) -> frozenset[str]:
    """Return every text of a refused row that may be a name: whole values, and their parts.

    Examples
    --------
    >>> sorted(names_in('{"identity": "crm:4711", "value": 5}'))
    ['5', 'crm:4711']
    >>> "crm:4711" in names_in('"{identity: crm:4711, broken"')
    True
    """
    names: set[str] = set()
    for each in texts_in(raw):
        names.add(each.strip())
        # Of what could not be read, and of addresses, the parts.
        names.update(part for part in _PARTS.split(each) if part)
    return frozenset(names)


def texts_in(raw: str) -> list[str]:
    """Return every value of a refused row as text; of one that is no JSON the whole."""
    try:
        value = json.loads(raw)
    except ValueError:
        value = raw
    found: list[str] = []
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            left += each.values()
        elif isinstance(each, list):
            left += each
        elif isinstance(each, str | int | float) and not isinstance(each, bool):
            found.append(str(each))
    return found


def _present(reading: Reading, asked: Collection[str]) -> list[str]:
    if len(asked) > _MANY:
        # A short read each takes longer than reading them all.
        return [row[0] for row in reading._all(_ALL) if row[0] in asked]
    found: list[str] = []
    digests = sorted(asked)
    while digests:
        # One statement for many digests; the last place is repeated where there are fewer.
        size = next((n for n in _AT_ONCE if n >= len(digests)), _AT_ONCE[-1])
        part, digests = digests[:size], digests[size:]
        found += [row[0] for row in reading._all(_AMONG[size], [*part, *([part[-1]] * (size - len(part)))])]
    return found

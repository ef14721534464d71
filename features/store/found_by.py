"""What contacts and accounts are found by, worked out of their bodies by the database itself, which keeps it in order.

A name in small letters, its last word, an address of mail, and the last digits of a telephone number, as countries are
written in front of it or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement

LONGEST = 200
"""Characters of a text that are kept in order."""
LAST_DIGITS = 7
"""Digits of a telephone number that are."""


def _last_word(words: str) -> str:
    """Say in SQL what stands behind the last blank of a text: it is what is left without all up to that blank."""
    return f"replace({words}, rtrim({words}, replace({words}, ' ', '')), '')"


def _digits_sqlite(number: str) -> str:
    for each in (" ", "-", "/", "(", ")", ".", "+", "\u00a0"):
        number = f"replace({number}, '{each}', '')"
    return number


def _sqlite(trait: str) -> str:
    return f"substr(json_extract(body, '$.{trait}'), 1, {LONGEST})"


def _postgresql(trait: str) -> str:
    return f"left(body::json ->> '{trait}', {LONGEST})"


FOUND_BY: Mapping[str, Mapping[str, str]] = {
    "sqlite": {
        "name": f"lower({_sqlite('name')})",
        "last_name": _last_word(f"lower({_sqlite('name')})"),
        "email": f"lower({_sqlite('email')})",
        "last_digits": f"substr({_digits_sqlite(_sqlite('phone'))}, -{LAST_DIGITS})",
    },
    "postgresql": {
        name: f'({words}) COLLATE "C"'
        for name, words in {
            "name": f"lower({_postgresql('name')})",
            "last_name": _last_word(f"lower({_postgresql('name')})"),
            "email": f"lower({_postgresql('email')})",
            "last_digits": f"right(regexp_replace({_postgresql('phone')}, '[^0-9]', '', 'g'), {LAST_DIGITS})",
        }.items()
    },
}
"""Expressions over the column ``body``, by the name of the database and by what they are."""


class FoundBy(ColumnElement[str]):
    """One of these expressions as a part of an index."""

    inherit_cache = True
    type = Text()

    def __init__(self, what: str) -> None:
        self.what = what


@compiles(FoundBy)
def _said(element: FoundBy, compiler: Any, **_: Any) -> str:
    return f"({FOUND_BY[compiler.dialect.name][element.what]})"

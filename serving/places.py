"""Addresses as the door sees them, before anything is routed: who may come to them without a key, and from a page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

from serving.operations import Operation

NOTHING_HERE = "/no-such-page"
"""The page that says that there is none."""
_PART = re.compile(r"\{[^}]*\}")


class Address(Protocol):
    """A method and a path, with braces around the parts that change."""

    @property
    def method(self) -> str:
        """In capitals."""

    @property
    def path(self) -> str:
        """From the first slash on."""


class Places:
    """The addresses that are let be called in ways that others are not.

    Parameters
    ----------
    operations
        All there are.
    pages
        What people look at: each asks for a sign-in by itself.
    """

    def __init__(self, operations: Iterable[Operation], pages: Iterable[Address] = ()) -> None:
        kept = tuple(operations)
        self._without_key = _Addresses((*(each for each in kept if each.without_key), *pages))
        self._for_pages = _Addresses(each for each in kept if each.for_pages)
        self._intake = _Addresses(each for each in kept if each.scope == "ingest")

    def without_key(self, method: str, path: str) -> bool:
        """Whether an address answers whoever has no key."""
        return self._without_key.has(method, path)

    def for_pages(self, method: str, path: str) -> bool:
        """Whether web pages may call an address, with a key that everybody can read there."""
        return self._for_pages.has(method, path)

    def takes_in(self, method: str, path: str) -> bool:
        """Whether touchpoints come in at an address, from clients that give up at 503 what they send again at 429."""
        return self._intake.has(method, path)


class _Addresses:
    def __init__(self, operations: Iterable[Address]) -> None:
        self._fixed: set[tuple[str, str]] = set()
        self._with_parts: list[tuple[str, re.Pattern[str]]] = []
        for each in operations:
            if "{" in each.path:
                pieces = map(re.escape, _PART.split(each.path))
                self._with_parts.append((each.method, re.compile("(?s:.*)".join(pieces))))
            else:
                self._fixed.add((each.method, each.path))

    def has(self, method: str, path: str) -> bool:
        asked = "GET" if method == "HEAD" else method
        if (asked, path) in self._fixed:
            return True
        return any(asked == known and pattern.fullmatch(path) for known, pattern in self._with_parts)

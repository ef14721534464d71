"""Addresses as the door sees them, before anything is routed: who may come to them without a key, and from a page."""

from __future__ import annotations

import re
from collections.abc import Iterable

from serving.operations import Operation

_PART = re.compile(r"\{[^}]*\}")


class Places:
    """The addresses that are let be called in ways that others are not.

    Parameters
    ----------
    operations
        All there are.
    """

    def __init__(self, operations: Iterable[Operation]) -> None:
        kept = tuple(operations)
        self._without_key = _Addresses(each for each in kept if each.without_key)
        self._for_pages = _Addresses(each for each in kept if each.for_pages)

    def without_key(self, method: str, path: str) -> bool:
        """Whether an address answers whoever has no key."""
        return self._without_key.has(method, path)

    def for_pages(self, method: str, path: str) -> bool:
        """Whether web pages may call an address, with a key that everybody can read there."""
        return self._for_pages.has(method, path)


class _Addresses:
    def __init__(self, operations: Iterable[Operation]) -> None:
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

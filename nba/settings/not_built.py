"""Which keys of a file are understood but steer nothing yet."""

from __future__ import annotations

from collections.abc import Mapping

_IN_SECTIONS: tuple[tuple[str, str], ...] = ()
"""Section and key; there is none at the moment."""


def not_built_yet(document: Mapping[str, object]) -> tuple[str, ...]:
    """Dotted keys present in a file that nothing acts on yet; the file has been found sound before.

    Examples
    --------
    >>> not_built_yet({"accounts": {"email_domains": True}, "ranking": {"policy": "greedy"}})
    ()
    """
    return tuple(f"{section}.{key}" for section, key in _IN_SECTIONS if key in _table(document, section))


def _table(document: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = document.get(key)
    return found if isinstance(found, dict) else {}

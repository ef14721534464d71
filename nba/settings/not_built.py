"""Which keys of a file are understood but steer nothing yet."""

from __future__ import annotations

from collections.abc import Mapping

_IN_SECTIONS: tuple[tuple[str, str], ...] = ()


def not_built_yet(document: Mapping[str, object]) -> tuple[str, ...]:
    """Dotted keys present in a file that nothing acts on yet; the file has been found sound before.

    Examples
    --------
    >>> not_built_yet({"accounts": {"email_domains": True}, "ranking": {"policy": "greedy"}})
    ('accounts.email_domains',)
    """
    found = [f"{section}.{key}" for section, key in _IN_SECTIONS if key in _table(document, section)]
    found += _odd_values(document)
    return tuple(found)


def _odd_values(document: Mapping[str, object]) -> list[str]:
    """Keys of which only some values wait."""
    found = []
    if _table(document, "accounts").get("email_domains"):
        found.append("accounts.email_domains")
    return found


def _table(document: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = document.get(key)
    return found if isinstance(found, dict) else {}

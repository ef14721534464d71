"""Which keys of a file are understood but steer nothing yet."""

from __future__ import annotations

from collections.abc import Mapping

_SECTIONS = ("segments", "content", "partners", "plan")
_IN_SECTIONS = (
    ("contact_policy", "calendar"),
    ("contact_policy", "holds"),
    ("privacy", "retention"),
    ("serving", "language"),
)
_IN_ACTIONS = ("when", "capacity", "unless_owned")
_IN_NEEDS = ("segment",)


def not_built_yet(document: Mapping[str, object]) -> tuple[str, ...]:
    """Dotted keys present in a file that nothing acts on yet; the file has been found sound before.

    Examples
    --------
    >>> not_built_yet({"plan": {"budget": 10}, "ranking": {"policy": "greedy"}})
    ('plan',)
    """
    found = [name for name in _SECTIONS if name in document]
    found += [f"{section}.{key}" for section, key in _IN_SECTIONS if key in _table(document, section)]
    found += _odd_values(document)
    for name, action in _table(document, "actions").items():
        keys = action if isinstance(action, dict) else {}
        found += [f"actions.{name}.{key}" for key in _IN_ACTIONS if key in keys]
        found += [f"actions.{name}.needs.{key}" for key in _IN_NEEDS if key in _table(keys, "needs")]
    return tuple(found)


def _odd_values(document: Mapping[str, object]) -> list[str]:
    """Keys of which only some values wait."""
    found = []
    if _table(document, "accounts").get("email_domains"):
        found.append("accounts.email_domains")
    if _table(document, "ranking").get("policy") == "thompson":
        found.append("ranking.policy")
    caps = _table(document, "contact_policy").get("caps", [])
    for n, cap in enumerate(caps if isinstance(caps, list) else [], 1):
        if isinstance(cap, dict) and cap.get("account"):
            found.append(f"contact_policy.caps[{n}].account")
    return found


def _table(document: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = document.get(key)
    return found if isinstance(found, dict) else {}

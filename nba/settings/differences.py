"""How two settings files differ, by dotted key, and how a value is spelt in one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from nba.settings.changes import Change, Step, steps_of

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_EXACT = 2**53


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that differs, by dotted key, as ``overlaid`` takes it and JSON holds it.

    Tables are compared key by key. A list is one value: in a file that was edited meanwhile the number of an entry
    would be that of another.

    Examples
    --------
    >>> difference({"points": {"once": [], "kinds": {"visit": 5}}}, {"points": {"kinds": {"visit": 5, "a b": 2}}})
    {'points.once': None, 'points.kinds."a b"': 2}
    """
    return dict(_differing(before, after, ()))


def _differing(before: Mapping[str, Any], after: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for name in before:
        if name not in after:
            yield key_of((*path, name)), None
    for name, value in after.items():
        if value == {} and name not in before and not path:
            # An empty section says nothing.
            continue
        old = before.get(name)
        if isinstance(value, dict) and value and (isinstance(old, dict) or name not in before):
            yield from _differing(old if isinstance(old, dict) else {}, value, (*path, name))
        elif name not in before or repr(old) != repr(value):
            # An emptied table loses key by key what it held.
            if value == {} and isinstance(old, dict):
                yield from _differing(old, {}, (*path, name))
            else:
                yield key_of((*path, name)), plain(value)


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Return all that differs for people to read: in lists of as many entries entry by entry.

    Examples
    --------
    >>> one, other = ({"points": {"thresholds": [{"from": at}]}} for at in (250, 100))
    >>> changes_between(one, other)
    [Change(key='points.thresholds[1].from', before=250, after=100)]
    """
    return list(_told(before, after, ()))


def _told(before: Any, after: Any, path: tuple[Step, ...]) -> Iterator[Change]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*before, *after]):
            yield from _told(before.get(name), after.get(name), (*path, name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for n, (old, new) in enumerate(zip(before, after, strict=True), 1):
            yield from _told(old, new, (*path, n))
    elif isinstance(after, Mapping) and before is None and after:
        yield from _told({}, after, path)
    elif isinstance(before, Mapping) and after is None and before:
        yield from _told(before, {}, path)
    elif plain(before) != plain(after) or isinstance(before, bool) != isinstance(after, bool):
        yield Change(key_of(path), before, after)


def value_at(document: Mapping[str, Any], key: str) -> Any:
    """Return what stands under a dotted key; None where nothing does."""
    here: Any = document
    for step in steps_of(key):
        if isinstance(step, int):
            here = here[step - 1] if isinstance(here, list) and 1 <= step <= len(here) else None
        else:
            here = here.get(step) if isinstance(here, Mapping) else None
    return here


def toml_of(value: Any) -> str:
    """Spell a value as it stands in a file, on one line; None as nothing at all.

    Examples
    --------
    >>> toml_of([{"from": 250.0, "page view": True}]), toml_of(None)
    ('[{ from = 250.0, "page view" = true }]', '')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_name(name)} = {toml_of(each)}" for name, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_of(each) for each in value)}]"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return _quoted(str(value))


def plain(value: Any) -> Any:
    """Return a value of TOML as JSON holds it: days and times as text, which keys that take them read as well."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, int) and abs(value) > _EXACT:
        return float(value)
    return value


def key_of(steps: Sequence[Step]) -> str:
    """Spell a dotted key, names in quotes where they need them.

    Examples
    --------
    >>> key_of(["points", "thresholds", 2, "from"]), key_of(["points", "kinds", "page view"])
    ('points.thresholds[2].from', 'points.kinds."page view"')
    """
    return "".join(f"[{step}]" if isinstance(step, int) else f".{_name(step)}" for step in steps).removeprefix(".")


def _name(step: str) -> str:
    if _BARE.fullmatch(step):
        return step
    return _quoted(step)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

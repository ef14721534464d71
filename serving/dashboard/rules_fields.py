"""What the page Rules lets be edited: each number of the rules with its key, as it is in force and as it is drafted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nba.settings import Settings
from nba.settings.differences import key_of, value_at

SECTIONS = ("points", "thresholds", "limits", "choice")
"""In the order of the page; each is a form."""
_MOST = 150
"""Fields of one form; what is beyond is set by its key."""


@dataclass(frozen=True)
class Field:
    """A value that can be edited.

    Attributes
    ----------
    key
        Dotted.
    name
        What a reader calls it: the name of a kind, an action or a rule.
    value
        As it is drafted; None where nothing stands there.
    in_force
        As it is in force.
    is_number
        Whether it is one, for the keyboard of a phone.
    what
        The word for what the number is, where the name alone does not tell.
    """

    key: str
    name: str
    value: Any
    in_force: Any
    is_number: bool = True
    what: str = ""

    @property
    def is_changed(self) -> bool:
        """Whether the draft sets it otherwise."""
        return bool(self.value != self.in_force)

    @property
    def text(self) -> str:
        """Spell it as the field of a form holds it."""
        return "" if self.value is None else spelt(self.value)


def spelt(value: Any) -> str:
    """Spell a number as forms do, whole ones without a point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def read(text: str, field: Field) -> Any:
    """Return what was typed into a field as a value of TOML; the settings say whether it will do."""
    text = text.strip()
    if not text:
        return None
    if not field.is_number:
        return text
    try:
        found = float(text.replace(",", "."))
    except ValueError:
        return text
    if not math.isfinite(found):
        return text
    return int(found) if found.is_integer() else found


def whole(document: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Return a document with the points table's kinds in it, where the file leaves the usual ones unsaid."""
    points = document.get("points", {})
    if "kinds" in points:
        return dict(document)
    return {**document, "points": {"kinds": dict(settings.points.kinds), **points}}


def fields_of(section: str, in_force: Mapping[str, Any], draft: Mapping[str, Any], settings: Settings) -> list[Field]:
    """Return the fields of a section.

    Parameters
    ----------
    in_force, draft
        Documents as a file would hold them.
    settings
        Those in force: the usual values of what a file leaves unsaid.
    """
    found = _MAKERS[section](draft, settings)
    told = [
        Field(key, name, _or(value_at(draft, key), usual), _or(value_at(in_force, key), usual), is_number, what)
        for key, name, what, usual, is_number in found
    ]
    return told[:_MOST]


def _or(value: Any, usual: Any) -> Any:
    return usual if value is None else value


_Made = Iterator[tuple[str, str, str, Any, bool]]
"""Key, name, word, usual value, whether it is a number."""


def _points(document: Mapping[str, Any], settings: Settings) -> _Made:
    for path, _ in schemes_in(document):
        for kind in value_at(document, key_of([*path, "kinds"])) or {}:
            yield key_of([*path, "kinds", kind]), kind, _scheme(path), None, True
        for value in value_at(document, key_of([*path, "fit", "points"])) or {}:
            yield key_of([*path, "fit", "points", value]), value, "fit", None, True
        yield key_of([*path, "half_life"]), "half_life", _scheme(path), "never", False


def _thresholds(document: Mapping[str, Any], settings: Settings) -> _Made:
    for path, table in schemes_in(document):
        for n, each in enumerate(table.get("thresholds") or [], 1):
            name = ", ".join(each.get("actions") or []) if isinstance(each, Mapping) else ""
            for bound in ("from", "below"):
                yield key_of([*path, "thresholds", n, bound]), name, bound, None, True


def _limits(document: Mapping[str, Any], settings: Settings) -> _Made:
    for n, cap in enumerate(settings.contact_policy.caps, 1):
        who = "cap_account" if cap.account else "cap"
        yield f"contact_policy.caps[{n}].count", f"{cap.channel or ''}|{cap.per}", who, None, True
    for name, action in settings.actions.items():
        capacity = action.capacity
        if capacity is not None:
            which = "total" if capacity.total is not None else "count"
            yield key_of(["actions", name, "capacity", which]), name, f"capacity_{which}", None, True
    yield "plan.budget", "", "budget", None, True


def _choice(document: Mapping[str, Any], settings: Settings) -> _Made:
    for name in settings.actions:
        yield key_of(["ranking", "levers", name]), name, "lever", None, True
    for name, action in settings.actions.items():
        if action.needs.points_from is not None:
            yield key_of(["actions", name, "needs", "points_from"]), name, "points_from", None, True
    yield "ranking.epsilon", "", "epsilon", settings.ranking.epsilon, True
    yield "ranking.holdout", "", "holdout", settings.ranking.holdout, True


_MAKERS = {"points": _points, "thresholds": _thresholds, "limits": _limits, "choice": _choice}


def schemes_in(document: Mapping[str, Any]) -> Sequence[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Return the points table and each further scheme, with where it stands."""
    points = document.get("points") or {}
    schemes = points.get("schemes") or {}
    found: list[tuple[tuple[str, ...], Any]] = [(("points",), points)]
    found += [(("points", "schemes", name), table) for name, table in schemes.items()]
    return [(path, table) for path, table in found if isinstance(table, Mapping)]


def _scheme(path: Sequence[str]) -> str:
    return path[-1] if len(path) > 1 else ""

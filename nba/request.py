"""What a caller asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any

from features.errors import UserError
from features.frozen import Frozen

MOST_RECOMMENDATIONS = 100
LONGEST_TEXT = 500


class RequestError(UserError):
    """A sentence for every field that is wrong, each naming it."""


@dataclass(frozen=True)
class Request:
    """One question: what next for this contact, in this placement."""

    contact: str
    placement: str = "outbound"
    limit: int = 3
    exclude: tuple[str, ...] = ()
    context: Mapping[str, Any] = field(default_factory=Frozen)
    """What the caller knows of the moment; ``topic`` favours the actions about it."""
    explain: bool = False
    decision_id: str | None = None
    defer: bool = False
    """Whether the decision counts in the caps only once it is activated."""

    @property
    def topic(self) -> str | None:
        """What the moment is about."""
        topic = self.context.get("topic")
        return topic if isinstance(topic, str) else None

    @classmethod
    def from_json(cls, given: object) -> Request:
        """Read a request.

        Raises
        ------
        RequestError
            Every wrong field at once.

        Examples
        --------
        >>> Request.from_json({"contact": "crm:4711", "exclude": ["call"]}).exclude
        ('call',)
        """
        if not isinstance(given, Mapping):
            raise RequestError('the request is not an object; write {"contact": "..."}')
        known = [each.name for each in fields(cls)]
        complaints = [_unknown(name, known) for name in given if name not in known]
        found: dict[str, Any] = {}
        for name, read in _READERS.items():
            if name in given:
                try:
                    found[name] = read(given[name])
                except ValueError as error:
                    complaints.append(f"{name}: {_shown(given[name])} {error}")
        if "contact" not in given:
            complaints.append('contact: is missing; name one, such as "crm:4711"')
        if complaints:
            raise RequestError(complaints)
        return cls(**found)


def _unknown(name: object, known: list[str]) -> str:
    near = get_close_matches(str(name), known, n=1)
    way = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
    return f"{_shown(name)}: is not a field; {way}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("is not text; write some in quotes")
    if len(value) > LONGEST_TEXT:
        raise ValueError(f"is longer than {LONGEST_TEXT} characters")
    if any(ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF for c in value):
        raise ValueError("has control characters or broken ones in it")
    return value


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_RECOMMENDATIONS:
        raise ValueError(f"is not allowed; write a whole number from 1 to {MOST_RECOMMENDATIONS}")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is not allowed; write true or false")
    return value


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError("is not a list of actions")
    return tuple(dict.fromkeys(_text(name) for name in value))


def _context(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError('is not an object; write {"topic": "..."}')
    if value.get("topic") is not None:
        try:
            _text(value["topic"])
        except ValueError as error:
            raise ValueError(f"has a topic that {error}") from None
    return Frozen(value)


_READERS = {
    # Identities are trimmed where they are loaded, so a blank too much must not make a stranger.
    "contact": lambda value: _text(value).strip(),
    "placement": _text,
    "limit": _whole,
    "exclude": _names,
    "context": _context,
    "explain": _flag,
    "decision_id": lambda value: None if value is None else _text(value),
    "defer": _flag,
}

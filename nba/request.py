"""What a caller asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from features.errors import UserError
from features.frozen import Frozen

MOST_RECOMMENDATIONS = 100
LONGEST_TEXT = 500
MOST_CONTEXT = 50
"""Entries that a context may have, and values in a list of one."""
LONGEST_NAME = 100
MOST_EXCLUDED = 1_000
LARGEST_NUMBER = 2**53
UNFIT = re.compile("[\0-\x1f\ud800-\udfff]")


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
    language: str | None = None
    """What the reader wishes to read, as the door found out; None: the settings' language. No field of the body."""
    only: str | None = None
    """The one action that is asked about, beside doing nothing; None: all of them. No field of the body."""

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
        complaints = [_unknown(name, [*_READERS]) for name in given if name not in _READERS]
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
    if UNFIT.search(value) is not None:
        raise ValueError("has control characters or broken ones in it")
    return value


def untrimmed(value: str) -> str | None:
    r"""Say why no id of a decision may be like this; None where it may.

    Feedback and touchpoints trim the ids that they name, so that they would never find it.

    Examples
    --------
    >>> untrimmed("d 1") is None, untrimmed("d1\u00a0")
    (True, 'begins or ends with a blank; leave it out')
    """
    return None if value == value.strip() else "begins or ends with a blank; leave it out"


def _decision_id(value: object) -> str | None:
    if value is None:
        return None
    found = _text(value)
    fault = untrimmed(found)
    if fault is not None:
        raise ValueError(fault)
    return found


def _whole(value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        # JSON does not tell 3.0 from 3.
        value = int(value)
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
    if len(value) > MOST_EXCLUDED:
        raise ValueError(f"names {len(value):,} actions; send at most {MOST_EXCLUDED:,}")
    return tuple(dict.fromkeys(_text(name) for name in value))


def _context(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError('is not an object; write {"topic": "..."}')
    if len(value) > MOST_CONTEXT:
        raise ValueError(f"has {len(value)} entries; send at most {MOST_CONTEXT}")
    for name, each in value.items():
        if len(name) > LONGEST_NAME:
            raise ValueError(f"has an entry whose name is longer than {LONGEST_NAME} characters")
        _check_entry(name, each)
    if value.get("topic") is not None:
        try:
            _text(value["topic"])
        except ValueError as error:
            raise ValueError(f"has a topic that {error}") from None
    return Frozen(value)


def _check_entry(name: str, value: object) -> None:
    """Bound what a caller tells of the moment: plain values and lists of them, none of them long."""
    several = value if isinstance(value, list) else [value]
    if len(several) > MOST_CONTEXT:
        raise ValueError(f"has {len(several)} values in {_shown(name)}; send at most {MOST_CONTEXT}")
    for each in several:
        if isinstance(each, Mapping | list):
            raise ValueError(f"has {_shown(name)} with values inside of values; send texts, numbers, true and false")
        if isinstance(each, str) and len(each) > LONGEST_TEXT:
            raise ValueError(f"has {_shown(name)} longer than {LONGEST_TEXT} characters")
        if isinstance(each, int | float) and abs(each) > LARGEST_NUMBER:
            raise ValueError(f"has {_shown(name)} beyond 2^53, from where on numbers are not exact; send it as text")


_READERS = {
    # Identities are trimmed where they are loaded, so a blank too much must not make a stranger.
    "contact": lambda value: _text(value).strip(),
    "placement": _text,
    "limit": _whole,
    "exclude": _names,
    "context": _context,
    "explain": _flag,
    "decision_id": _decision_id,
    "defer": _flag,
}

"""JSON read strictly: what readers disagree about is refused, with the place of the fault."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

MOST_DEPTH = 64
"""How deep objects and lists may stand in each other."""

_MOST_DIGITS = 19
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|["\[\]{},]', re.DOTALL)
_UNFIT = re.compile("[\0\ud800-\udfff]")


class MalformedBody(ValueError):
    """A body that is not strict JSON.

    Parameters
    ----------
    place
        Where the fault is: a JSON pointer, or line and column where the text cannot be read further.
    fault
        The rest of the sentence.
    """

    def __init__(self, place: str, fault: str) -> None:
        self.place = place
        self.fault = fault
        super().__init__(f"{place}: {fault}")


class Unread(NamedTuple):
    """What cannot be read among what can."""

    raw: bytes
    fault: MalformedBody


class _Fault:
    """Stands in the place of a value that is refused, so that its place can be told."""

    def __init__(self, fault: str) -> None:
        self.fault = fault


class _Refused(Exception):
    """Some value is refused; which one, the second look tells."""


def parse(raw: bytes) -> Any:
    """Read a body.

    Raises
    ------
    MalformedBody
        For what is not UTF-8 or not JSON, NaN and infinities, numbers beyond 63 bits or double precision, a
        key that stands twice in one object, NUL and lone surrogates, and more than ``MOST_DEPTH`` levels.

    Examples
    --------
    >>> parse(b'{"contact": "crm:4711"}')
    {'contact': 'crm:4711'}
    """
    text = _decoded(raw)
    if _is_too_deep(raw):
        raise MalformedBody("body", f"is nested more than {MOST_DEPTH} levels deep")
    try:
        found = _first_look(text)
    except json.JSONDecodeError as error:
        raise MalformedBody(f"line {error.lineno}, column {error.colno}", f"is not JSON: {error.msg}") from None
    if _SUSPECT.search(raw):
        _look_through(found, "")
    return found


def _first_look(text: str) -> Any:
    try:
        return _FAST.decode(text)
    except _Refused:
        # Behind the value that is refused there may be what is no JSON.
        _look_through(_MARKING.decode(text), "")
        raise MalformedBody("body", "holds a value that is not allowed") from None


def elements(raw: bytes) -> list[bytes] | None:
    """Cut a list into the bytes of its elements without reading them; None where it is not a whole list.

    So that one event that cannot be read does not cost its neighbours.

    Examples
    --------
    >>> elements(b'[{"a": NaN}, {"b": 1}]')
    [b'{"a": NaN}', b'{"b": 1}']
    """
    body = raw.strip(b" \t\r\n")
    if not body.startswith(b"["):
        return None
    cuts, open_ = [1], []
    end = None
    for token in _TOKEN.finditer(body):
        mark = token[0]
        if end is not None or mark == b'"':  # something follows the list, or a text has no end
            return None
        if mark in (b"[", b"{"):
            open_.append(mark)
        elif mark in (b"]", b"}"):
            if not open_ or open_.pop() != (b"[" if mark == b"]" else b"{"):
                return None
            if not open_:
                end = token.start()
        elif mark == b"," and len(open_) == 1:
            cuts += [token.start(), token.end()]
    if end is None or end != len(body) - 1:
        return None
    cuts.append(end)
    found = [body[a:b].strip(b" \t\r\n") for a, b in zip(cuts[::2], cuts[1::2], strict=True)]
    return [] if found == [b""] else found


def parse_each(cut: Iterable[bytes]) -> list[Any]:
    """Read every element by itself; what cannot be read stands as ``Unread`` in its place.

    Examples
    --------
    >>> found = parse_each([b'{"a": 1}', b"NaN"])
    >>> found[0], found[1].raw
    ({'a': 1}, b'NaN')
    """
    found: list[Any] = []
    for raw in cut:
        try:
            found.append(parse(raw))
        except MalformedBody as fault:
            found.append(Unread(raw, fault))
    return found


def cut_out(raw: bytes, key: str) -> tuple[bytes, bytes] | None:
    """Part an object from the list under one of its keys, without reading either; None where that cannot be done.

    Returns
    -------
    The object with an empty list in its place, and the list.

    Examples
    --------
    >>> cut_out(b'{"batch": [{"a": NaN}], "sentAt": 5}', "batch")
    (b'{"batch": [], "sentAt": 5}', b'[{"a": NaN}]')
    """
    wanted, last, depth, begin = f'"{key}"'.encode(), b"", 0, -1
    past_last = 0
    for token in _TOKEN.finditer(raw):
        mark = token[0]
        if mark == b'"':  # a text without an end
            return None
        if mark in (b"[", b"{"):
            if (
                depth == 1
                and mark == b"["
                and begin < 0
                and last == wanted
                and raw[past_last : token.start()].strip() == b":"
            ):
                begin = token.start()
            depth += 1
        elif mark in (b"]", b"}"):
            depth -= 1
            if depth == 1 and begin >= 0:
                end = token.end()
                return raw[:begin] + b"[]" + raw[end:], raw[begin:end]
        if depth == 1:
            last, past_last = mark, token.end()
    return None


def _decoded(raw: bytes) -> str:
    if not raw.strip(b" \t\r\n"):
        raise MalformedBody("body", "is empty; send JSON")
    if raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise MalformedBody("byte 1", "is a byte order mark; send UTF-8 without one")
    if b"\0" in raw:
        raise MalformedBody(f"byte {raw.index(0) + 1}", "is NUL; send UTF-8 without it")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise MalformedBody(f"byte {error.start + 1}", "is not UTF-8") from None


def _is_too_deep(raw: bytes) -> bool:
    # Most bodies have too few brackets to be deep, which is the quickest thing to know about them.
    if raw.count(b"{") + raw.count(b"[") <= MOST_DEPTH:
        return False
    depth = 0
    for token in _TOKEN.finditer(raw):
        if token[0] == b'"':  # a text without an end: not JSON, which the reader says better
            return False
        if token[0] in (b"[", b"{"):
            depth += 1
            if depth > MOST_DEPTH:
                return True
        elif token[0] in (b"]", b"}"):
            depth -= 1
    return False


def _look_through(value: Any, place: str) -> None:
    """Raise for the first fault, depth first; the depth is bounded by then."""
    if isinstance(value, _Fault):
        raise MalformedBody(place or "body", value.fault)
    if isinstance(value, str):
        _look_at(value, place or "body")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            _look_through(item, f"{place}/{i}")
    elif isinstance(value, dict):
        for key, item in value.items():
            _look_at(key, f"a key of {place or 'the body'}")
            _look_through(item, f"{place}/{key.replace('~', '~0').replace('/', '~1')}")


def _look_at(text: str, place: str) -> None:
    unfit = _UNFIT.search(text)
    if unfit is not None:
        what = "NUL" if unfit[0] == "\0" else "half of a surrogate pair"
        raise MalformedBody(place, f"holds {what}, which no store can keep; leave it out")


def _once(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Refused
    return found


def _marked_once(pairs: list[tuple[str, Any]]) -> Any:
    found: dict[str, Any] = {}
    for key, value in pairs:
        twice = key in found
        found[key] = _Fault("is a key that stands twice in one object; send it once") if twice else value
    return found


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS - 1:
        if len(digits) > _MOST_DIGITS + 1 or not -(2**63) <= int(digits) < 2**63:
            raise _Refused
    return int(digits)


def _marked_whole(digits: str) -> Any:
    try:
        return _whole(digits)
    except _Refused:
        return _Fault("is a whole number of more than 63 bits; send it as text")


def _number(digits: str) -> float:
    found = float(digits)
    if math.isinf(found):
        raise _Refused
    return found


def _marked_number(digits: str) -> Any:
    try:
        return _number(digits)
    except _Refused:
        return _Fault("is a number beyond what a double can hold")


def _constant(name: str) -> Any:
    raise _Refused


def _marked_constant(name: str) -> Any:
    return _Fault(f"is {name}, which is not JSON; leave the field out or send null")


_FAST = json.JSONDecoder(object_pairs_hook=_once, parse_int=_whole, parse_float=_number, parse_constant=_constant)
_MARKING = json.JSONDecoder(
    object_pairs_hook=_marked_once,
    parse_int=_marked_whole,
    parse_float=_marked_number,
    parse_constant=_marked_constant,
)

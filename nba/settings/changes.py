"""Single keys of a settings file set to other values: what would be read if the file said so."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from features.errors import UsageError
from nba.settings.table import SettingsError

_STEP = re.compile(r'(?P<bare>[A-Za-z0-9_-]+)|"(?P<double>(?:[^"\\]|\\.)*)"|\'(?P<single>[^\']*)\'')
_NUMBER = re.compile(r"\[(?P<number>\d{1,6})\]")
_PLAIN = re.compile(r"[\w./:+ -]+")
_HOW = "write KEY=VALUE with a dotted key, such as ranking.epsilon=0.1 or points.thresholds[2].from=100"

Step = str | int
"""A key of a table, or the place in a list, counted from 1 as complaints count."""


@dataclass(frozen=True)
class Change:
    """A key with what stood there and what is to stand there; None: it is left out."""

    key: str
    before: Any
    after: Any


def changed(document: Mapping[str, Any], assignments: Sequence[str]) -> tuple[dict[str, Any], list[Change]]:
    """Return what a file would hold, and what is other than it was.

    Parameters
    ----------
    document
        What the file holds.
    assignments
        ``KEY=VALUE`` each: a dotted key, its lists by numbers from 1 on, and a value in TOML. A value that is none is
        taken as text where it is plain, as in ``ranking.policy=greedy``; nothing at all leaves the key out.

    Raises
    ------
    UsageError
        Every assignment that is not of that form, at once.
    SettingsError
        Every assignment that cannot be made in this file, at once.

    Examples
    --------
    >>> found, changes = changed({"points": {"thresholds": [{"from": 250}]}}, ["points.thresholds[1].from=100"])
    >>> found, changes[0].before, changes[0].after
    ({'points': {'thresholds': [{'from': 100}]}}, 250, 100)
    """
    found: dict[str, Any] = copy.deepcopy(dict(document))
    changes, complaints = [], []
    for assignment, (key, steps, is_given, value) in zip(assignments, _read(assignments), strict=True):
        try:
            changes.append(Change(key, _put(found, steps, is_given, value), value))
        except ValueError as error:
            complaints.append(f"--set {assignment}: {error}")
    if complaints:
        raise SettingsError(complaints)
    return found, changes


def overlaid(document: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Put values over a file.

    Parameters
    ----------
    values
        By dotted key; None leaves the key out, where it stands there.

    Returns
    -------
    dict, dict
        What the file would hold, and a sentence for each key that has no place in it, which is left aside.

    Examples
    --------
    >>> overlaid({"plan": {"budget": 50.0}}, {"plan.budget": None, "ranking.epsilon": 0.1})
    ({'plan': {}, 'ranking': {'epsilon': 0.1}}, {})
    """
    found: dict[str, Any] = copy.deepcopy(dict(document))
    faults = {}
    for key, value in values.items():
        try:
            steps = steps_of(key)
            if value is not None or _stands(found, steps):
                _put(found, steps, value is not None, copy.deepcopy(value))
        except ValueError as error:
            faults[key] = str(error)
    return found, faults


def _stands(document: Mapping[str, Any], steps: Sequence[Step]) -> bool:
    here: Any = document
    for step in steps:
        if isinstance(step, int):
            if not isinstance(here, list) or not 1 <= step <= len(here):
                return False
            here = here[step - 1]
        elif not isinstance(here, dict) or step not in here:
            return False
        else:
            here = here[step]
    return True


def value_of(text: str) -> Any:
    """Read a value of TOML, or plain text; None where nothing stands there.

    Raises
    ------
    ValueError
        With a sentence, where it is neither.
    """
    return _value(text)[1]


def _read(assignments: Sequence[str]) -> list[tuple[str, list[Step], bool, Any]]:
    """Key as it is spelt, its steps, whether a value is given, and the value of each assignment."""
    found, complaints = [], []
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        try:
            if not equals:
                raise ValueError(f"has no `=`; {_HOW}")
            found.append((key.strip(), steps_of(key.strip()), *_value(text.strip())))
        except ValueError as error:
            complaints.append(f"--set {assignment}: {error}")
    if complaints:
        raise UsageError(complaints)
    return found


def steps_of(key: str) -> list[Step]:
    """Return the steps of a dotted key.

    Raises
    ------
    ValueError
        With a sentence, where it is none.
    """
    steps: list[Step] = []
    place = 0
    while match := _STEP.match(key, place):
        double = match["double"]
        steps.append(tomllib.loads(f'x = "{double}"')["x"] if double is not None else match["bare"] or match["single"])
        place = match.end()
        while number := _NUMBER.match(key, place):
            steps.append(int(number["number"]))
            place = number.end()
        if place == len(key):
            return steps
        if key[place] != ".":
            break
        place += 1
    raise ValueError(f"{key!r} is not a dotted key; {_HOW}")


def _value(text: str) -> tuple[bool, Any]:
    if not text:
        return False, None
    try:
        found = tomllib.loads(f"x = {text}")
    except tomllib.TOMLDecodeError as error:
        if _PLAIN.fullmatch(text):
            return True, text
        raise ValueError(f"the value is not TOML: {error}; put text in quotes") from None
    if list(found) != ["x"]:
        raise ValueError("the value has more than one line; set one key at a time")
    return True, found["x"]


def _put(document: dict[str, Any], steps: Sequence[Step], is_given: bool, value: Any) -> Any:
    """Put a value to its place and return what stood there, None where nothing did."""
    here: Any = document
    for n, step in enumerate(steps[:-1]):
        if isinstance(here, dict) and step not in here and isinstance(steps[n + 1], str):
            here[step] = {}
        here = _entry(here, step, steps[:n])
    last = steps[-1]
    if isinstance(last, int):
        before = _entry(here, last, steps[:-1])
        here[last - 1 : last] = [value] if is_given else []
        return before
    if not isinstance(here, dict):
        raise ValueError(f"{_spelt(steps[:-1])} is not a table, so that it has no key {last!r}")
    before = here.get(last)
    if not is_given and last not in here:
        raise ValueError(f"{_spelt(steps)} does not stand in the file, so that there is nothing to leave out")
    if is_given:
        here[last] = value
    else:
        here.pop(last, None)
    return before


def _entry(here: Any, step: Step, path: Sequence[Step]) -> Any:
    where = _spelt(path) or "the file"
    if isinstance(step, int):
        if not isinstance(here, list):
            raise ValueError(f"{where} is not a list, so that it has no entry [{step}]")
        if not 1 <= step <= len(here):
            raise ValueError(f"{where} has {len(here)} entries, counted from 1; there is no [{step}]")
        return here[step - 1]
    if not isinstance(here, dict):
        raise ValueError(f"{where} is not a table, so that it has no key {step!r}")
    if step not in here:
        raise ValueError(f"{_spelt([*path, step])} is not in the file; set the whole of it")
    return here[step]


def _spelt(path: Sequence[Step]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")

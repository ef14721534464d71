"""Writing other values into the text of a settings file: comments, order and everything else stay as they are."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from nba.settings.changes import Step
from nba.settings.differences import key_of, toml_of
from nba.settings.places import Path, Places, UnreadableError, places_in

_LONG = 110
Edit = tuple[int, int, str]
"""From where to where, and what shall stand there."""


class RewritingError(ValueError):
    """What cannot be written without taking the text apart."""


def rewritten(text: str, document: Mapping[str, Any]) -> str:
    r"""Return the text of a file that holds a document, nearly the same text as before.

    Parameters
    ----------
    text
        A file of settings.
    document
        What it shall hold.

    Raises
    ------
    RewritingError
        Where that cannot be done; what comes out is read again, and is what was asked for or nothing.

    Examples
    --------
    >>> rewritten("[plan] # daily\nbudget = 50 # EUR\n", {"plan": {"budget": 60}})
    '[plan] # daily\nbudget = 60 # EUR\n'
    """
    before = tomllib.loads(text.removeprefix("\ufeff"))
    newline = "\r\n" if "\r\n" in text else "\n"
    try:
        found = _Rewriting(text, places_in(text), newline)
        edits = list(found.edits(before, document, ()))
        new = _with(text, edits)
        held = tomllib.loads(new.removeprefix("\ufeff"))
    except UnreadableError as error:
        raise RewritingError(str(error)) from None
    except tomllib.TOMLDecodeError as error:
        raise RewritingError(f"the text would be no TOML any more: {error}") from None
    if held != dict(document):
        raise RewritingError("the text would not hold what it should")
    return new


def _with(text: str, edits: list[Edit]) -> str:
    # Of edits at one place the first stands first.
    for begin, end, new in sorted(reversed(edits), key=lambda each: each[0], reverse=True):
        text = text[:begin] + new + text[end:]
    return text


class _Rewriting:
    def __init__(self, text: str, places: Places, newline: str) -> None:
        self._text, self._places, self._newline = text, places, newline

    def edits(self, before: Any, after: Any, path: Path) -> Iterator[Edit]:
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            gone = [name for name in before if name not in after]
            for name in gone:
                yield self._removed((*path, name))
            for name, value in after.items():
                if name in before:
                    yield from self.edits(before[name], value, (*path, name))
            new = {name: value for name, value in after.items() if name not in before}
            if new:
                yield from self._added(new, path, is_empty=not before)
        elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
            for n, (old, value) in enumerate(zip(before, after, strict=True), 1):
                yield from self.edits(old, value, (*path, n))
        elif before != after or isinstance(before, bool) != isinstance(after, bool):
            span = self._places.values.get(path)
            if span is None:
                raise RewritingError(f"{_spelt(path)} has no place of its own")
            yield *span, self._value(after)

    def _added(self, new: Mapping[str, Any], path: Path, *, is_empty: bool) -> Iterator[Edit]:
        inline = self._places.values.get(path)
        if inline is not None:
            end = inline[1] - 1
            told = ", ".join(f"{key_of([name])} = {toml_of(value)}" for name, value in new.items())
            while self._text[end - 1] in " \t":
                end -= 1
            yield end, end, f" {told}" if is_empty else f", {told}"
            return
        tables = {name: value for name, value in new.items() if isinstance(value, Mapping) and value}
        lines = {name: value for name, value in new.items() if name not in tables}
        if lines:
            said = "".join(f"{key_of([name])} = {self._value(value)}{self._newline}" for name, value in lines.items())
            if path in self._places.ends:
                at = self._places.ends[path]
                yield at, at, self._on_a_new_line(at) + said
            else:
                end = len(self._text)
                yield end, end, f"{self._on_a_new_line(end)}{self._newline}[{_spelt(path)}]{self._newline}{said}"
        for name, value in tables.items():
            yield from self._added(value, (*path, name), is_empty=True)

    def _removed(self, path: Path) -> Edit:
        if path in self._places.statements:
            return *self._places.statements[path], ""
        if path not in self._places.entries:
            raise RewritingError(f"{_spelt(path)} is a table of its own; take it out by hand")
        begin, end = self._places.entries[path]
        behind = end
        while self._text[behind] in " \t":
            behind += 1
        if self._text[behind] == ",":
            behind += 1
            while self._text[behind] in " \t":
                behind += 1
            return begin, behind, ""
        ahead = begin - 1
        while self._text[ahead] in " \t":
            ahead -= 1
        return (ahead, end, "") if self._text[ahead] == "," else (begin, end, "")

    def _value(self, value: Any) -> str:
        said = toml_of(value)
        if len(said) <= _LONG or not isinstance(value, list):
            return said
        rows = "".join(f"  {toml_of(each)},{self._newline}" for each in value)
        return f"[{self._newline}{rows}]"

    def _on_a_new_line(self, at: int) -> str:
        return "" if at == 0 or self._text[at - 1] == "\n" else self._newline


def _spelt(path: tuple[Step, ...]) -> str:
    return key_of(path)

"""Where each value of a settings file stands in its text, so that one can be changed and the rest stays as it is."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field

from nba.settings.changes import Step

Path = tuple[Step, ...]
Span = tuple[int, int]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r'[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'')
_LONG = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}(?!")|\'\'\'.*?\'{3,5}(?!\')', re.DOTALL)
_SHORT = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'')
_SCALAR = re.compile(r"\d{4}-\d\d-\d\d \d\d:[^\s,\]}#]*|[^\s,\]}#]+")


class UnreadableError(ValueError):
    """A text that this reading does not follow; whoever wrote it has to change it."""


@dataclass
class Places:
    """Where things stand, by the path of names and of numbers from 1.

    Attributes
    ----------
    values
        From the first character of a value to behind the last.
    statements
        Lines of a value that has some of its own, from their beginning to behind the line's end.
    entries
        A value in an inline table, from its key on.
    ends
        Where the next line of a table that has a header would stand.
    """

    values: dict[Path, Span] = field(default_factory=dict)
    statements: dict[Path, Span] = field(default_factory=dict)
    entries: dict[Path, Span] = field(default_factory=dict)
    ends: dict[Path, int] = field(default_factory=dict)


def places_in(text: str) -> Places:
    r"""Find every value.

    Parameters
    ----------
    text
        A file that is TOML; what is none is not found out here.

    Raises
    ------
    UnreadableError
        Where this reading gets lost.

    Examples
    --------
    >>> text = "[points]\nkinds = { visit = 5 } # each\n"
    >>> a, b = places_in(text).values["points", "kinds", "visit"]
    >>> text[a:b]
    '5'
    """
    return _Reader(text).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._found = Places()
        self._lists: dict[Path, int] = {}

    def read(self) -> Places:
        table: Path = ()
        self._found.ends[()] = 0
        at = self._blank(1 if self._text.startswith("\ufeff") else 0)
        while at < len(self._text):
            if self._text.startswith("[", at):
                table, at = self._header(at)
            else:
                begin = self._text.rfind("\n", 0, at) + 1
                names, at = self._key(at)
                path = (*table, *names)
                at = self._value(self._expect("=", at), path)
                at = self._line_end(at)
                self._found.statements[path] = begin, at
            self._found.ends[table] = at
            at = self._blank(at)
        return self._found

    def _header(self, at: int) -> tuple[Path, int]:
        is_list = self._text.startswith("[[", at)
        names, at = self._key(at + (2 if is_list else 1))
        path = (*self._through_lists(names[:-1]), names[-1])
        if is_list:
            self._lists[path] = n = self._lists.get(path, 0) + 1
            path = (*path, n)
        else:
            path = self._through_lists(path)
        return path, self._line_end(self._expect("]]" if is_list else "]", at))

    def _through_lists(self, names: Path) -> Path:
        found: Path = ()
        for name in names:
            found = (*found, name)
            if found in self._lists:
                found = (*found, self._lists[found])
        return found

    def _key(self, at: int) -> tuple[tuple[str, ...], int]:
        names = []
        while True:
            match = _KEY.match(self._text, self._space(at))
            if match is None:
                raise UnreadableError(f"character {at} is not where a key was expected")
            [name] = tomllib.loads(f"{match[0]} = 0")
            names.append(name)
            at = self._space(match.end())
            if not self._text.startswith(".", at):
                return tuple(names), at
            at += 1

    def _value(self, at: int, path: Path) -> int:
        at = self._space(at)
        first = self._text[at : at + 1]
        if first == "[":
            end = self._list(at + 1, path)
        elif first == "{":
            end = self._inline(at + 1, path)
        else:
            match = _LONG.match(self._text, at) or _SHORT.match(self._text, at) or _SCALAR.match(self._text, at)
            if match is None:
                raise UnreadableError(f"character {at} begins no value")
            end = match.end()
        self._found.values[path] = at, end
        return end

    def _list(self, at: int, path: Path) -> int:
        n, at = 0, self._blank(at)
        while not self._text.startswith("]", at):
            n += 1
            at = self._blank(self._value(at, (*path, n)))
            if self._text.startswith(",", at):
                at = self._blank(at + 1)
            elif not self._text.startswith("]", at):
                raise UnreadableError(f"character {at} is not where a list goes on or ends")
        return at + 1

    def _inline(self, at: int, path: Path) -> int:
        at = self._blank(at)
        while not self._text.startswith("}", at):
            names, behind = self._key(at)
            end = self._value(self._expect("=", behind), (*path, *names))
            self._found.entries[(*path, *names)] = at, end
            at = self._blank(end)
            if self._text.startswith(",", at):
                at = self._blank(at + 1)
            elif not self._text.startswith("}", at):
                raise UnreadableError(f"character {at} is not where a table goes on or ends")
        return at + 1

    def _expect(self, what: str, at: int) -> int:
        at = self._space(at)
        if not self._text.startswith(what, at):
            raise UnreadableError(f"character {at} is not {what!r}")
        return at + len(what)

    def _space(self, at: int) -> int:
        match = _SPACE.match(self._text, at)
        return at if match is None else match.end()

    def _blank(self, at: int) -> int:
        match = _BLANK.match(self._text, at)
        return at if match is None else match.end()

    def _line_end(self, at: int) -> int:
        end = self._text.find("\n", at)
        return len(self._text) if end < 0 else end + 1

"""A table of ``nba.toml`` while it is read: hands out its keys and gathers every complaint with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import TypeVar

from features.errors import UserError
from nba.settings.values import Parse, show

T = TypeVar("T")
D = TypeVar("D")

_BARE = re.compile(r"[A-Za-z0-9_-]+")


class SettingsError(UserError):
    """What is wrong in ``nba.toml``: a sentence for each fault, each with its place."""


class Table:
    """One table while it is read; the keys it is asked for are the keys it knows.

    Parameters
    ----------
    found
        What stands at this place; anything but a table is complained of and read as an empty one.
    place
        The dotted place, empty for the whole file.
    complaints
        Where faults are gathered; shared by all tables of a file.
    """

    def __init__(self, found: object, place: str, complaints: list[str]) -> None:
        self.place = place
        self.is_sound = isinstance(found, dict)
        self._found: dict[str, object] = found if isinstance(found, dict) else {}
        self._known: list[str] = []
        self._complaints = complaints
        if not self.is_sound:
            complaints.append(f"{place}: {show(found)} is not a table; write [{place}] and its keys below it")

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def complain(self, key: str, sentence: str) -> None:
        """Note a fault of a key, or of the table itself when ``key`` is empty."""
        self._complaints.append(f"{self._at(key) if key else self.place}: {sentence}")

    def take(self, key: str, parse: Parse[T], default: D) -> T | D:
        """Value of a key, or ``default`` when it is left out or wrong (which is complained of)."""
        self._known.append(key)
        if key not in self._found:
            return default
        try:
            return parse(self._found[key])
        except ValueError as error:
            self.complain(key, str(error))
            return default

    def require(self, key: str, parse: Parse[T], stand_in: D, hint: str) -> T | D:
        """Value of a key that must be there; ``stand_in`` goes on when it is not."""
        if self.is_sound and key not in self._found:
            self.complain(key, f"is missing; {hint}")
        return self.take(key, parse, stand_in)

    def knows(self, *keys: str) -> None:
        """Count keys as known which were not asked for because they are not there."""
        self._known.extend(keys)

    def names(self, key: str) -> tuple[str, ...]:
        """Keys of the table under a key; whether it is one is for ``child`` to complain of."""
        found = self._found.get(key)
        return tuple(found) if isinstance(found, dict) else ()

    def others(self) -> list[str]:
        """Keys that have not been asked for so far."""
        return [key for key in self._found if key not in self._known]

    def holds_table(self, key: str) -> bool:
        """Whether a table stands under a key."""
        return isinstance(self._found.get(key), dict)

    def child(self, key: str) -> Table:
        """Open the table under a key; an empty one when it is left out."""
        self._known.append(key)
        return Table(self._found.get(key, {}), self._at(key), self._complaints)

    def children(self, name: Parse[str]) -> Iterator[tuple[str, Table]]:
        """Open every table in this one, with its name; not those whose name ``name`` refuses."""
        for key, found in self._found.items():
            self._known.append(key)
            try:
                checked = name(key)
            except ValueError as error:
                self.complain(key, str(error))
                continue
            yield checked, Table(found, self._at(key), self._complaints)

    def entries(self, name: Parse[str], parse: Parse[T]) -> dict[str, T]:
        """Every key of this table with its value; faulty ones are complained of and left out."""
        found = {}
        for key in self._found:
            self._known.append(key)
            try:
                found[name(key)] = parse(self._found[key])
            except ValueError as error:
                self.complain(key, str(error))
        return found

    def rows(self, key: str) -> list[Table]:
        """Open the tables of a list; counted from 1 in complaints."""
        self._known.append(key)
        found = self._found.get(key, [])
        if not isinstance(found, list):
            self.complain(key, f"{show(found)} is not a list; write [{{ ... }}, {{ ... }}]")
            return []
        return [Table(row, f"{self._at(key)}[{n}]", self._complaints) for n, row in enumerate(found, 1)]

    def close(self) -> None:
        """Complain of every key that was never asked for."""
        known = sorted(set(self._known))
        for key in self.others():
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(known)}"
            self.complain(key, f"is not a known key; {hint}")

    def _at(self, key: str) -> str:
        spelt = key if _BARE.fullmatch(key) else show(key)
        return f"{self.place}.{spelt}" if self.place else spelt

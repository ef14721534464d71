"""A deed: what is to be written to the store, as data that a journal can keep while the store is away."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

import orjson

from features.store.store import Writing

T = TypeVar("T")

_KEY = re.compile(rb'\["[a-z]+",("(?:[^"\\]|\\.)*"|null),')


class Deed(ABC, Generic[T]):
    """Something to be written, inside a transaction and as often as it takes: a second time changes nothing.

    What it finds out there it returns; where it is only kept, its caller is told what it would most likely have found.
    """

    name: ClassVar[str]
    """What it is called in a journal; it never changes."""

    @property
    def key(self) -> str | None:
        """The id that it can be found by while it waits."""
        return None

    @abstractmethod
    def __call__(self, writing: Writing) -> T:
        """Write it, inside a transaction."""

    @abstractmethod
    def presumed(self) -> T:
        """Return what its caller is told where it is only kept."""

    def repeated(self) -> T:
        """Return what its caller is told where something is kept under its id already."""
        return self.presumed()

    @abstractmethod
    def told(self) -> Any:
        """Lay it out as JSON has it."""

    def record(self) -> bytes:
        """Lay it out for the journal.

        Raises
        ------
        ValueError
            Where it holds what no JSON can say.
        """
        try:
            return orjson.dumps([self.name, self.key, self.told()], option=orjson.OPT_SERIALIZE_NUMPY)
        except orjson.JSONEncodeError as error:
            raise ValueError(f"this {self.name} cannot be kept: {error}") from error


def key_of(record: bytes) -> str | None:
    """Return the id that a record can be found by.

    Examples
    --------
    >>> key_of(b'["decision","d-1",{}]'), key_of(b'["arrival",null,{}]')
    ('d-1', None)
    """
    found = _KEY.match(record)
    return None if found is None or found[1] == b"null" else str(orjson.loads(found[1]))

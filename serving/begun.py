"""Work that is begun at once, and awaited only where it has to wait."""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Begun(Generic[T]):
    """A coroutine that has run as far as it gets without waiting.

    A timeout around it costs several times what is done without waiting, and nothing can time out in that.

    Attributes
    ----------
    is_done
        Whether it has ended without waiting; then ``result`` is what it returned.

    Raises
    ------
    Exception
        What the coroutine raises without waiting.
    """

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work
        self._waits_for: Any = None
        self.is_done = False
        self.result: T | None = None
        try:
            self._waits_for = work.send(None)
        except StopIteration as ended:
            self.is_done, self.result = True, ended.value

    def rest(self) -> Awaitable[T]:
        """Return what is left of it."""
        return _Rest(self._work, self._waits_for)


class _Rest(Generic[T]):
    def __init__(self, work: Coroutine[Any, Any, T], waits_for: Any) -> None:
        self._work, self._waits_for = work, waits_for

    def __await__(self) -> Generator[Any, Any, T]:
        waits_for = self._waits_for
        try:
            while True:
                try:
                    told = yield waits_for
                except GeneratorExit:
                    self._work.close()
                    raise
                except BaseException as error:
                    waits_for = self._work.throw(error)
                else:
                    waits_for = self._work.send(told)
        except StopIteration as ended:
            found: T = ended.value
            return found

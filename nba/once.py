"""Facts that are worked out when they are first asked for, as a request asks for dozens of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


# functools.cached_property of Python 3.11 takes a lock every time, which costs more than most of what is worked out.
class once(Generic[T]):
    """A property that is worked out once and then lies in the object's own dictionary.

    Two threads that ask at the same moment both work it out; one of the answers stays.

    Examples
    --------
    >>> class Circle:
    ...     @once
    ...     def area(self) -> float:
    ...         return 3.0
    >>> circle = Circle()
    >>> circle.area, vars(circle)
    (3.0, {'area': 3.0})
    """

    def __init__(self, work_out: Callable[[Any], T]) -> None:
        self._work_out = work_out
        self._name = work_out.__name__
        self.__doc__ = work_out.__doc__

    @overload
    def __get__(self, at: None, owner: type) -> Self: ...

    @overload
    def __get__(self, at: object, owner: type) -> T: ...

    def __get__(self, at: object | None, owner: type) -> Self | T:
        if at is None:
            return self
        found = vars(at)[self._name] = self._work_out(at)
        return found

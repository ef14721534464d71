"""A mapping that nobody can change, so that settings can be shared, compared and sent to other processes."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from typing import Any, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Frozen(Mapping[K, V]):
    """A read-only mapping that keeps its order, and can be hashed, copied and pickled.

    Parameters
    ----------
    items
        What it holds; copied.

    Examples
    --------
    >>> Frozen({"visit": 5})["visit"]
    5
    """

    # Not types.MappingProxyType: scikit-learn's clone and joblib's workers copy settings, and it cannot be.
    __slots__ = ("_items",)

    def __init__(self, items: Mapping[K, V] | None = None) -> None:
        self._items: dict[K, V] = dict(items or {})

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __contains__(self, key: object) -> bool:
        # Settings are asked this for every touchpoint, and what a mapping has by itself tries and catches.
        return key in self._items

    # What a mapping has by itself looks every key up again, and tries and catches.
    def get(self, key: K, /, default: Any = None) -> Any:
        """Return the value of a key, else ``default``."""
        return self._items.get(key, default)

    def items(self) -> ItemsView[K, V]:
        """Return the keys with their values."""
        return self._items.items()

    def values(self) -> ValuesView[V]:
        """Return the values."""
        return self._items.values()

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return f"Frozen({self._items!r})"

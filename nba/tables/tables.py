"""The catalogues that recommendations are about: products, devices, events, content, partners, as of a moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from features.frozen import Frozen
from nba.pages import Pages


@dataclass(frozen=True)
class Product:
    """Something that is sold."""

    product_id: str
    topics: tuple[str, ...] = ()
    margin: float | None = None
    more: Mapping[str, Any] = field(default_factory=Frozen)
    """Every other column."""


@dataclass(frozen=True)
class Asset:
    """A device or contract that somebody has; ``more`` holds its dates, by the names of their columns."""

    asset_id: str
    product_id: str | None = None
    partner: str | None = None
    more: Mapping[str, Any] = field(default_factory=Frozen)


@dataclass(frozen=True)
class Event:
    """Something that contacts may be invited to; times in microseconds."""

    event_id: str
    starts_at: int
    ends_at: int | None = None
    place: str | None = None
    topics: tuple[str, ...] = ()
    seats: int | None = None
    language: str | None = None


@dataclass(frozen=True)
class Content:
    """Something to read; ``valid_from`` and ``valid_to`` in microseconds, half-open."""

    content_id: str
    title: str
    topics: tuple[str, ...]
    url: str | None = None
    stages: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    language: str | None = None
    tone: str = "plain"
    valid_from: int | None = None
    valid_to: int | None = None


@dataclass(frozen=True)
class Partner:
    """A dealer, as agreed; ``mode`` and ``visible`` None where the settings say it."""

    partner: str
    name: str | None = None
    parent: str | None = None
    account: str | None = None
    territory: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    capacity: int | None = None
    language: str | None = None
    mode: str | None = None
    visible: tuple[str, ...] | None = None
    agreement_from: int | None = None
    agreement_to: int | None = None
    more: Mapping[str, Any] = field(default_factory=Frozen)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a recommendation is about: ids of entries of the catalogues."""

    product_id: str | None = None
    content_id: str | None = None
    event_id: str | None = None
    asset_id: str | None = None

    def to_json(self) -> dict[str, str | None]:
        """Return the ids by name."""
        return {name: getattr(self, name) for name in self.__slots__}


NOTHING = Subject()
"""Nothing of the catalogues."""


@dataclass(frozen=True)
class Tables:
    """All that was known of the catalogues strictly before a moment."""

    products: Mapping[str, Product] = field(default_factory=Frozen)
    events: Mapping[str, Event] = field(default_factory=Frozen)
    content: Mapping[str, Content] = field(default_factory=Frozen)
    partners: Mapping[str, Partner] = field(default_factory=Frozen)

    @cached_property
    def pages(self) -> Pages:
        """Content by the addresses of its pages."""
        return Pages((each.content_id, each.url) for each in self.content.values() if each.url)

    @cached_property
    def beginnings(self) -> Sequence[tuple[int, Event]]:
        """When events begin, the earliest first, then by id."""
        return _by_moment((event.starts_at, event) for event in self.events.values())

    @cached_property
    def endings(self) -> Sequence[tuple[int, Event]]:
        """When events end of which that is known, the earliest first, then by id."""
        return _by_moment((event.ends_at, event) for event in self.events.values() if event.ends_at is not None)

    @cached_property
    def products_about(self) -> Mapping[str, Sequence[Product]]:
        """Products by topic, those with the highest margin first."""
        found: dict[str, list[Product]] = {}
        for product in self.products.values():
            for topic in product.topics:
                found.setdefault(topic, []).append(product)
        for products in found.values():
            products.sort(key=lambda product: (-(product.margin or 0.0), product.product_id))
        return found


def _by_moment(found: Iterable[tuple[int, Event]]) -> Sequence[tuple[int, Event]]:
    return tuple(sorted(found, key=lambda each: (each[0], each[1].event_id)))

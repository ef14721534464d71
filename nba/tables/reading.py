"""Rows of the catalogues as they were known at a moment; a cell that cannot be read counts as empty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from features.amounts import LARGEST
from features.frozen import Frozen
from features.rows.row_types import RecordRow
from features.times import parse_time
from nba.tables.tables import Asset, Content, Event, Partner, Product

if TYPE_CHECKING:
    from features.store.reading import Reading

Body = Mapping[str, Any]


def known_bodies(rows: Iterable[RecordRow], before: int) -> dict[str, dict[str, Any]]:
    """Return the latest value of every column, by key, of what was known strictly before a moment.

    Parameters
    ----------
    rows
        By key and rising time.

    Examples
    --------
    >>> rows = [RecordRow("p", 1, {"topic": "pumps", "margin": 2.0}), RecordRow("p", 5, {"margin": 3.0})]
    >>> known_bodies(rows, 5), known_bodies(rows, 6)["p"]["margin"]
    ({'p': {'topic': 'pumps', 'margin': 2.0}}, 3.0)
    """
    found: dict[str, dict[str, Any]] = {}
    for key, known_at, body in rows:
        if known_at < before:
            found.setdefault(key, {}).update(body)
    return found


def product_of(key: str, body: Body) -> Product:
    """Read a product; its topics stand in ``topic``, ``topics`` or both."""
    topics = dict.fromkeys((*_texts(body.get("topic")), *_texts(body.get("topics"))))
    return Product(key, tuple(topics), _number(body.get("margin")), _more(body, _OF_PRODUCT))


def asset_of(key: str, body: Body) -> Asset:
    """Read a device or contract; its dates are left as they stand."""
    return Asset(key, _text(body.get("product_id")), _text(body.get("partner")), _more(body, _OF_ASSET))


def event_of(key: str, body: Body) -> Event | None:
    """Read an event; None where nobody can tell when it begins."""
    starts_at = _time(body.get("starts_at"))
    if starts_at is None:
        return None
    return Event(
        event_id=key,
        starts_at=starts_at,
        ends_at=_time(body.get("ends_at")),
        place=_text(body.get("place")),
        topics=_texts(body.get("topics")),
        seats=_whole(body.get("seats")),
        language=_text(body.get("language")),
    )


def content_of(key: str, body: Body) -> Content | None:
    """Read something to read; None where it has no title."""
    title = _text(body.get("title"))
    if title is None:
        return None
    return Content(
        content_id=key,
        title=title,
        topics=_texts(body.get("topics")),
        url=_text(body.get("url")),
        stages=_texts(body.get("stages")),
        roles=_texts(body.get("roles")),
        language=_text(body.get("language")),
        tone=_text(body.get("tone")) or "plain",
        valid_from=_time(body.get("valid_from")),
        valid_to=_time(body.get("valid_to")),
    )


def partner_of(key: str, body: Body) -> Partner:
    """Read a partner; its territory is a list, or text with commas between the parts."""
    territory = [part.strip() for text in _texts(body.get("territory")) for part in text.split(",")]
    visible = body.get("visible")
    return Partner(
        partner=key,
        name=_text(body.get("name")),
        parent=_text(body.get("parent")),
        account=_text(body.get("account")),
        territory=tuple(part for part in territory if part),
        topics=_texts(body.get("topics")),
        capacity=_whole(body.get("capacity")),
        language=_text(body.get("language")),
        mode=_text(body.get("mode")),
        visible=None if visible is None else _texts(visible),
        agreement_from=_time(body.get("agreement_from")),
        agreement_to=_time(body.get("agreement_to")),
        more=_more(body, _OF_PARTNER),
    )


def partners_known(store: Reading, before: int) -> dict[str, Partner]:
    """Return every partner as it was known strictly before a moment, inside a transaction too."""
    found = known_bodies(store.record_rows("partners", before), before)
    return {key: partner_of(key, body) for key, body in found.items()}


_OF_PRODUCT = frozenset({"topic", "topics", "margin"})
_OF_ASSET = frozenset({"identity", "account", "product_id", "partner"})
_OF_PARTNER = frozenset(Partner.__dataclass_fields__)


def _more(body: Body, named: frozenset[str]) -> Mapping[str, Any]:
    return Frozen({name: value for name, value in body.items() if name not in named})


def _text(value: object) -> str | None:
    # Keys come as numbers where a system has nothing but numbers.
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return (value.strip() or None) if isinstance(value, str) else None


def _texts(value: object) -> tuple[str, ...]:
    """Read a list, the JSON of one, or one text."""
    if value is None:
        return ()
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _parsed(value)
    found = [_text(item) for item in (value if isinstance(value, list) else [value])]
    return tuple(dict.fromkeys(text for text in found if text))


def _parsed(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) <= LARGEST else None


def _whole(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number >= 0 else None


def _time(value: object) -> int | None:
    try:
        return parse_time(value)
    except (ValueError, OverflowError):
        return None

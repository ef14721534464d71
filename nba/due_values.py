"""What occasions take for dates: the columns they look into, and the values there that hold none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from features.identity.members import members_of
from features.rows.schema import ASSETS, CONTACTS
from features.unread import ZONE, Readable, is_zone
from nba.contact_traits import traits_of
from nba.occasions.dates import due_in
from nba.partners.visibility import OWNER_SIDE, sight_of
from nba.tables.memory import tables_of
from nba.tables.reading import known_bodies

if TYPE_CHECKING:
    from features.store.store import Store
    from nba.settings import Settings

_TRIGGERS = {CONTACTS.name: "trait", ASSETS.name: "asset"}


class UnreadValue(NamedTuple):
    """A value that is kept and not read."""

    table: str
    key: str
    column: str
    value: Any
    takes: str
    """What it is taken for."""


def date_readers(settings: Settings, table: str) -> dict[str, Readable]:
    r"""Return by column of a table in which some occasion looks for dates whether a value holds one.

    Examples
    --------
    >>> from nba.settings import parse_settings
    >>> action = '[actions.call]\nchannel = "phone"\nwhen = { trait = "renews_on", within = "14d" }'
    >>> found = date_readers(parse_settings(action), "contacts")
    >>> found["renews_on"]("2026-12-31"), found["renews_on"]("31.12.2026")
    (True, False)
    """
    occasions = [action.when for action in settings.actions.values() if action.when is not None]
    zone = ZoneInfo(settings.contact_policy.timezone)
    return {str(when.of): partial(_is_date, zone) for when in occasions if when.trigger == _TRIGGERS.get(table)}


def unread_values(store: Store, settings: Settings, now: int) -> Iterator[UnreadValue]:
    """Yield what is known now and cannot be read, without what partners keep from the owner."""
    for table, rows in ((CONTACTS.name, store.contact_rows(now)), (ASSETS.name, store.record_rows(ASSETS.name, now))):
        readers = {name: (can, "a date") for name, can in date_readers(settings, table).items()}
        if table == CONTACTS.name:
            readers[ZONE] = (is_zone, "a time zone")
        for key, body in known_bodies(rows, now).items():
            found = [
                UnreadValue(table, key, name, body[name], takes)
                for name, (can, takes) in readers.items()
                if body.get(name) not in (None, "") and not can(body[name])
            ]
            if found and _is_seen(store, settings, key if table == CONTACTS.name else None, body, now):
                yield from found


def _is_seen(store: Store, settings: Settings, contact: str | None, body: Mapping[str, Any], now: int) -> bool:
    """Whether the owner may see all of a contact, or of a device and whose it is."""
    partners, whose = tables_of(store, now).partners, contact or body.get("identity")
    known = [body]
    if whose:
        known.append(traits_of(store, members_of(store, str(whose), now, settings.touchpoints).members, now))
    return all(sight_of(OWNER_SIDE, each, partners, settings.partners, now).is_whole for each in known)


def _is_date(zone: ZoneInfo, value: object) -> bool:
    return due_in(value, zone) is not None

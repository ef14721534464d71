"""Values published over the settings file: every version, and what somebody is about to publish."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import orjson
from sqlalchemy import bindparam, delete, func, select

from features.rows.row_types import SettingsVersion
from features.store import tables
from features.store.dialect import Sql, StoreError, once
from features.store.dialects import dialect_of
from features.store.patience import Patience
from features.store.reading import Reading
from features.store.writing import Writing

_SECONDS = 2
_V, _D = tables.SETTINGS_VERSIONS.c, tables.SETTINGS_DRAFTS.c
_ALL = Sql(select(tables.SETTINGS_VERSIONS).order_by(_V.number))
_NEWEST = Sql(select(tables.SETTINGS_VERSIONS).where(_V.number == select(func.max(_V.number)).scalar_subquery()))
_NUMBER = Sql(select(func.max(_V.number)))
_PUBLISH = once(tables.SETTINGS_VERSIONS)
_DRAFT = Sql(select(_D.changes).where(_D.key_id == bindparam("a")))
_KEEP = once(
    tables.SETTINGS_DRAFTS,
    otherwise="(key_id) DO UPDATE SET changes = excluded.changes, changed_at = excluded.changed_at",
)
_DROP = Sql(delete(tables.SETTINGS_DRAFTS).where(_D.key_id == bindparam("a")))


def settings_versions(reading: Reading) -> list[SettingsVersion]:
    """Return every version that was ever published, oldest first."""
    return [_version(row) for row in reading._all(_ALL)]


def newest_settings(reading: Reading) -> SettingsVersion | None:
    """Return the version that counts; None where nothing was published."""
    found = reading._one(_NEWEST, ())
    return None if found is None else _version(found)


def newest_at(url: str) -> SettingsVersion | None:
    """Return the version that counts in a store, for whoever has not opened it; nothing is made or changed there.

    Where there is no store yet, none that can be reached soon, or one of an older schema, nothing was published that
    could be known: whoever opens it will be told what is wrong with it.
    """
    try:
        dialect = dialect_of(url)
        if not dialect.may_be_there():
            return None
        dialect.patience = Patience(_SECONDS, _SECONDS, _SECONDS)
        with closing(dialect.connect()) as connection, closing(connection.cursor()) as cursor:
            found = cursor.execute(dialect.text(_NEWEST)).fetchone()
    except StoreError:
        return None
    except Exception as error:
        if not isinstance(error, dialect.errors):
            raise
        return None
    return None if found is None else _version(tuple(found))


def newest_number(reading: Reading) -> int:
    """Return the number of the version that counts; 0 where nothing was published."""
    found = reading._one(_NUMBER, ())
    return 0 if found is None or found[0] is None else int(found[0])


def publish_settings(writing: Writing, version: SettingsVersion) -> bool:
    """Store a version; false where its number is taken, because somebody else was first."""
    values = tuple(_text(version.changes) if name == "changes" else value for name, value in version._asdict().items())
    return writing._many(_PUBLISH, [values]) == 1


def draft_of(reading: Reading, key_id: str) -> dict[str, Any] | None:
    """Return what the holder of a key is about to publish; None where nothing is."""
    found = reading._one(_DRAFT, (key_id,))
    return None if found is None else dict(orjson.loads(found[0]))


def keep_draft(writing: Writing, key_id: str, changes: Mapping[str, Any], at: int) -> None:
    """Keep what the holder of a key is about to publish, in the place of what was kept before."""
    writing._many(_KEEP, [(key_id, _text(changes), at)])


def drop_draft(writing: Writing, key_id: str) -> None:
    """Forget what the holder of a key was about to publish."""
    writing._many(_DROP, [(key_id,)])


def _text(changes: Mapping[str, Any]) -> str:
    return orjson.dumps(dict(changes)).decode()


def _version(row: tuple[Any, ...]) -> SettingsVersion:
    number, published_at, by, reason, changes, undoes = row
    return SettingsVersion(number, published_at, by, reason, orjson.loads(changes), undoes)

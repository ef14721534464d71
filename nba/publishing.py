"""From a draft to a version in force: what is set otherwise, published with a reason, and taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from features.frozen import Frozen
from features.rows.row_types import SettingsVersion
from features.store import audit, published
from nba.published import document_of, with_values
from nba.settings import Settings, SettingsError
from nba.settings.changes import overlaid
from nba.settings.differences import difference

if TYPE_CHECKING:
    from features.store.reading import Reading
    from features.store.writing import Writing

PUBLISHED, UNDONE = "settings published", "settings undone"
"""What the audit log says of a version."""


@dataclass(frozen=True)
class Draft:
    """What somebody is about to publish.

    Attributes
    ----------
    on
        Number of the version that was in force when it was begun.
    values
        By dotted key, where they are others than those in force; None leaves a key out.
    """

    on: int = 0
    values: Mapping[str, Any] = Frozen()


def draft_of(reading: Reading, key_id: str) -> Draft | None:
    """Return the draft of the holder of a key; None where there is none."""
    found = published.draft_of(reading, key_id)
    return None if found is None else Draft(int(found["on"]), dict(found["values"]))


def keep_draft(writing: Writing, key_id: str, draft: Draft, at: int) -> None:
    """Keep a draft in the place of the one before; an empty one is forgotten."""
    if draft.values:
        published.keep_draft(writing, key_id, {"on": draft.on, "values": dict(draft.values)}, at)
    else:
        published.drop_draft(writing, key_id)


def with_draft(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """Return the settings in force with values over them, as they would be read after publishing.

    Raises
    ------
    SettingsError
        A sentence for everything that is wrong with them.
    """
    document, faults = overlaid(document_of(settings), values)
    if faults:
        raise SettingsError(f"{key}: {why}" for key, why in faults.items())
    return with_values(settings, difference(settings.source.document, document), settings.source.number)


def published_by(
    writing: Writing,
    changes: Mapping[str, Any],
    *,
    number: int,
    by: str,
    reason: str,
    at: int,
    undoes: int | None = None,
) -> bool:
    """Store a version with its entry in the audit log; false where the number is taken: somebody else was first.

    Parameters
    ----------
    changes
        All that differs from the file.
    """
    row = SettingsVersion(number, at, by, reason, dict(changes), undoes)
    if not published.publish_settings(writing, row):
        return False
    audit.append(
        writing,
        at=at,
        by=by,
        what=PUBLISHED if undoes is None else UNDONE,
        subject=f"version {number} of the settings",
        reason=reason,
        details={"keys": sorted(changes)} | ({} if undoes is None else {"undoes": undoes}),
    )
    return True

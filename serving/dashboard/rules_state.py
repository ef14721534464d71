"""What the page Rules stands on: what is in force, the reader's draft, what thresholds are worth, and every version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from features.rows.row_types import FigureRow, SettingsVersion
from features.store.figures import latest_figure
from features.store.published import settings_versions
from nba.published import document_of
from nba.publishing import Draft, draft_of, with_draft
from nba.settings import Settings, SettingsError
from nba.settings.changes import Change, overlaid
from nba.settings.differences import changes_between
from serving.comparing import Compared, compared, name_of
from serving.dashboard.rules_fields import Field, fields_of, schemes_in, whole
from serving.dashboard.visit import Visit

FIGURES = "thresholds"
"""What `nba points check --keep` keeps."""
_SHOWN = 30
"""Versions."""


@dataclass(frozen=True)
class Past:
    """A version as the page lists it: what it changed, and the number before which its undoing goes back."""

    row: SettingsVersion
    changes: Sequence[Change]


@dataclass(frozen=True)
class RulesState:
    """Everything the page shows.

    Attributes
    ----------
    draft
        The reader's; empty where there is none.
    document, drafted
        What a file would hold that says what is in force, and with the draft.
    faults
        What is wrong with the draft by now, as where others have published meanwhile.
    meanwhile
        Versions that came after the draft was begun.
    """

    settings: Settings
    draft: Draft
    document: Mapping[str, Any]
    drafted: Mapping[str, Any]
    faults: Sequence[str]
    versions: Sequence[Past]
    meanwhile: Sequence[Past]
    figure: FigureRow | None
    compared: Compared
    name: str

    @property
    def number(self) -> int:
        """Of the version in force."""
        return self.settings.source.number

    @property
    def over_the_file(self) -> list[Change]:
        """What is in force otherwise than the file says."""
        return changes_between(self.settings.source.document, self.document)

    @property
    def changes(self) -> list[Change]:
        """What the draft sets otherwise than what is in force."""
        return changes_between(self.document, self.drafted)

    def fields(self, section: str) -> list[Field]:
        """Return what can be edited in a section."""
        return fields_of(
            section, whole(self.document, self.settings), whole(self.drafted, self.settings), self.settings
        )

    def points(self) -> list[tuple[str, list[Field]]]:
        """Return the fields of points by scheme, that of the table itself under an empty name."""
        found: dict[str, list[Field]] = {}
        for field in self.fields("points"):
            found.setdefault(field.what, []).append(field)
        return list(found.items())

    def thresholds(self) -> list[dict[str, Any]]:
        """Return each threshold with its bounds as fields, and what it is worth where that is known."""
        fields = self.fields("thresholds")
        bounds = zip(fields[::2], fields[1::2], strict=True)
        schemes = [path[-1] for path, table in schemes_in(self.drafted) for _ in table.get("thresholds") or ()]
        found = []
        for scheme, (from_, below) in zip(schemes, bounds, strict=False):
            worth = self._worth(from_.in_force, below.in_force) if scheme == "points" else None
            found.append({"scheme": scheme, "from": from_, "below": below, "worth": worth})
        return found

    def _worth(self, from_: Any, below: Any) -> Mapping[str, Any] | None:
        told = () if self.figure is None else self.figure.body["thresholds"]
        return next((each for each in told if (each["from"], each["below"]) == (from_, below)), None)


def state_of(visit: Visit) -> RulesState:
    """Read everything; a few short reads.

    Raises
    ------
    StoreError
        Where the store cannot be read.
    """
    service, settings = visit.service, visit.service.settings
    draft = draft_of(service.store, visit.caller.key_id) if visit.caller.key_id else None
    draft = draft or Draft(settings.source.number)
    document = document_of(settings)
    drafted, _ = overlaid(document, draft.values)
    versions = _told(settings, settings_versions(service.store))
    name = name_of(settings.source.number, draft.values)
    return RulesState(
        settings=settings,
        draft=draft,
        document=document,
        drafted=drafted,
        faults=faults_of(settings, draft.values),
        versions=versions[:_SHOWN],
        meanwhile=[each for each in versions if each.row.number > draft.on] if draft.values else (),
        figure=latest_figure(service.store, FIGURES, visit.now + 1),
        compared=compared(settings.folder, name) if draft.values else Compared(),
        name=name,
    )


def faults_of(settings: Settings, values: Mapping[str, Any]) -> Sequence[str]:
    """Return what is wrong with values over those in force, in the settings' own sentences."""
    if not values:
        return ()
    try:
        with_draft(settings, values)
    except SettingsError as error:
        return error.complaints
    return ()


def _told(settings: Settings, versions: Sequence[SettingsVersion]) -> list[Past]:
    """Return versions with what each changed, the newest first."""
    before, found = settings.source.document, []
    for row in versions:
        after, _ = overlaid(settings.source.document, row.changes)
        found.append(Past(row, changes_between(before, after)))
        before = after
    return found[::-1]

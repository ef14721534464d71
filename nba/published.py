"""What marketing publishes over the settings file: which keys may be, and the settings that are in force with it."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nba.settings import Settings, SettingsError, parse_settings
from nba.settings.changes import overlaid, steps_of
from nba.settings.settings import read_document

if TYPE_CHECKING:
    from features.rows.row_types import SettingsVersion

SECTIONS = ("points", "actions", "segments", "content", "contact_policy", "ranking", "plan")
"""Sections whose values may be published: what marketing decides. Goals, stages and topics are what models learnt by;
the rest is about where and how the service runs, and for whom."""
_PLACE = re.compile(r"[.\[]")
_KEPT_BACK = "contact_policy.consent"
"""What the law decides stands in the file."""


def may_be_published(key: str) -> bool:
    """Whether a dotted key is one of those that may be published.

    Examples
    --------
    >>> [may_be_published(key) for key in ("points.kinds.visit", "contact_policy.consent.email", "store.url")]
    [True, False, False]
    """
    try:
        steps = steps_of(key)
    except ValueError:
        return False
    return len(steps) > 1 and steps[0] in SECTIONS and ".".join(map(str, steps[:2])) != _KEPT_BACK


def refused(keys: Sequence[str]) -> list[str]:
    """Return a sentence for each key that may not be published."""
    known = ", ".join(f"{name}.*" for name in SECTIONS)
    return [
        f"{key}: is not published; write it into the file. Published can be {known}, without {_KEPT_BACK}"
        for key in keys
        if not may_be_published(key)
    ]


def in_force(settings: Settings, version: SettingsVersion | None) -> Settings:
    """Return the settings of a file with a version over it.

    What of it does not fit the file any more is left aside, with a sentence in ``source.left_aside``: settings that
    somebody edited meanwhile are no reason for a service to be down.

    Parameters
    ----------
    settings
        As they were read from a file, whatever version is over them.
    version
        None: the file alone.
    """
    source = settings.source
    if version is None:
        return settings if source.number == 0 else with_values(settings, {})
    wanted = {key: value for key, value in version.changes.items() if may_be_published(key)}
    left_aside = refused([key for key in version.changes if key not in wanted])
    while True:
        document, faults = overlaid(source.document, wanted)
        left_aside += [f"{key}: {why}" for key, why in faults.items()]
        wanted = {key: value for key, value in wanted.items() if key not in faults}
        try:
            found = _parsed(settings, document)
            break
        except SettingsError as error:
            if not wanted:
                raise
            blamed = {key for complaint in error.complaints for key in to_blame(complaint, list(wanted))}
            left_aside += error.complaints
            wanted = {key: value for key, value in wanted.items() if key not in blamed}
    told = replace(source, number=version.number, changes=wanted, left_aside=tuple(dict.fromkeys(left_aside)))
    return replace(found, source=told)


def with_file_as_it_is(settings: Settings) -> Settings:
    """Return settings whose file is read again, as far as its values may be published.

    Whoever takes up a version compares with the same file as whoever made it: values that were written into the file
    are taken out of what is published over it. Everything else of a running service stays as it was at its start, and
    so does all of it where the file is faulty by now.
    """
    source = settings.source
    if source.path is None:
        return settings
    try:
        found = _without_what_stays(read_document(source.path)[0])
        stays = {name: value for name, value in source.document.items() if name not in SECTIONS}
        document = {**stays, **found}
        consent = source.document.get("contact_policy", {}).get("consent")
        if consent is not None:
            document["contact_policy"] = {**found.get("contact_policy", {}), "consent": consent}
        again = _parsed(settings, document)
    except SettingsError:
        return settings
    return replace(again, source=replace(source, document=document, number=0, changes={}, left_aside=()))


def _without_what_stays(document: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in document.items() if name in SECTIONS}
    policy = found.get("contact_policy")
    if isinstance(policy, dict):
        found["contact_policy"] = {name: value for name, value in policy.items() if name != "consent"}
    return found


def with_values(settings: Settings, values: Mapping[str, Any], number: int = 0) -> Settings:
    """Return the settings of a file with values over it, read as strictly as the file itself.

    Raises
    ------
    SettingsError
        A sentence for each key that may not be published or has no place, or else for each fault of what comes out.
    """
    document, faults = overlaid(settings.source.document, values)
    complaints = refused(list(values)) + [f"{key}: {why}" for key, why in faults.items()]
    if complaints:
        raise SettingsError(complaints)
    found = _parsed(settings, document)
    return replace(found, source=replace(settings.source, number=number, changes=dict(values), left_aside=()))


def document_of(settings: Settings) -> dict[str, Any]:
    """Return what a file would hold that says what is in force."""
    return overlaid(settings.source.document, settings.source.changes)[0]


def to_blame(complaint: str, keys: Sequence[str]) -> list[str]:
    """Return the keys that a complaint is about: at its place or around it, else the nearest beside it.

    Examples
    --------
    >>> to_blame("points.thresholds[2].below: does not lie above `from`", ["points.thresholds", "points.once"])
    ['points.thresholds']
    >>> to_blame("actions.gone.channel: is missing", ["actions.gone.cost", "actions.mail.cost"])
    ['actions.gone.cost']
    """
    place = _PLACE.split(complaint.partition(": ")[0])
    shared = {key: _shared(_PLACE.split(key), place) for key in keys}
    most = max(shared.values(), default=0)
    return [key for key, n in shared.items() if n == most]


def _shared(key: Sequence[str], place: Sequence[str]) -> int:
    pairs = enumerate(zip(key, place, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(key), len(place)))


def _parsed(settings: Settings, document: Mapping[str, Any]) -> Settings:
    found = parse_settings(copy.deepcopy(dict(document)), folder=settings.folder)
    # Where the store is has nothing to do with it, and the environment may say so.
    return replace(found, store=settings.store, mlflow=settings.mlflow)

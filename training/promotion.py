"""Which version serves, and changing it: tried first, audited, named in MLflow, installed here."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from features.errors import UserError
from features.store import audit
from features.store.store import Store
from models.local import install
from models.registry.registry import CHAMPION, PREVIOUS, Registry, RegistryError
from models.verify import verify
from nba.settings import Settings


def registry_of(settings: Settings) -> Registry:
    """Return the registry that the settings name."""
    return Registry(settings.mlflow.tracking_uri, settings.mlflow.model, settings.mlflow.artifacts)


def promote(settings: Settings, version: str, reason: str, by: str, now: int, bundle: Path | None = None) -> None:
    """Make a version the champion, in MLflow and on this machine.

    Parameters
    ----------
    version
        As it was published.
    reason, by
        Why, and whose doing.
    now
        Microseconds, for the audit log.
    bundle
        Folder of the version's bundle where it was verified already; else it is fetched and tried.

    Raises
    ------
    UserError
        Where no reason is given, there is no such version, or its bundle is no good; then nothing has changed.
    """
    if not reason.strip():
        raise RegistryError("a promotion needs a reason; say why this version shall serve")
    registry = registry_of(settings)
    with tempfile.TemporaryDirectory(prefix="nba-promotion-") as room:
        # What cannot be served must not become champion.
        folder = bundle or _tried(registry, version, Path(room))
        _audited(
            settings,
            ("promotion", version, reason, by, now),
            lambda entry: registry.promote(version, reason, by, audit=entry),
        )
        _install(settings, registry, version, folder)


def rollback(settings: Settings, reason: str, by: str, now: int) -> str:
    """Let the champion before serve again; returns its version.

    Raises
    ------
    UserError
        Where no reason is given, there is nothing to go back to, or its bundle is no good.
    """
    if not reason.strip():
        raise RegistryError("a rollback needs a reason; say why the champion shall not serve")
    registry = registry_of(settings)
    before, champion = registry.aliased(PREVIOUS), registry.aliased(CHAMPION)
    if before is None or before == champion:
        raise RegistryError(f"the model {settings.mlflow.model!r} has no version before the champion to go back to")
    version = before[0]
    with tempfile.TemporaryDirectory(prefix="nba-promotion-") as room:
        folder = _tried(registry, version, Path(room))
        _audited(
            settings,
            ("rollback", version, reason, by, now),
            lambda entry: registry.rollback(reason, by, audit=entry),
        )
        _install(settings, registry, version, folder)
    return version


def _tried(registry: Registry, version: str, room: Path) -> Path:
    folder = registry.fetch(version, room / "bundle")
    verify(folder)
    return folder


def _audited(settings: Settings, act: tuple[str, str, str, str, int], change: Callable[[str], object]) -> None:
    """Write down what is about to be done, do it, and write down where it failed.

    The entry comes first: whoever is stopped in between leaves an entry without a change, never a change without
    an entry.
    """
    what, version, reason, by, now = act
    subject = f"version {version} of {settings.mlflow.model}"
    with Store.open(settings.store.url) as store:
        with store.writing() as writing:
            entry = audit.append(writing, at=now, by=by, what=what, subject=subject, reason=reason)
        try:
            change(entry.hash)
        except UserError as fault:
            with store.writing() as writing:
                failed = {"entry": entry.number}
                audit.append(
                    writing, at=now, by=by, what=f"{what} failed", subject=subject, reason=str(fault), details=failed
                )
            raise


def _install(settings: Settings, registry: Registry, version: str, folder: Path) -> None:
    named = registry.champion()
    # Somebody else may have promoted another version meanwhile: theirs is the later word.
    if named is not None and named[0] == version:
        install(settings.folder, folder, version, named[1])

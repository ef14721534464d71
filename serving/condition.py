"""What is wrong with the service, part by part, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from features.store.store import StoreAwayError, StoreError
from serving.service import Service

Report = Callable[[Service], "Part"]


@dataclass(frozen=True)
class Part:
    """One part's condition.

    Attributes
    ----------
    facts
        For programs.
    wrong
        What is wrong, in a sentence; empty where nothing is.
    can_work
        Whether calls can be answered and kept all the same.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    wrong: str = ""
    can_work: bool = True


def conditions(service: Service) -> dict[str, Part]:
    """Look at every part."""
    return {name: look(service) for name, look in _LOOKS.items()}


def _store(service: Service) -> Part:
    try:
        with service.store.patience.within(_LOOK_SECONDS):
            service.store.decision("")
    except StoreAwayError as error:
        # What comes in meanwhile is kept, and decisions are made on what is remembered.
        return Part({"readable": False}, f"the store cannot be read: {error}", service.writer.report() is not None)
    except StoreError as error:
        return Part({"readable": False}, f"the store cannot be read: {error}", can_work=False)
    return Part({"readable": True})


def _keys(service: Service) -> Part:
    keys = service.keys
    if keys is None or keys.ring.is_whole:
        return Part({"state": "known"})
    if keys.open_nothing:
        said = "the keys are not known, because the store was away at the start; nobody is let in before it is back"
        return Part({"state": "unknown"}, said, can_work=False)
    said = "the store was away at the start; keys are those that were read before, newer ones are not known"
    return Part({"state": "remembered"}, said)


def _journal(service: Service) -> Part:
    found = service.writer.report()
    if found is None:
        return Part({"state": "off"})
    if found["state"] in ("full", "unusable"):
        return Part(
            found, f"the journal is {found['state']}; nothing is accepted before the store is back", can_work=False
        )
    sentences = list(found["for_other_stores"])
    if found["records"]:
        said = f"{found['records']:,} things wait in the journal for the store since {found['since']}"
        sentences.insert(0, said if found["state"] == "collecting" else f"{said}, which is taking them")
    return Part(found, "; ".join(sentences))


def _bundle(service: Service) -> Part:
    found = service.bundles.report()
    if found["refused"] is not None:
        return Part(found, f"a bundle was refused, and the one before serves: {found['refused']}")
    return Part(found)


_UNWELL = ("restarting", "registry away", "cannot install", "refused")


def _sync(service: Service) -> Part:
    if service.sync is None:
        return Part({"state": "off" if service.worker == 0 else "done by another worker"})
    found = service.sync.report()
    if found.get("state") in _UNWELL:
        return Part(found, f"newer bundles do not come: {found['state']}: {found.get('detail', 'no reason was told')}")
    return Part(found)


def _writer(service: Service) -> Part:
    waiting = service.writer.waiting
    if waiting >= _MANY:
        return Part({"waiting": waiting}, f"{waiting:,} things wait to be stored; the store is too slow for what comes")
    return Part({"waiting": waiting})


def _settings(service: Service) -> Part:
    source = service.settings.source
    facts = {"published": source.number}
    if source.left_aside:
        left = "; ".join(source.left_aside)
        return Part(facts, f"what was published does not fit the settings file any more and is left aside: {left}")
    return Part(facts)


_MANY = 1_000
_LOOK_SECONDS = 1.0

_LOOKS: dict[str, Report] = {
    "store": _store,
    "keys": _keys,
    "bundle": _bundle,
    "sync": _sync,
    "journal": _journal,
    "writer": _writer,
    "settings": _settings,
}

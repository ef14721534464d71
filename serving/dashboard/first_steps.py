"""First steps: what to load, send and type before the pages have something to show, and which of it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import Response

from features.store.filled import filled
from features.store.store import StoreError
from features.times import DAY, HOUR, iso
from serving.condition import Part, conditions
from serving.dashboard.pages import Page
from serving.dashboard.snippets import STEPS, Step, written
from serving.dashboard.visit import Visit
from serving.service import Service
from serving.standing import counts_in

PATH = "/first-steps"
MOST = 10_000
"""Rows are counted as far as this; beyond it is said that there are more."""


async def first_steps(visit: Visit) -> Response:
    """Show each step, and whether its data are there."""
    service = visit.service
    counts, parts = await asyncio.to_thread(_look, service)
    opened = dict(visit.menu)
    has_keys = bool(service.keys is not None and service.keys.ring.rows)
    base, at = str(visit.request.base_url).rstrip("/"), iso((visit.now - DAY) // HOUR * HOUR)
    steps = [_step(step, counts, opened, lambda text: written(text, base, at, has_keys)) for step in STEPS]
    following = next((step["name"] for step in steps if not step["is_done"]), None)
    return visit.shown(
        "first_steps.html",
        steps=steps,
        done=sum(step["is_done"] for step in steps),
        following=following,
        most=MOST,
        wrong=[part.wrong for part in parts.values() if part.wrong],
        settings=service.settings,
    )


def _look(service: Service) -> tuple[Mapping[str, int], Mapping[str, Part]]:
    parts = conditions(service)
    try:
        counts = filled(service.store, MOST + 1)
    except StoreError:
        # What is wrong with the store stands among the conditions.
        counts = {}
    return present(service, counts), parts


def present(service: Service, counts: Mapping[str, int | None]) -> Mapping[str, int]:
    """Return how many there are of what each step brings, by its name.

    Parameters
    ----------
    counts
        What the store holds; empty where it cannot be read.
    """
    settings, keys = service.settings, service.keys
    loaded = counts.get("loaded", 0)
    return {
        **{name: counts.get(name) or 0 for name in ("touchpoints", "contacts", "scores", "asked", "feedback")},
        "decisions": _counted_last(service) if loaded is None else loaded,
        "settings": len(settings.goals) if settings.actions else 0,
        "champion": int(service.bundles.current is not None),
        "keys": 0 if keys is None else sum(row.revoked_at is None for row in keys.ring.rows),
    }


def _counted_last(service: Service) -> int:
    """Return how many decisions out of files were counted last, where there are too many others to tell them now."""
    uses = (counts_in(service.settings.folder) or {"uses": ()})["uses"]
    return sum(row["decisions"] for row in uses if row["loaded"])


def _step(
    step: Step, counts: Mapping[str, int], opened: Mapping[str, str], fill: Callable[[str], str]
) -> dict[str, Any]:
    return {
        "name": step.name,
        "count": counts[step.name],
        "is_done": counts[step.name] > 0,
        "snippets": [(what, fill(text)) for what, text in step.snippets],
        "lights": [(path, opened[path]) for path in step.lights if path in opened],
    }


PAGES = (Page("first_steps", PATH, first_steps, title="first_steps", for_bound=False),)

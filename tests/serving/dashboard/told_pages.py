"""Which page has to show what, cell by cell."""

from __future__ import annotations

import tomllib
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from serving.dashboard.languages import words_of
from serving.dashboard.numbers import Numbers
from tests.serving.dashboard import told_counted, told_forecast, told_of_all, told_persons, told_pipeline
from tests.serving.dashboard.read_cells import Expected, plain
from tests.serving.dashboard.segmented import EVIL

FOLDER = Path("serving/dashboard/words")
TOLD = {
    "account": told_persons.account,
    "actions": told_of_all.actions,
    "classes": told_counted.classes,
    "contact": told_persons.contact,
    "forecast": told_forecast.forecast,
    "first-steps": told_persons.first_steps,
    "model": told_of_all.model,
    "partners": told_persons.partners,
    "pipeline": told_pipeline.pipeline,
    "rules": told_counted.rules,
    "segments": told_counted.segments,
    "today": told_persons.today,
}


def name_of(path: str) -> str:
    """Return what a page is called, by its address."""
    begin, _, rest = path.partition("?")[0].removeprefix("/").partition("/")
    return {"contacts": "contact", "accounts": "account"}.get(begin, begin) if rest else begin


def expected(world: Any, path: str, language: str) -> Expected | None:
    """Return what a page has to have; None where it is read by other tests."""
    name = name_of(path)
    if name not in TOLD or path == "/rules/comparison":
        return None
    return TOLD[name](
        world, path, words_of(name.replace("-", "_"), language), Numbers(language, ZoneInfo("UTC"), world.now)
    )


NAMES = {"account": "accounts", "contact": "contacts"}
"""What the addresses of pages begin with that are not called as they are."""


@cache
def _words(name: str, language: str) -> frozenset[str]:
    parts = (tomllib.loads((FOLDER / f"{part}.toml").read_text(encoding="utf-8")) for part in ("layout", name))
    return frozenset(plain(told[language]) for part in parts for told in part.values())


def said(where: str, path: str, language: str) -> bool:
    """Whether a text with a figure in it is the page's own, whatever the data are, or a name of somebody's."""
    name = name_of(path).replace("-", "_")
    return unescape(where) in _words(name, language) or EVIL in unescape(where)

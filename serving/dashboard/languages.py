"""The languages of the pages: which one a reader gets, and the words of each page in it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from models.saying.tongues import TONGUES

LANGUAGES = ("en", "de")
COOKIE = "nba_language"

_FOLDER = Path(__file__).parent / "words"
_COMMON = "layout"


def language_for(chosen: str | None, wished: str, usual: str) -> str:
    """Return the language of an answer.

    Parameters
    ----------
    chosen
        What the reader switched to; None or nonsense: nothing.
    wished
        The header ``Accept-Language``.
    usual
        The settings' ``serving.language``.

    Examples
    --------
    >>> language_for(None, "fr-CH, de;q=0.8, en;q=0.5", "en"), language_for("en", "de", "de")
    ('de', 'en')
    """
    if chosen in LANGUAGES:
        return chosen
    for wish in _wishes(wished):
        if wish in LANGUAGES:
            return wish
    return usual


def _wishes(header: str) -> Iterator[str]:
    """Languages without their countries, the most wanted first."""
    weighed = []
    for part in header[:500].split(","):
        name, _, weight = part.strip().partition(";q=")
        weighed.append((_number(weight), name.partition("-")[0].lower()))
    yield from (name for weight, name in sorted(weighed, key=lambda each: -each[0]) if weight > 0)


def _number(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


class Words(Mapping[str, str]):
    """The words of one page in one language, with those of every page; ``w.title`` is ``w["title"]``."""

    def __init__(self, found: Mapping[str, str], language: str) -> None:
        self._found = found
        self._kind = TONGUES[language].writers["did"]

    def __getitem__(self, name: str) -> str:
        return self._found[name]

    def __getattr__(self, name: str) -> str:
        try:
            return self._found[name]
        except KeyError:
            raise AttributeError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def named(self, begin: str, name: str | None) -> str:
        """Return the word for a name that programs use, such as the stage ``evaluate``.

        A name of the settings' own is shown as it stands there, without its underscores. Kinds of touchpoints are
        called what reasons call them.
        """
        if begin == "kind" and name is not None:
            return self._kind(name)
        return "" if name is None else self._found.get(f"{begin}_{name}") or name.replace("_", " ")


@cache
def words_of(page: str, language: str) -> Words:
    """Return the words of a page.

    Raises
    ------
    FileNotFoundError
        Where there are none for it.
    """
    found = {name: said[language] for part in (_COMMON, page) for name, said in _read(part).items()}
    return Words(found, language)


@cache
def _read(part: str) -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((_FOLDER / f"{part}.toml").read_text(encoding="utf-8"))

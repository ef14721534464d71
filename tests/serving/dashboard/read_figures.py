"""The figures of a page as a reader finds them, and those that the sources of a page can be written as."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from serving.dashboard.numbers import Numbers

_WORDS = Path("serving/dashboard/words")
_LEFT_OUT = ("pre", "code", "script", "option", "time", "nav", "footer", "header", "head")
"""What is there to be copied or chosen, and when a page is true."""
_MONTH = r"(?:Juni|Juli|März|Jan|Feb|Mar|Apr|May|Mai|Jun|Jul|Aug|Sep|Oct|Okt|Nov|Dec|Dez)\.?"
_MOMENTS = re.compile(
    rf"\d{{1,2}}\.?\s{_MONTH}(?:\s\d{{4}})?(?:,\s\d\d:\d\d)?|\d{{4}}-\d\d-\d\d(?:T[\d:.]+Z?)?"
    r"|(?:vor\s)?\d+\s(?:year|month|week|day|hour|minute|Jahr|Monat|Woche|Tag|Stunde|Minute)(?:e?n|e|s)?(?:\sago)?\b"
)
"""Days, times, and how long ago something was."""
_FIGURE = re.compile(r"\d[\d.,]*\d|\d")
_N = Numbers("en", ZoneInfo("UTC"), 0)


class Read(HTMLParser):
    """What stands in the middle of a page: pieces of text, and the cells of its tables by their captions."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self._open: list[tuple[str, str]] = []
        self._caption, self._rows = "", list[list[str]]()
        self.feed(page.partition("<main")[2].partition(">")[2].partition("</main>")[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a table, a row or a cell."""
        told = dict(attrs)
        if tag in ("input", "br", "link", "meta"):
            return
        self._open.append((tag, told.get("class") or ""))
        if tag == "table":
            self._caption, self._rows = "", []
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th") and self._rows:
            self._rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        """End a table."""
        while self._open and self._open.pop()[0] != tag:
            pass
        if tag == "table":
            self.tables[self._caption.strip()] = self._rows
            self._rows = []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Leave out what is drawn."""

    def handle_data(self, data: str) -> None:
        """Take note of what is read, but of ticks of an axis, which are nobody's figure."""
        tags = [tag for tag, _ in self._open]
        if any(tag in _LEFT_OUT for tag in tags) or ("text", "tick") in self._open:
            return
        if "caption" in tags:
            self._caption += data
        elif "td" in tags or "th" in tags:
            self._rows[-1][-1] += data
        self.texts.append(" ".join(data.split()))


def unexplained(page: str, name: str, sources: Any, more: Iterable[float] = (), language: str = "en") -> list[str]:
    """Return the figures of a page that no source of it tells, each with what stands around it.

    Parameters
    ----------
    name
        Of its words: figures that stand in these are explained.
    sources
        What programs and views are told, as JSON is.
    more
        Figures that are made of others.
    """
    leaves = list(_leaves(sources))
    allowed = {each for leaf in (*leaves, *more) if not isinstance(leaf, str) for each in spellings(leaf)}
    allowed |= _of_words(name, language)
    read = _plain(" | ".join(Read(page).texts))
    for text in sorted({each for each in leaves if isinstance(each, str)}, key=len, reverse=True):
        if _FIGURE.fullmatch(text):
            allowed.add(text)
        elif any(c.isdigit() for c in text):
            for said in (_plain(text), _plain(text).replace("_", " ")):
                read = re.sub(rf"(?<![\w.]){re.escape(said)}(?!\w)", "·", read)
    if language == "de":
        read = read.translate(str.maketrans(",.", ".,"))
    found = (each for each in _FIGURE.finditer(read) if each[0].rstrip(".,") not in allowed)
    return [f"{each[0]} in {read[max(each.start() - 40, 0) : each.end() + 20]!r}" for each in found]


def _plain(text: str) -> str:
    return _MOMENTS.sub("·", " ".join(text.split()))


def spellings(value: float) -> set[str]:
    """Return every way in which a page may write a number."""
    size = abs(value)
    if isinstance(value, int) or value == int(value):
        return {_N.number(size), _N.number(size, 1), _N.number(size, 2), *_percents(size)}
    found = {_N.number(size, digits) for digits in (1, 2, 3)} | {_N.short(size)} | _percents(size)
    return found | ({_N.number(size)} if size >= 1 else set())


def _percents(size: float) -> set[str]:
    return {_N.percent(size, digits).rstrip("%") for digits in (0, 1, 2)} if size <= 1 else set()


def _leaves(found: Any) -> Iterator[Any]:
    if isinstance(found, dict):
        for name, part in found.items():
            yield str(name)
            yield from _leaves(part)
    elif isinstance(found, (list, tuple)):
        for part in found:
            yield from _leaves(part)
    elif found is not None and not isinstance(found, bool):
        yield found


def _of_words(name: str, language: str) -> set[str]:
    said = [
        told[language]
        for part in ("layout", name)
        for told in tomllib.loads((_WORDS / f"{part}.toml").read_text(encoding="utf-8")).values()
    ]
    found = {each.rstrip(".,") for text in said for each in _FIGURE.findall(text)}
    return {each.translate(str.maketrans(",.", ".,")) for each in found} if language == "de" else found

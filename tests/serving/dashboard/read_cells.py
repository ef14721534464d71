"""A page as cells and lines: what stands in which place, so that each figure can be held against its source."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from itertools import zip_longest
from typing import NamedTuple

Table = tuple[str, list[list[str]]]
_LINES = ("p", "li", "dd", "dt", "h1", "h2", "h3", "summary", "legend", "label", "figcaption", "div")
_LEFT_OUT = ("pre", "option", "button")
"""What is there to be copied, chosen or pressed."""
Drawn = tuple[str, ...]
_TEXT = re.compile(r"(?<=>)[^<]*\d[^<]*(?=<)")
_DIGITS = re.compile(r"\d+")
_COPIED = re.compile(r"<(pre|option|button)\b[^>]*>(<code>)?[^<]*$")
_TICK = re.compile(r'<text class="tick"[^>]*>$')


class Expected(NamedTuple):
    """What a page has to have: all of its tables in their order, lines that are in it, and the figures in pictures."""

    tables: list[Table]
    lines: list[str]
    drawn: Sequence[Sequence[str]] = ()

    def wrong(self, page: str) -> list[str]:
        """Return what a page shows otherwise; empty: all of it is as its sources say."""
        found = Cells(page)
        names = [name for name, _ in found.tables]
        right = [(plain(name), [[plain(cell) for cell in row] for row in rows]) for name, rows in self.tables]
        wanted = [name for name, _ in right]
        if names != wanted:
            return [f"tables: {names} for {wanted}"]
        told = [
            f"{name}: {shown} for {row}"
            for (name, rows), (_, others) in zip(found.tables, right, strict=True)
            for shown, row in zip_longest(rows, others)
            if shown != row
        ]
        # Where lines are broken is a matter of looks.
        missing = Counter(map(_close, self.lines)) - Counter(map(_close, found.lines))
        pictures = {tuple(sorted(map(plain, each))) for each in self.drawn if each}
        # A picture is drawn for paper of more than one width.
        told += [f"drawn: {each}" for each in pictures ^ set(found.drawn)]
        return told + [f"no line {line!r}" for line in missing]


class Cells(HTMLParser):
    """The tables of a page with their captions, and everything else line by line.

    A line of a list of facts is its head and what stands beside it; what is written into a field is read as well.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[Table] = []
        self.lines: list[str] = []
        self.drawn: list[Drawn] = []
        self._picture: list[str] | None = None
        self._open: list[tuple[str, list[str]]] = [("div", [])]
        self._head = ""
        self.feed(middle(page))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line, a table, a row or a cell."""
        told = dict(attrs)
        if tag == "input" and told.get("type") in (None, "text", "search"):
            self.handle_data(told.get("value") or "")
        if tag == "br":
            self.handle_data(" ")
        if tag in ("input", "br", "link", "meta"):
            return
        if tag == "svg":
            self._picture = []
        if (tag, told.get("class")) == ("text", "tick"):
            tag = "tick"
        if tag == "table":
            self.tables.append(("", []))
        elif tag == "tr":
            self.tables[-1][1].append([])
        self._open.append((tag, []))

    def handle_endtag(self, tag: str) -> None:
        """End a line or a cell; what stands in anything smaller is of what is around it."""
        while len(self._open) > 1:
            name, parts = self._open.pop()
            if self._picture is None:
                self._end(name, parts)
            else:
                self._draw(name, "".join(parts))
            if name in (tag, "tick"):
                return

    def _draw(self, tag: str, text: str) -> None:
        """Take note of what a picture says in figures: what it shows stands around it, names may be cut."""
        if tag == "svg" and self._picture is not None:
            self.drawn += [tuple(sorted(self._picture))] * bool(self._picture)
            self._picture = None
        elif self._picture is not None and tag in ("text", "title"):
            said = text.strip().rpartition(" ")[2] if tag == "text" else text
            is_figure = any(c.isdigit() for c in said) and self._open[-1][0] != "svg"
            self._picture += [plain(said)] * (is_figure or (tag == "text" and any(c.isdigit() for c in said)))

    def _end(self, tag: str, parts: list[str]) -> None:
        text = plain(" ".join(parts) if tag in ("tr", "thead", "tbody") else "".join(parts))
        if tag in ("td", "th"):
            self.tables[-1][1][-1].append(text)
        elif tag == "caption":
            self.tables[-1] = (text, self.tables[-1][1])
        elif tag == "dt":
            self._head = text
        elif tag in _LINES:
            if text:
                self.lines.append(f"{self._head}: {text}" if tag == "dd" else text)
        elif tag not in _LEFT_OUT:
            self._open[-1][1].extend(parts)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Leave out what is drawn."""

    def handle_data(self, data: str) -> None:
        """Add to the line or the cell."""
        self._open[-1][1].append(data)


def middle(page: str) -> str:
    """Return what stands between head and foot of a page."""
    return page.partition("<main")[2].partition(">")[2].partition("</main>")[0]


def plain(text: str) -> str:
    """Return a text with one blank wherever there are some."""
    return " ".join(text.split())


def _close(text: str) -> str:
    return "".join(text.split())


def falsified(page: str) -> Iterator[tuple[str, str]]:
    """Make each figure that is read on a page another one, one at a time.

    Yields
    ------
    where, page
        What stands around the figure, and the page with it one higher.
    """
    text = middle(page)
    before = page.index(text)
    for part in _TEXT.finditer(text):
        head = text[max(part.start() - 300, 0) : part.start()]
        if _COPIED.search(head) or _TICK.search(head):
            continue
        for digits in _DIGITS.finditer(part[0]):
            at = before + part.start() + digits.start()
            other = digits[0][:-1] + str((int(digits[0][-1]) + 1) % 10)
            yield plain(part[0]), page[:at] + other + page[at + len(other) :]

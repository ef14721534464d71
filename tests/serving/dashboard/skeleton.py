"""What a browser makes of a page: its elements with their attributes, and apart from them what is read."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from urllib.parse import urlsplit

_ADDRESSES = ("href", "src", "action", "formaction", "hx-get", "hx-post", "poster", "data", "xlink:href")
_TEXTS = ("value", "title", "aria-label", "content", "data-who", "data-worker")
"""Attributes that hold what is read, and which may therefore say anything."""
_PLACES = ("x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "d", "points", "width", "height", "viewbox")
"""Attributes that say where something is drawn."""
_EMPTY = ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")


class Skeleton(HTMLParser):
    """The elements of a page, counted, and the pieces of text, counted.

    Attributes
    ----------
    elements
        How often there is each (path of elements, attributes): of addresses only their shape, of attributes that are
        read only that they are there.
    texts
        Each piece of text between elements, and each attribute that is read, without blanks around.
    dangers
        What a browser would run or fetch from elsewhere.
    addresses
        Where links and forms lead, and where scripts and pictures come from.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.texts: Counter[str] = Counter()
        self.dangers: list[str] = []
        self.addresses: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == [], f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of an element."""
        told = [self._attribute(tag, name, value or "") for name, value in attrs]
        self.elements[f"{'/'.join(self._open)}/{tag} {sorted(told)}"] += 1
        is_ours = tag == "script" and (dict(attrs).get("src") or "").startswith("/assets/")
        if (tag == "script" and not is_ours) or tag in ("img", "iframe", "object", "embed", "base"):
            self.dangers.append(f"{tag} {attrs}")
        if tag not in _EMPTY:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of an element of a picture."""
        self.handle_starttag(tag, attrs)
        if tag not in _EMPTY:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Leave an element, which must be the one that was begun last."""
        assert self._open and self._open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        """Take note of what is read."""
        if data.strip():
            self.texts[" ".join(data.split())] += 1

    def handle_comment(self, data: str) -> None:
        """Find a comment, of which our pages have none."""
        self.dangers.append(f"<!-- {data}")

    def unknown_decl(self, data: str) -> None:
        """Find a declaration."""
        self.dangers.append(f"<![{data}")

    def handle_pi(self, data: str) -> None:
        """Find an instruction."""
        self.dangers.append(f"<?{data}")

    def _attribute(self, tag: str, name: str, value: str) -> str:
        if name.startswith("on") or name == "style" or name.startswith(("hx-on", "data-hx")):
            self.dangers.append(f"{tag} {name}={value}")
        if name in _TEXTS:
            # Seals and the ids of notes are drawn anew for each page.
            self.texts[re.sub("^[0-9a-f]{32,}$", "drawn", " ".join(value.split()))] += 1
            return name
        if name in _PLACES and value.strip("0123456789., -MVHvh") == "":
            return name
        if name not in _ADDRESSES:
            return f"{name}={value}"
        self.addresses.append(value)
        return f"{name}={shape_of(value)}"


def shape_of(address: str) -> str:
    """Say where an address leads: within the service to which page, else with which program.

    Examples
    --------
    >>> shape_of("/contacts/crm%3A1?limit=9"), shape_of("mailto:a@b.example"), shape_of("#main")
    ('/contacts/* limit', 'mailto:', '#main')
    """
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return f"{parts.scheme}:{'' if parts.scheme else parts.netloc}"
    if not parts.path:
        return address
    first, *more = parts.path.removeprefix("/").split("/")
    asked = sorted(each.partition("=")[0] for each in parts.query.split("&") if each)
    return " ".join(["/".join(["", first, *("*" for _ in more)]), *asked])

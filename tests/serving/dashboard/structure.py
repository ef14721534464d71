"""What a page is made of, as those need it to whom it is read out."""

from __future__ import annotations

from html.parser import HTMLParser

_EMPTY = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_ASKED = {"input", "select", "textarea"}


class Structure(HTMLParser):
    """The elements of a page.

    Attributes
    ----------
    elements
        Each (name, attributes, elements around it) in their order; the last are (name, attributes).
    headings
        Levels, in their order.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], tuple[tuple[str, dict[str, str]], ...]]] = []
        self.headings: list[int] = []
        self._around: list[tuple[str, dict[str, str]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of an element."""
        found = {name: value or "" for name, value in attrs}
        self.elements.append((tag, found, tuple(self._around)))
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.headings.append(int(tag[1]))
        if tag not in _EMPTY:
            self._around.append((tag, found))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of an element of a picture."""
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Leave it."""
        if self._around and self._around[-1][0] == tag:
            self._around.pop()

    def count(self, *tags: str) -> int:
        """How many elements there are by these names."""
        return sum(tag in tags for tag, _, _ in self.elements)

    def faults(self) -> list[str]:
        """What keeps somebody from reading, by element."""
        found = [f"{self.count(tag)} of {tag}" for tag in ("h1", "main", "header", "footer") if self.count(tag) != 1]
        if self.headings[:1] != [1]:
            found.append("begins without its h1")
        found += [
            f"h{after} behind h{before}"
            for before, after in zip(self.headings, self.headings[1:], strict=False)
            if after > before + 1
        ]
        labelled = {given["for"] for tag, given, _ in self.elements if tag == "label" and "for" in given}
        names = [given["id"] for _, given, _ in self.elements if "id" in given]
        found += [f"the id {name} twice" for name in sorted({name for name in names if names.count(name) > 1})]
        for tag, given, around in self.elements:
            found += [f"{tag}: {why}" for why in _faults_of(tag, given, around, labelled)]
        return found


def _faults_of(
    tag: str, given: dict[str, str], around: tuple[tuple[str, dict[str, str]], ...], labelled: set[str]
) -> list[str]:
    found = [f"has the attribute {name}" for name in given if name == "style" or name.startswith("on")]
    if tag in ("style", "iframe") or (tag == "script" and "src" not in given):
        found.append("stands in the page")
    is_asked = tag in _ASKED and given.get("type") not in ("hidden", "submit") and "hidden" not in given
    in_label = any(name == "label" for name, _ in around)
    if is_asked and not (in_label or given.get("id") in labelled or "aria-label" in given):
        found.append(f"{given.get('name')} has no label")
    if tag == "table":
        regions = [each for _, each in around if "wide" in each.get("class", "").split()]
        if not any(each.get("role") == "region" and each.get("tabindex") == "0" for each in regions):
            found.append("scrolls in no region that the keyboard comes to")
        if not any(each.get("aria-label") or each.get("aria-labelledby") for each in regions):
            found.append("is in a region without a name")
    if tag == "th" and "scope" not in given:
        found.append("without a scope")
    if tag == "svg" and given.get("role") != "img" and given.get("aria-hidden") != "true":
        found.append("says nothing to those who do not see it")
    return found

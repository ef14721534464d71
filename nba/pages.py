"""Pages by their address, however it was written down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit


class Pages:
    """Finds what stands on a page.

    Scheme, ``www.``, upper and lower case and a slash at the end do not matter, an address without a host is one of
    the same site, and what stands behind ``?`` matters only where the page was given with it.

    Examples
    --------
    >>> pages = Pages([("guide", "https://www.example.com/Guide/"), ("faq", "/faq?id=7")])
    >>> list(pages.at("http://example.com/guide?from=mail#top")), list(pages.at("https://example.com/faq?id=8"))
    (['guide'], [])
    """

    def __init__(self, addresses: Iterable[tuple[str, str]]) -> None:
        self._by_path: dict[str, list[tuple[str, str, str]]] = {}
        for name, address in addresses:
            host, path, query = _parts(address)
            self._by_path.setdefault(path, []).append((host, query, name))

    def at(self, address: object) -> Iterator[str]:
        """Return the names of what stands at an address; nothing for what is none."""
        if isinstance(address, str) and self._by_path:
            host, path, query = _parts(address)
            for its_host, its_query, name in self._by_path.get(path, ()):
                if (not host or not its_host or host == its_host) and its_query in ("", query):
                    yield name


def _parts(address: str) -> tuple[str, str, str]:
    """Return host, path and query as they are compared."""
    try:
        found = urlsplit(address.strip())
    except ValueError:
        return "", address, ""
    return found.netloc.casefold().removeprefix("www."), found.path.casefold().rstrip("/"), found.query

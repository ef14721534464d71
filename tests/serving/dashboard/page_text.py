"""Reading a page as a test does."""

import re


def only(pattern: str, page: str, flags: int = 0) -> str:
    """What a pattern's one group finds, which is the same wherever it does."""
    [found] = set(re.findall(pattern, page, flags))
    return str(found)


def seal_in(page: str) -> str:
    """The seal that the page's forms carry; empty where there is no sign-in."""
    return only(r'name="seal" value="([0-9a-f]*)"', page)

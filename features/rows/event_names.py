"""Names of events as tracking clients give them, and the kinds that they become."""

from __future__ import annotations

import re

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_GAP = re.compile(r"[\W_]+")


def snake_case(name: str) -> str:
    """Return a name in small letters with _ between its words; one without letters and digits stays as it is.

    Examples
    --------
    >>> snake_case("Product Added"), snake_case("emailOpened"), snake_case("CTA Clicked"), snake_case("Größe!")
    ('product_added', 'email_opened', 'cta_clicked', 'größe')
    """
    return _GAP.sub("_", _HUMP.sub("_", name)).strip("_").lower() or name.strip()

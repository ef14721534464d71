"""Names under which the service keeps what a bound caller says of somebody who is not one of its contacts.

Its ``cookie:9f2`` is ``cookie:9f2@partner:north`` here: a contact of its own making. Whether somebody else has a
contact that is called ``cookie:9f2`` makes no difference, so nobody can find that out, nor change what others know.
"""

from __future__ import annotations

import hashlib
from urllib.parse import quote

from features.store.own_names import MARKS
from nba.partners.visibility import Viewer

LONGEST = 700
"""How many bytes of UTF-8 such a name has at most; a longer one is told by its hash."""


def own_name(viewer: Viewer, name: str) -> str:
    """Return the viewer's own name for what is called ``name``.

    Examples
    --------
    >>> own_name(Viewer(partner="north"), "cookie:9f2")
    'cookie:9f2@partner:north'
    >>> own_name(Viewer(partner="north"), "cookie:9f2@partner:north")
    'cookie:9f2@partner:north'
    >>> own_name(Viewer(), "cookie:9f2")
    'cookie:9f2'
    """
    mark = _mark(viewer)
    if not mark or name.endswith(mark):
        return name
    if len((name + mark).encode("utf-8", "surrogatepass")) > LONGEST:
        kind = name.partition(":")[0][:20]
        name = f"{kind}:{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()}"
    return name + mark


def is_own(viewer: Viewer, name: str) -> bool:
    """Whether a name is one of the viewer's own.

    Examples
    --------
    >>> is_own(Viewer(partner="north"), "c1@partner:north"), is_own(Viewer(partner="south"), "c1@partner:north")
    (True, False)
    """
    mark = _mark(viewer)
    return bool(mark) and name.endswith(mark)


def _mark(viewer: Viewer) -> str:
    if viewer.partner is not None:
        return f"{MARKS[0]}{quote(viewer.partner, safe='')}"
    return "" if viewer.owner is None else f"{MARKS[1]}{quote(viewer.owner, safe='')}"

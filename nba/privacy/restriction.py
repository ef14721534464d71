"""Restriction: a person's data are kept, and nothing is worked out from them or recommended until it is lifted."""

from __future__ import annotations

import orjson

from features.rows.row_types import TouchpointRow
from features.store import erasing
from features.store.store import Store
from nba.consent import RESTRICTED, UNRESTRICTED
from nba.privacy.person import Person, check_not_erased, check_reason
from nba.privacy.trail import noted

SOURCE = "privacy"
"""Where touchpoints come from that a person's right was exercised by."""


def restrict(store: Store, person: Person, *, reason: str, by: str, now: int, lift: bool = False) -> None:
    """Restrict the processing of a person's data from now on, or lift the restriction.

    It is a touchpoint as consent is, so that it holds from its moment on for requests, scores and training alike. What
    the last scoring found is forgotten.

    Parameters
    ----------
    now
        Microseconds.

    Raises
    ------
    UserError
        Where the reason is missing or names the person.
    ErasedPersonError
        Where the person was erased.
    """
    why = check_reason(reason, person)
    kind = UNRESTRICTED if lift else RESTRICTED
    properties = orjson.dumps({"by": by, "reason": why}, option=orjson.OPT_SORT_KEYS).decode()
    row = TouchpointRow(
        person.contact.contact_id,
        now,
        f"{kind}:{now}",
        kind,
        direction="inbound",
        properties=properties,
        source=SOURCE,
    )
    with store.writing() as writing:
        check_not_erased(writing, person.contact.contact_id)
        writing.touchpoints([row])
        if not lift:
            erasing.unscore(writing, person.identities)
        noted(writing, person, "restriction lifted" if lift else "restriction", reason=why, by=by, at=now)

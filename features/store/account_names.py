"""Names of accounts in their order, for who must not tell by what is read whether there is one of a name."""

from __future__ import annotations

from sqlalchemy import text

from features.store.dialect import Sql
from features.store.reading import Reading

_FROM, _BEFORE = (
    Sql(
        text(
            f"SELECT DISTINCT account, identity FROM account_members WHERE account {compared} :a AND known_at < :b "
            "ORDER BY account, identity LIMIT :c"
        )
    )
    for compared in (">=", "<")
)


def members_from(reading: Reading, account: str, before: int, most: int) -> list[tuple[str, str]]:
    """Return accounts with their identities, from a name on and round to it again, so many of them if there are.

    As many come for a name that no account has, and they are read in the same way.

    Returns
    -------
    list of (account, identity)
        Those of an account with this name come first.
    """
    found = reading._all(_FROM, (account, before, most))
    found += reading._all(_BEFORE, (account, before, most - len(found)))
    return [(name, identity) for name, identity in found]

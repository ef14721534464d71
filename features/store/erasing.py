"""Erasing people from the store: their rows go, their decisions lose the name, and tombstones refuse what comes again.

A contact's rows are found by its identities alone, however large the store; only the quarantine, whose rows have no
name that could be looked up, is read as a whole.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import orjson
from sqlalchemy import Column, Table, bindparam, delete, select, text

from features.rows.row_types import DecisionRow, RecordRow
from features.store import tables, tombstones
from features.store.dialect import Sql
from features.store.mentions import Mentions
from features.store.own_names import own_names_of
from features.store.tombstones import decision_name, digest_of
from features.store.values import json_of
from features.store.writing import Writing

EVER = 2**63 - 1
PSEUDONYM = "erased:"
"""What the names begin with that decisions of erased people are kept under."""

_Names = Sequence[str]


def _gone(table: Table, *columns: Column[object]) -> Sql:
    return Sql(delete(table).where(*(column == bindparam(f"n{i}") for i, column in enumerate(columns))))


_T = tables
_BY_NAME: Mapping[str, tuple[Sql, ...]] = {
    "touchpoints": (_gone(_T.TOUCHPOINTS, _T.TOUCHPOINTS.c.identity),),
    "traits": (_gone(_T.CONTACTS, _T.CONTACTS.c.identity),),
    "links": (_gone(_T.LINKS, _T.LINKS.c.identity_a), _gone(_T.LINKS, _T.LINKS.c.identity_b)),
    "splits": (_gone(_T.SPLITS, _T.SPLITS.c.identity_a), _gone(_T.SPLITS, _T.SPLITS.c.identity_b)),
    "sights": (
        _gone(_T.OWNER_SIGHTS, _T.OWNER_SIGHTS.c.identity),
        _gone(_T.OWNER_SIGHTS, _T.OWNER_SIGHTS.c.contact_id),
    ),
    "scores": (_gone(_T.SCORES, _T.SCORES.c.contact_id),),
}
_UNSEEN = (_gone(_T.PACKED, _T.PACKED.c.identity), _gone(_T.LINK_ENDS, _T.LINK_ENDS.c.identity))
_ENDS = Sql(select(_T.LINK_ENDS.c.other).distinct().where(_T.LINK_ENDS.c.identity == bindparam("a")))
_END = _gone(_T.LINK_ENDS, _T.LINK_ENDS.c.identity, _T.LINK_ENDS.c.other)
_MEMBER = _gone(_T.ACCOUNT_MEMBERS, _T.ACCOUNT_MEMBERS.c.account, _T.ACCOUNT_MEMBERS.c.identity)
_OWNED = _gone(_T.ASSET_OWNERS, _T.ASSET_OWNERS.c.owner_kind, _T.ASSET_OWNERS.c.owner)
_ASSET = _gone(_T.RECORDS, _T.RECORDS.c.table_name, _T.RECORDS.c.key, _T.RECORDS.c.known_at)
_DISOWN = Sql(text('UPDATE records SET body = :b WHERE table_name = :t AND "key" = :k AND known_at = :at'))
_REPEAT = _gone(_T.DECISIONS, _T.DECISIONS.c.decision_id)
_PSEUDONYMISE = Sql(
    text(
        "UPDATE decisions SET decision_id = :a, identity = :b, terms = :c, properties = NULL, topics = NULL, "
        "answer = NULL, request_hash = NULL, features_sha = NULL WHERE decision_id = :d"
    )
)
_OUTCOME = Sql(
    text("UPDATE outcomes SET feedback_id = :a, decision_id = :b, note = NULL, reason = NULL WHERE feedback_id = :c")
)
_NO_OUTCOME = _gone(_T.OUTCOMES, _T.OUTCOMES.c.feedback_id)
_WAITING = ("feedback_id", "decision_id", "note", "reason")
_PENDING = Sql(select(*(_T.OUTCOMES.c[name] for name in _WAITING)).where(_T.OUTCOMES.c.pending))
_NAMING = Sql(text("SELECT at, body FROM figures WHERE name = 'missed'"))
_NAME_LESS = Sql(text("UPDATE figures SET body = :b WHERE name = 'missed' AND at = :at"))
"""The figures that name contacts."""
_QUARANTINE = Sql(select(_T.QUARANTINE.c.number, _T.QUARANTINE.c.raw, _T.QUARANTINE.c.reason))


def bury(writing: Writing, names: Iterable[str], at: int) -> None:
    """Put up tombstones: from the end of this transaction on, nothing of these identities is taken in.

    Parameters
    ----------
    names
        Identities, or what ``decision_name`` makes of a decision's id.
    at
        When, in microseconds; of several times the first stays.
    """
    if tombstones.key_of(writing.seen) is None:
        writing._many(tombstones.INSERT_KEY, [(tombstones.new_key(),)])
    writing.erased.again()
    key = writing.erased.key
    if key is None:
        raise ValueError("a store without a key for its tombstones can bury nobody")
    writing._many(tombstones.INSERT, [(digest_of(key, name), at) for name in sorted(set(names))])


def erase(
    writing: Writing, identities: _Names, words: Collection[str], at: int, own: Callable[[str], bool] | None = None
) -> dict[str, int]:
    """Remove every row of these identities, and their names from decisions, which are kept to judge policies by.

    Parameters
    ----------
    identities
        All of one contact; their tombstones stand already. What bound callers keep of it under names of their own
        goes too.
    words
        Texts that name the person besides: refused rows that hold one of them, in whatever letters, go too.
    at
        When, in microseconds.
    own
        For whoever sees some contacts only: whether a name was given by this side. Refused rows that hold none of
        these names and feedback of others stay, because they may be anybody's. None: for whoever sees everybody.

    Returns
    -------
    How many rows of each kind were removed or, of decisions and outcomes, changed.
    """
    found: Counter[str] = Counter()
    identities = (*identities, *own_names_of(writing.seen, identities))
    one = [(name,) for name in identities]
    accounts = _accounts(writing, identities)
    found["decisions"], found["outcomes"] = _pseudonymised(writing, identities, at)
    for kind, statements in _BY_NAME.items():
        found[kind] = sum(writing._many(statement, one) for statement in statements)
    ends = [(other, name) for name in identities for (other,) in writing.seen._all(_ENDS, (name,))]
    writing._many(_END, ends)
    for statement in _UNSEEN:
        writing._many(statement, one)
    writing._many(_MEMBER, [(account, name) for account in accounts for name in identities])
    _without_figures(writing, identities)
    found["assets"] = _without_assets(writing, identities)
    found["quarantine"] = _without_refused(writing, identities, words, own)
    found["outcomes"] += _without_waiting(writing, Mentions(identities, words), own)
    found.pop("sights")
    return dict(found)


def unscore(writing: Writing, identities: _Names) -> None:
    """Forget what the last scoring of everybody found of a contact."""
    for statement in _BY_NAME["scores"]:
        writing._many(statement, [(name,) for name in identities])
    _without_figures(writing, identities)


def _without_figures(writing: Writing, identities: _Names) -> None:
    """Take contacts out of lists that are kept with figures."""
    for at, raw in writing.seen._all(_NAMING):
        body = orjson.loads(raw)
        left = [name for name in body["contacts"] if name not in identities]
        if len(left) < len(body["contacts"]):
            writing._many(_NAME_LESS, [(orjson.dumps({**body, "contacts": left}).decode(), at)])


def _accounts(writing: Writing, identities: _Names) -> list[str]:
    """Return every account that a contact was ever said to belong to."""
    bodies = (row.body for name in identities for row in writing.seen.traits_of(name, EVER))
    return sorted({account for body in bodies if isinstance(account := body.get("account"), str)})


def _pseudonymised(writing: Writing, identities: _Names, at: int) -> tuple[int, int]:
    # One name for all decisions of a contact: what one contact does hangs together, and intervals are made by it.
    name = f"{PSEUDONYM}{secrets.token_hex(12)}"
    rows = [row for each in identities for row in writing.seen.decisions_of(each, EVER)]
    outcomes = 0
    for row in rows:
        new = secrets.token_hex(16)
        known = writing.seen.outcomes_of(row.decision_id)
        outcomes += len(known)
        if row.chances is None and row.probability is None:
            # Nobody can judge a policy by it.
            writing._many(_REPEAT, [(row.decision_id,)])
            writing._many(_NO_OUTCOME, [(each.feedback_id,) for each in known])
            continue
        writing._many(_OUTCOME, [(secrets.token_hex(16), new, each.feedback_id) for each in known])
        writing._many(_PSEUDONYMISE, [(new, name, _numbers(row), row.decision_id)])
    bury(writing, [decision_name(row.decision_id) for row in rows], at)
    if rows:
        bury(writing, [name], at)
    return len(rows), outcomes


def _numbers(row: DecisionRow) -> str | None:
    """Return the terms of a decision as far as they are numbers."""
    if row.terms is None:
        return None
    told = {
        action: {name: value for name, value in terms.items() if isinstance(value, int | float)}
        for action, terms in row.terms.items()
        if isinstance(terms, Mapping)
    }
    return json_of(told)


def _without_assets(writing: Writing, identities: _Names) -> int:
    """Remove devices of theirs; those that are an account's too stay the account's."""
    changed = 0
    for name in identities:
        for row in writing.seen.assets_of("identity", name, EVER):
            if row.body.get("identity") == name:
                changed += _disowned(writing, row)
        writing._many(_OWNED, [("identity", name)])
    return changed


def _disowned(writing: Writing, row: RecordRow) -> int:
    if row.body.get("account"):
        body = {name: value for name, value in row.body.items() if name != "identity"}
        return writing._many(_DISOWN, [(json_of(body), "assets", row.key, row.known_at)])
    return writing._many(_ASSET, [("assets", row.key, row.known_at)])


def _without_refused(writing: Writing, names: _Names, words: Collection[str], own: Callable[[str], bool] | None) -> int:
    if own is None:
        all_of_it = Mentions(names, words)
        numbers = [
            number
            for number, raw, reason in writing.seen._stream(_QUARANTINE, ())
            if all_of_it.are_in(raw) or all_of_it.are_in_reason(reason)
        ]
    else:
        # Who brought a row is not on record.
        told = Mentions(filter(own, names))
        numbers = [number for number, raw, _ in writing.seen._stream(_QUARANTINE, ()) if told.are_what_it_is_about(raw)]
    writing.release(numbers)
    return len(numbers)


def _without_waiting(writing: Writing, mentions: Mentions, own: Callable[[str], bool] | None) -> int:
    """Remove feedback on decisions that are not known, where it names somebody."""
    rows = [row for row in writing.seen._all(_PENDING) if own is None or own(row[0])]
    named = [row[0] for row in rows if mentions.are_in(json_of(dict(zip(_WAITING, row, strict=True))))]
    return writing._many(_NO_OUTCOME, [(each,) for each in named])

"""Correction: a trait gets another value from now on; what was known before stays known as of then."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from features.errors import UserError
from features.rows.cells import RowError
from features.rows.row_types import ContactRow
from features.rows.rows import contact_row
from features.rows.schema import CONTACTS
from features.store.reading import Reading
from features.store.store import Store
from nba.contact_traits import traits_of
from nba.privacy.person import EVER, Person, check_not_erased, check_reason
from nba.privacy.trail import noted

_OURS = ("identity", "known_at")
_WHOSE = ("partner", "owner", "account")


@dataclass(frozen=True)
class Correction:
    """What was known of each trait before, and what is now."""

    before: Mapping[str, object]
    now: Mapping[str, object]


def correct(
    store: Store,
    person: Person,
    values: Mapping[str, object],
    *,
    reason: str,
    by: str,
    now: int,
    own: Callable[[str], bool] | None = None,
) -> Correction:
    """Set traits from now on.

    The old values stay as what was known until now, because decisions were made by them; only erasure takes them away.

    Parameters
    ----------
    values
        Trait to its right value, as a file of contacts would have it.
    now
        Microseconds.
    own
        For whoever sees some contacts only: whether a name was given by this side. Whose contact somebody is, it
        cannot tell. None: for whoever sees everybody.

    Raises
    ------
    UserError
        For a value that is no trait's or not the caller's to set, and where the reason is missing or names the person.
    ErasedPersonError
        Where the person was erased.
    """
    why = check_reason(reason, person)
    if not values:
        raise UserError("set: is empty; name a trait with its right value, such as country=CH")
    complaints = [f"{name}: is not a trait; correct it where it comes from" for name in values if name in _OURS]
    complaints += [f"{name}: is empty; give the right value" for name, value in values.items() if value in (None, "")]
    if complaints:
        raise UserError(complaints)
    identity = _best_known(store, person)
    try:
        row = contact_row({**values, "identity": identity, "known_at": now // 1000}, now_us=now, zone=None)
    except RowError as error:
        raise UserError(f"set: {error}") from error
    traits = traits_of(store, person.identities, EVER)
    if own is not None:
        _check_whose(row.body, [traits, traits_of(store, person.identities, now)], own)
    before = {name: traits.get(name) for name in row.body}
    with store.writing() as writing:
        check_not_erased(writing, identity)
        writing.contacts(_from_now_on(writing.seen, person, row, now))
        noted(writing, person, "correction", reason=why, by=by, at=now, details={"traits": sorted(row.body)})
    return Correction(before, dict(row.body))


def _from_now_on(store: Reading, person: Person, row: ContactRow, now: int) -> list[ContactRow]:
    """Lay out a correction so that it holds from now on, also where another value is known for a later moment."""
    told = [each for name in person.identities for each in store.traits_of(name, EVER)]
    rows = [row._replace(known_at=now)]
    for name, value in row.body.items():
        latest = max((each.known_at for each in told if name in each.body), default=now - 1)
        if latest >= now:
            rows.append(row._replace(known_at=latest + 1, body={name: value}))
    return rows


def _check_whose(body: Mapping[str, object], held: Sequence[Mapping[str, object]], own: Callable[[str], bool]) -> None:
    """Refuse what would make the contact somebody else's, or show an account of others with it."""
    told = [name for name in _WHOSE if name in body and any(each.get(name) != body[name] for each in held)]
    faults = [
        f"{name}: {body[name]!r} is not for this key to set, because it sees some contacts only; leave {name} out, "
        "or ask for a key of the whole house to set it"
        for name in told
        if name != "account" or not own(str(body[name]))
    ]
    if faults:
        raise UserError(faults)


def _best_known(store: Store, person: Person) -> str:
    """Return the identity that traits are known of; the contact's name where none are."""
    known = [name for name in person.identities if store.is_contact(name, EVER)]
    name = person.contact.contact_id
    return name if name in known or not known else known[0]


def is_shown_column(name: str) -> bool:
    """Whether a trait is one of the columns that the contract names, whose text stays text."""
    return name in CONTACTS.names

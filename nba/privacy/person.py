"""Whose rights they are: a contact with all its identities, and the words that name it."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from features.errors import UserError
from features.identity.members import Contact, members_of
from features.lake.history import has_touchpoints
from features.store.mentions import names_any
from features.store.reading import Reading
from features.store.tombstones import Erased
from features.store.writing import Writing
from features.times import iso
from features.touchpoints.touchpoints import TouchpointRules

EVER = 2**62
_NAMING = ("name", "email", "phone", "crm_url")
_SHORTEST = 4


class UnknownPersonError(UserError):
    """Nothing is known under an identity."""


class ErasedPersonError(UserError):
    """Somebody was erased, so that nothing can be kept of them."""


@dataclass(frozen=True)
class Person:
    """A contact as it is known now.

    Attributes
    ----------
    asked
        The identity that was asked about.
    contact
        Its name, its identities, and why they are one.
    words
        What names the person besides: names, addresses and numbers that were ever known.
    was_erased
        Whether it was erased before.
    """

    asked: str
    contact: Contact
    words: frozenset[str] = frozenset()
    was_erased: bool = False

    @property
    def identities(self) -> tuple[str, ...]:
        """All of them, in order of name."""
        return self.contact.members


def person_of(store: Reading, identity: str, rules: TouchpointRules) -> Person:
    """Find a person by any identity.

    Raises
    ------
    UnknownPersonError
        Where nothing is known, and nothing was erased, under this identity.
    """
    contact = members_of(store, identity, EVER, rules)
    if is_known(store, contact):
        bodies = [row.body for each in contact.members for row in store.traits_of(each, EVER)]
        told = {str(body[name]).strip() for body in bodies for name in _NAMING if body.get(name)}
        return Person(identity, contact, frozenset(word for word in told if len(word) >= _SHORTEST))
    if Erased(store).among([identity]):
        return Person(identity, contact, was_erased=True)
    raise UnknownPersonError(f"nothing is known of {identity!r}; name an identity as its source spells it")


def is_known(store: Reading, contact: Contact) -> bool:
    """Whether there is anything about a contact in the store or its lakes."""
    return any(
        store.is_contact(each, EVER)
        or store.links_of(each, EVER, 1)
        or store.decisions_of(each, EVER)
        or store.scores_of(each) is not None
        or store.assets_of("identity", each, EVER)
        or has_touchpoints(store, each)
        for each in contact.members
    )


def check_reason(reason: str | None, person: Person) -> str:
    """Return the reason for an act, which the audit log keeps for ever.

    Raises
    ------
    UserError
        Where there is none, or it names the person.
    """
    said = (reason or "").strip()
    if not said:
        raise UserError('reason: is missing; say why, such as "asked by letter"')
    if names_any(orjson.dumps(said).decode(), {*person.identities, person.asked}, person.words):
        raise UserError("reason: names the person, and the audit log keeps it for ever; say why without the name")
    return said


def check_not_erased(writing: Writing, identity: str) -> None:
    """Refuse an act about somebody who was erased: the store would take nothing of it, and the log would have it.

    Raises
    ------
    ErasedPersonError
        Where the identity has a tombstone.
    """
    if writing.erased.among([identity]):
        raise ErasedPersonError(
            "the person was erased: nothing is kept under this identity any more, so nothing can be corrected or "
            "restricted; who comes back has another identity, name that one"
        )


def since(us: int) -> str | None:
    """Spell a moment; None for what is taken as always known."""
    return None if abs(us) >= EVER else iso(us)

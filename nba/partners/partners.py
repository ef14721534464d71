"""Whose contact somebody is, and by which terms: the partner's own row, else the settings.

A contact belongs to the partner that its trait ``partner`` names, from the moment that this was known, while the
partner's agreement is in force; ``features.partners`` tells the same of many moments at once. Somebody of the
partner's own account is a customer like any other, and nobody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from features.times import DAY, parse_duration
from nba.settings.people import LONGEST_VETO_US, MODES, Partners
from nba.tables.tables import Partner

if TYPE_CHECKING:
    from features.store.store import Store

PARTNER_ONLY, PARTNER_FIRST, INFORM, _ = MODES

VETO_US = 7 * DAY
"""How long a partner has to act or to object before the owner may, where its row does not say (``veto``).

A row that says what is no duration, or too long a one, gives it ``LONGEST_VETO_US``."""

EVERYTHING = "contact"
COUNTS = "aggregate"


@dataclass(frozen=True)
class Agreement:
    """The partner that looks after a contact now, and by which terms."""

    partner: Partner
    mode: str
    visible: frozenset[str] | None
    """Which parts of its contacts the owner sees; None: everything, empty: nothing of a single contact."""
    veto_us: int

    @property
    def name(self) -> str:
        """The partner's key."""
        return self.partner.partner


def agreement(
    traits: Mapping[str, Any], partners: Mapping[str, Partner], settings: Partners, as_of: int
) -> Agreement | None:
    """Say whose contact somebody is at ``as_of``; None: the owner's.

    Parameters
    ----------
    traits
        What was known of the contact before ``as_of``.
    partners
        The table as it was known before ``as_of``. Who is not in it looks after its contacts without an end.

    Examples
    --------
    >>> north = Partner("north", agreement_to=50, mode="inform")
    >>> found = agreement({"partner": "north"}, {"north": north}, Partners(), 49)
    >>> found.name, found.mode, found.visible
    ('north', 'inform', frozenset())
    >>> agreement({"partner": "north"}, {"north": north}, Partners(), 50) is None
    True
    """
    named = traits.get("partner")
    if named is None or named == "":
        return None
    partner = partners.get(str(named)) or Partner(str(named))
    if not in_force(partner, as_of) or _is_own(traits, partner):
        return None
    return Agreement(partner, mode_of(partner, settings), visible_of(partner, settings), veto_of(partner))


def known_partners(store: Store, before: int) -> list[str]:
    """Name the partners that the table ``partners`` or any contact named strictly before a moment, sorted."""
    listed = {row.key for row in store.record_rows("partners", before)}
    # Who is not in the table looks after its contacts all the same.
    return sorted(listed | {str(named) for row in store.contact_rows(before) if (named := row.body.get("partner"))})


def in_force(partner: Partner, as_of: int) -> bool:
    """Whether ``as_of`` lies in the partner's agreement, ``[agreement_from, agreement_to)``."""
    begins, ends = partner.agreement_from, partner.agreement_to
    return (begins is None or begins <= as_of) and (ends is None or as_of < ends)


def mode_of(partner: Partner, settings: Partners) -> str:
    """Who acts; a mode that there is not protects most."""
    mode = partner.mode or settings.mode
    return mode if mode in MODES else PARTNER_ONLY


def visible_of(partner: Partner, settings: Partners) -> frozenset[str] | None:
    """Which parts of the partner's contacts the owner sees; None: everything, empty: nothing of a single one."""
    listed = frozenset(partner.visible if partner.visible is not None else (settings.visible_to_owner,))
    return None if EVERYTHING in listed else listed - {COUNTS}


def veto_of(partner: Partner) -> int:
    """Microseconds that the partner has before the owner may act."""
    said = partner.more.get("veto")
    if said is None or said == "":
        return VETO_US
    try:
        return min(parse_duration(str(said)), LONGEST_VETO_US)
    except ValueError:
        return LONGEST_VETO_US


def _is_own(traits: Mapping[str, Any], partner: Partner) -> bool:
    return partner.account is not None and traits.get("account") == partner.account

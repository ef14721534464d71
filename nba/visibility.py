"""Who may see what of a contact that a partner looks after.

The owner's side sees of a partner's contacts what the partner's terms list: its column ``visible``, else
``[partners] visible_to_owner``. ``contact`` is everything, ``aggregate`` nothing of a single contact, neither its row
nor its name. Other entries are parts of what is shown (``PARTS``) or single columns; whoever lists one lets it be seen
that there is such a contact. A partner sees its own contacts only, from the moment they are its own, and somebody who
sells sees those that name it as their ``owner``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nba.partners import Agreement, agreement
from nba.past import Past
from nba.settings.people import Partners
from nba.tables import Partner

FEWEST = 5
"""The smallest number of contacts that are counted together; fewer would tell of single ones."""

ALWAYS_SHOWN = ("contact_id", "as_of")

PARTS: Mapping[str, str] = {
    "stage_by_rule": "stage",
    "stage_by_topic": "stage",
    "drivers": "propensities",
    "expected_value": "recommendations",
    "removed": "recommendations",
    "left": "recommendations",
    "again_at": "recommendations",
    "do_nothing": "recommendations",
    "links": "identities",
    "touchpoints": "timeline",
}
"""The part that a column belongs to, where it is not its own; so do ``p_...`` to propensities, ``action_...`` and
``priority_...`` to recommendations."""


@dataclass(frozen=True)
class Viewer:
    """Who looks: a partner, somebody of the owner's who sells, or with neither the owner's side as a whole."""

    partner: str | None = None
    owner: str | None = None


OWNER_SIDE = Viewer()


@dataclass(frozen=True)
class Sight:
    """What a viewer sees of one contact."""

    parts: frozenset[str] | None
    """None: everything; empty: not even that there is such a contact."""
    is_told: bool = False
    """Whether, all the same, the viewer is told what it may do itself for a contact that it asks about."""

    @property
    def is_whole(self) -> bool:
        """Whether everything is seen."""
        return self.parts is None

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is seen of the single contact."""
        return self.parts is not None and not self.parts

    def shows(self, column: str) -> bool:
        """Whether a column, or key of an answer, is seen.

        Examples
        --------
        >>> sight = Sight(frozenset({"stage", "p_churn"}))
        >>> sight.shows("stage_by_rule"), sight.shows("p_churn"), sight.shows("p_conversion"), sight.shows("name")
        (True, True, False, False)
        """
        if self.parts is None:
            return True
        if not self.parts:
            return False
        return column in ALWAYS_SHOWN or column in self.parts or _part_of(column) in self.parts


WHOLE = Sight(None)
NOTHING = Sight(frozenset())


def sight_of(
    viewer: Viewer, traits: Mapping[str, Any], partners: Mapping[str, Partner], settings: Partners, as_of: int
) -> Sight:
    """Say what a viewer sees of a contact at ``as_of``.

    Parameters
    ----------
    traits, partners
        What was known of the contact, and the table, before ``as_of``.

    Examples
    --------
    >>> traits = {"partner": "north"}
    >>> sight_of(OWNER_SIDE, traits, {}, Partners(), 0).is_nothing
    True
    >>> sight_of(Viewer(partner="north"), traits, {}, Partners(), 0).is_whole
    True
    >>> sight_of(Viewer(partner="south"), traits, {}, Partners(), 0).is_nothing
    True
    """
    return sight_by(viewer, traits, agreement(traits, partners, settings, as_of))


def sight_by(viewer: Viewer, traits: Mapping[str, Any], agreed: Agreement | None) -> Sight:
    """Say what a viewer sees of a contact with these terms; None: it is the owner's."""
    if viewer.partner is not None:
        return WHOLE if agreed is not None and agreed.name == viewer.partner else NOTHING
    if viewer.owner is not None and str(traits.get("owner") or "") != viewer.owner:
        return NOTHING
    if agreed is None or agreed.visible is None:
        return WHOLE
    return Sight(agreed.visible, is_told=True)


def sight_in(viewer: Viewer, past: Past, settings: Partners, as_of: int) -> Sight:
    """Say what a viewer sees of the contact whose past was read for ``as_of``."""
    partners = past.around.tables().partners if past.traits.get("partner") else {}
    return sight_of(viewer, past.traits, partners, settings, as_of)


def may_see(
    viewer: Viewer, traits: Mapping[str, Any], partners: Mapping[str, Partner], settings: Partners, as_of: int
) -> bool:
    """Whether a viewer may see that there is such a contact; the parameters are those of ``sight_of``."""
    return not sight_of(viewer, traits, partners, settings, as_of).is_nothing


def seen(record: Mapping[str, Any], sight: Sight) -> dict[str, Any] | None:
    """Return a record with null for what is not seen; None where not even the record is.

    Examples
    --------
    >>> seen({"contact_id": "ann", "stage": "use", "name": "Ann Lee"}, Sight(frozenset({"stage"})))
    {'contact_id': 'ann', 'stage': 'use', 'name': None}
    >>> seen({"contact_id": "ann", "stage": "use"}, NOTHING) is None
    True
    """
    if sight.is_nothing:
        return None
    return {name: value if sight.shows(name) else None for name, value in record.items()}


def counted(n: int) -> int | None:
    """Return how many contacts there are where they may be counted together; None where they are too few.

    Examples
    --------
    >>> counted(5), counted(4)
    (5, None)
    """
    return n if n >= FEWEST else None


def _part_of(column: str) -> str:
    if column.startswith("p_"):
        return "propensities"
    if column.startswith(("action_", "priority_")):
        return "recommendations"
    return PARTS.get(column, column)

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

from nba.partners.partners import Agreement, agreement
from nba.past import Past
from nba.settings.people import Partners
from nba.tables.tables import Partner

FEWEST = 5
"""The smallest number of contacts that are counted together; fewer would tell of single ones."""

_STAGE, _POINTS, _CHANCES, _OFFERS = "stage", "points", "propensities", "recommendations"
_WHY = "reasons"
_TOPICS = "interests"
_OWNED = "assets"

PARTS = (
    _STAGE, _POINTS, "segments", _CHANCES, _OFFERS, _WHY, _TOPICS, _OWNED, "timeline", "identities", "account",
)  # fmt: skip
"""What terms may list, beside single columns. ``reasons`` is what led to a number: sentences, drivers, terms."""

FIELDS: Mapping[str, tuple[str, ...]] = {
    "decision_id": (), "contact_id": (), "as_of": (), "degraded": (), "mode": (), "model_version": (),
    "stage": (_STAGE,),
    "stage_by_rule": (_STAGE,),
    "stage_by_topic": (_STAGE, _TOPICS),
    "segments": ("segments",),
    "propensities": (_CHANCES,),
    "propensities.*.probability": (_CHANCES,),
    "propensities.*.grade": (_CHANCES,),
    "propensities.*.risk": (_CHANCES,),
    "propensities.*.trend": (_CHANCES,),
    "propensities.*.trend_why": (_CHANCES,),
    "propensities.*.for": (_CHANCES, _WHY),
    "propensities.*.against": (_CHANCES, _WHY),
    "points": (_POINTS,),
    "points.total": (_POINTS,),
    "points.actions": (_POINTS,),
    "points.log": (_POINTS,),
    "points.fit": (_POINTS,),
    "points.schemes": (_POINTS,),
    "recommendations": (_OFFERS,),
    **{
        f"recommendations.{name}": (_OFFERS,)
        for name in (
            "rank", "action", "channel", "executor", "goal", "inform", "not_before", "valid_until", "priority",
            "probability", "evidence", "terms.lever", "terms.context", "terms.cost",
        )
    },
    "recommendations.terms.propensity": (_OFFERS, _CHANCES, _WHY),
    "recommendations.terms.without_action": (_OFFERS, _CHANCES, _WHY),
    "recommendations.terms.value": (_OFFERS, _CHANCES, _WHY),
    "recommendations.reasons": (_OFFERS, _WHY),
    "recommendations.topic": (_OFFERS, _TOPICS),
    "recommendations.event_id": (_OFFERS, _TOPICS),
    "recommendations.content_id": (_OFFERS, _TOPICS),
    "recommendations.product_id": (_OFFERS, _TOPICS, _OWNED),
    "recommendations.asset_id": (_OFFERS, _OWNED),
    "do_nothing": (_OFFERS,),
    "again_at": (_OFFERS,),
    "holdout": (_OFFERS,),
    "removed": (_OFFERS,),
    "removed.action": (_OFFERS,),
    "removed.rule": (_OFFERS,),
    "removed.detail": (_OFFERS, _WHY),
    "left": (_OFFERS,),
    "drivers": (_CHANCES, _WHY),
    # of a profile
    "identities": ("identities",), "links": ("identities",), "account": ("account",), "partner": (),
    "interests": (_TOPICS,), "touchpoints": ("timeline",), "timeline": ("timeline",),
    # of a file of scores
    "p_*": (_CHANCES,), "expected_value": (_OFFERS,), "action_*": (_OFFERS,), "priority_*": (_OFFERS,),
    # of a row of a plan
    **{
        f"plan.{name}": (_OFFERS,)
        for name in (
            "rank", "contact_id", "executor", "action", "channel", "not_before", "priority", "evidence", "lever",
            "context", "cost",
        )
    },
    "plan.account": ("account",), "plan.owner": ("owner",), "plan.partner": ("partner",),
    "plan.topic": (_OFFERS, _TOPICS), "plan.event_id": (_OFFERS, _TOPICS), "plan.content_id": (_OFFERS, _TOPICS),
    "plan.product_id": (_OFFERS, _TOPICS, _OWNED), "plan.asset_id": (_OFFERS, _OWNED),
    "plan.propensity": (_OFFERS, _CHANCES, _WHY),
    "plan.without_action": (_OFFERS, _CHANCES, _WHY),
    "plan.value": (_OFFERS, _CHANCES, _WHY),
    "plan.reasons": (_OFFERS, _WHY),
    # of a row of what-if
    **{f"whatif.{name}": (_OFFERS,) for name in ("contact_id", "from", "to", "first", "moments")},
}  # fmt: skip
"""What must be listed, all of it, for a field to be seen. Empty: that there is such a contact; a ``*`` stands for any
name. What is not here is seen by nobody whose sight is partial."""

CARRIES_TRAIT = frozenset({"points.fit", "recommendations.terms.cost", "plan.cost"})
"""Fields whose number may stand for a trait's value: the trait has to be listed, too."""

UNKNOWN = "\0"
"""Where nobody said which trait it is."""

_BRANCHES = frozenset(field[:at] for field in FIELDS for at, letter in enumerate(field) if letter == ".")


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

    def shows(self, field: str, trait: str | None = UNKNOWN) -> bool:
        """Whether a field is seen, named as in ``FIELDS``.

        Parameters
        ----------
        trait
            Of a field in ``CARRIES_TRAIT``: the trait whose value it stands for; None: for none.

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
        if field in self.parts:
            return True
        if field in CARRIES_TRAIT and trait is not None and trait not in self.parts:
            return False
        needs = needs_of(field)
        return needs is not None and self.parts.issuperset(needs)


def needs_of(field: str) -> tuple[str, ...] | None:
    """Say what must be listed for a field to be seen; None where nobody said it.

    Examples
    --------
    >>> needs_of("stage_by_topic"), needs_of("propensities.*.for"), needs_of("p_churn"), needs_of("name")
    (('stage', 'interests'), ('propensities', 'reasons'), ('propensities',), None)
    """
    if field in FIELDS:
        return FIELDS[field]
    family, _, name = field.partition("_")
    return () if field in _BRANCHES else FIELDS.get(f"{family}_*") if name else None


def part_of(field: str, name: str) -> str:
    """Name a part of a field as ``FIELDS`` does.

    Examples
    --------
    >>> part_of("propensities", "churn"), part_of("points", "fit")
    ('propensities.*', 'points.fit')
    """
    return f"{field}.*" if f"{field}.*" in _BRANCHES else f"{field}.{name}"


def has_parts(field: str) -> bool:
    """Whether a field is seen part by part."""
    return field in _BRANCHES


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

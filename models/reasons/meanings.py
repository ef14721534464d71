"""What the columns of a feature set are about: those of one meaning give one reason together."""

from __future__ import annotations

from dataclasses import dataclass

from features.catalogue import ACCOUNT, OVERALL, OWN, PER_CHANNEL, PER_KIND, PER_TOPIC, Feature
from features.feature_set import REST, FeatureSet, TraitColumn
from models.saying.english import one


@dataclass(frozen=True)
class Meaning:
    """What columns are about: ``what`` in general, and ``of`` which kind, channel, topic or trait."""

    what: str
    of: str | None = None

    def __str__(self) -> str:
        """Words for a report.

        Examples
        --------
        >>> str(Meaning("kind", "service_call")), str(Meaning("trait", "industry")), str(Meaning("rhythm"))
        ('touchpoints of kind service call', 'trait industry', 'rhythm of touchpoints')
        """
        said = _SAID[self.what]
        if self.of is None:
            return said
        return f"{said} {one(self.of)}" if self.of != REST else f"other {said.removesuffix(' of kind')}"


@dataclass(frozen=True)
class Column:
    """A column of a matrix: its meaning, the catalogue's name for all like it, and the trait it holds."""

    name: str
    means: Meaning
    like: str
    trait: TraitColumn | None = None


_SAID = {
    "kind": "touchpoints of kind",
    "channel": "channel",
    "topic": "topic",
    "activity": "activity",
    "recency": "last activity",
    "tenure": "time since the first touchpoint",
    "rhythm": "rhythm of touchpoints",
    "trend": "rise and fall of activity",
    "season": "activity a year ago",
    "variety": "variety of channels and kinds",
    "interests": "breadth of interests",
    "money": "purchases",
    "returns": "returns",
    "attention": "time spent",
    "answers": "answers to us",
    "approaches": "how often we approached",
    "points": "points",
    "account": "activity of the account",
    "account people": "people of the account",
    "account money": "purchases of the account",
    "account approaches": "how often we approached the account",
    "account interests": "interests of the account",
    "action": "what the action is like",
    "action before": "earlier actions of this type",
    "match": "how the action fits the contact's interests",
    "trait": "trait",
    "property": "property of the action",
    "stage": "stage of the journey",
}

_OVERALL = {
    "tenure_days": "tenure",
    "recency_inbound_days": "recency",
    "recency_outbound_days": "approaches",
    "inbound_share_90d": "activity",
    "n_season_30d": "season",
    "n_channels": "variety",
    "main_channel_share": "variety",
    "n_kinds": "variety",
    "n_outbound": "approaches",
    "n_inbound": "activity",
    "active_days": "activity",
    "faded_inbound": "activity",
    "trend": "trend",
    "change": "trend",
    "gap": "rhythm",
    "interest": "interests",
    "n_topics": "interests",
    "recency_new_topic": "interests",
    "n_orders": "money",
    "recency_order": "money",
    "revenue": "money",
    "margin": "money",
    "returns": "returns",
    "n_returns": "returns",
    "dwell": "attention",
    "n_answered": "answers",
    "answer_rate": "answers",
    "recency_answer": "answers",
    "points": "points",
    "account_n_contacts": "account people",
    "account_n_roles": "account people",
    "account_arrival_rank": "account people",
    "account_is_first": "account people",
    "account_n_outbound": "account approaches",
    "account_recency_outbound": "account approaches",
    "account_recency_answer": "account approaches",
    "account_recency_order": "account money",
    "account_n_orders": "account money",
    "account_revenue": "account money",
    "account_interest": "account interests",
    "account_others_interest": "account interests",
    "account_n_topics": "account interests",
    "account": "account",
    "own_type_": "action before",
    "own_answered_overlap": "action before",
    "own_match": "match",
    "own": "action",
}
"""Meaning by how a name begins; of several that fit the longest counts."""


def meaning_of(feature: Feature) -> Meaning:
    """Tell the meaning of a feature that stands once for everybody; a new one is like what its name begins with."""
    fits = [begin for begin in _OVERALL if feature.name.startswith(begin)]
    return Meaning(_OVERALL[max(fits, key=len)] if fits else "activity")


def columns_of(features: FeatureSet) -> tuple[Column, ...]:
    """Tell what each column of a feature set is about, in its order."""
    found = [
        *_named("kind", (*features.kinds, REST), PER_KIND),
        *_named("channel", (*features.channels, REST), PER_CHANNEL),
        *_named("topic", (*features.topics, REST), PER_TOPIC),
        *(Column(f.name, meaning_of(f), f.name) for f in OVERALL),
    ]
    of_trait = {f.name: t for f, t in zip(features.trait_features, features.traits, strict=True)}
    single = {f.name for f in (*ACCOUNT, *OWN)}
    for feature in features.features[len(found) :]:
        name, trait = feature.name, of_trait.get(feature.name)
        if trait is not None:
            found.append(Column(name, Meaning("trait", trait.name), "trait", trait))
        elif name.startswith("own_number_") and name not in single:
            number = name.removeprefix("own_number_")
            found.append(Column(name, Meaning("property", number), "number"))
        else:
            found.append(Column(name, Meaning("stage") if name == "stage" else meaning_of(feature), name))
    return tuple(found)


def _named(what: str, names: tuple[str, ...], like: tuple[Feature, ...]) -> list[Column]:
    return [
        Column(
            feature.name.format(name),
            # Answers to a kind of ours tell of answers, not of what we sent.
            Meaning("answers") if feature.name.startswith("answer_rate") else Meaning(what, name),
            feature.name,
        )
        for name in names
        for feature in like
    ]

"""The fixed-width set of features that is chosen at training and written into the bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from features.catalogue import (
    ACCOUNT,
    NUMBER,
    OVERALL,
    OWN,
    OWN_CHANNEL,
    OWN_TYPE,
    PER_CHANNEL,
    PER_KIND,
    PER_TOPIC,
    STAGE,
    TRAIT,
    TRAIT_DATE,
    Feature,
)
from features.errors import UserError
from features.times import DAY
from features.topics import TopicRule
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints

REST = "(other)"
"""The column for everything that was too rare to have one of its own, and for what is first seen later."""

MOST_KINDS, MOST_CHANNELS, MOST_TOPICS, MOST_CATEGORIES = 12, 8, 12, 30


class FeatureSetError(UserError):
    """A feature set was made for another catalogue than this one."""


@dataclass(frozen=True)
class TraitColumn:
    """A trait as a column: ``type`` is number, boolean, date or category (with its most frequent values)."""

    name: str
    type: str
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class PointWeights:
    """The points baseline as the kernel needs it: a weight per kind, those that count once, and their fading."""

    kinds: Mapping[str, float] = field(default_factory=dict)
    once: tuple[str, ...] = ()
    half_life: int | None = None


@dataclass(frozen=True)
class FeatureSet:
    """Which columns a matrix has, and what is needed to fill them.

    ``numbers`` are the numeric properties of a row's own touchpoint; ``types`` and ``own_channels`` code its type
    and channel. Without ``own`` the matrix has no columns about a row's own touchpoint or action, without ``account``
    none about the account of the contact. The column of ``stage`` is NaN until who has learnt the stages fills it in.
    """

    kinds: tuple[str, ...]
    channels: tuple[str, ...]
    topics: tuple[str, ...]
    rules: TouchpointRules = field(default_factory=TouchpointRules)
    points: PointWeights = field(default_factory=PointWeights)
    topic_half_life: int = 30 * DAY
    traits: tuple[TraitColumn, ...] = ()
    account: bool = False
    stage: bool = False
    own: bool = False
    types: tuple[str, ...] = ()
    own_channels: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()

    @cached_property
    def kind_codes(self) -> dict[str, tuple[int, int, float]]:
        """What kinds met so far mean to the kernel; contacts have them in other orders, but they have the same."""
        return {}

    @cached_property
    def channel_slots(self) -> dict[tuple[str, ...], Any]:
        """What lists of channels met so far mean, so that a request need not look them up again; see ``encode``."""
        return {}

    @cached_property
    def topic_codes(self) -> dict[tuple[str, ...], Any]:
        """What lists of topics met so far mean; see ``encode``."""
        return {}

    @cached_property
    def sizes(self) -> tuple[int, int, int]:
        """How many kinds, channels and topics have columns, the rest included."""
        return len(self.kinds) + 1, len(self.channels) + 1, len(self.topics) + 1

    @cached_property
    def rates(self) -> tuple[float, float]:
        """Fading of topics and of points per microsecond, 1 / half-life; 0 never fades."""
        half_life = self.points.half_life
        return 1.0 / self.topic_half_life, 0.0 if half_life is None else 1.0 / half_life

    @cached_property
    def history(self) -> tuple[Feature, ...]:
        """The columns that the kernel fills from a contact's history, in its order."""
        return (
            *(f.named(kind) for kind in (*self.kinds, REST) for f in PER_KIND),
            *(f.named(channel) for channel in (*self.channels, REST) for f in PER_CHANNEL),
            *(f.named(topic) for topic in (*self.topics, REST) for f in PER_TOPIC),
            *OVERALL,
        )

    @cached_property
    def trait_features(self) -> tuple[Feature, ...]:
        """The columns of traits."""
        return tuple((TRAIT_DATE if t.type == "date" else TRAIT).named(t.name) for t in self.traits)

    @property
    def stage_features(self) -> tuple[Feature, ...]:
        """The column of the learnt stage; none without ``stage``."""
        return (STAGE,) if self.stage else ()

    @property
    def account_features(self) -> tuple[Feature, ...]:
        """The columns about the contact's account; none without ``account``."""
        return ACCOUNT if self.account else ()

    @cached_property
    def own_features(self) -> tuple[Feature, ...]:
        """The columns about a row's own touchpoint or action; none without ``own``."""
        if not self.own:
            return ()
        return (*OWN, OWN_TYPE, OWN_CHANNEL, *(NUMBER.named(name) for name in self.numbers))

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """Every column, in the matrix's order: history, traits, stage, account, own."""
        return (
            *self.history,
            *self.trait_features,
            *self.stage_features,
            *self.account_features,
            *self.own_features,
        )

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in the matrix's order."""
        return tuple(f.name for f in self.features)

    @cached_property
    def categorical(self) -> tuple[str, ...]:
        """Names of the columns whose numbers are codes of categories."""
        traits = tuple(f.name for f, t in zip(self.trait_features, self.traits, strict=True) if t.type == "category")
        return (*traits, *((OWN_TYPE.name, OWN_CHANNEL.name) if self.own else ()))

    def to_json(self) -> dict[str, Any]:
        """Plain data for the bundle's manifest."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        plain["rules"] = {name: getattr(self.rules, name) for name in self.rules.__dataclass_fields__}
        for name in ("rates", "kinds"):
            plain["rules"][name] = dict(getattr(self.rules, name))
        plain["rules"]["topic_rules"] = [asdict(rule) for rule in self.rules.topic_rules]
        plain["points"] = {
            "kinds": dict(self.points.kinds),
            "once": self.points.once,
            "half_life": self.points.half_life,
        }
        plain["traits"] = [asdict(t) for t in self.traits]
        plain["columns"] = list(self.columns)
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> FeatureSet:
        """Read what ``to_json`` wrote.

        Raises
        ------
        FeatureSetError
            Where this version's catalogue gives other columns than those that were written down.
        """
        plain = dict(plain)
        columns = plain.pop("columns", None)
        given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()}
        rules: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in plain["rules"].items()}
        rules["topic_rules"] = tuple(
            TopicRule(**{**rule, "contains": tuple(rule["contains"])}) for rule in rules.get("topic_rules", ())
        )
        points = plain["points"]
        given["rules"] = TouchpointRules(**rules)
        given["points"] = PointWeights(dict(points["kinds"]), tuple(points["once"]), points["half_life"])
        given["traits"] = tuple(TraitColumn(t["name"], t["type"], tuple(t["categories"])) for t in plain["traits"])
        read = cls(**given)
        _check_columns(columns, read.columns)
        return read


def _check_columns(written: Sequence[str] | None, known: Sequence[str]) -> None:
    if written is not None and list(written) == list(known):
        return
    unlike = sorted(set(written or ()) ^ set(known)) or ["their order"]
    said = "says nothing of its columns" if written is None else f"differs in {len(unlike)} columns ({unlike[0]} ...)"
    raise FeatureSetError(
        f"this feature set {said} and was made for another catalogue of features; "
        "retrain with `nba train run`, or serve the bundle with the version that made it"
    )


def choose(
    touchpoints: Touchpoints,
    *,
    rules: TouchpointRules,
    points: PointWeights | None = None,
    topic_half_life: int = 30 * DAY,
    before: int,
    sharing: int = 1,
) -> FeatureSet:
    """Choose the most frequent kinds, channels and topics among touchpoints strictly before ``before``.

    Ties are broken by name, so that the same data give the same columns in any order of arrival.

    Parameters
    ----------
    sharing
        Contacts that a topic must be shared by: a topic of a few would tell of them wherever columns are listed.
    """
    known = touchpoints.occurred_at < before
    event_of_topic = np.repeat(np.arange(len(touchpoints)), np.diff(touchpoints.topic_start))
    event_of_topic, topic = event_of_topic[known[event_of_topic]], touchpoints.topic[known[event_of_topic]]
    if sharing > 1:
        contacts = _contacts_of(topic, touchpoints.contact[event_of_topic], len(touchpoints.topics))
        topic = topic[contacts[topic] >= sharing]
    return FeatureSet(
        kinds=most_frequent(touchpoints.kind[known], touchpoints.kinds, MOST_KINDS),
        channels=most_frequent(touchpoints.channel[known], touchpoints.channels, MOST_CHANNELS),
        topics=most_frequent(topic, touchpoints.topics, MOST_TOPICS),
        rules=rules,
        points=points or PointWeights(),
        topic_half_life=topic_half_life,
    )


def _contacts_of(topic: np.ndarray[Any, Any], contact: np.ndarray[Any, Any], topics: int) -> np.ndarray[Any, Any]:
    """Count the contacts of each topic, shape (topics,)."""
    pairs = np.unique(contact.astype(np.int64) * max(topics, 1) + topic)
    return np.bincount(pairs % max(topics, 1), minlength=topics)


def most_frequent(codes: np.ndarray[Any, Any], names: Sequence[str], most: int) -> tuple[str, ...]:
    """At most ``most`` names by falling frequency, ties by name; -1 and the name of the rest count for nothing."""
    counts = np.bincount(codes[codes >= 0], minlength=len(names)) if len(names) else np.zeros(0, dtype=np.int64)
    found = [i for i in range(len(names)) if counts[i] and names[i] != REST]
    order = sorted(found, key=lambda i: (-int(counts[i]), names[i]))
    return tuple(names[i] for i in order[:most])

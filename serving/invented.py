"""A contact that nobody is: whatever is compiled, imported or looked up at first use is used on it first.

A request that came upon the compiler would be answered after its deadline, and so by points without a model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import orjson
from numpy.typing import NDArray

from features.accounts import Groups
from features.feature_set import FeatureSet
from features.matrix import History
from features.times import DAY
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints, TouchpointTuple
from models.belief import Belief
from models.estimate import Candidate
from nba.actions import Catalogue
from nba.draw import Draw
from nba.engine import decide
from nba.past import Past
from nba.request import Request

NAME, COLLEAGUE, ACCOUNT = "invented:1", "invented:2", "invented"
_USUAL = ("visit", "order")
_SECRET = b"invented"


def estimate_once(belief: Belief, now: int) -> None:
    """Ask a belief for everything it can tell: of one action and of several, with reasons, with an account."""
    features = belief.features
    traits = {column.name: column.categories[0] if column.categories else 1 for column in features.traits}
    for candidates in _candidates(belief):
        for touchpoints in _histories(features.kinds, features.rules, now, features.channels, features.topics):
            belief.estimate(touchpoints, traits, now, candidates, explain=True, account=_account)


def decide_once(catalogue: Catalogue, now: int) -> None:
    """Decide about a contact with a past and about one without, and lay the answers out."""
    settings, draw = catalogue.settings, Draw(_SECRET)
    request = Request(contact=NAME, explain=True)
    for touchpoints in _histories(tuple(settings.points.kinds), settings.touchpoints, now):
        decide(request, Past(touchpoints), None, catalogue, now, draw).to_json()


def _candidates(belief: Belief) -> Iterator[Sequence[Candidate]]:
    """Actions as requests have them: first one of each goal, then several, known to the models and unknown."""
    for most in (1, 3):
        yield tuple(
            Candidate(action=name, channel=None, goal=goal)
            for goal in belief.goals
            for name in [*_learnt_actions(belief, goal), *_USUAL][:most]
        )


def _learnt_actions(belief: Belief, goal: str) -> list[str]:
    own, effects = belief.own_features.get(goal), belief.bundle.effects.get(goal)
    return [*(() if own is None else own.types[:2]), *(() if effects is None else effects.names[:1])]


def _histories(
    kinds: Sequence[str],
    rules: TouchpointRules,
    now: int,
    channels: Sequence[str] = (),
    topics: Sequence[str] = (),
) -> Iterator[Touchpoints]:
    """Yield nothing, a past of which next to nothing is told, and one of which everything is, in no order of time."""
    yield Touchpoints.from_rows((), rules)
    kinds = [*_USUAL, *kinds]
    yield Touchpoints.from_rows([_bare(kind, now - (n + 1) * DAY) for n, kind in enumerate(kinds)], rules)
    told = orjson.dumps([*topics, "invented/topic"]).decode()
    channel = next(iter(channels), "web")
    theirs = [_told(kind, now - (n + 1) * DAY, channel, told) for n, kind in enumerate(kinds)]
    ours = [_told(kind, now - (n + 9) * DAY, channel, told) for n, kind in enumerate([*rules.outbound, *kinds])]
    yield Touchpoints.from_rows([*theirs, *((*row[:5], "outbound", *row[6:]) for row in ours)], rules)


def _bare(kind: str, at: int) -> TouchpointTuple:
    return (NAME, at, f"{at}", kind, *[None] * 10)


def _told(kind: str, at: int, channel: str, topics: str) -> TouchpointTuple:
    value = at % 7 + 1.0
    return (NAME, at, f"{at}", kind, channel, None, topics, value, None, value, value, f"d{at}", kind, '{"n":1}')


def _account(features: FeatureSet, as_of: int) -> NDArray[np.float32]:
    """Return the columns about an account of two."""
    rules, since = features.rules, as_of - 90 * DAY
    mine = [_told("visit", as_of - DAY, "web", '["invented/topic"]'), _bare("order", as_of - 2 * DAY)]
    theirs = [(COLLEAGUE, *row[1:]) for row in mine]
    history = History(Touchpoints.joined([Touchpoints.from_rows(each, rules) for each in (mine, theirs)]), features)
    groups = Groups.of(
        [(name, since, {"account": ACCOUNT}) for name in (NAME, COLLEAGUE)], history.touchpoints.contacts, crowded={}
    )
    out = np.empty((1, len(features.account_features)), dtype=np.float32)
    me = np.array([groups.code(NAME)], dtype=np.int64)
    history.fill_account(groups, me, np.array([as_of], dtype=np.int64), out, threads=1)
    return out.ravel()

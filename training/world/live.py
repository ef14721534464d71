"""The journey world lived day by day, where somebody else may choose the actions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.times import DAY
from training.world.chances import Chances
from training.world.days import Choose, Days
from training.world.journey import JourneyWorld
from training.world.people import People, people
from training.world.rows import Columns
from training.world.rules import BEGIN, DO_NOTHING, WINDOW_DAYS, Lever, levers
from training.world.truth import Truth

_MOST_ACTIONS = 60


@dataclass(frozen=True)
class Plan:
    """What kind of world it is; the parameters are those of ``training.world.world.world``.

    Raises
    ------
    ValueError
        Where a number makes no world.
    """

    n_contacts: int = 500
    seed: int = 0
    n_actions: int = 4
    every: int = 14
    history: int = 90
    confounded: bool = False
    no_effects: bool = False
    known_probabilities: bool = True
    activity: float = 1.0
    baseline: float = 1.0
    window: int = WINDOW_DAYS
    """Days after a decision in which an order counts as its outcome."""
    added: tuple[Lever, ...] = ()
    """More actions, behind the ``n_actions``, for who chooses: from which day on is theirs to say."""

    def __post_init__(self) -> None:
        if self.n_contacts < 1:
            raise ValueError(f"{self.n_contacts} contacts make no world; give at least 1")
        if not 1 <= self.n_actions <= _MOST_ACTIONS:
            raise ValueError(f"n_actions is {self.n_actions}; it must be between 1 and {_MOST_ACTIONS}")
        if not 1 <= self.window <= self.every:
            raise ValueError(
                f"every is {self.every} days; it must be at least {self.window}, "
                "or an order would be the outcome of two decisions"
            )
        if self.history < 0 or self.activity <= 0 or self.baseline <= 0:
            raise ValueError(
                f"history is {self.history}, activity {self.activity}, baseline {self.baseline}; "
                "the first must not be negative, and the others must be above 0"
            )


class LiveWorld:
    """A world that goes on as long as one likes.

    Examples
    --------
    Always call, and see what came of it:

    >>> import numpy as np
    >>> live = LiveWorld(Plan(n_contacts=50, history=7))
    >>> def call(contact, at):
    ...     return np.ones(len(contact), dtype=np.int64), np.tile([0.0, 1.0, 0.0, 0.0, 0.0], (len(contact), 1))
    >>> for _ in range(30):
    ...     live.next_day(call)
    >>> {row.action for row in live.so_far().decisions}
    {'sales_call'}
    """

    def __init__(self, plan: Plan) -> None:
        self._plan, self._day = plan, 0
        self._who: People = people(plan.n_contacts, np.random.default_rng([plan.seed, 0]))
        self._levers = (*levers(plan.n_actions), *plan.added)
        chances = Chances.of(self._levers, confounded=plan.confounded, no_effects=plan.no_effects)
        self._lived = Days(
            self._who, self._levers, chances, seed=plan.seed, every=plan.every, begin=plan.history,
            activity=plan.activity, baseline=plan.baseline, window=plan.window,
        )  # fmt: skip

    @property
    def now(self) -> int:
        """The first moment that has not passed, in microseconds."""
        return BEGIN + self._day * DAY

    def next_day(self, choose: Choose | None = None) -> None:
        """Let a day pass.

        Parameters
        ----------
        choose
            Chooses for the contacts whose turn it is, from what is known of them; the log's policy where left out.
            Asked before anything else of that day has happened. Whether an order follows is drawn apart from the
            choice, so that two policies that choose alike see alike.
        """
        self._lived.live(self._day, choose)
        self._day += 1

    def so_far(self) -> JourneyWorld:
        """Return everything that has happened until ``now``, with the truth."""
        truth = _truth(self._lived, self._who, self._levers, self.now, self._plan.window)
        return JourneyWorld(
            people=self._who, levers=self._levers, columns=_columns(self._lived, truth), truth=truth, days=self._day,
            known_probabilities=self._plan.known_probabilities,
        )  # fmt: skip


def _columns(lived: Days, truth: Truth) -> Columns:
    told = lived.touchpoints
    types = {"contact": "int32", "at": "int64", "decision": "int32", "value": "float64", "duration": "float64"}
    names = [name for name in Columns.__dataclass_fields__ if name != "action"]
    columns = {name: told.taken(name, types.get(name, "int8")) for name in names}
    # The last place stands for touchpoints without a decision.
    of_decision = np.append(truth.action - 1, -1).astype(np.int8)
    return Columns(**columns, action=of_decision[columns["decision"]])


def _truth(lived: Days, who: People, chosen: tuple[Lever, ...], ends_at: int, window: int) -> Truth:
    told, changes, k = lived.decisions, lived.changes, len(chosen)
    contact = told.taken("contact", "int64")
    return Truth(
        actions=(DO_NOTHING, *(lever.name for lever in chosen)),
        contact=contact,
        decided_at=told.taken("at", "int64"),
        action=told.taken("action", "int64"),
        chance=told.taken("chance", "float64").reshape(-1, k + 1),
        logged=told.taken("logged", "float64").reshape(-1, k + 1),
        match=told.taken("match", "float64").reshape(-1, k),
        stage=told.taken("stage", "int64"),
        hidden=told.taken("hidden", "int64"),
        ordered=told.taken("ordered", "bool"),
        order_value=who.worth[contact] + 10.0,
        costs=np.array([0.0, *(lever.cost for lever in chosen)]),
        ends_at=ends_at,
        changed_contact=changes.taken("contact", "int64"),
        changed_at=changes.taken("at", "int64"),
        changed_stage=changes.taken("stage", "int64"),
        window_days=window,
    )

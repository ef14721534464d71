"""A learning loop in the journey world: choose, wait for what comes of it, learn every night from all that is known.

Day by day, contacts whose turn it is are chosen for by a policy of ``nba.ranking``, with the chances logged. At night
effects are learnt anew from every decision whose window has ended by then; of the others nothing is looked at. How good
the choices of a day were, only the world knows: its truth is told beside them and never to who chooses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.effect.effect import Effects
from nba.draw import Draw, pick
from nba.ranking import Choices, Greedy, Policy, Uniform, points_policy, serving_policy
from training.loop.learning import learn
from training.loop.result import Day, LoopResult
from training.loop.scene import Scene
from training.world.rows import decision_name
from training.world.rules import SERVICE, Lever, levers
from training.world.world import LiveWorld, Plan, Truth

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEARNING, FIXED = ("thompson", "epsilon", "greedy"), ("points", "uniform")
ORDER_WORTH = 200.0
"""What an order is worth."""

GOOD = Lever("service_mail", "email_sent", "email", (0.0, -0.01, -0.03, 0.0, 0.15, 0.01), SERVICE, 0.05)
"""An action that does what no other does: it helps those who use what they bought."""
BAD = Lever("glossy_letter", "invitation_sent", "letter", (-0.004, -0.02, -0.03, -0.04, -0.02, -0.03), cost=1.0)
"""An action that costs and annoys everybody."""


@dataclass(frozen=True)
class Loop:
    """What is played.

    Parameters
    ----------
    policy
        ``thompson``, ``epsilon`` or ``greedy`` (which learn), ``points`` or ``uniform`` (which do not).
    days
        How long it lasts after the pilot.
    pilot
        Days before in which every action is drawn evenly. A company that begins has none: a pilot is exploration for
        free, and who begins after one does not show what going without exploration costs.
    start
        Belief in every action before there are data, as ``Scene.of`` takes it.
    at_once
        Whether who learns chooses by start beliefs from the first day on. Else it is as in the service: the points
        table chooses, mixed with epsilon, until there are decisions (thompson), or until effects can be learnt.
    added, added_on
        Actions that may be taken from a day on, counted from 0.
    every, window
        Days between decisions on a contact, and days in which an order counts as what came of one.
    activity
        How many times as much as usual contacts show of themselves.
    epsilon
        The floor of exploration of ``thompson`` and ``epsilon``.
    """

    policy: str = "thompson"
    days: int = 30
    n_contacts: int = 6000
    seed: int = 0
    pilot: int = 0
    start: tuple[float, float] | None = None
    at_once: bool = False
    n_actions: int = 3
    added: tuple[Lever, ...] = (GOOD, BAD)
    added_on: int = 10
    every: int = 7
    window: int = 4
    history: int = 60
    activity: float = 2.0
    epsilon: float = 0.02

    def __post_init__(self) -> None:
        if self.policy not in (*LEARNING, *FIXED):
            raise ValueError(f"{self.policy!r} is no policy of the loop; it plays {', '.join((*LEARNING, *FIXED))}")
        if self.days < 1 or self.pilot < 0:
            raise ValueError(f"{self.days} days after a pilot of {self.pilot} make no loop; give at least 1 and 0")

    @property
    def plan(self) -> Plan:
        """The world it is played in."""
        return Plan(
            n_contacts=self.n_contacts, seed=self.seed, n_actions=self.n_actions, every=self.every,
            history=self.history, window=self.window, added=self.added, activity=self.activity,
        )  # fmt: skip

    def available(self, day: int) -> Flags:
        """Which actions there are on a day, "do nothing" first."""
        first_added = 1 + len(levers(self.n_actions))
        found = np.ones(first_added + len(self.added), dtype=np.bool_)
        found[first_added:] = day >= self.added_on
        return found


def run(loop: Loop, say: Callable[[str], None] = lambda text: None) -> LoopResult:
    """Play a loop.

    Parameters
    ----------
    say
        Told how far it has come.

    Examples
    --------
    >>> result = run(Loop(policy="uniform", n_contacts=150, days=2, pilot=0, history=5))
    >>> [day.decisions > 0 for day in result.days]
    [True, True]
    """
    live = LiveWorld(loop.plan)
    for _ in range(loop.history):
        live.next_day()
    scene = Scene.of(live, policy=loop.policy, epsilon=loop.epsilon, worth=ORDER_WORTH, start=loop.start)
    played = _Player(loop, scene, live)
    for day in range(-loop.pilot, loop.days):
        played.day(day)
        if played.days:
            reached = LoopResult(loop.policy, scene.catalogue.names, (played.days[-1],)).reached_in(0)
            say(f"{loop.policy}, day {day + 1} of {loop.days}: {reached:.0%} of the oracle's gain")
    return LoopResult(loop.policy, scene.catalogue.names, tuple(played.days))


class _Player:
    """Who chooses: a policy, what was learnt last night, and what was allowed in each decision so far."""

    def __init__(self, loop: Loop, scene: Scene, live: LiveWorld) -> None:
        self._loop, self._scene, self._live = loop, scene, live
        self._draw = Draw(b"learning loop %d" % loop.seed)
        self._allowed: list[Flags] = []
        self._effects: Effects | None = None
        self.days: list[Day] = []

    def day(self, day: int) -> None:
        """Learn from what is known this morning, choose, and see by the truth how good the choices were."""
        self._scene.look(self._live)
        if day >= 0 and self._loop.policy in LEARNING:
            self._effects = learn(self._scene, self._allowed) or self._effects
        policy = Uniform() if day < 0 else self._policy()
        available, chances = self._loop.available(day), list[F64]()

        def choose(contact: I64, at: I64) -> tuple[I64, F64]:
            allowed = np.tile(available, (len(contact), 1))
            chances.append(policy.probabilities(self._choices(contact, at, allowed)))
            return self._drawn(chances[0], allowed), chances[0]

        self._live.next_day(choose)
        if day >= 0 and chances:
            self.days.append(_judged(day, self._live.so_far().truth, chances[0], available))

    def _policy(self) -> Policy:
        catalogue, name = self._scene.catalogue, self._loop.policy
        if name == "uniform":
            return Uniform()
        if name == "points":
            return points_policy(catalogue)
        tries = self._loop.at_once or (name == "thompson" and bool(self._allowed))
        return serving_policy(catalogue, "learned" if tries or self._effects is not None else "points")

    def _choices(self, contact: I64, at: I64, allowed: Flags) -> Choices:
        X = self._scene.features_of(contact, at)
        priority, error = self._scene.priorities(self._effects, X)
        return Choices(priority, allowed, self._scene.points_in(X), error)

    def _drawn(self, chances: F64, allowed: Flags) -> I64:
        first = len(self._allowed)
        self._allowed.extend(allowed)
        fractions = [self._draw.fraction(decision_name(first + i)) for i in range(len(chances))]
        return np.array([pick(*each) for each in zip(chances, fractions, strict=True)], dtype=np.int64)


def _judged(day: int, truth: Truth, chances: F64, available: Flags) -> Day:
    """Tell what the last decisions were worth: theirs, and what other ways to choose among the same would have been."""
    net = truth.chance[-len(chances) :] * ORDER_WORTH - truth.costs
    allowed = np.tile(available, (len(net), 1))
    oracle = Greedy().probabilities(Choices(net - net[:, :1], allowed, np.zeros(len(net))))
    return Day(
        day=day,
        decisions=len(net),
        nothing=float(net[:, 0].mean()),
        earned=float((chances * net).sum(axis=1).mean()),
        oracle=float((oracle * net).sum(axis=1).mean()),
        uniform=float(net[:, available].mean()),
        share=tuple(chances.mean(axis=0).tolist()),
        best_share=tuple(oracle.mean(axis=0).tolist()),
    )

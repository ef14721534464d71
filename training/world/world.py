"""A world of journeys whose truth is known: stages, interests, accounts, dealers, and decisions with true effects."""

from __future__ import annotations

from training.world.journey import JourneyWorld
from training.world.live import LiveWorld, Plan
from training.world.rules import BEGIN, STAGES, TOPICS, WINDOW_DAYS
from training.world.truth import Truth

__all__ = ["BEGIN", "STAGES", "TOPICS", "WINDOW_DAYS", "JourneyWorld", "LiveWorld", "Plan", "Truth", "world"]


def world(
    n_contacts: int = 500, *, seed: int = 0, days: int = 150, n_actions: int = 4, every: int = 14, history: int = 90,
    confounded: bool = False, no_effects: bool = False, known_probabilities: bool = True, activity: float = 1.0,
    baseline: float = 1.0,
) -> JourneyWorld:  # fmt: skip
    """Let contacts live for some days.

    Every contact is in one of six stages, and for each stage there are things that contacts in it do. After
    ``history`` days everybody's turn comes every ``every`` days: one of the actions or "do nothing" is chosen by what
    the contact has done, mixed with chance, and the chance of an order in the 14 days after depends on stage, traits,
    action, and how the action's topic fits the interest.

    Parameters
    ----------
    n_contacts
        How many there are; a decision each per ``every`` days after the history.
    seed
        The same seed gives the same world; with more ``days`` it is that world continued.
    days
        How long it lasts.
    n_actions
        How many there are beside "do nothing": a call, a mail for each of three products, an invitation, ...
    every, history
        Days between the decisions on a contact, at least 14, and before the first one.
    confounded
        Whether a hidden need, of which no touchpoint tells, drives both the orders and the log's wish to act.
    no_effects
        Whether no action changes anything.
    known_probabilities
        Whether the decisions carry the probabilities of the log; ``truth.logged`` has them always.
    activity
        How many times as many touchpoints contacts bring about as usual.
    baseline
        How many times as high the odds of an order are without any action.

    Raises
    ------
    ValueError
        Where a number makes no world.

    Examples
    --------
    >>> small = world(200, seed=1, days=120)
    >>> len(small.decisions) == len(small.truth), small.actions[:2]
    (True, ('do_nothing', 'sales_call'))
    >>> best, even = small.truth.value(small.truth.oracle()), small.truth.value(small.truth.uniform())
    >>> best > even
    True
    """
    if days < 1:
        raise ValueError(f"{days} days make no world; give at least 1")
    plan = Plan(
        n_contacts=n_contacts, seed=seed, n_actions=n_actions, every=every, history=history, confounded=confounded,
        no_effects=no_effects, known_probabilities=known_probabilities, activity=activity, baseline=baseline,
    )  # fmt: skip
    live = LiveWorld(plan)
    for _ in range(days):
        live.next_day()
    return live.so_far()

"""The gate of the policy: which one serves, and what may be claimed of it."""

from __future__ import annotations

from dataclasses import dataclass

from nba.valuation import Gain
from training.policy.values import LEARNED, POINTS, UNIFORM, Bench

THOMPSON = "thompson"


@dataclass(frozen=True)
class Chosen:
    """The policy that serves, and what the learned one gains over the simple policy that it beats least surely."""

    serves: str
    best_simple: str
    gain: Gain
    why: str


def best_simple(bench: Bench) -> str:
    """Return the simple policy that is surest to be the best; it serves where no more can be shown.

    What is compared is the lower bound of each one's gain over the points baseline, so that an action which was
    lucky in a few decisions is not mistaken for a good one. Points itself gains nothing over itself for sure.
    Choosing by chance never serves: exploring has its own floor.
    """
    judged = [name for name in bench.simple() if name != UNIFORM and bench.value(name).verdict != "refused"]
    if not judged:
        return POINTS
    base = POINTS if POINTS in judged else judged[0]
    bounds = {base: 0.0}
    for name in judged:
        found = bench.gain(name, base)
        if name != base and found.interval is not None:
            bounds[name] = found.interval[0]
    return max(bounds, key=lambda name: bounds[name])


def hardest(held_out: Bench) -> tuple[str, Gain]:
    """Return the simple policy over which the learned one's gain has the lowest bound, and that gain.

    Where even this bound lies above zero, the learned policy is better than every simple one, the best among them:
    that claim is wrong no more often than a single comparison, whichever is the best (an intersection-union test,
    Berger 1982, Technometrics 24, 295-300). A policy that few decisions carry says little and would forbid every claim
    by its width, so it counts only where its value is the higher one.
    """
    gains = {name: held_out.gain(LEARNED, name) for name in held_out.simple()}
    known = {name: gain for name, gain in gains.items() if gain.interval is not None and gain.value is not None}
    solid = {n: g for n, g in known.items() if held_out.value(n).verdict == "ok" or (g.value or 0.0) < 0.0} or known
    if not solid:
        return POINTS, Gain()
    name = min(solid, key=lambda each: (solid[each].interval or (0.0, 0.0))[0])
    return name, solid[name]


def choose(held_out: Bench, fallback: str, *, policy: str, shown_before: bool = False) -> Chosen:
    """Let the learned ranking serve only where its gain over the best simple policy is shown.

    Parameters
    ----------
    held_out
        Decisions that taught nothing.
    fallback
        The simple policy that serves where no gain is shown.
    policy
        ``ranking.policy``.
    shown_before
        Whether an earlier gate has let the learned ranking serve; then it stays until a loss is shown.
    """
    simple, gain = hardest(held_out)
    told = _told(held_out, gain, simple)
    if held_out.evidence == "observational":
        if policy == THOMPSON:
            return Chosen(LEARNED, simple, Gain(), f"thompson serves from the start; {_TARGETED}")
        return Chosen(POINTS, simple, Gain(), f"{_TARGETED}, so the points baseline chooses; {_GUESSED}")
    if policy == THOMPSON:
        return Chosen(LEARNED, simple, gain, f"thompson serves from the start; {told}")
    if gain.is_shown:
        return Chosen(LEARNED, simple, gain, told)
    if shown_before and not _is_worse(gain):
        return Chosen(LEARNED, simple, gain, f"its gain was shown by an earlier gate, and no loss since; {told}")
    said = f"no personalised gain can be shown; {in_words(fallback)} is served"
    return Chosen(fallback, simple, gain, f"{said} ({told})")


_TARGETED = (
    "past actions were targeted, not drawn with a known probability: response is not effect, and no gain over the "
    "points baseline can be shown"
)
_GUESSED = "the estimates take the chances for what they were guessed to be"


def in_words(policy: str) -> str:
    """Say which policy a name means.

    Examples
    --------
    >>> in_words("constant:mens"), in_words("points")
    ('always mens', 'the points baseline')
    """
    kind, _, action = policy.partition(":")
    if kind == "constant":
        return f"always {action}"
    return {POINTS: "the points baseline", UNIFORM: "any allowed action by chance"}.get(policy, "the learned ranking")


def _is_worse(gain: Gain) -> bool:
    return gain.interval is not None and gain.interval[1] < 0.0


def _told(bench: Bench, gain: Gain, simple: str) -> str:
    if gain.value is None or gain.interval is None:
        return f"what the learned ranking gains cannot be told: {_fault(bench)}"
    about = (
        f"a decision over {in_words(simple)}, 95 % interval {gain.interval[0]:.4g} to {gain.interval[1]:.4g}, "
        f"on {len(bench.rows):,} held-out decisions"
    )
    if _is_worse(gain):
        return f"the learned ranking is worse: {gain.value:.4g} {about}"
    return f"the learned ranking gains {gain.value:.4g} {about}"


def _fault(bench: Bench) -> str:
    refused = [name for name in (LEARNED, *bench.simple()) if bench.value(name).verdict == "refused"]
    if not refused:
        return "all held-out decisions belong to one contact"
    why = bench.value(refused[0]).why.rstrip(".")
    return f"{in_words(refused[0])} is refused. {why}"

"""Decisions whose effects are known: small arrays, drawn anew for every seed."""

from dataclasses import dataclass

import numpy as np

from models.effect.effect import Effects

COLUMNS = ("need", "other", "noise")
ACTIONS = ("do_nothing", "call", "mail")


@dataclass(frozen=True)
class Decided:
    """``p[i, a]`` is the chance of the outcome of row i under action a, ``chances`` those of the log."""

    X: np.ndarray
    p: np.ndarray
    chances: np.ndarray
    action: np.ndarray
    y: np.ndarray

    @property
    def effect(self):
        return self.p[:, 1:] - self.p[:, :1]

    def fit(self, seed=0, *, known=True, **others):
        given = {"probability": self.chances[np.arange(len(self.y)), self.action], "chances": self.chances}
        return Effects.fit(
            self.X,
            self.action,
            self.y,
            actions=ACTIONS,
            columns=COLUMNS,
            seed=seed,
            **(given if known else {}),
            **others,
        )


def decided(seed, n=1500, *, average=(0.08, 0.0), differs=0.0, targeted=0.0, base=0.25):
    """Decisions by a log that looks at ``need`` as much as ``targeted`` says; the call works for those in need.

    Parameters
    ----------
    average
        Effect of the call and the mail on everybody.
    differs
        What the call's effect gains with need and loses without.
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)).astype(np.float32)
    need = np.sign(X[:, 0])
    p0 = np.clip(base + 0.08 * np.tanh(X[:, 0]) + 0.05 * (X[:, 1] > 0), 0.02, 0.98)
    p = np.column_stack([p0, p0 + average[0] + differs * need, p0 + average[1]]).clip(0.001, 0.999)
    wish = np.exp(np.column_stack([np.zeros(n), targeted * X[:, 0], -targeted * X[:, 0]]))
    chances = 0.9 * wish / wish.sum(axis=1, keepdims=True) + 0.1 / 3
    action = (chances.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    y = rng.random(n) < p[np.arange(n), action]
    return Decided(X, p, chances, action, y)

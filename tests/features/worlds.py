"""Worlds of touchpoints for claims about the kernel: small ones, and one with every odd case."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import strategies as st

from features.feature_set import FeatureSet, PointWeights, TraitColumn
from features.matrix import Own
from features.times import DAY, HOUR
from features.touchpoints.touchpoints import TouchpointRules

NOW = 20_000 * DAY
Row = tuple[Any, ...]
RULES = TouchpointRules(
    outbound=("email_sent", "call_made"), money=("order",), returns=("return",), attention=("page_view",),
    rates={"USD": 0.5}, margin=0.3,
)  # fmt: skip
KINDS = ("email_sent", "call_made", "page_view", "order", "return", "email_open", "chat", "fair", "fax")
CHANNELS = ("email", "web", "phone", "store", "fair")
TOPICS = ("saws", "saws/band", "drills", "mills", "lathes/cnc", "lathes/cnc/swiss", "oil/gear", "belts")
TYPES = ("spring", "autumn")
FEATURES = FeatureSet(
    kinds=("email_sent", "call_made", "page_view", "order", "email_open"),
    channels=("email", "web"),
    topics=("saws", "drills", "lathes", "saws/band"),
    rules=RULES,
    points=PointWeights(
        {"page_view": 5.0, "order": 100.0, "email_sent": 1.0, "chat": -3.0}, ("order", "chat"), 90 * DAY
    ),
    topic_half_life=20 * DAY,
    own=True,
    types=("call_made", "spring"),
    own_channels=("email",),
    numbers=("discount",),
)
TRAITS = (
    TraitColumn("size", "number"),
    TraitColumn("vip", "boolean"),
    TraitColumn("since", "date"),
    TraitColumn("sector", "category", ("metal", "wood")),
)
WIDTHS = tuple(days * DAY for days in (1, 3, 7, 14, 30, 60, 90, 180, 350, 365, 380))


def row(
    identity: str, at: int, number: int, kind: str = "page_view", channel: str | None = None, *,
    direction: str | None = None, topics: tuple[str, ...] | None = None, value: float | None = None,
    currency: str | None = None, margin: float | None = None, duration: float | None = None,
    decision: str | None = None, action: str | None = None, properties: dict[str, Any] | None = None,
) -> Row:  # fmt: skip
    """One touchpoint as the store reads it."""
    return (
        identity, at, f"{number:06}", kind, channel, direction, None if topics is None else json.dumps(topics),
        value, currency, margin, duration, decision, action, None if properties is None else json.dumps(properties),
    )  # fmt: skip


moments = st.one_of(
    st.sampled_from([NOW - width + shift for width in WIDTHS for shift in (-1, 0, 1)] + [NOW - 1, NOW, NOW + 1]),
    st.integers(NOW - 800 * DAY, NOW + 30 * DAY),
)


@st.composite
def histories(draw: st.DrawFn, contacts: tuple[str, ...] = ("ann", "bob", "cid"), most: int = 25) -> list[Row]:
    """Rows of a few contacts in any order, with ties, borders and gaps in what is known."""
    some = st.one_of(st.none(), st.floats(-50, 500, width=32))
    return [
        row(
            draw(st.sampled_from(contacts)),
            draw(moments),
            number,
            draw(st.sampled_from(KINDS)),
            draw(st.sampled_from((*CHANNELS, None))),
            direction=draw(st.sampled_from((None, None, "inbound", "outbound"))),
            topics=draw(st.one_of(st.none(), st.lists(st.sampled_from(TOPICS), max_size=4).map(tuple))),
            value=draw(some),
            currency=draw(st.sampled_from((None, "EUR", "USD"))),
            margin=draw(some),
            duration=draw(some),
            decision=draw(st.sampled_from((None, "d1", "d2"))),
            action=draw(st.sampled_from((None, *TYPES))),
        )
        for number in range(draw(st.integers(0, most)))
    ]


def odd_world(seed: int, n: int = 3000, n_contacts: int = 150) -> tuple[list[Row], list[tuple[str, int]], Own]:
    """Touchpoints, rows (contact, as_of) that many of them lie exactly on the borders of, and what rows are about."""
    rng = np.random.default_rng(seed)
    pick = rng.choice

    def pick_or_none(choices: list[str | None], p: list[float] | None = None) -> Any:
        return pick(np.array(choices, dtype=object), p=p)

    names = [f"c{i:03}" for i in range(n_contacts)]
    asked = [
        (name, int(NOW - rng.integers(0, 200) * DAY - rng.choice([0, HOUR, 12345]))) for name in names for _ in range(2)
    ]
    asked += [("nobody", NOW)]
    moment_of = dict(asked)
    rows: list[Row] = []
    for number in range(n):
        # The first contacts have one touchpoint each, the second few have many.
        i = number if number < 10 else int(10 + (n_contacts - 10) * rng.random() ** 1.5)
        name, border = names[i], moment_of[names[i]]
        at = border - int(rng.integers(-5, 700) * DAY + rng.integers(0, DAY))
        at = (
            at,
            border - int(pick(WIDTHS)) + int(pick([-1, 0, 0, 0, 1])),
            border + int(pick([-1, 0, 1])),
            rows[-1][1] if rows and rows[-1][0] == name else at // HOUR * HOUR,
        )[pick(4, p=[0.6, 0.25, 0.05, 0.1])]
        kind = str(pick(KINDS, p=[0.14, 0.06, 0.2, 0.15, 0.05, 0.2, 0.08, 0.07, 0.05]))
        rows.append(
            row(
                name,
                int(at),
                int(rng.permutation(10)[0] * n + number),
                kind,
                pick_or_none([*CHANNELS, None], p=[0.3, 0.25, 0.1, 0.1, 0.05, 0.2]),
                direction=pick_or_none([None, "inbound", "outbound"], p=[0.9, 0.05, 0.05]),
                topics=tuple(pick(TOPICS, rng.integers(0, 4))) if rng.random() < 0.7 else None,
                value=round(rng.exponential(80), 2) if kind in ("order", "return") and rng.random() < 0.9 else None,
                currency=pick_or_none([None, "EUR", "USD"]),
                margin=round(rng.exponential(20), 2) if rng.random() < 0.3 else None,
                duration=round(rng.exponential(60), 1) if rng.random() < 0.5 else None,
                decision=f"{name}-{rng.integers(0, 4)}"
                if rng.random() < 0.4
                else "shared"
                if rng.random() < 0.02
                else None,
                action=pick_or_none([None, *TYPES], p=[0.6, 0.2, 0.2]),
            )
        )
    about = [tuple(str(t) for t in pick([*TOPICS, "lathes", "oil", "unseen"], rng.integers(0, 5))) for _ in asked]
    own = Own(
        type=[str(pick([*TYPES, "call_made", "email_sent", "unseen"])) for _ in asked],
        channel=[pick_or_none(["email", "phone", None]) for _ in asked],
        topics=about,
        numbers=[{"discount": 0.1} if rng.random() < 0.5 else {} for _ in asked],
    )
    return rows, asked, own

"""The laws of the journey world: stages and how long they last, what is done in them, and what actions change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.times import parse_time
from models.stages.rules import STAGES
from nba.settings.actions import DO_NOTHING

__all__ = ["DO_NOTHING", "STAGES"]

F64 = NDArray[np.float64]

BEGIN = parse_time("2024-01-01")
"""Midnight of the first day of every journey world, in microseconds."""

WINDOW_DAYS = 14
"""Days in which an order counts as the outcome of a decision."""

UNAWARE, NEED, EVALUATE, PURCHASE, USE, RENEW = range(6)

PRODUCTS = ("pumps", "valves", "drives")
"""What contacts are interested in."""
SERVICE = len(PRODUCTS)
TOPICS = (*PRODUCTS, "service")

INBOUND = (
    "page_view", "newsletter_open", "search", "download", "price_list", "demo_request", "quote_request",
    "service_search", "support_ticket", "contract_view",
)  # fmt: skip
"""Kinds that contacts bring about by themselves, in the order of the columns of ``RATES``."""
OUTBOUND = ("email_sent", "call_made", "invitation_sent")
KINDS = (*INBOUND, "order", *OUTBOUND)
ORDER = len(INBOUND)
PAGE_VIEW, NEWSLETTER_OPEN = INBOUND.index("page_view"), INBOUND.index("newsletter_open")
CHANNELS = ("web", "email", "phone", "shop", "letter")
CHANNEL_OF = np.array([CHANNELS.index(name) for name in (
    "web", "email", "web", "web", "web", "web", "web", "web", "phone", "web", "shop", "email", "phone", "letter",
)], dtype=np.int8)  # fmt: skip

RATES: F64 = np.array([
    # view  open  search downl  price  demo   quote  service support contract
    [0.010, 0.020, 0.003, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000],
    [0.500, 0.200, 0.240, 0.016, 0.006, 0.000, 0.000, 0.004, 0.000, 0.000],
    [0.400, 0.080, 0.120, 0.300, 0.240, 0.120, 0.010, 0.004, 0.000, 0.000],
    [0.160, 0.060, 0.040, 0.020, 0.120, 0.010, 0.500, 0.020, 0.010, 0.000],
    [0.080, 0.060, 0.020, 0.010, 0.006, 0.000, 0.000, 0.400, 0.160, 0.010],
    [0.160, 0.080, 0.100, 0.020, 0.080, 0.010, 0.020, 0.040, 0.020, 0.440],
])  # fmt: skip
"""Touchpoints a day of a contact of mean activity, shape (stages, kinds of ``INBOUND``)."""

FIRST_DONE = ("page_view", "search", "price_list", "quote_request", "service_search", "contract_view")
"""What a stage often begins with."""
BEGINS_SO = np.array([0.0, 0.8, 0.8, 0.8, 0.8, 0.8])
"""Chance that it does."""

LEAST_DAYS = np.array([28, 35, 35, 21, 35, 28])
"""Days that a stage lasts at least, shape (stages,)."""
LEAVES: F64 = 1.0 / np.array([50.0, 35.0, 35.0, 14.0, 30.0, 30.0])
"""Chance a day that a stage ends once it has lasted that long; its length is no memoryless one."""
NEXT: F64 = np.array([
    [0.00, 1.00, 0.00, 0.00, 0.00, 0.00],
    [0.30, 0.00, 0.70, 0.00, 0.00, 0.00],
    [0.15, 0.25, 0.00, 0.60, 0.00, 0.00],
    [0.00, 0.00, 0.00, 0.00, 1.00, 0.00],
    [0.05, 0.35, 0.00, 0.00, 0.00, 0.60],
    [0.20, 0.25, 0.00, 0.40, 0.15, 0.00],
])  # fmt: skip
"""Which stage follows one that ended, rows sum to 1. An order leads to "purchase" from every stage."""
AT_FIRST: F64 = np.array([0.28, 0.18, 0.16, 0.11, 0.17, 0.10])
"""Chance of each stage on the first day."""
PULLED = 2.0
"""How many times as soon somebody unaware of a need gets one while a colleague evaluates."""

BASE: F64 = np.log(np.array([0.010, 0.035, 0.100, 0.160, 0.030, 0.090]))
"""Logarithm of the odds (nearly) of an order within the window with "do nothing", shape (stages,)."""
FIT_SHIFT = {"A": 0.4, "B": 0.0, "C": -0.4}
DECIDES_SHIFT = 0.25
"""What the trait ``product_fit`` and the role of a decision maker add to the logarithm of the odds."""
HIDDEN_SHIFT, HIDDEN_PULL = 1.1, 1.6
"""What a hidden need adds to the logarithm of the odds (else it is taken off), and to the log's wish to act."""
LOWEST, HIGHEST = 0.002, 0.98

FADES_DAYS = 30.0
"""Days in which an interest fades by half."""
NEW_FOCUS = 1.0 / 400.0
"""Chance a day that a contact turns to another product."""


@dataclass(frozen=True)
class Lever:
    """An action of the world.

    ``change`` has what it adds to the chance of an order in each stage. Where ``topic`` is a product, a gain holds
    for a contact interested in nothing else; where there is no interest in it at all, a third of it is lost instead.
    """

    name: str
    kind: str
    channel: str
    change: tuple[float, ...]
    topic: int | None = None
    cost: float = 0.0


_CALL = Lever("sales_call", "call_made", "phone", (-0.005, -0.040, -0.030, 0.260, -0.030, 0.220), cost=2.0)
_DEMO = Lever("demo_invitation", "invitation_sent", "letter", (0.0, 0.100, 0.140, -0.050, -0.020, 0.060), cost=1.0)
_SERVICE = Lever("service_mail", "email_sent", "email", (0.0, -0.010, -0.030, 0.0, 0.150, 0.010), SERVICE, 0.05)
_MAIL = (0.005, 0.200, 0.300, -0.030, -0.020, 0.040)


def levers(n_actions: int) -> tuple[Lever, ...]:
    """Actions of a world, without "do nothing": a call, a mail for each product, an invitation, a service mail, more.

    Examples
    --------
    >>> [lever.name for lever in levers(4)]
    ['sales_call', 'pumps_mail', 'valves_mail', 'drives_mail']
    """
    mails = [_mail(f"{name}_mail", topic) for topic, name in enumerate(PRODUCTS)]
    known = [_CALL, *mails, _DEMO, _SERVICE]
    more = [
        _mail(f"{PRODUCTS[i % len(PRODUCTS)]}_mail_{i // len(PRODUCTS) + 2}", i % len(PRODUCTS), 0.6)
        for i in range(max(0, n_actions - len(known)))
    ]
    return tuple([*known, *more][:n_actions])


def _mail(name: str, topic: int, part: float = 1.0) -> Lever:
    return Lever(name, "email_sent", "email", tuple(part * change for change in _MAIL), topic, 0.05)

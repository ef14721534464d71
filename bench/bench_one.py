"""One contact: what its features cost from arrays, from the store's rows, and beside a whole decision.

Every figure is the median of many calls in this one process, and every ratio is between figures of this run.
Run it with ``make bench`` or ``python bench/bench_one.py``.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from features.feature_set import choose
from features.matrix import History
from features.row_types import TouchpointRow
from features.store import Store
from features.times import DAY
from features.touchpoints import TouchpointRules, Touchpoints
from nba.actions import Catalogue
from nba.draw import Draw
from nba.engine import decide
from nba.past import Past
from nba.request import Request
from nba.settings import parse_settings

KINDS = ("visit", "newsletter_open", "download", "service_call", "order")
CHANNELS = ("web", "email", "phone", "shop")
AS_OF = 20_000 * DAY
SETTINGS = "\n".join(
    [
        '[goals.conversion]\nkinds = ["order"]\nhorizon = "30d"',
        *(f'[actions.action_{n}]\nchannel = "{CHANNELS[n % 3]}"\ncost = {n}.0' for n in range(20)),
        '[contact_policy]\ncaps = [{ per = "30d", count = 500 }]',
    ]
)


def rows(n: int) -> list[TouchpointRow]:
    """Touchpoints of one contact over two years."""
    rng = np.random.default_rng(n)
    at = np.sort(AS_OF - rng.integers(1, 730 * DAY, n))
    return [
        TouchpointRow(
            "crm:1", int(t), f"t{i}", KINDS[rng.integers(5)], CHANNELS[rng.integers(4)],
            topics='["pumps"]' if rng.random() < 0.5 else None, value=float(rng.random() * 100),
        )
        for i, t in enumerate(at)
    ]  # fmt: skip


def microseconds(call: Callable[[], object], seconds: float = 1.0) -> float:
    """Median time of a call."""
    call()
    times: list[float] = []
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e6


def measured(n: int, catalogue: Catalogue) -> tuple[float, float, float]:
    """Microseconds of the features from arrays, of the features from the store, and of a whole decision."""
    rules = TouchpointRules()
    with tempfile.TemporaryDirectory() as folder, Store.open(f"sqlite:///{Path(folder) / 'nba.db'}") as store:
        with store.writing() as writing:
            writing.touchpoints(rows(n))
        known = Touchpoints.from_rows(store.history("crm:1", AS_OF), rules)
        features = choose(known, rules=rules, before=AS_OF)
        history = History(known, features)
        contact, moment = np.zeros(1, dtype=np.int64), np.array([AS_OF])

        def stored() -> object:
            read = Touchpoints.from_rows(store.history("crm:1", AS_OF), rules)
            return History(read, features).matrix(contact, moment)

        def decided() -> object:
            past = Past.read(store, "crm:1", AS_OF, rules, memory_us=catalogue.memory_us)
            return decide(Request("crm:1"), past, None, catalogue, AS_OF, Draw(b"bench"))

        return microseconds(lambda: history.matrix(contact, moment)), microseconds(stored), microseconds(decided)


def main() -> None:
    """Print one line per size of history."""
    catalogue = Catalogue.of(parse_settings(SETTINGS))
    print(
        "one contact, microseconds: features from arrays, features from the store, a decision by points over 20 actions"
    )
    print(f"{'touchpoints':>12} {'arrays':>8} {'store':>8} {'decision':>9} {'store/arrays':>13}")
    for n in (50, 200, 1000):
        arrays, stored, decided = measured(n, catalogue)
        print(f"{n:>12} {arrays:>8.1f} {stored:>8.1f} {decided:>9.1f} {stored / arrays:>13.1f}")


if __name__ == "__main__":
    main()

"""A day's worklist for 200,000 contacts and for 1 M, 20 actions each: time, memory, limits kept, gap to the bound.

Run it with ``make bench-plan`` or ``python bench/bench_plan.py``; ``--contacts`` measures other sizes.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time

import numpy as np

from nba.actions import Catalogue
from nba.plan.plan import broken
from nba.plan.rules import UNIT, Pool, rules_of
from nba.settings import parse_settings
from training.plan.exact import best_worklist, relaxed_bound

CHANNELS = ("email", "letter", "phone", "visit")
COSTS = (0.05, 4.0, 18.0, 120.0)
WORTH = (1.0, 8.0, 30.0, 150.0)
ACTIONS = 20
COMPARED = 5_000
"""Contacts of the day on which the bound by prices is held against the linear programme's."""


def catalogue(contacts: int) -> Catalogue:
    """Write settings with limits of every sort: slots by owner and partner, seats, caps that nest and cross."""
    lines = ['[goals.conversion]\nkinds = ["order"]\nhorizon = "30d"']
    for n in range(ACTIONS):
        channel = n % len(CHANNELS)
        lines.append(f'[actions.action_{n}]\nchannel = "{CHANNELS[channel]}"\ncost = {COSTS[channel]}')
        if CHANNELS[channel] in ("phone", "visit"):
            by = "owner" if n % 3 else "partner"
            lines.append(f'capacity = {{ per = "1d", count = {5 + n}, by = "{by}" }}')
        elif n == 1:
            lines.append(f"capacity = {{ total = {contacts // 200} }}")
    lines.append(
        '[contact_policy]\ncaps = [{ channel = "email", per = "7d", count = 2 }, { per = "30d", count = 4 },'
        ' { account = true, per = "7d", count = 3 }, { account = true, channel = "email", per = "7d", count = 2 }]'
    )
    return Catalogue.of(parse_settings("\n".join(lines)))


def pool(found: Catalogue, contacts: int, seed: int = 0, *, alike: bool = False) -> Pool:
    """Make contacts in accounts of three on average, some alone; seven of ten actions allowed; approaches before today.

    Parameters
    ----------
    alike
        Whether an action is worth the same for everybody.
    """
    rng = np.random.default_rng(seed)
    contact, column = np.nonzero(rng.random((contacts, ACTIONS)) < 0.7)
    channel = column % len(CHANNELS)
    cost = np.array(COSTS)[channel]
    worth = rng.lognormal(-0.5, 0.8, ACTIONS)[column] if alike else rng.lognormal(-0.5, 0.8, len(contact))
    interest = 2.0 if alike else rng.lognormal(0.0, 1.0, contacts)[contact]
    priority = interest * worth * np.array(WORTH)[channel] - cost
    owners = max(2, contacts // 1000)
    return Pool(
        contact=contact,
        column=column + 1,
        priority=np.round(priority, 10),
        cost=np.round(cost * UNIT).astype(np.int64),
        account=np.where(rng.random(contacts) < 0.2, -1, rng.integers(0, contacts // 3, contacts)),
        owner=rng.integers(0, owners, contacts),
        partner=rng.integers(-1, max(1, owners // 10), contacts),
        sent=rng.poisson((0.3, 0.8, 0.1, 0.1), (contacts, 4)),
        today=(rng.random((contacts, len(CHANNELS))) < 0.01).astype(np.int64),
    )


def measure(contacts: int, *, alike: bool) -> None:
    """Plan one day and print what it took."""
    found = catalogue(contacts)
    day_pool = pool(found, contacts, alike=alike)
    best_worklist(rules_of(found, pool(found, 100), 100.0).day)
    began = time.perf_counter()
    rules = rules_of(found, day_pool, contacts * 0.5)
    laid_out = time.perf_counter()
    worklist = best_worklist(rules.day)
    done = time.perf_counter()
    faults = broken(rules.day, worklist.chosen)
    worth = int((rules.day.priority > 0).sum())
    kind = " alike" if alike else ""
    limits = sum(len(each.room) for each in rules.day.limits)
    print(
        f"{contacts:>9,} contacts{kind:6}  {worth:>10,} candidates  {limits:>9,} limits  "
        f"{worklist.chosen.sum():>8,} planned  gap {worklist.gap:.1e}  "
        f"{laid_out - began:5.1f} s laid out  {done - laid_out:6.1f} s planned  "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2:4.1f} GB  "
        f"{'every limit kept' if not faults else '; '.join(faults)}"
    )
    if faults or worklist.gap > 0.01:
        raise SystemExit("the worklist breaks a limit or is more than 1 % below its bound")


def compare() -> None:
    """Hold the bound by prices against that of the linear programme."""
    found = catalogue(COMPARED)
    day = rules_of(found, pool(found, COMPARED, seed=1), COMPARED * 0.5).day
    worklist, bound = best_worklist(day), relaxed_bound(day)
    print(
        f"{COMPARED:>9,} contacts  bound by prices {worklist.bound:,.4f}, by the linear programme {bound:,.4f}, "
        f"worklist {worklist.value:,.4f}"
    )


def main() -> None:
    """Measure each size in a process of its own, so that its memory is its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, nargs="*", default=[200_000, 1_000_000])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--alike", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one is not None:
        measure(arguments.one, alike=arguments.alike)
        return
    compare()
    for contacts in arguments.contacts:
        for more in ([], ["--alike"]):
            subprocess.run([sys.executable, __file__, "--one", str(contacts), *more], check=True)


if __name__ == "__main__":
    main()

"""Claims about counting what was taken: what was counted earlier is used again, and nobody can tell."""

import time
from pathlib import Path
from random import Random

import pytest

from features.rows.row_types import LOGGED_WITHIN, ContactRow, DecisionRow
from features.store.store import Store
from features.times import DAY, SECOND
from features.touchpoints.touchpoints import TouchpointRules
from nba.tables.taken import ANEW, EVER, count_taken

RULES = TouchpointRules()


@pytest.mark.parametrize("seed", range(3))
def test_a_day_counted_in_two_parts_is_the_day(tmp_path: Path, seed: int) -> None:
    draw, now = Random(seed), time.time_ns() // 1_000
    made: list[DecisionRow] = []
    shown: dict[str, int] = {}

    def by_hand(since: int, as_of: int, owner: str | None) -> int:
        carried = [(row, shown.get(row.decision_id) if row.deferred else row.decided_at) for row in made]
        return sum(
            at is not None and since <= at < as_of and owner in (None, row.identity[0])
            for row, at in carried
            if row.decided_at < as_of
        )

    with Store.open(f"sqlite:///{tmp_path}/nba.db") as store:
        with store.writing() as writing:
            writing.contacts([ContactRow(f"{owner}{n}", 1, {"owner": owner}) for owner in "eb" for n in range(4)])
        since = now - DAY
        for step in range(40):
            as_of = now + step * SECOND
            with store.writing() as writing:
                for n in range(draw.randrange(4)):
                    # Most were decided just now, a few are late, as from a journal; some are shown later.
                    ago = draw.choice((0, SECOND, SECOND, 3 * SECOND, draw.randrange(2 * DAY)))
                    row = DecisionRow(
                        f"{step}-{n}", f"{draw.choice('eb')}{draw.randrange(4)}", as_of - ago, "call",
                        chances={"call": 1.0}, deferred=draw.random() < 0.3,
                    )  # fmt: skip
                    made.append(row)
                    writing.decisions([row])
                waiting = [row for row in made if row.deferred and row.decision_id not in shown]
                if waiting:
                    row = draw.choice(waiting)
                    shown[row.decision_id] = draw.choice((as_of, max(row.decided_at, as_of - DAY // 2)))
                    writing.activate(row.decision_id, shown[row.decision_id])
            for owner in ("e", "b", None):
                of = None if owner is None else ("owner", owner)
                assert count_taken(store, "call", since, as_of, of, RULES) == by_hand(since, as_of, owner)
            with store.writing() as writing:
                found = count_taken(store, "call", since, as_of, ("owner", "e"), RULES, seen=writing.seen)
                assert found == by_hand(since, EVER, "e")


def test_what_another_process_logs_late_counts_soon(tmp_path: Path) -> None:
    now, url = time.time_ns() // 1_000, f"sqlite:///{tmp_path}/nba.db"
    with Store.open(url) as store, Store.open(url) as other:

        def count(as_of: int) -> int:
            return count_taken(store, "call", now - DAY, as_of, None, RULES)

        assert [count(now), count(now)] == [0, 0]
        with other.writing() as writing:
            writing.decisions([DecisionRow("late", "a", now - 3_600 * SECOND, "call", chances={"call": 1.0})])
            writing.decisions([DecisionRow("new", "a", now - SECOND, "call", chances={"call": 1.0})])
        assert count(now) >= 1, "what was logged in time counts at once"
        assert count(now + LOGGED_WITHIN + ANEW) == 2

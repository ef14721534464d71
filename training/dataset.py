"""Training rows: which contacts at which moments, what came of each, and which of them are the test."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.identity.versions import Versions
from features.own_rows import own_properties
from features.spans import spans, tally
from features.times import DAY, iso, parse_time
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
from nba.settings.goals import Goal, Until

I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """Rows of one goal: a contact at a moment, and what happened in ``[as_of, until)``.

    ``own`` is the touchpoint a row was made after, as it was recorded, -1 for a calendar row; ``value`` the margin in
    the horizon. ``contact`` is a version of a contact where identities were linked, and ``cluster`` what is the same
    contact in every version.
    ``censored`` rows ended after the data and are not among them; ``endless`` ones lacked the time they end at, or
    it was no time, or not after ``as_of``.
    """

    contact: I64
    as_of: I64
    until: I64
    label: Flags
    value: NDArray[np.float64]
    own: I64
    censored: int = 0
    endless: int = 0
    group: I64 | None = None

    def __len__(self) -> int:
        return len(self.as_of)

    @property
    def cluster(self) -> I64:
        """Codes of what rows are not independent of each other within."""
        return self.contact if self.group is None else self.group

    def only(self, which: Flags) -> Rows:
        """Take the rows marked in ``which``."""
        columns = ["contact", "as_of", "until", "label", "value", "own"]
        columns += [] if self.group is None else ["group"]
        return replace(self, **{name: getattr(self, name)[which] for name in columns})


def data_end(touchpoints: Touchpoints, now: int) -> int:
    """Return the earlier of now and the latest touchpoint, in microseconds."""
    return min(now, int(touchpoints.occurred_at.max())) if len(touchpoints) else now


def make_rows(
    touchpoints: Touchpoints, goal: Goal, rules: TouchpointRules, end: int, versions: Versions | None = None
) -> Rows:
    """Every row of a goal whose horizon had ended by ``end``.

    Parameters
    ----------
    touchpoints
        Everything strictly before now, by contact.
    goal
        What is predicted, and when rows are made.
    rules
        Which kinds are money.
    end
        From ``data_end``.
    versions
        Of the contacts of ``touchpoints``; None where nobody was ever linked. A row exists only while its version
        stood, and its label is what the service would see at ``until`` of those identities.
    """
    if not len(touchpoints):
        return _no_rows()
    recorded = touchpoints if versions is None else versions.recorded
    if goal.snapshots.after:
        made = _after_rows(recorded, goal, versions)
    else:
        made = _calendar_rows(touchpoints, goal, end)
    if versions is not None:
        made = made.only(versions.holds(made.contact, made.as_of))
        made = replace(made, group=versions.group[made.contact])
    made = made.only(_exists(touchpoints, made) & _among(touchpoints, goal, made))
    late = made.until > end
    made = replace(made.only(~late), censored=int(late.sum()))
    if versions is None:
        return _labelled(recorded, goal, rules, made)
    return _labelled_as_seen(recorded, goal, rules, made, versions)


def rows_at(touchpoints: Touchpoints, goal: Goal, as_of: int, versions: Versions | None = None) -> Rows:
    """Every contact that a goal's rows would be made of at one moment, whatever has come of it: no truth is looked at.

    For a goal whose horizon is a duration; what an own touchpoint would tell is not known of any.
    """
    if isinstance(goal.horizon, Until):
        raise ValueError(f"goal {goal.name!r} has no horizon before a touchpoint says where it ends")
    contact = np.arange(len(touchpoints.contacts), dtype=np.int64)
    moments = np.full(len(contact), as_of, dtype=np.int64)
    made = _unlabelled(contact, moments, moments + goal.horizon, np.full(len(contact), -1, dtype=np.int64))
    if versions is not None:
        made = made.only(versions.holds(made.contact, made.as_of))
        made = replace(made, group=versions.group[made.contact])
    return made.only(_exists(touchpoints, made) & _among(touchpoints, goal, made))


def label_rows(
    touchpoints: Touchpoints, rules: TouchpointRules, goal: Goal, rows: Rows, versions: Versions | None = None
) -> Rows:
    """Say of rows what came of them, as ``make_rows`` does; their horizons must have ended."""
    if versions is None:
        return _labelled(touchpoints, goal, rules, rows)
    return _labelled_as_seen(versions.recorded, goal, rules, rows, versions)


def calendar_snapshots(first: int, end: int, horizon: int, every: int) -> I64:
    """Snapshots at 00:00 UTC, going back from ``end - horizon`` to one horizon after ``first``; oldest first.

    Examples
    --------
    >>> [int(t // DAY) for t in calendar_snapshots(0, 100 * DAY + 5, 28 * DAY, 14 * DAY)]
    [30, 44, 58, 72]
    """
    newest = end - horizon
    n = max(0, (newest - first - horizon) // every + 1) + 1
    moments = (newest - every * np.arange(n, dtype=np.int64)) // DAY * DAY
    return np.unique(moments[moments >= first + horizon])


def _no_rows() -> Rows:
    none = np.zeros(0, dtype=np.int64)
    return Rows(none, none, none, np.zeros(0, dtype=np.bool_), np.zeros(0), none)


def _calendar_rows(touchpoints: Touchpoints, goal: Goal, end: int) -> Rows:
    if isinstance(goal.horizon, Until) or goal.snapshots.every_us is None:
        raise ValueError(f"goal {goal.name!r} has calendar rows and needs a horizon that is a duration")
    first = int(touchpoints.occurred_at.min())
    moments = calendar_snapshots(first, end, goal.horizon, goal.snapshots.every_us)
    n = len(touchpoints.contacts)
    as_of = np.repeat(moments, n)
    contact = np.tile(np.arange(n, dtype=np.int64), len(moments))
    return _unlabelled(contact, as_of, as_of + goal.horizon, np.full(len(as_of), -1, dtype=np.int64))


def _after_rows(touchpoints: Touchpoints, goal: Goal, versions: Versions | None) -> Rows:
    after = goal.snapshots.after
    if after is None or after.kind not in touchpoints.kinds:
        return _no_rows()
    own = np.flatnonzero(touchpoints.kind == touchpoints.kinds.index(after.kind)).astype(np.int64)
    as_of = touchpoints.occurred_at[own] + after.delay_us
    if isinstance(goal.horizon, Until):
        until, known = _until(touchpoints, own, goal.horizon.property)
        usable = known & (until > as_of)
    else:
        until, usable = as_of + goal.horizon, np.ones(len(own), dtype=np.bool_)
    contact = touchpoints.contact[own].astype(np.int64)
    made = _unlabelled(contact if versions is None else versions.at(contact, as_of), as_of, until, own)
    return replace(made.only(usable), endless=int((~usable).sum()))


def _until(touchpoints: Touchpoints, own: I64, name: str) -> tuple[I64, Flags]:
    """When each row's horizon ends, by a property (UTC where it names no zone), and whether it is a time."""
    until = np.zeros(len(own), dtype=np.int64)
    known = np.zeros(len(own), dtype=np.bool_)
    for row, properties in enumerate(own_properties(touchpoints, own)):
        try:
            until[row] = time_of(properties.get(name))
            known[row] = True
        except ValueError:
            continue
    return until, known


def time_of(ends: Any) -> int:
    """Read a property as a time, in microseconds.

    Raises
    ------
    ValueError
        Where it is none.
    """
    # A file of text gives 20260702 as a number; as a time it is that day, not a second of 1970.
    return parse_time(str(ends) if isinstance(ends, int) and 10**7 <= ends < 10**8 else ends)


def _unlabelled(contact: I64, as_of: I64, until: I64, own: I64) -> Rows:
    n = len(as_of)
    return Rows(contact, as_of, until, np.zeros(n, dtype=np.bool_), np.zeros(n), own)


def _exists(touchpoints: Touchpoints, rows: Rows) -> Flags:
    """Whether the contact had a touchpoint before ``as_of``; a row's own counts."""
    first = touchpoints.occurred_at[touchpoints.start[rows.contact]]
    return (first < rows.as_of) | (rows.own >= 0)


def _among(touchpoints: Touchpoints, goal: Goal, rows: Rows) -> Flags:
    among = goal.among
    chosen = np.ones(len(rows), dtype=np.bool_)
    if among is None:
        return chosen
    if among.seen:
        since = rows.as_of - among.within_us if among.within_us is not None else np.int64(-(2**62))
        seen, _, _ = tally(_spans(touchpoints, rows, since, rows.as_of), of_kinds(touchpoints, among.seen))
        chosen &= seen > 0
    if among.without:
        ever = _spans(touchpoints, rows, np.int64(-(2**62)), rows.as_of)
        had, _, _ = tally(ever, of_kinds(touchpoints, among.without))
        chosen &= had == 0
    return chosen


def _labelled(touchpoints: Touchpoints, goal: Goal, rules: TouchpointRules, rows: Rows) -> Rows:
    horizon = _spans(touchpoints, rows, rows.as_of, rows.until)
    wanted = None
    if goal.linked:
        # A row whose own touchpoint carries no decision can have nothing linked to it: -2 is no decision's code.
        wanted = touchpoints.decision[rows.own].astype(np.int64)
        wanted[wanted < 0] = -2
    # A row made the moment its touchpoint happened must not take that touchpoint for the outcome.
    watched = of_kinds(touchpoints, goal.watched)
    happened, _, _ = tally(horizon, watched, link=touchpoints.decision, wanted=wanted, skip=rows.own)
    margin = touchpoints.margins(rules.margin)
    earned = of_kinds(touchpoints, rules.money) & ~touchpoints.outbound
    _, value, _ = tally(horizon, earned, weight=margin, skip=rows.own)
    label = happened == 0 if goal.is_absence else happened > 0
    return replace(rows, label=label, value=value)


def _labelled_as_seen(
    recorded: Touchpoints, goal: Goal, rules: TouchpointRules, rows: Rows, versions: Versions
) -> Rows:
    """Add up what happened under each identity that is the contact's at ``until``."""
    row, identity = versions.seen_at(rows.contact, rows.until)
    each = _unlabelled(identity, rows.as_of[row], rows.until[row], rows.own[row])
    found = _labelled(recorded, goal, rules, each)
    happened = found.label != goal.is_absence
    n = np.bincount(row[happened], minlength=len(rows))
    value = np.bincount(row, weights=found.value, minlength=len(rows)).astype(np.float64)
    return replace(rows, label=n == 0 if goal.is_absence else n > 0, value=value)


def _spans(touchpoints: Touchpoints, rows: Rows, from_: Any, to: Any) -> tuple[I64, I64]:
    return spans(touchpoints.start, touchpoints.occurred_at, rows.contact, from_, to)


def of_kinds(touchpoints: Touchpoints, kinds: Iterable[str]) -> Flags:
    """Which touchpoints are of one of ``kinds``."""
    wanted = set(kinds)
    return np.array([kind in wanted for kind in touchpoints.kinds], dtype=np.bool_)[touchpoints.kind]


def describe(rows: Rows) -> dict[str, Any]:
    """Rows, positives and the span of a part, as the report shows them."""
    return {
        "rows": len(rows),
        "positives": int(rows.label.sum()),
        "from": iso(int(rows.as_of.min())) if len(rows) else None,
        "to": iso(int(rows.as_of.max())) if len(rows) else None,
    }

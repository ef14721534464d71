"""The pairs of identities that links joined, each with the span for which they were."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from features.identity.link_rules import EVER, STITCHED, most, pair_spans
from features.rows.row_types import LinkRow, SplitRow

if TYPE_CHECKING:
    from features.touchpoints.touchpoints import TouchpointRules

I64 = NDArray[np.int64]
_Span = tuple[int, int]


@dataclass(frozen=True)
class Links:
    """Links as columns, shape (n,); codes index ``names`` and ``hows``. ``a`` is below ``b``."""

    names: list[str]
    a: I64
    b: I64
    seen_at: I64
    how: I64
    hows: list[str]
    confidence: NDArray[np.float64]

    @classmethod
    def of(cls, rows: Iterable[LinkRow]) -> Links:
        """Read rows in any order."""
        code: dict[str, int] = {}
        a: list[int] = []
        b: list[int] = []
        seen: list[int] = []
        how: list[str] = []
        confidence: list[float] = []
        for left, right, seen_at, way, certainty, _ in rows:
            if left != right:
                a.append(code.setdefault(left, len(code)))
                b.append(code.setdefault(right, len(code)))
                seen.append(seen_at)
                how.append(way)
                confidence.append(1.0 if certainty is None else certainty)
        ends = np.array([a, b], dtype=np.int64).reshape(2, len(a))
        hows = sorted(set(how))
        of = {name: i for i, name in enumerate(hows)}
        return cls(
            names=list(code),
            a=ends.min(axis=0),
            b=ends.max(axis=0),
            seen_at=np.array(seen, dtype=np.int64),
            how=np.array([of[name] for name in how], dtype=np.int64),
            hows=hows,
            confidence=np.array(confidence, dtype=np.float64),
        )

    @property
    def pair(self) -> I64:
        """One number for the two ends."""
        return self.a * max(1, len(self.names)) + self.b

    def count(self, rules: TouchpointRules) -> NDArray[np.bool_]:
        """Which links are good enough to join, as ``link_rules.counts`` says of one."""
        stitched = self.hows.index(STITCHED) if STITCHED in self.hows else -1
        found: NDArray[np.bool_] = self.confidence >= rules.stitch_confidence
        return found if rules.visitor_stitching else found & (self.how != stitched)

    def row(self, at: int) -> LinkRow:
        """Return one link; without its properties."""
        names = self.names
        a, b = sorted((names[self.a[at]], names[self.b[at]]))
        return LinkRow(a, b, int(self.seen_at[at]), self.hows[self.how[at]], float(self.confidence[at]))


@dataclass(frozen=True)
class Edges:
    """Pairs that were joined for every ``as_of`` with ``begin < as_of <= end``; ``link`` began it. Shape (n,)."""

    a: I64
    b: I64
    begin: I64
    end: I64
    link: I64

    def __len__(self) -> int:
        return len(self.begin)

    def only(self, which: NDArray[np.bool_]) -> Edges:
        """Take some of them."""
        return Edges(self.a[which], self.b[which], self.begin[which], self.end[which], self.link[which])


def edges_of(links: Links, splits: Iterable[SplitRow], rules: TouchpointRules) -> Edges:
    """Find which pairs were joined when: linked well enough, not split, and neither end shared."""
    live, was_split = _live(links, splits, rules)
    since, spans = _shared(links, live, was_split, rules)
    end = np.minimum(live.end, np.minimum(since[live.a], since[live.b]))
    joined = Edges(live.a, live.b, live.begin, end, live.link).only(live.begin < end)
    return _without(joined, spans) if spans else joined


def _live(links: Links, splits: Iterable[SplitRow], rules: TouchpointRules) -> tuple[Edges, set[int]]:
    """Pairs as links and splits alone have it, and the ends of pairs that were split."""
    # Of links seen at once always the same one begins a pair: names of ways rise with their codes.
    order = np.lexsort((-links.confidence, links.how, links.seen_at, links.pair))
    order = order[links.count(rules)[order]]
    pair = links.pair[order]
    first = np.flatnonzero(np.concatenate([[True], pair[1:] != pair[:-1]])) if len(pair) else order
    of_pair = _splits_by_pair(links, splits)
    pairs = pair[first]
    whole = ~np.isin(pairs, np.array(list(of_pair), dtype=np.int64))
    rows = order[first[whole]]
    ever = np.full(len(rows), EVER, dtype=np.int64)
    kept = Edges(links.a[rows], links.b[rows], links.seen_at[rows], ever, rows)
    if whole.all():
        return kept, set()
    broken: list[tuple[int, int, int, int, int]] = []
    past = np.append(first[1:], len(pair))
    for place in np.flatnonzero(~whole).tolist():
        mine: list[int] = order[first[place] : past[place]].tolist()
        a, b = int(links.a[mine[0]]), int(links.b[mine[0]])
        row = {links.row(at): at for at in mine}
        spans = pair_spans(list(row), of_pair[int(pairs[place])])
        broken += [(a, b, begin, end, row[link]) for begin, end, link in spans]
    more = np.array(broken, dtype=np.int64).reshape(-1, 5).T
    columns = zip((kept.a, kept.b, kept.begin, kept.end, kept.link), more, strict=True)
    return Edges(*(np.concatenate(both) for both in columns)), {*more[0].tolist(), *more[1].tolist()}


def _splits_by_pair(links: Links, splits: Iterable[SplitRow]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    code: dict[str, int] = {}
    for split in splits:
        code = code or {name: i for i, name in enumerate(links.names)}
        a, b = code.get(split.identity_a), code.get(split.identity_b)
        if a is not None and b is not None:
            found[min(a, b) * len(links.names) + max(a, b)].append(split.at)
    return found


def _shared(
    links: Links, live: Edges, was_split: set[int], rules: TouchpointRules
) -> tuple[I64, dict[int, list[_Span]]]:
    """From when on each identity is shared for good, and spans in which others were for a while.

    A split may take a neighbour away, so only an identity without one stays shared.
    """
    n = len(links.names)
    since = _crowded(links, n, most(rules))
    identity, begin = np.concatenate([live.a, live.b]), np.concatenate([live.begin, live.begin])
    order = np.lexsort((begin, identity))
    identity, begin = identity[order], begin[order]
    nth = np.arange(len(identity)) - np.searchsorted(identity, identity)
    too_many = nth == rules.stitch_limit
    passing = np.isin(identity, np.array(sorted(was_split), dtype=np.int64))
    for_good = too_many & ~passing
    since[identity[for_good]] = np.minimum(since[identity[for_good]], begin[for_good])
    spans = {}
    for code in identity[too_many & passing].tolist():
        mine = (live.a == code) | (live.b == code)
        spans[code] = _more_than(rules.stitch_limit, live.begin[mine].tolist(), live.end[mine].tolist())
    return since, {code: found for code, found in spans.items() if found}


def _crowded(links: Links, n: int, limit: int) -> I64:
    """From when on each identity has ``limit`` different links, good or not; EVER where it has not."""
    since = np.full(n, EVER, dtype=np.int64)
    many = np.flatnonzero(np.bincount(np.concatenate([links.a, links.b]), minlength=n) >= limit)
    if not len(many):
        return since
    identity = np.concatenate([links.a, links.b])
    row = np.tile(np.arange(len(links.a)), 2)[np.isin(identity, many)]
    other = np.concatenate([links.b, links.a])[np.isin(identity, many)]
    identity = identity[np.isin(identity, many)]
    columns = (links.seen_at[row], links.confidence[row], links.how[row], other, identity)
    order = np.lexsort(columns)
    changes = np.ones(len(order), dtype=np.bool_)
    if len(order) > 1:
        changes[1:] = np.any([column[order][1:] != column[order][:-1] for column in columns[1:]], axis=0)
    seen_at, identity = columns[0][order[changes]], identity[order[changes]]
    order = np.lexsort((seen_at, identity))
    seen_at, identity = seen_at[order], identity[order]
    nth = np.arange(len(identity)) - np.searchsorted(identity, identity) == limit - 1
    since[identity[nth]] = seen_at[nth]
    return since


def _more_than(limit: int, begins: Sequence[int], ends: Sequence[int]) -> list[_Span]:
    """Spans in which more than ``limit`` of the given spans lie over each other."""
    change: dict[int, int] = defaultdict(int)
    for begin, end in zip(begins, ends, strict=True):
        change[begin] += 1
        change[end] -= 1
    found: list[_Span] = []
    n, since = 0, None
    for moment in sorted(change):
        n += change[moment]
        if n > limit and since is None:
            since = moment
        elif n <= limit and since is not None:
            found.append((since, moment))
            since = None
    return found


def _without(edges: Edges, spans: dict[int, list[_Span]]) -> Edges:
    """Take the spans out in which one of the ends was shared."""
    codes = np.array(sorted(spans), dtype=np.int64)
    touched = np.isin(edges.a, codes) | np.isin(edges.b, codes)
    left: list[tuple[int, int, int, int, int]] = []
    for at in np.flatnonzero(touched).tolist():
        a, b = int(edges.a[at]), int(edges.b[at])
        pieces = [(int(edges.begin[at]), int(edges.end[at]))]
        for out in (*spans.get(a, ()), *spans.get(b, ())):
            pieces = [piece for span in pieces for piece in _cut(span, out)]
        left += [(a, b, begin, end, int(edges.link[at])) for begin, end in pieces]
    kept = edges.only(~touched)
    more = np.array(left, dtype=np.int64).reshape(-1, 5).T
    columns = zip((kept.a, kept.b, kept.begin, kept.end, kept.link), more, strict=True)
    return Edges(*(np.concatenate(both) for both in columns))


def _cut(span: _Span, out: _Span) -> list[_Span]:
    pieces = [(span[0], min(span[1], out[0])), (max(span[0], out[1]), span[1])]
    return [(begin, end) for begin, end in pieces if begin < end]

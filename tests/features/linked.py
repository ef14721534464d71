"""Small worlds of links and splits for properties: few identities, few moments, so that everything meets."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import strategies as st

from features.rows.row_types import ContactRow, LinkRow, SplitRow
from features.store.store import Store
from features.times import DAY
from features.touchpoints.touchpoints import TouchpointRules

IDENTITIES = ("cookie:1", "cookie:2", "crm:1", "crm:2", "device:9", "email:1", "4711")
LAST = 12
MOMENTS = [day * DAY for day in range(LAST + 2)]

identity = st.sampled_from(IDENTITIES)
moment = st.integers(1, LAST).map(lambda day: day * DAY)
pairs = st.tuples(identity, identity).filter(lambda pair: pair[0] != pair[1])

links = st.lists(
    st.builds(
        lambda pair, at, how, sure: LinkRow(pair[0], pair[1], at, how, sure),
        pairs,
        moment,
        st.sampled_from(["login", "alias", "confirmed", "stitched"]),
        st.sampled_from([None, None, 0.95, 0.9, 0.5]),
    ),
    max_size=10,
)
splits = st.lists(st.builds(lambda pair, at: SplitRow(pair[0], pair[1], at, "wrong", "ann"), pairs, moment), max_size=3)
contacts = st.lists(
    st.builds(lambda name, at, size: ContactRow(name, at, {"size": size}), identity, moment, st.integers(1, 5)),
    max_size=4,
    unique_by=lambda row: row[:2],
)
rules = st.builds(
    lambda limit, stitching: TouchpointRules(stitch_limit=limit, visitor_stitching=stitching),
    st.integers(1, 4),
    st.booleans(),
)


@contextmanager
def empty_store() -> Iterator[Store]:
    """Open a store of its own for one example; made once and copied, because hundreds are asked for."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "nba.db"
        shutil.copyfile(_made(), path)
        with Store.open(f"sqlite:///{path}") as store:
            yield store


_ROOM = TemporaryDirectory()


def _made() -> Path:
    path = Path(_ROOM.name) / "empty.db"
    if not path.exists():
        Store.open(f"sqlite:///{path}").close()
    return path


def write(
    store: Store, links: Sequence[LinkRow] = (), splits: Sequence[SplitRow] = (), contacts: Iterable[ContactRow] = ()
) -> None:
    """Store everything in one transaction."""
    with store.writing() as writing:
        writing.links(links)
        writing.splits(splits)
        writing.contacts(list(contacts))


def stricter(rules: TouchpointRules, limit: int) -> TouchpointRules:
    """Return the rules with another limit."""
    return replace(rules, stitch_limit=limit)

"""Weighing every contact's actions at one moment, as the service would: gates and terms of all, nothing drawn."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from features.partitions import members
from models.estimates import foresee
from nba.actions import Catalogue
from nba.request import Request
from nba.tables.tables import Tables
from nba.weighing import Weighed, weigh
from training.everybody.account_rows import account_columns
from training.everybody.everybody import Everybody
from training.everybody.wire import packed, unpacked
from training.parallel import Work, run
from training.score_tasks import Scorer

if TYPE_CHECKING:
    from models.belief import Belief
    from nba.settings import Settings

R = TypeVar("R")
Weighing = Iterator[tuple[str, Weighed]]
OUTBOUND = "outbound"
_WORTH_CUTTING = 512
"""Contacts of a partition at least: to cut smaller takes longer than to weigh them."""
_AT_ONCE = 2048
"""Contacts that are foreseen together in one process: their estimates lie in memory at once."""


def weigh_all(
    everybody: Everybody,
    settings: Settings,
    belief: Belief | None,
    *,
    placement: str = OUTBOUND,
    advance: Callable[[int], None] = lambda n: None,
) -> Weighing:
    """Weigh every contact in this process, in the order of ``everybody.names``.

    Parameters
    ----------
    settings
        May be others than those that ``everybody`` was read under, where ``[touchpoints]``, ``[money]`` and
        ``[topics]`` are the same and decisions reach back as far.
    belief
        The bundle that serves; None: no model is asked.
    advance
        Told of contacts as they are done.

    Raises
    ------
    Exception
        Whatever is wrong with the model: a request is answered in any case, a whole day's work must not be.
    """
    catalogue = Catalogue.of(settings)
    everybody = everybody.under(catalogue)
    account = None if belief is None else account_columns(everybody, belief.features, settings)
    for low in range(0, len(everybody.names), _AT_ONCE):
        part = everybody.part(everybody.names[low : low + _AT_ONCE], catalogue)
        here = None if account is None else account[[everybody.place[name] for name in part.touchpoints.contacts]]
        yield from _weighed(part, catalogue, belief, placement, here)
        advance(len(part.names))


def map_weighed(
    everybody: Everybody,
    settings: Settings,
    belief: Belief | None,
    summarise: Callable[[Weighing], R],
    *,
    placement: str = OUTBOUND,
    advance: Callable[[int], None] = lambda n: None,
) -> Iterator[R]:
    """Weigh every contact where ``[scale]`` says, and yield what ``summarise`` makes of each partition.

    Partitions come in their order; contacts within one in the order of ``everybody.names``.

    Parameters
    ----------
    summarise
        A function of a module, given names and what was weighed; what it returns is pickled and sent back, so it
        should be small: counts, or arrays with a row per contact.

    Raises
    ------
    ScaleError
        Where the workers could not do their work.
    """
    catalogue = Catalogue.of(settings)
    everybody = everybody.under(catalogue)
    parts = members(everybody.names, min(settings.scale.partitions, 1 + len(everybody.names) // _WORTH_CUTTING))
    account = None if belief is None else account_columns(everybody, belief.features, settings)

    def make(i: int) -> bytes:
        part = everybody.part([everybody.names[at] for at in parts[i].tolist()], catalogue)
        here = None if account is None else account[[everybody.place[name] for name in part.touchpoints.contacts]]
        return packed(part, here)

    scorer = Scorer(settings, belief, everybody.as_of).to_bytes()
    common = pickle.dumps((scorer, placement, summarise, everybody.surrounding.tables), protocol=5)
    work = Work(_summarised, common, make, len(parts), len(everybody.names))
    for part, result in zip(parts, run(work, settings.scale), strict=True):
        yield pickle.loads(result)
        advance(len(part))


def _weighed(
    part: Everybody, catalogue: Catalogue, belief: Belief | None, placement: str, account: NDArray[np.float32] | None
) -> Weighing:
    if belief is not None:
        known = [part.traits.known(name, part.as_of) for name in part.touchpoints.contacts]
        belief = foresee(belief, part.touchpoints, known, part.as_of, catalogue.candidates, account)
    for name in part.names:
        request = Request(contact=name, placement=placement)
        yield name, weigh(request, part.past(name), belief, catalogue, part.as_of, report=_raise)


def _summarised(common: bytes, task: bytes) -> bytes:
    scorer, catalogue, placement, summarise, tables = _made_ready(common)
    part, (account,) = unpacked(task, tables)
    weighed = _weighed(part, catalogue, scorer.belief, placement, account)
    return pickle.dumps(summarise(weighed), protocol=5)


@lru_cache(maxsize=2)
def _made_ready(common: bytes) -> tuple[Scorer, Catalogue, str, Callable[[Weighing], Any], Tables]:
    plain, placement, summarise, tables = pickle.loads(common)
    scorer = Scorer.from_bytes(plain)
    return scorer, Catalogue.of(scorer.settings), placement, summarise, tables


def _raise(error: Exception) -> None:
    raise error

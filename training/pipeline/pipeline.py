"""The pipeline at past moments: what is counted over everybody, kept in the store for pages that answer at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from features.rows.row_types import FigureRow
from features.store.figures import figures_of
from features.store.reading import Reading
from features.times import DAY
from nba.settings import Settings
from training.past import Past
from training.pipeline.lasting import lengths
from training.pipeline.leaving import lost, silent
from training.pipeline.moments import USUAL
from training.pipeline.moves import moves
from training.pipeline.people import NOBODY, People, Present
from training.pipeline.staged import Stager, stages_id
from training.pipeline.visits import Visits

if TYPE_CHECKING:
    from models.belief import Belief

LOOK_BACK = USUAL
"""Moments that are looked back at to tell how long contacts stay in a stage."""

Ints = NDArray[np.int64]
_Look = tuple[Present, Ints]


def name_of(every: int) -> str:
    """Name the figures of moments that are so many microseconds apart.

    Examples
    --------
    >>> name_of(7 * DAY)
    'pipeline_7d'
    """
    return f"pipeline_{every // DAY}d"


def missing(
    reading: Reading, wanted: Sequence[int], every: int, settings: Settings, belief: Belief | None
) -> list[int]:
    """Return the moments that nothing has been counted of yet with these stages."""
    if not wanted:
        return []
    told = stages_id(settings, belief)
    there = {
        row.at
        for row in figures_of(reading, name_of(every), wanted[0], wanted[-1] + 1)
        if row.body.get("stages_id") == told
    }
    return [at for at in wanted if at not in there]


@dataclass(frozen=True)
class Pipeline:
    """Everybody at moments that are ``every`` microseconds apart; each is looked at once.

    Figures as of a moment tell what had happened strictly before it. Who may not be profiled by now is in none.
    """

    past: Past
    settings: Settings
    belief: Belief | None
    every: int

    def figures(self, wanted: Sequence[int], *, advance: Callable[[int], None] = lambda n: None) -> Iterator[FigureRow]:
        """Count as of each moment wanted, in the order of time; see ``_body``.

        Parameters
        ----------
        wanted
            Microseconds, each a whole number of ``every`` after the one before.
        advance
            Told of moments as they are done.
        """
        looks: dict[int, _Look] = {}
        begin = self._begin
        for at in sorted(wanted):
            needed = [at - back * self.every for back in range(LOOK_BACK, -1, -1)]
            needed = [each for each in needed if each > begin or each == at]
            looks = {each: looks.get(each) or self._look(each) for each in needed}
            yield FigureRow(name_of(self.every), at, self._body(at, looks))
            advance(1)

    def _look(self, moment: int) -> _Look:
        present = self._people.at(moment)
        return present, self._stager.codes(present, moment)

    def _body(self, at: int, looks: dict[int, _Look]) -> dict[str, Any]:
        """Count as of the last of some looks.

        Returns
        -------
        dict
            ``stages``: contacts by stage; ``moves`` since the moment before; ``lengths``: how long they stay;
            ``leaving``: who went silent, by stage; ``lost``: customers, by goal; ``visits`` that were over since the
            moment before.
        """
        names, (present, codes) = self._stager.names, looks[at]
        before = looks.get(at - self.every)
        version = self._stager.version
        return {
            "stages_id": self._stages_id,
            "by": "rule" if version is None else "model",
            "model_version": version,
            "every_us": self.every,
            "contacts": len(present),
            "stages": dict(zip(names, np.bincount(codes, minlength=len(names)).tolist(), strict=True)),
            "since": None if before is None else at - self.every,
            "moves": [] if before is None else moves((before[0].who, before[1]), (present.who, codes), names),
            "lengths": lengths(self._table(looks), self.every / DAY, names),
            "leaving": silent(self._people, present, codes, at, self.every, names),
            "lost": lost(self.past, self._people, self.settings, at),
            "visits": self._visits.between(present.contact, at - self.every, at),
        }

    def _table(self, looks: dict[int, _Look]) -> Ints:
        """Lay out the stage of each contact at each moment; who was no contact at any has no row."""
        table = np.full((self._people.most, len(looks)), NOBODY, dtype=np.int64)
        for i, (present, codes) in enumerate(looks.values()):
            table[present.who, i] = codes
        known: Ints = table[(table != NOBODY).any(axis=1)]
        return known

    @property
    def _begin(self) -> int:
        """When the records begin: before that there is nobody to look at."""
        return int(self.past.recorded.occurred_at.min())

    @cached_property
    def _people(self) -> People:
        return People.of(self.past, self.settings)

    @cached_property
    def _stager(self) -> Stager:
        return Stager.of(self.past, self.settings, self.belief)

    @cached_property
    def _stages_id(self) -> str:
        return stages_id(self.settings, self.belief)

    @cached_property
    def _visits(self) -> Visits:
        return Visits.of(self.past.touchpoints, -(2**62))

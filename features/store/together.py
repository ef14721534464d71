"""Several selects as one sentence: one way to the database and back in the place of one for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, cast, literal_column, null, union_all
from sqlalchemy.types import TypeEngine

from features.store.dialect import Sql

if TYPE_CHECKING:
    from features.store.dialect import Dialect

Row = tuple[Any, ...]


class Together(Sql):
    """Rows of all parts in one list, each with the number of its part first and as wide as the widest.

    A database is asked once for what lies in several tables; on a server every question costs more than all that these
    rows leave empty.

    Parameters
    ----------
    parts
        Without an order or a limit of their own; their parameters have names, and one name means one value.
    """

    def __init__(self, *parts: Select[Any]) -> None:
        kinds: list[type[TypeEngine[Any]]] = []
        places = [_placed([type(column.type) for column in part.selected_columns], kinds) for part in parts]
        super().__init__(union_all(*(_wide(n, *each, kinds) for n, each in enumerate(zip(parts, places, strict=True)))))
        self._pick = [_picking([1 + place for place in own]) for own in places]
        self._names: dict[str, Sequence[str]] = {}
        self._fixed: dict[str, Any] = {}

    def parameters(self, dialect: Dialect, named: Mapping[str, Any]) -> list[Any]:
        """Return the values of the parameters in the order in which the text has them."""
        names = self._names.get(dialect.name)
        if names is None:
            compiled: Any = self._clause.compile(dialect=dialect.grammar)
            names = self._names[dialect.name] = tuple(compiled.positiontup)
            # Numbers that stand in the parts themselves, and some that a dialect puts there.
            self._fixed.update((name, value) for name, value in compiled.params.items() if value is not None)
        fixed = self._fixed
        return [named[name] if name in named else fixed[name] for name in names]

    def apart(self, rows: Sequence[Row]) -> list[list[Row]]:
        """Return the rows of each part, as it would have told them."""
        pick = self._pick
        found: list[list[Row]] = [[] for _ in pick]
        for row in rows:
            part: int = row[0]
            found[part].append(pick[part](row))
        return found


def _placed(mine: Sequence[type[TypeEngine[Any]]], kinds: list[type[TypeEngine[Any]]]) -> list[int]:
    """Find a place of its own for each column among places of its kind; ``kinds`` grows where there is none."""
    places: list[int] = []
    for kind in mine:
        free = [place for place, there in enumerate(kinds) if there is kind and place not in places]
        if not free:
            kinds.append(kind)
        places.append(free[0] if free else len(kinds) - 1)
    return places


def _wide(n: int, part: Select[Any], places: Sequence[int], kinds: Sequence[type[TypeEngine[Any]]]) -> Select[Any]:
    own = dict(zip(places, part.selected_columns, strict=True))
    # A server must know of what kind nothing is.
    columns = [own[place] if place in own else cast(null(), kind()) for place, kind in enumerate(kinds)]
    return part.with_only_columns(literal_column(str(n)), *columns, maintain_column_froms=True)


def _picking(places: Sequence[int]) -> Callable[[Row], Row]:
    if len(places) == 1:
        place = places[0]
        return lambda row: (row[place],)
    pick: Callable[[Row], Row] = itemgetter(*places)
    return pick

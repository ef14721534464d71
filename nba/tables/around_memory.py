"""What was read of what lies around a contact, for when the store is away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nba.tables.around_store import StoreSurroundings
from nba.tables.surroundings import Alone, Surroundings
from nba.tables.tables import Asset, Tables

_NONE = Tables()


@dataclass(frozen=True, eq=False)
class Remembered(Alone):
    """The catalogues and devices that are remembered; of what others did nothing is known."""

    catalogues: Tables
    devices: Sequence[Asset] = ()

    def tables(self) -> Tables:
        """Return the catalogues as they were read last."""
        return self.catalogues

    def assets(self) -> Sequence[Asset]:
        """Return the devices of the contact and of its account, where anybody asked for them before."""
        return self.devices


def remembered(around: Surroundings, tables: Tables = _NONE) -> Remembered:
    """Return what is known of surroundings without asking the store; it holds nothing else that they have read."""
    if isinstance(around, Remembered):
        return Remembered(tables, around.devices)
    return Remembered(tables, around.assets_read if isinstance(around, StoreSurroundings) else ())

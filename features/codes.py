"""Texts as numbers: codes that index a list of names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.texts import alike

NONE = -1
"""The code of an absent text."""
_NONES = np.full(1, NONE, dtype=np.int32)


class Codes:
    """Texts numbered in the order of their first appearance; None and "" are -1.

    Parameters
    ----------
    names
        Those that have a number already, in its order.

    Examples
    --------
    >>> codes = Codes()
    >>> codes("web"), codes("mail"), codes("web"), codes(None), codes.names
    (0, 1, 0, -1, ['web', 'mail'])
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.names = list(names)
        self._of: dict[str | None, int] = {None: NONE, "": NONE}
        self._of.update((name, code) for code, name in enumerate(names))

    def __call__(self, name: str | None) -> int:
        """Return the code of a text, a new one where it is new."""
        code = self._of.get(name)
        if code is None and name is not None:
            code = self._of[name] = len(self.names)
            self.names.append(name)
        return NONE if code is None else code

    def all(self, names: Sequence[str | None]) -> NDArray[np.int32]:
        """Codes of many texts."""
        if names.count(None) == len(names):
            return alike(_NONES, len(names))
        for name in dict.fromkeys(names):
            self(name)
        return np.fromiter(map(self._of.__getitem__, names), dtype=np.int32, count=len(names))


def translation(names: Sequence[str], codes: Codes) -> NDArray[np.int32]:
    """Return what each code of other names is among ``codes``; -1, taken as an index, stays -1."""
    return np.array([*map(codes, names), NONE], dtype=np.int32)

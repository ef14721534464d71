"""A booster's answer for one row, by LightGBM's call for one row at a time.

``Booster.predict`` makes a predictor anew for each call and finds out again how large its answer is; that costs several
times what walking the trees does. The numbers are the same to the last bit: the same code walks the same trees.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.boosting import lightgbm

_FLOAT32, _NORMAL = 0, 0
"""LightGBM's codes for the type of a row's numbers, and for an answer as ``predict`` gives it."""


class OneRow:
    """A booster made ready for one row at a time; safe to call from several threads.

    Parameters
    ----------
    booster
        Of LightGBM, with one number as its answer.
    columns
        How many numbers a row has.
    """

    def __init__(self, booster: Any, columns: int) -> None:
        self._booster, self._columns = booster, columns
        basic = lightgbm().basic
        self._library, self._config = basic._LIB, ctypes.c_void_p()
        code = self._library.LGBM_BoosterPredictForMatSingleRowFastInit(
            booster._handle, ctypes.c_int(_NORMAL), ctypes.c_int(0), ctypes.c_int(booster.best_iteration),
            ctypes.c_int(_FLOAT32), ctypes.c_int32(columns), b"num_threads=1", ctypes.byref(self._config),
        )  # fmt: skip
        if code:
            raise ValueError(f"LightGBM cannot answer for one row: {self._library.LGBM_GetLastError()!r}")
        self._call = self._library.LGBM_BoosterPredictForMatSingleRowFast

    def __del__(self) -> None:
        config = getattr(self, "_config", None)
        if config:
            self._library.LGBM_FastConfigFree(config)

    def __reduce__(self) -> tuple[type[OneRow], tuple[Any, int]]:
        return OneRow, (self._booster, self._columns)

    def __call__(self, row: NDArray[np.float32]) -> float:
        """Answer for a row of shape (1, columns), one number after the other in memory."""
        found, n = ctypes.c_double(), ctypes.c_int64()
        code = self._call(self._config, ctypes.c_void_p(row.ctypes.data), ctypes.byref(n), ctypes.byref(found))
        if code or n.value != 1:
            raise ValueError(f"LightGBM gave {n.value} answers for one row: {self._library.LGBM_GetLastError()!r}")
        return found.value

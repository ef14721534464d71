"""What a row of features says, in a few letters: to prove later that it was this row."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
from numpy.typing import NDArray


def digests(X: NDArray[np.float32]) -> list[str]:
    """SHA-256 in hexadecimal of the numbers of each row of a matrix, shape (n, columns); equal to the bit or another.

    What is not known is not known, whatever the bits of its NaN.

    Examples
    --------
    >>> one, other, negated = digests(np.array([[1.0, np.nan], [2.0, np.nan], [1.0, -np.nan]], dtype=np.float32))
    >>> one == negated, one == other, len(one)
    (True, False, 64)
    """
    plain = np.where(np.isnan(X), np.float32(np.nan), X).astype("<f4", copy=False)
    return [sha256(row.tobytes()).hexdigest() for row in plain]

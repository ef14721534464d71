"""The refusal of a call because there are too many."""

from __future__ import annotations

from functools import lru_cache

from serving.problems import Problem


class Overload(Problem):
    """A refusal that costs next to nothing, because there may be very many."""

    def __init__(self, kind: str, status: int) -> None:
        detail = f"too many calls of the kind {kind!r} at once; try again in a second"
        super().__init__(status, "overload", detail, headers={"Retry-After": "1"})
        self._kind = kind

    def dumps(self, instance: str) -> bytes:
        """Write the answer, once for each address."""
        return _laid_out(self._kind, self.status, instance)


@lru_cache(maxsize=64)
def _laid_out(kind: str, status: int, instance: str) -> bytes:
    return Problem.dumps(Overload(kind, status), instance)

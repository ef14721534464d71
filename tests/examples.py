"""How many examples a claim is tried on: a third in the quick suite, all of them in the run that takes long."""

import os

FEWEST = 30
"""What even the quick suite tries, where a claim asks for as many."""


def examples(most: int) -> int:
    """Number of examples of this run for a claim that is tried on ``most`` by ``make test-slow``."""
    return most if os.environ.get("NBA_THOROUGH") == "1" else min(most, max(FEWEST, most // 3))

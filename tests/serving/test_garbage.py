import gc
import weakref

import pytest

from serving.garbage import looked_for_seldom


class Ring:
    def __init__(self):
        self.itself = self


def test_what_comes_and_goes_inside_is_still_found():
    kept = Ring()
    with looked_for_seldom():
        gone = weakref.ref(Ring())
        gc.collect()
        assert gone() is None and kept.itself is kept


def test_everything_is_as_before_afterwards():
    before = gc.get_threshold()
    with pytest.raises(KeyError), looked_for_seldom():
        assert gc.get_threshold() != before and gc.get_freeze_count()
        raise KeyError
    assert gc.get_threshold() == before and not gc.get_freeze_count()

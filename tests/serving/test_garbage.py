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


def test_what_lasts_is_not_gone_through_again_and_again():
    looks = []

    def look(phase, about):
        if phase == "start":
            looks.append((about["generation"], len(gc.get_objects(0)) + len(gc.get_objects(1))))

    with looked_for_seldom():
        gc.callbacks.append(look)
        try:
            kept, gone = [Ring() for _ in range(50_000)], []
            for _ in range(5_000):
                gone.append(weakref.ref(Ring()))
        finally:
            gc.callbacks.remove(look)
        assert len(kept) == 50_000 and sum(each() is None for each in gone) > 1_000
    assert len(looks) > 20 and all(generation < 2 and objects < 10_000 for generation, objects in looks)


def test_everything_is_as_before_afterwards():
    before = gc.get_threshold()
    with pytest.raises(KeyError), looked_for_seldom():
        assert gc.get_threshold() != before and gc.get_freeze_count()
        raise KeyError
    assert gc.get_threshold() == before and not gc.get_freeze_count()

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.held_up import COMMON, HeldUp

SPANS = st.lists(st.floats(0, 10), max_size=20)


class Writes:
    """Writes that take as long as they are told."""

    def __init__(self):
        self.now = 0.0
        self.held_up = HeldUp(lambda: self.now)
        self.asked = [0.0]

    def write(self, seconds, pause=0.0):
        before = self.held_up.seconds
        with self.held_up.writing():
            for _ in range(3):
                self.now += seconds / 3
                self.asked.append(self.held_up.seconds)
        self.now += pause
        self.asked.append(self.held_up.seconds)
        return self.held_up.seconds - before


@given(SPANS, SPANS)
def test_seconds_never_fall_and_are_never_more_than_what_is_beyond_the_common(written, between):
    writes = Writes()
    for long, pause in zip(written, between, strict=False):
        counted = writes.write(long, pause)
        assert -1e-9 <= counted <= max(0.0, long - COMMON) + 1e-9
    assert writes.asked == sorted(writes.asked)


@given(st.lists(st.floats(0, COMMON / 3), min_size=1, max_size=50), st.floats(COMMON, 100))
def test_one_stall_among_quick_writes_counts_whole_but_for_the_common(quick, stall):
    writes = Writes()
    assert [writes.write(each) for each in quick] == [0.0] * len(quick)
    assert writes.write(stall) == pytest.approx(stall - COMMON)


@pytest.mark.parametrize("seconds", [0.12, 0.5, 2.0])
def test_a_disk_that_is_slow_for_good_holds_nobody_up(seconds):
    writes = Writes()
    for _ in range(40):
        writes.write(seconds)
    assert writes.write(seconds) == 0.0
    # And one that is quick again is judged as one by and by.
    for _ in range(60):
        writes.write(0.001)
    assert writes.write(seconds) == pytest.approx(seconds - COMMON)


def test_a_failure_counts_too():
    writes = Writes()
    with pytest.raises(OSError), writes.held_up.writing():
        writes.now = 3.0 + COMMON
        raise OSError
    writes.now = 100.0
    assert writes.held_up.seconds == pytest.approx(3.0)

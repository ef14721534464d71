from hypothesis import given
from hypothesis import strategies as st

from serving.held_up import COMMON, HeldUp

SPANS = st.lists(st.floats(0, 10), max_size=20)


@given(SPANS, SPANS)
def test_what_is_beyond_the_common_counts_and_what_lies_between_does_not(written, between):
    now, asked = [0.0], [0.0]
    held_up = HeldUp(lambda: now[0])
    for long, pause in zip(written, between, strict=False):
        with held_up.writing():
            for _ in range(3):
                now[0] += long / 3
                asked.append(held_up.seconds)
        now[0] += pause
        asked.append(held_up.seconds)
    assert asked == sorted(asked)
    n = min(len(written), len(between))
    assert abs(held_up.seconds - sum(max(0.0, long - COMMON) for long in written[:n])) < 1e-6


def test_a_failure_counts_too():
    now = [0.0]
    held_up = HeldUp(lambda: now[0])
    try:
        with held_up.writing():
            now[0] = 3.0 + COMMON
            raise OSError
    except OSError:
        pass
    now[0] = 100.0
    assert held_up.seconds == 3.0

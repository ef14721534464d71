"""How long a store is waited for."""

import threading

from features.store.patience import Patience


def test_each_thread_has_its_own_bound() -> None:
    patience = Patience(busy=1.0, answer=30.0)
    patience.bound(2.0)
    seen: list[float] = []
    thread = threading.Thread(target=lambda: seen.append(patience.left()))
    thread.start()
    thread.join()
    assert (patience.left(), seen) == (2.0, [30.0])


def test_what_is_left_of_a_time_never_reaches_zero_and_ends_with_it() -> None:
    patience = Patience(busy=1.0, answer=30.0)
    with patience.within(5.0):
        assert 0.0 < patience.left() <= 5.0
    with patience.within(-1.0):
        assert patience.left() > 0.0
    assert patience.left() == 30.0

"""How much a key has left: the same whether one process counts or several together."""

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from serving.buckets import OwnBuckets, SharedBuckets

calls = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from([0.5, 1.0, 3.0]), st.floats(0.0, 2.0), st.booleans()),
    max_size=60,
)


@given(calls)
def test_two_who_share_count_as_one_would(tmp_path_factory, asked):
    path = tmp_path_factory.mktemp("rates") / "rates"
    alone, shared, now = OwnBuckets(), [SharedBuckets(path), SharedBuckets(path)], 100.0
    for key, rate, seconds, which in asked:
        now += seconds
        assert shared[which].take(key, rate, now) == alone.take(key, rate, now)
    for each in shared:
        each.close()


def test_where_there_is_no_room_the_longest_unused_begin_anew(tmp_path):
    buckets = SharedBuckets(tmp_path / "rates", room=16)
    for n in range(17):
        assert buckets.take(f"k{n}", 1.0, n / 100) == 0.0
    assert buckets.take("k16", 1.0, 0.2) > 0 and buckets.take("k1", 1.0, 0.2) > 0
    assert buckets.take("k0", 1.0, 0.2) == 0.0
    buckets.close()


def test_a_file_from_before_the_machine_was_started_does_no_harm(tmp_path):
    buckets = SharedBuckets(tmp_path / "rates")
    assert buckets.take("a", 2.0, 1e6) == 0.0
    assert [buckets.take("a", 2.0, 5.0), buckets.take("a", 2.0, 5.0)] == [0.0, 0.5]
    assert buckets.take("a", 2.0, 5.5) == 0.0
    buckets.close()


_TAKE = """
import sys
from pathlib import Path
from serving.buckets import SharedBuckets
buckets = SharedBuckets(Path(sys.argv[1]))
print(sum(buckets.take("a", 500.0, 1.0) == 0.0 for _ in range(1000)))
"""


def test_processes_at_once_get_no_more_than_one_would(tmp_path):
    command = [sys.executable, "-c", _TAKE, str(tmp_path / "rates")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]
    assert sum(int(each.communicate(timeout=60)[0]) for each in running) == 500

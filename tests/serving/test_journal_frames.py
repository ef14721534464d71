"""A journal's file, cut, flipped or grown anywhere, gives back what is whole and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.journal.frames import FRAME_BYTES, HEADER_BYTES, frame, header, scan

RECORDS = st.lists(st.binary(min_size=1, max_size=40), max_size=8)


def written(records):
    start = header()
    return start + b"".join(frame(start, number, record) for number, record in enumerate(records))


def read(data):
    return [bytes(data[at : at + length]) for at, length in scan(data).places]


def ends(records):
    """Where each record ends in the file."""
    at, found = HEADER_BYTES, []
    for record in records:
        at += FRAME_BYTES + len(record)
        found.append(at)
    return found


@given(RECORDS)
def test_what_was_written_is_read(records):
    found = scan(written(records))
    assert read(written(records)) == records
    assert (found.damaged, found.is_torn) == (0, False)


@given(RECORDS, st.data())
def test_a_cut_loses_only_what_lies_behind_it(records, data):
    whole = written(records)
    cut = data.draw(st.integers(0, len(whole)))
    kept = [record for record, end in zip(records, ends(records), strict=True) if end <= cut]
    found = scan(whole[:cut])
    assert read(whole[:cut]) == kept
    assert found.is_torn == (cut not in (0, HEADER_BYTES, *ends(records)))


@given(RECORDS.filter(bool), st.data())
def test_a_flipped_bit_loses_nothing_before_it_and_makes_nothing_up(records, data):
    whole = bytearray(written(records))
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8
    flipped = bytes(whole)
    before = [record for record, end in zip(records, ends(records), strict=True) if end <= bit // 8]
    found = read(flipped)
    if bit // 8 >= HEADER_BYTES:
        assert found[: len(before)] == before
    told = scan(flipped)
    assert told.damaged or told.is_torn
    left = iter(records)
    assert all(record in left for record in found), "in its order, and none twice"


@given(RECORDS, st.binary(max_size=80))
def test_what_stands_behind_the_last_record_is_none(records, rubbish):
    assert read(written(records) + rubbish) == records


@given(RECORDS.filter(bool), st.integers(0, 300))
def test_zeros_that_a_power_failure_left_are_no_records(records, n):
    assert read(written(records) + bytes(n)) == records


def test_records_of_another_file_or_place_are_none():
    one, other = written([b"a", b"b"]), written([b"c", b"d"])
    assert read(one[:HEADER_BYTES] + other[HEADER_BYTES:]) == []
    start = header()
    assert read(start + frame(start, 1, b"a") + frame(start, 0, b"b")) == []
    assert read(b"something else altogether, and longer") == []
    assert scan(b"something else altogether, and longer").damaged


def test_an_empty_record_is_refused():
    with pytest.raises(ValueError, match="0 bytes"):
        frame(header(), 0, b"")

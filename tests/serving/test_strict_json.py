import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.intake.strict_json import MalformedBody, elements, parse

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_what_is_strict_is_read_as_every_reader_reads_it(value, ascii_only):
    assert parse(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.lists(VALUES, max_size=6), st.booleans(), st.sampled_from([None, 1]))
def test_elements_of_a_list_are_cut_where_they_end(values, ascii_only, indent):
    raw = json.dumps(values, ensure_ascii=ascii_only, indent=indent).encode()
    cut = elements(raw)
    assert cut is not None
    assert [parse(element) for element in cut] == values


@given(st.binary(max_size=60))
def test_no_bytes_end_in_anything_but_a_value_or_a_named_fault(raw):
    try:
        parse(raw)
    except MalformedBody as error:
        assert error.place and error.fault
    elements(raw)


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (b"", "body"),
        (b" \n", "body"),
        (b"{", "line 1, column 2"),
        (b'{"a": 1,}', "line 1, column 9"),
        (b'{"a": 1} x', "line 1, column 10"),
        (b'[{"a": 1}, {"b": NaN}]', "/1/b"),
        (b'{"a": {"b": Infinity}}', "/a/b"),
        (b'{"a": [-Infinity]}', "/a/0"),
        (b'{"a": 1, "a": 2}', "/a"),
        (b'{"x": {"a/b": 1, "a/b": 1}}', "/x/a~1b"),
        (b'{"a": "\\u0000"}', "/a"),
        (b'{"a": "\\ud800"}', "/a"),
        (b'{"a": "\\udc00x"}', "/a"),
        (b'{"a\\u0000": 1}', "a key of the body"),
        (b'{"a": "\x01"}', "line 1, column 8"),
        (b'{"a": "\0"}', "byte 8"),
        (b'\xef\xbb\xbf{"a": 1}', "byte 1"),
        ('{"a": 1}'.encode("utf-16"), "byte 1"),
        ('{"a": 1}'.encode("utf-16-le"), "byte 2"),
        ('{"a": 1}'.encode("utf-32-le"), "byte 2"),
        (b'{"a": "\xff"}', "byte 8"),
        (b'{"a": "\xed\xa0\x80"}', "byte 8"),
        (b'{"a": 9223372036854775808}', "/a"),
        (b'{"a": -9223372036854775809}', "/a"),
        (b'{"a": ' + b"9" * 5000 + b"}", "/a"),
        (b'{"a": 1e999}', "/a"),
        (b"[" * 65 + b"]" * 65, "body"),
        (b"[" * 100_000, "body"),
        (b'{"a":' * 100_000, "body"),
    ],
)
def test_a_fault_is_named_with_its_place(raw, place):
    with pytest.raises(MalformedBody) as caught:
        parse(raw)
    assert caught.value.place == place


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 64 + b"]" * 64,
        b'{"a": "' + b"[" * 500 + b'"}',
        b'{"a": "\\ud83d\\ude00"}',
        b'{"a": "\\\\ud800"}',
        b'{"a": 9223372036854775807, "b": -9223372036854775808, "c": 1e-999}',
        b'[{"a": 1}, {"a": 2}]',
    ],
)
def test_what_only_looks_like_a_fault_is_read(raw):
    assert parse(raw) == json.loads(raw)


@pytest.mark.parametrize("raw", [b"{}", b"", b"[1", b"[1]]", b"[1] 2", b'["a]', b"[{]}", b"1, 2]", b'[1] "x"', b"[[1]"])
def test_what_is_no_whole_list_has_no_elements(raw):
    cut = elements(raw)
    assert cut is None


def test_a_faulty_element_does_not_hide_its_neighbours():
    raw = b'[{"a": "x]y,"}, {"b": NaN}, {"c": "\xff"}, ' + b"[" * 80 + b"]" * 80 + b', {"d": [1, 2]}]'
    cut = elements(raw)
    assert cut is not None and len(cut) == 5
    assert parse(cut[0]) == {"a": "x]y,"}
    assert parse(cut[4]) == {"d": [1, 2]}
    for bad in cut[1:4]:
        with pytest.raises(MalformedBody):
            parse(bad)


@pytest.mark.parametrize("end", [b"x}", b"", b",}", b"]"])
def test_what_is_no_json_behind_what_is_refused_is_a_fault_of_the_body(end):
    for refused in (b"NaN", b"9" * 400, b"1e999"):
        with pytest.raises(MalformedBody, match="is not JSON"):
            parse(b'{"a": ' + refused + end)


def test_an_empty_list_has_no_elements():
    assert elements(b" [ ] ") == []

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features.texts import GrowingTexts, Texts, chained, taken

TEXTS = st.lists(st.none() | st.text(st.characters(), max_size=5))


@given(TEXTS, TEXTS)
def test_texts_are_as_a_list_of_them(some, more):
    texts = Texts.of(some)
    assert texts == some and list(texts) == some and len(texts) == len(some) and texts == Texts.of(some)
    assert (texts == more) == (some == more) and (texts != more) == (some != more)
    assert texts[1:3] == some[1:3] and texts[::-1] == some[::-1]
    rows = [i for i in range(len(some)) if i % 2 == 0]
    assert taken(texts, np.array(rows, dtype=np.int64)) == [some[i] for i in rows]
    assert chained([texts, Texts.of(more)]) == some + more == chained([some, Texts.of(more)])


@given(st.lists(TEXTS))
def test_texts_may_come_a_chunk_at_a_time(chunks):
    growing = GrowingTexts()
    for chunk in chunks:
        growing.extend(chunk)
    assert growing.texts() == [text for chunk in chunks for text in chunk]


def test_equal_texts_are_kept_once():
    growing = GrowingTexts()
    growing.extend(["page"] * 1000)
    growing.extend(["page"] * 1000)
    assert len(growing.texts().heap) == 4
    assert Texts.alike(None, 3) == [None] * 3 and Texts.alike("ä", 2) == ["ä", "ä"]
    together: Sequence[str] = chained([Texts.alike("ä", 2), Texts.alike("ä", 1)])
    assert isinstance(together, Texts) and together.begin.strides == (0,)
    assert chained([Texts.alike("ä", 2), Texts.alike("b", 1)]) == ["ä", "ä", "b"]


def test_halves_of_surrogate_pairs_survive():
    assert Texts.of(["\ud800"]) == ["\ud800"]

"""Vocabularies as arrays, which may come from anywhere."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest

from bitsense.errors import FormatError
from bitsense.text import (
    Tokenizer,
    Vocabulary,
    build_corpus,
)


def whole(message: str) -> str:
    return f"^{re.escape(message)}$"


def test_a_vocabulary_travels_as_arrays() -> None:
    vocabulary, _ = build_corpus(["é é b a 漢 " + "x" * 30], tokenizer=Tokenizer(), min_count=1)
    again = Vocabulary.from_arrays(*vocabulary.to_arrays())
    assert again == vocabulary == pickle.loads(pickle.dumps(vocabulary))
    assert list(again) == ["é", "a", "b", "x" * 30, "漢"]
    assert [again[word] for word in again] == list(range(5))
    assert again.word(4) == "漢"
    assert again.get("c") is None
    assert "\ud800" not in again
    assert 3 not in again
    with pytest.raises(KeyError, match="'c'"):
        again["c"]
    with pytest.raises(IndexError, match=whole("`id` must be below 5, got 5")):
        again.word(5)


@pytest.mark.parametrize(
    ("text", "offsets", "counts", "message"),
    [
        (b"ab", [], [], "its offsets do not begin with 0"),
        (b"ab", [1, 2], [1], "its offsets do not begin with 0"),
        (b"ab", [0, 1, 1, 2], [1, 1, 1], "word 1 is empty"),
        (b"ab", [0, 2, 1], [1, 1], "word 1 is empty"),
        (b"ab", [0, 1, 3], [1, 1], "its offsets end at 3 of 2 bytes"),
        (b"ab", [0, 2**63], [1], "word 0 is too long"),
        (b"ab", [0, 1, 2], [1], "it has 2 words and 1 counts"),
        (b"aa", [0, 1, 2], [1, 1], "words 0 and 1 are the same"),
        (b"a\xff", [0, 1, 2], [1, 1], "word 1 is not valid UTF-8 at byte 0"),
        (b"ab", [0, 1, 2], [2**63, 2**63], "its counts add up to 2^64 or more"),
    ],
)
def test_corrupt_vocabularies_are_refused(
    text: bytes, offsets: list[int], counts: list[int], message: str
) -> None:
    arrays = (
        np.frombuffer(text, np.uint8),
        np.array(offsets, np.uint64),
        np.array(counts, np.uint64),
    )
    with pytest.raises(FormatError, match=whole(f"the vocabulary is corrupt: {message}")):
        Vocabulary.from_arrays(*arrays)


def test_arrays_of_another_type_are_refused() -> None:
    text, offsets, counts = build_corpus(["a"], tokenizer=Tokenizer(), min_count=1)[0].to_arrays()
    message = "`offsets` must be an array of uint64, got int64"
    with pytest.raises(TypeError, match=whole(message)):
        Vocabulary.from_arrays(text, offsets.astype(np.int64), counts)

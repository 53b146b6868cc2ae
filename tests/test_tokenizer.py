"""The tokeniser against the plain Python of reference/text.py."""

from __future__ import annotations

import json
import pickle
import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import text as reference

from bitsense import _core
from bitsense._stop_words import ENGLISH
from bitsense.errors import FormatError
from bitsense.text import (
    Tokenizer,
)

ARABIC = "\u0627\u0644\u0639\u0631\u0628\u064a\u0651\u0629"
SAME_UNICODE = unicodedata.unidata_version == _core.unicode_version()


def known(char: str) -> bool:
    """Whether the character means the same to this Python and to the engine's tables."""
    return SAME_UNICODE or unicodedata.ucd_3_2_0.category(char) == unicodedata.category(char)


CHARS = st.one_of(
    st.characters(exclude_categories=["Cs"]).filter(known),
    st.sampled_from(
        "aAzZ09 '-_\n\tßİŉΐǅéÉ\u0301\u0345ΣςЖж漢字かなカナー々\u3007ไทย한국हिन्दी\u200c\u00ad²Ⅷ½ⒶK"
    ),
)
TEXTS = st.text(CHARS, max_size=60)
OPTIONS = st.fixed_dictionaries(
    {
        "lowercase": st.booleans(),
        "digits": st.booleans(),
        "min_length": st.integers(1, 3),
        "max_length": st.one_of(st.none(), st.integers(3, 20)),
        "stop_words": st.lists(st.sampled_from(["a", "The", "ß", "don't", "字", "é"])),
        "ngrams": st.integers(1, 3),
    }
)


def whole(message: str) -> str:
    return f"^{re.escape(message)}$"


@given(text=TEXTS, options=OPTIONS)
@settings(max_examples=400)
def test_tokens_are_those_of_the_reference(text: str, options: dict[str, Any]) -> None:
    assert Tokenizer(**options)(text) == reference.tokenize(text, **options)


@pytest.mark.parametrize("options", [{}, {"lowercase": False, "digits": False}])
def test_every_code_point_has_its_class_and_folding(options: dict[str, bool]) -> None:
    # Beyond the first two planes: some ideographs, the selectors, and what is not assigned.
    points = [*range(0xD800), *range(0xE000, 0x20000), *range(0x20000, 0x110000, 97)]
    points += [*range(0xE0000, 0xE0200), 0x10FFFF]
    chars = [char for char in map(chr, points) if known(char)]
    assert len(chars) > 80_000
    text = " ".join(f"{char}x{char}y" for char in chars)
    assert Tokenizer(**options)(text) == reference.tokenize(text, **options)


@given(words=st.lists(st.text("aZé9", min_size=0, max_size=40), max_size=20))
def test_words_of_every_length_keep_their_bytes(words: list[str]) -> None:
    text = "-".join(words)
    assert Tokenizer()(text) == reference.tokenize(text)


@given(documents=st.lists(TEXTS, max_size=8))
def test_tokens_survive_a_second_tokenisation(documents: list[str]) -> None:
    tokens = Tokenizer()(" ".join(documents))
    assert Tokenizer()(" ".join(tokens)) == tokens


def test_scripts() -> None:
    cut = Tokenizer()
    assert cut("Straße STRASSE") == ["strasse", "strasse"]
    assert cut(f"हिन्दी {ARABIC}") == ["हिन्दी", ARABIC]
    assert cut("漢字かな カタカナ 한국어") == ["漢", "字", "か", "な", "カタカナ", "한국어"]
    assert cut("ภาษาไทย") == ["ภาษาไทย"]
    assert cut("می\u200cخو co\u00adop") == ["میخو", "coop"]
    assert Tokenizer(min_length=2, ngrams=2)("漢字 a") == ["漢", "字", "漢 字"]


def test_english_stop_words_are_cut_like_text() -> None:
    assert 150 <= len(ENGLISH) <= 300
    assert all(Tokenizer()(word) == [word] for word in ENGLISH)
    assert Tokenizer(stop_words="english")("The cat won't, and didn't, see IT.") == [
        "cat",
        "won",
        "see",
    ]


def test_long_ngrams_are_joined_across_the_buffer() -> None:
    words = [f"{i:x}" * 9 for i in range(3000)]
    assert Tokenizer(ngrams=3)(" ".join(words)) == reference.ngrams(words, 3)


def test_options_travel_as_json() -> None:
    one = Tokenizer(stop_words="english", min_length=2, max_length=15, digits=False, ngrams=2)
    two = Tokenizer.from_dict(json.loads(json.dumps(one.to_dict())))
    assert one == two == pickle.loads(pickle.dumps(one))
    assert repr(two) == (
        "Tokenizer(digits=False, min_length=2, max_length=15, stop_words='english', ngrams=2)"
    )
    assert Tokenizer() != one


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rules": 2}, "the tokeniser is corrupt: its rules are version 2, this is version 1"),
        ({"ngrams": 9}, "the tokeniser is corrupt: `ngrams` must be at most 3, got 9"),
        (
            {"lowercase": "x"},
            "the tokeniser is corrupt: `lowercase` must be True or False, got 'x'",
        ),
        ({"stop_words": "english"}, "the tokeniser is corrupt: its stop words are no list"),
        ({"stop_words": [7]}, "the tokeniser is corrupt: `stop_words` must hold strings, got int"),
        ({"digits": None}, "the tokeniser is corrupt: 'digits' is missing"),
    ],
)
def test_corrupt_options_are_refused(change: dict[str, Any], message: str) -> None:
    options = {**Tokenizer().to_dict(), **change}
    if change == {"digits": None}:
        del options["digits"]
    with pytest.raises(FormatError, match=whole(message)):
        Tokenizer.from_dict(options)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"min_length": 0}, ValueError, "`min_length` must be at least 1, got 0"),
        (
            {"min_length": 3, "max_length": 2},
            ValueError,
            "`max_length` must be at least `min_length`=3, got 2",
        ),
        ({"ngrams": 4}, ValueError, "`ngrams` must be at most 3, got 4"),
        ({"stop_words": ["a", "--"]}, ValueError, "`stop_words` must hold words, got '--'"),
        (
            {"stop_words": "german"},
            ValueError,
            "`stop_words` must be None, \"english\" or an iterable of words, got 'german'",
        ),
        ({"lowercase": 1}, TypeError, "`lowercase` must be True or False, got 1"),
    ],
)
def test_wrong_options_are_refused(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=whole(message)):
        Tokenizer(**options)


def test_the_tokeniser_takes_only_valid_text() -> None:
    with pytest.raises(TypeError, match=whole("`text` must be a string, got bytes")):
        Tokenizer()(b"a")  # type: ignore[arg-type]
    message = "`text` must be valid Unicode, got a lone surrogate at character 2"
    with pytest.raises(ValueError, match=whole(message)):
        Tokenizer()("ab\ud800")


@given(
    head=st.integers(0, 40),
    middle=st.lists(
        st.sampled_from(["a", "É", "ß", "漢", "-", "\u2013", "9", "a\u0301", "Жж", "\u00ad"])
    ),
    options=OPTIONS,
)
@settings(max_examples=50)
def test_words_at_the_end_of_a_chunk_stay_whole(
    head: int, middle: list[str], options: dict[str, Any]
) -> None:
    text = "b " * (4096 - head) + "".join(middle) * 3 + " c" * 30 + "d" * head
    assert Tokenizer(**options)(text) == reference.tokenize(text, **options)


@pytest.mark.parametrize("letter", ["a", "Z", "é", "É", "漢", "a\u0301", "ŉ"])
@pytest.mark.parametrize("length", [8191, 8192, 8193, 20_000])
def test_words_longer_than_a_chunk_stay_whole(letter: str, length: int) -> None:
    for text in (letter * length, "b " + letter * length + " c"):
        assert Tokenizer()(text) == reference.tokenize(text)
        assert Tokenizer(lowercase=False)(text) == reference.tokenize(text, lowercase=False)


@given(
    text=st.text("aAzéÉßĄą\u017fŉǅΣςΐЖжѓ\u0561\u0587שא\u0661\u0662²ⅧÀ-\u0591 ", max_size=40),
    options=OPTIONS,
)
@settings(max_examples=400)
def test_letters_of_two_bytes_fold_as_in_the_reference(text: str, options: dict[str, Any]) -> None:
    assert Tokenizer(**options)(text) == reference.tokenize(text, **options)

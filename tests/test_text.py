"""Text to ids, against the plain Python of reference/text.py."""

from __future__ import annotations

import gzip
import json
import pickle
import re
import subprocess
import sys
import textwrap
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import text as reference

from bitsense import _core
from bitsense._stop_words import ENGLISH
from bitsense.errors import FormatError
from bitsense.text import (
    Corpus,
    TextFiles,
    Tokenizer,
    Vocabulary,
    build_corpus,
    encode_documents,
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


# Tokeniser


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


# Corpus


def check_against_reference(
    documents: list[list[str]], found: tuple[Vocabulary, Corpus], **options: Any
) -> None:
    words, counts, encoded = reference.corpus(documents, **options)
    vocabulary, corpus = found
    assert list(vocabulary) == words
    assert vocabulary.counts.tolist() == counts
    assert [corpus[i].tolist() for i in range(len(corpus))] == encoded
    assert corpus.totals.tolist() == [len(document) for document in documents]


@given(
    documents=st.lists(TEXTS, min_size=1, max_size=12),
    ngrams=st.integers(1, 3),
    min_count=st.integers(1, 3),
    min_count_ngrams=st.one_of(st.none(), st.integers(1, 3)),
    max_vocabulary=st.one_of(st.none(), st.integers(1, 8)),
    threads=st.integers(1, 3),
)
def test_a_corpus_is_that_of_the_reference(
    documents: list[str], ngrams: int, threads: int, **options: Any
) -> None:
    tokens = [reference.tokenize(document, ngrams=ngrams) for document in documents]
    cut = Tokenizer(ngrams=ngrams)
    if not reference.corpus(tokens, **options)[0]:
        with pytest.raises(ValueError, match=r"removed all|at least 1 token"):
            build_corpus(documents, tokenizer=cut, threads=threads, **options)
        return
    found = build_corpus(documents, tokenizer=cut, threads=threads, **options)
    check_against_reference(tokens, found, **options)
    again = encode_documents(documents, found[0], tokenizer=cut, threads=threads)
    for name in ("ids", "offsets", "totals"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found[1], name))


def zipf_documents(n: int, seed: int = 0) -> list[str]:
    generator = np.random.default_rng(seed)
    ranks = generator.zipf(1.3, size=n * 60) % 50_000
    words = np.char.add("W", ranks.astype(str))
    lengths = generator.integers(0, 120, size=n)
    ends = np.minimum(np.cumsum(lengths), len(words))
    return [" ".join(part) for part in np.split(words, ends)[:-1]]


@pytest.mark.parametrize("ngrams", [1, 2])
def test_threads_and_batches_change_nothing(
    ngrams: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = zipf_documents(12_000)
    file = tmp_path / "documents.txt"
    file.write_text("\n".join(documents))
    cut = Tokenizer(ngrams=ngrams)
    vocabulary, corpus = build_corpus(documents, tokenizer=cut, min_count=2, threads=1)
    monkeypatch.setattr("bitsense._text_files._BLOCK", 77_777)
    for source, threads in ((documents, 5), (iter(documents), 2), (file, 1), (file, 5)):
        again, same = build_corpus(source, tokenizer=cut, min_count=2, threads=threads)
        assert again == vocabulary
        for name in ("ids", "offsets", "totals"):
            np.testing.assert_array_equal(getattr(same, name), getattr(corpus, name))
    encoded = encode_documents(file, vocabulary, tokenizer=cut, threads=3)
    np.testing.assert_array_equal(encoded.ids, corpus.ids)


def test_callables_and_token_lists_are_taken_as_they_are() -> None:
    texts = ["Red wine", "", "red Wine red"]
    lists = [text.split() for text in texts]
    found = build_corpus(texts, tokenizer=str.split, min_count=1)
    check_against_reference(lists, found, min_count=1)
    for documents in (
        lists,
        [tuple(tokens) for tokens in lists],
        [np.array(t) for t in lists[::2]],
    ):
        expected = [list(map(str, tokens)) for tokens in documents]
        found = build_corpus(documents, tokenizer=None, min_count=1)
        check_against_reference(expected, found, min_count=1)
    found = build_corpus(lists, tokenizer=Tokenizer(ngrams=2), min_count=1)
    check_against_reference([reference.ngrams(tokens, 2) for tokens in lists], found, min_count=1)
    found = build_corpus([["New York", "a\0b", "a\0", "a"]], tokenizer=None, min_count=1)
    assert list(found[0]) == ["New York", "a", "a\0", "a\0b"]
    assert encode_documents(lists, found[0], tokenizer=None).totals.tolist() == [2, 0, 3]


def test_the_arrays_are_read_only() -> None:
    vocabulary, corpus = build_corpus(["a b"], tokenizer=Tokenizer(), min_count=1)
    for array in (vocabulary.counts, corpus.ids, corpus.offsets, corpus.totals):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(IndexError, match=whole("`document` must be below 1, got 1")):
        corpus[1]
    assert (len(corpus), corpus.n_documents, corpus.n_tokens) == (1, 1, 2)
    assert repr(corpus) == "<Corpus of 1 documents and 2 tokens>"


def test_the_counts_outlive_the_vocabulary() -> None:
    vocabulary, _ = build_corpus(
        [f"w{i % 7}" for i in range(70)], tokenizer=Tokenizer(), min_count=1
    )
    counts = vocabulary.counts
    del vocabulary
    assert counts.tolist() == [10] * 7


@pytest.mark.parametrize(
    ("documents", "options", "error", "message"),
    [
        (
            ["a b"] * 12 + ["c"],
            {"min_count": 50},
            ValueError,
            "`min_count`=50 removed all 3 types of 25 tokens; the most frequent occurs 12 times",
        ),
        (
            ["...", ""],
            {},
            ValueError,
            (
                "the 2 `documents` must hold at least 1 token, got 0; were they cut with the options "
                "you meant?"
            ),
        ),
        ([], {}, ValueError, "`documents` must hold at least 1 document, got 0"),
        (
            iter([]),
            {},
            ValueError,
            (
                "`documents` gave 0 documents; a generator that was read before is empty: pass a list, "
                "or another object that can be iterated again"
            ),
        ),
        (
            "one text",
            {},
            ValueError,
            (
                "`documents` must be an iterable of documents or the path of a file, got the single "
                "string 'one text', which names no file; pass [text] for one document"
            ),
        ),
        (
            b"bytes",
            {},
            TypeError,
            (
                "`documents` must be an iterable of strings or of lists of strings, a path or a list "
                "of paths, got bytes"
            ),
        ),
        (
            ["a", "b", ["c"]],
            {},
            TypeError,
            "`documents`[2] must be a string like those before it, got a list",
        ),
        (
            [["c"], "a"],
            {},
            TypeError,
            "`documents`[1] must be a list like those before it, got a string",
        ),
        (
            ["a", 7],
            {},
            TypeError,
            "`documents`[1] must be a string or a list of strings, got int",
        ),
        ([["a", None]], {}, TypeError, "`documents`[0][1] must be a string, got NoneType"),
        ([["a"], [""]], {}, ValueError, "`documents`[1][0] must not be an empty string"),
        (
            ["a", "b\ud800"],
            {},
            ValueError,
            "`documents`[1] must be valid Unicode, got a lone surrogate at character 1",
        ),
        (
            ["a"],
            {"tokenizer": None},
            TypeError,
            (
                "`documents`[0] must be a list of tokens because `tokenizer` is None, got the string "
                "'a'"
            ),
        ),
        (
            ["a", "b"],
            {"tokenizer": lambda text: None if text == "b" else [text]},
            TypeError,
            "`tokenizer` must return a list of strings, got NoneType for `documents`[1]",
        ),
        (
            ["a"],
            {"tokenizer": lambda text: [text, 3]},
            TypeError,
            "`tokenizer`(`documents`[0])[1] must be a string, got int",
        ),
        (
            ["a"],
            {"tokenizer": 3},
            TypeError,
            "`tokenizer` must be a Tokenizer, a callable or None, got int",
        ),
        (["a"], {"min_count": 0}, ValueError, "`min_count` must be at least 1, got 0"),
        (["a"], {"max_vocabulary": 0}, ValueError, "`max_vocabulary` must be at least 1, got 0"),
        (["a"], {"threads": 0}, ValueError, "`threads` must be at least 1, got 0"),
        (["a"], {"progress": 1}, TypeError, "`progress` must be True or False, got 1"),
    ],
)
def test_wrong_documents_are_refused(
    documents: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=whole(message)):
        build_corpus(documents, **{"tokenizer": Tokenizer(), "min_count": 1, **options})


def test_an_empty_list_encodes_and_an_empty_generator_does_not() -> None:
    vocabulary, _ = build_corpus(["a b"], tokenizer=Tokenizer(), min_count=1)
    empty = encode_documents([], vocabulary, tokenizer=Tokenizer())
    assert (len(empty), empty.offsets.tolist()) == (0, [0])
    with pytest.raises(ValueError, match="a generator that was read before is empty"):
        encode_documents(iter([]), vocabulary, tokenizer=Tokenizer())
    with pytest.raises(TypeError, match=whole("`vocabulary` must be a Vocabulary, got dict")):
        encode_documents([], {}, tokenizer=Tokenizer())  # type: ignore[arg-type]


def test_progress_counts_documents(capfd: pytest.CaptureFixture[str]) -> None:
    build_corpus(["a b", "c"], tokenizer=Tokenizer(), min_count=1, progress=True)
    assert "2/2" in capfd.readouterr().err


# Vocabulary


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


# Files


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def test_files_of_every_kind_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bitsense._text_files._BLOCK", 5)
    texts = ["Red wine", "", "ein Glas Rotwein, süß", "漢字"]
    plain = "\n".join(texts).encode()
    records = "\n\n".join(json.dumps({"id": i, "text": t}) for i, t in enumerate(texts)).encode()
    files = [
        write(tmp_path, "a.txt", plain),
        write(tmp_path, "b.txt.gz", b"\xef\xbb\xbf" + plain + b"\n"),
        write(tmp_path, "crlf.txt", plain.replace(b"\n", b"\r\n")),
    ]
    expected, corpus = build_corpus(texts, tokenizer=Tokenizer(), min_count=1)
    jsonl = [write(tmp_path, name, records) for name in ("c.jsonl", "d.jsonl.gz")]
    sources: list[Any] = [*files, str(files[0]), *(TextFiles(path, field="text") for path in jsonl)]
    for source in sources:
        vocabulary, same = build_corpus(source, tokenizer=Tokenizer(), min_count=1)
        assert vocabulary == expected
        assert same.ids.tolist() == corpus.ids.tolist()
        assert same.offsets.tolist() == corpus.offsets.tolist()
    for source in [TextFiles(files), *sources[4:]]:
        assert list(source)[:4] == list(source)[:4] == texts
    _, twice = build_corpus(files[:2], tokenizer=Tokenizer(), min_count=1)
    assert twice.n_documents == 8
    _, split = build_corpus(files[2], tokenizer=str.split, min_count=1)
    assert split.totals.tolist() == [2, 0, 4, 1]


INVALID = [
    (b"\xff", "no character starts with this byte"),
    (b"\x80", "no character starts with this byte"),
    (b"\xc0\xaf", "no character starts with this byte"),
    (b"\xf5\x80\x80\x80", "no character starts with this byte"),
    (b"\xc3", "the character is cut short"),
    (b"\xc3(", "the character is cut short"),
    (b"\xe2\x82", "the character is cut short"),
    (b"\xe2\x82.", "the character is cut short"),
    (b"\xe0\x80\xaf", "the character is encoded overlong"),
    (b"\xf0\x80\x80\xaf", "the character is encoded overlong"),
    (b"\xed\xa0\x80", "the character is a surrogate"),
    (b"\xf4\x90\x80\x80", "the character is above U+10FFFF"),
]


@pytest.mark.parametrize(("bad", "reason"), INVALID)
@pytest.mark.parametrize("threads", [1, 3])
def test_invalid_utf8_names_file_line_and_byte(
    bad: bytes, reason: str, threads: int, tmp_path: Path
) -> None:
    lines = [b"some words"] * 60_000 + [b"caf\xc3\xa9 " + bad] + [b"\xff"] * 9
    path = write(tmp_path, "bad.txt", b"\n".join(lines))
    message = f"{path} line 60001 must be UTF-8, got byte 0x{bad[0]:02x} at offset 6: {reason}"
    with pytest.raises(ValueError, match=whole(message)):
        build_corpus(path, tokenizer=Tokenizer(), min_count=1, threads=threads)


@given(data=st.binary(max_size=40))
@settings(max_examples=300)
def test_bytes_are_accepted_exactly_when_python_decodes_them(data: bytes) -> None:
    builder = _core.CorpusBuilder(Tokenizer()._core, 1)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        offset = error.start - (data.rfind(b"\n", 0, error.start) + 1)
        with pytest.raises(ValueError, match=rf"^x line {line} .* at offset {offset}: "):
            builder.add_lines(data, "x", 1)
        return
    builder.add_lines(data, "x", 1)
    documents = text.split("\n") if text else []
    if text.endswith("\n"):
        documents.pop()
    assert builder.counts()[0] == len(documents)
    assert builder.counts()[1] == sum(len(Tokenizer()(document)) for document in documents)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "must be JSON, got an error: Expecting property name"),
        (b"[1]", "must be a JSON object, got list"),
        (b'{"a": 1, "b": 2}', "must be an object with the field 'text', got 'a', 'b'"),
        (b'{"text": 3}', "must be an object with a string in 'text', got int"),
        (b'{"text": "a\xff"}', "must be UTF-8, got byte 0xff at offset 11: invalid start byte"),
        (b'{"text": "\\ud800"}', "must be valid Unicode, got a lone surrogate at character 0"),
        (b"[" * 100_000, "must be JSON, got one nested too deeply"),
    ],
)
def test_bad_json_lines_name_file_and_line(line: bytes, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, "bad.jsonl.gz", b'{"text": "fine"}\n\n' + line + b"\n")
    with pytest.raises(ValueError, match="^" + re.escape(f"{path} line 3 {message}")):
        build_corpus(TextFiles(path, field="text"), tokenizer=Tokenizer(), min_count=1)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    whole_file = write(tmp_path, "a.gz", b"some words\n" * 1000)
    cut = tmp_path / "cut.gz"
    cut.write_bytes(whole_file.read_bytes()[:-9])
    with pytest.raises(FormatError, match=whole(f"{cut} is cut short: the gzip data end early")):
        build_corpus(cut, tokenizer=Tokenizer(), min_count=1)
    flipped = bytearray(whole_file.read_bytes())
    flipped[-6] ^= 1
    cut.write_bytes(flipped)
    with pytest.raises(FormatError, match=re.escape(f"{cut} is corrupt: CRC check failed")):
        build_corpus(cut, tokenizer=Tokenizer(), min_count=1)
    packed = write(tmp_path, "a.xz", b"\xfd7zXZ\x00...")
    with pytest.raises(FormatError, match=whole(f"{packed} must be plain text or gzip, got xz")):
        build_corpus(packed, tokenizer=Tokenizer(), min_count=1)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        build_corpus(tmp_path / "nowhere", tokenizer=Tokenizer(), min_count=1)
    with pytest.raises(IsADirectoryError):
        build_corpus(tmp_path, tokenizer=Tokenizer(), min_count=1)
    jsonl = tmp_path / "a.jsonl"
    message = (
        f"`field` must name the field that holds the text of {jsonl}, got None; for example "
        f"TextFiles({str(jsonl)!r}, field='text')"
    )
    with pytest.raises(ValueError, match=whole(message)):
        build_corpus(jsonl, tokenizer=Tokenizer(), min_count=1)
    with pytest.raises(
        TypeError, match=whole("`documents`[1] must be a path like `documents`[0], got str")
    ):
        build_corpus([packed, "a"], tokenizer=Tokenizer(), min_count=1)


# The process: memory, Ctrl-C, real corpora


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_memory_is_bounded_by_the_ids(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    line = " ".join(f"representative{i:04}" for i in range(500)).encode() + b"\n"
    with path.open("wb") as file:
        for _ in range(100):
            file.write(line * 100)  # 95 MB of text, 5,000,000 tokens, 20 MB of ids
    assert path.stat().st_size == 95_000_000
    found = run_python(
        """
        import resource, sys
        from pathlib import Path
        from bitsense.text import Tokenizer, build_corpus
        peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        build_corpus(["a"], tokenizer=Tokenizer(), min_count=1)
        before = peak()
        _, corpus = build_corpus(Path(sys.argv[1]), tokenizer=Tokenizer(), min_count=1, threads=2)
        print(corpus.n_tokens, peak() - before)
        """,
        str(path),
    )
    assert found.stderr == ""
    tokens, used = map(int, found.stdout.split())
    assert tokens == 5_000_000
    assert used < 60_000_000  # ids, the 8 MB blocks of text on their way, the tables of words


def test_ctrl_c_stops_within_a_second() -> None:
    found = run_python(
        """
        import os, signal, threading, time
        from bitsense.text import Tokenizer, build_corpus
        documents = ["some words and some more of them " * 10_000_000]  # one text, 330 MB
        def interrupt():
            global sent
            sent = time.perf_counter()
            os.kill(os.getpid(), signal.SIGINT)
        threading.Timer(0.3, interrupt).start()
        try:
            build_corpus(documents, tokenizer=Tokenizer(), min_count=1, threads=2)
        except KeyboardInterrupt:
            print(time.perf_counter() - sent)
        """
    )
    assert found.stderr == ""
    assert 0 <= float(found.stdout) < 1.0


@pytest.mark.data
def test_newsgroups(data_folder: Path) -> None:
    files = TextFiles(data_folder / "20news_bydate.jsonl.gz", field="text")
    vocabulary, corpus = build_corpus(files, tokenizer=Tokenizer(), min_count=5)
    assert corpus.n_documents == 18_846
    assert (np.diff(corpus.offsets.astype(np.int64)) <= corpus.totals).all()
    assert int(vocabulary.counts.sum()) == corpus.n_tokens == len(corpus.ids)
    np.testing.assert_array_equal(np.bincount(corpus.ids), vocabulary.counts)


@pytest.mark.data
@pytest.mark.slow
def test_wikipedia(data_folder: Path, tmp_path: Path) -> None:
    import lzma
    import shutil

    path = tmp_path / "wiki.txt"
    with lzma.open(data_folder / "wiki_articles.txt.xz") as packed, path.open("wb") as file:
        shutil.copyfileobj(packed, file)
    assert path.stat().st_size == 209_045_201
    vocabulary, corpus = build_corpus(path, tokenizer=Tokenizer(), min_count=1)
    assert corpus.n_documents == 15_365
    assert corpus.n_tokens == 35_467_504
    assert vocabulary.word(0) == "the"

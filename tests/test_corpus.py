"""Corpora against the plain Python of reference/text.py; threads, memory, Ctrl-C, real text."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import text as reference

from bitsense.text import (
    Corpus,
    TextFiles,
    Tokenizer,
    Vocabulary,
    build_corpus,
    encode_documents,
)

TEXTS = st.text("aAbZ09 '-\n\tßİé\u0301漢かカ\u200c²", max_size=60)


def whole(message: str) -> str:
    return f"^{re.escape(message)}$"


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


@pytest.mark.parametrize(
    ("ids", "offsets", "totals", "message"),
    [
        ([1, 2], [0, 2], [2, 2], "`offsets` must have 3 items for 2 documents, got 2"),
        ([1, 2], [0, 1], [2], "`offsets` must rise from 0 to 2"),
        ([1, 2], [1, 2], [2], "`offsets` must rise from 0 to 2"),
        ([1, 2], [0, 3, 2], [2, 2], "`offsets` must rise from 0 to 2"),
    ],
)
def test_a_corpus_of_arrays_that_do_not_fit_is_refused(
    ids: list[int], offsets: list[int], totals: list[int], message: str
) -> None:
    arrays = (np.array(ids, np.uint32), np.array(offsets, np.uint64), np.array(totals, np.uint32))
    with pytest.raises(ValueError, match=whole(message)):
        Corpus(*arrays)
    assert arrays[0].flags.writeable
    with pytest.raises(TypeError, match=whole("`totals` must be an array of uint32, got list")):
        Corpus(*arrays[:2], totals)  # type: ignore[arg-type]


def test_ngrams_have_a_least_count_of_their_own() -> None:
    texts = ["red wine", "red wine", "red beer"]
    cut = Tokenizer(ngrams=2)
    vocabulary, _ = build_corpus(texts, tokenizer=cut, min_count=1, min_count_ngrams=2)
    assert list(vocabulary) == ["red", "red wine", "wine", "beer"]
    # A token with a space that is there as a token counts as one.
    lists = [["red", "wine"], ["red wine"]]
    vocabulary, _ = build_corpus(lists, tokenizer=cut, min_count=1, min_count_ngrams=9, threads=2)
    assert list(vocabulary) == ["red wine", "red", "wine"]
    message = (
        "`min_count`=4 and `min_count_ngrams`=5 removed all 5 types of 9 tokens; the most frequent "
        "occurs 3 times"
    )
    with pytest.raises(ValueError, match=whole(message)):
        build_corpus(texts, tokenizer=cut, min_count=4, min_count_ngrams=5)


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
                "the 2 `documents` must hold at least 1 token, got 0; were they cut with the "
                "options you meant?"
            ),
        ),
        ([], {}, ValueError, "`documents` must hold at least 1 document, got 0"),
        (
            iter([]),
            {},
            ValueError,
            (
                "`documents` gave 0 documents; a generator that was read before is empty: pass a "
                "list, or another object that can be iterated again"
            ),
        ),
        (
            "one text",
            {},
            ValueError,
            (
                "`documents` must be an iterable of documents or the path of a file, got the "
                "single string 'one text', which names no file; pass [text] for one document"
            ),
        ),
        (
            b"bytes",
            {},
            TypeError,
            (
                "`documents` must be an iterable of strings or of lists of strings, a path or a "
                "list of paths, got bytes"
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
                "`documents`[0] must be a list of tokens because `tokenizer` is None, "
                "got the string 'a'"
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


# The process: memory, Ctrl-C, real corpora


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_memory_is_bounded_by_the_ids(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    line = " ".join(f"w{i:03}" for i in range(1000)).encode() + b"\n"
    with path.open("wb") as file:
        for _ in range(100):
            file.write(line * 200)  # 100 MB of text, 20,000,000 tokens, 80 MB of ids
    assert path.stat().st_size == 100_000_000
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
    assert tokens == 20_000_000
    # The ids, never twice, and the blocks of text on their way; not the text.
    assert used < 150_000_000


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

"""Corpora in files: what they hold, what they refuse, and that models learn the same from them."""

from __future__ import annotations

import gzip
import os
import pickle
import re
import resource
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bitsense
from bitsense import (
    BinaryParagraphVector,
    DisambiguatedSkipGram,
    ParagraphVector,
    RealBinaryParagraphVector,
    Word2Vec,
    files,
)
from bitsense._encoded_corpus import read_words as _encoded_corpus_read_words
from bitsense.errors import FormatError
from bitsense.text import (
    EncodedCorpus,
    TextFiles,
    Tokenizer,
    build_corpus,
    encode_corpus,
    encode_documents,
)

ARRAYS = ("ids", "offsets", "totals")


def whole(message: str) -> str:
    return f"^{re.escape(message)}$"


def texts(n: int = 400) -> list[str]:
    rng = np.random.default_rng(3)
    ranks = rng.zipf(1.4, size=(n, 30)) % 300
    return [" ".join(f"W{r}é" if r % 7 == 0 else f"w{r}" for r in row) for row in ranks] + ["", "x"]


def assert_same(found: EncodedCorpus, documents: Any, **options: Any) -> None:
    vocabulary, corpus = build_corpus(documents, **options)
    assert found.vocabulary == vocabulary
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(found.corpus, name), getattr(corpus, name))
        assert not getattr(found.corpus, name).flags.writeable


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("ngrams", [1, 2])
def test_a_file_holds_what_build_corpus_makes(
    threads: int, ngrams: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bitsense._text_files._BLOCK", 1000)
    options: dict[str, Any] = {"tokenizer": Tokenizer(ngrams=ngrams), "min_count": 2}
    options |= {"min_count_ngrams": 3, "max_vocabulary": 150}
    plain, packed = tmp_path / "a.txt", tmp_path / "a.txt.gz"
    plain.write_text("\n".join(texts()))
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    written = []
    for i, source in enumerate((texts(), iter(texts()), plain, packed)):
        path = tmp_path / f"{i}.bitsense"
        found = encode_corpus(source, path, threads=threads, **options)
        assert_same(found, texts(), **options)
        assert_same(EncodedCorpus.load(path), texts(), **options)
        assert_same(bitsense.load(path), texts(), **options)
        written.append(path.read_bytes())
    assert len(set(written)) == 1
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".bitsense"] * 4 + [".gz", ".txt"]
    held = EncodedCorpus(*build_corpus(texts(), **options), **options)
    held.save(tmp_path / "again.bitsense")
    assert (tmp_path / "again.bitsense").read_bytes() == written[0]
    assert pickle.loads(pickle.dumps(held)).vocabulary == held.vocabulary


def test_arrays_in_another_order_are_read(tmp_path: Path) -> None:
    path = tmp_path / "c.bitsense"
    options: dict[str, Any] = {"tokenizer": Tokenizer(stop_words="english"), "min_count": 2}
    encode_corpus(texts(), path, **options)
    contents = files.read_contents(path)
    assert next(iter(contents.arrays)) == "ids"
    turned = dict(reversed(contents.arrays.items()))
    files.write_file(tmp_path / "turned", "corpus", contents.header, turned)
    assert_same(EncodedCorpus.load(tmp_path / "turned"), texts(), **options)


def test_what_made_a_corpus_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "c.bitsense"
    cut = Tokenizer(stop_words="english", ngrams=2)
    encode_corpus(texts(), path, tokenizer=cut, min_count=2, min_count_ngrams=4, max_vocabulary=99)
    found = EncodedCorpus.load(path, verify=False)
    assert found.options == {"tokenizer": cut, "min_count": 2, "max_vocabulary": 99}
    assert (found.min_count_ngrams, found.n_documents) == (4, 402)
    assert (
        repr(found) == f"<EncodedCorpus of 402 documents, {found.n_tokens:,} tokens and 99 words>"
    )
    header = bitsense.info(path)["header"]
    assert (header["documents"], header["words"], header["cut"]) == (402, 99, "tokenizer")
    found = encode_corpus([["a", "b"]], path, tokenizer=None, min_count=1)
    assert EncodedCorpus.load(path).tokenizer is found.tokenizer is None
    found = encode_corpus(["a b"], path, tokenizer=str.split, min_count=1)
    assert found.tokenizer == str.split
    found = EncodedCorpus.load(path)
    with pytest.raises(ValueError, match="a tokeniser of its user's"):
        encode_documents(["a"], found.vocabulary, tokenizer=found.tokenizer)
    assert EncodedCorpus.load(path, tokenizer=str.split).tokenizer == str.split


SMALL: dict[str, Any] = {"epochs": 2, "seed": 3, "threads": 2, "progress": False}
MODELS = {
    "skip-gram": lambda **more: Word2Vec(dim=8, **SMALL, **more),
    "cbow": lambda **more: Word2Vec(dim=8, mode="cbow", **SMALL, **more),
    "subwords": lambda **more: Word2Vec(dim=8, subwords=(3, 4), buckets=50, **SMALL, **more),
    "senses": lambda **more: DisambiguatedSkipGram(dim=8, **SMALL, **more),
    "pv": lambda **more: ParagraphVector(8, **SMALL, **more),
    "pv-dm": lambda **more: ParagraphVector(8, mode="dm-mean", **SMALL, **more),
    "binary": lambda **more: BinaryParagraphVector(16, **SMALL, **more),
    "encoder": lambda **more: BinaryParagraphVector(16, mode="encoder", **SMALL, **more),
    "real-binary": lambda **more: RealBinaryParagraphVector(16, 8, **SMALL, **more),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_learn_the_same_from_a_corpus_as_from_its_documents(
    name: str, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"tokenizer": Tokenizer(ngrams=2), "min_count": 3}
    options["max_vocabulary"] = 200
    corpus = encode_corpus(texts(), tmp_path / "c.bitsense", **options)
    one = MODELS[name](**options).fit(texts())
    two = MODELS[name](**corpus.options).fit(corpus)
    for model, path in ((one, tmp_path / "one"), (two, tmp_path / "two")):
        model.save(path)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    loaded = EncodedCorpus.load(tmp_path / "c.bitsense", verify=False)
    MODELS[name](**loaded.options).fit(loaded).save(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


HINT = "the model's parameters can be given as **corpus.options"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"min_count": 1}, f"`min_count` must be that of the corpus, 2, got 1; {HINT}"),
        (
            {"max_vocabulary": 9},
            f"`max_vocabulary` must be that of the corpus, None, got 9; {HINT}",
        ),
        (
            {"tokenizer": Tokenizer(digits=False)},
            "`tokenizer` must be that of the corpus, Tokenizer(), got Tokenizer(digits=False); "
            + HINT,
        ),
        (
            {"tokenizer": str.split},
            f"`tokenizer` must be that of the corpus, Tokenizer(), got {str.split!r}; {HINT}",
        ),
    ],
)
@pytest.mark.parametrize("name", ["skip-gram", "senses", "pv", "binary", "real-binary"])
def test_parameters_that_contradict_the_corpus_are_refused(
    name: str, change: dict[str, Any], message: str
) -> None:
    options: dict[str, Any] = {"tokenizer": Tokenizer(), "min_count": 2}
    corpus = EncodedCorpus(*build_corpus(texts(), **options), **options)
    with pytest.raises(ValueError, match=whole(message)):
        MODELS[name](**{**corpus.options, **change}).fit(corpus)


def test_callables_and_lists_agree_with_what_can_be_known_of_them() -> None:
    def encoded(documents: Any, tokenizer: Any) -> EncodedCorpus:
        found = build_corpus(documents, tokenizer=tokenizer, min_count=1)
        return EncodedCorpus(*found, tokenizer=tokenizer, min_count=1)

    by_callable, given = encoded(texts(), str.split), encoded([["a", "b"], ["a"]], None)
    message = f"`tokenizer` must be a callable, as the one that cut the corpus, got None; {HINT}"
    with pytest.raises(ValueError, match=whole(message)):
        MODELS["pv"](min_count=1).fit(by_callable)
    assert MODELS["pv"](min_count=1, tokenizer=str.lower).fit(by_callable).tokenizer_ == str.lower
    message = (
        "`tokenizer` must be one without n-grams, for the corpus was made of lists of tokens, got "
        f"Tokenizer(ngrams=2); {HINT}"
    )
    with pytest.raises(ValueError, match=whole(message)):
        MODELS["pv"](min_count=1, tokenizer=Tokenizer(ngrams=2)).fit(given)
    assert MODELS["pv"](**given.options).fit(given).tokenizer_ == Tokenizer()


def test_other_calls_ask_for_documents() -> None:
    options: dict[str, Any] = {"tokenizer": Tokenizer(), "min_count": 1}
    corpus = EncodedCorpus(*build_corpus(["a b"], **options), **options)
    with pytest.raises(TypeError, match=r"must be an iterable of strings .* got EncodedCorpus$"):
        build_corpus(corpus, **options)


ONE_WORD, _ = build_corpus(["a"], tokenizer=Tokenizer(), min_count=1)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"vocabulary": 3}, TypeError, "`vocabulary` must be a Vocabulary, got int"),
        ({"corpus": ()}, TypeError, "`corpus` must be a Corpus, got tuple"),
        ({"min_count": 0}, ValueError, "`min_count` must be at least 1, got 0"),
        (
            {"vocabulary": ONE_WORD},
            ValueError,
            "`corpus` must have ids below the number of words, 1, got 1",
        ),
        (
            {"corpus": encode_documents([], ONE_WORD, tokenizer=Tokenizer())},
            ValueError,
            "`corpus` must hold at least 1 document and 1 word, got 0 and 2",
        ),
    ],
)
def test_a_corpus_of_parts_that_do_not_fit_is_refused(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    vocabulary, corpus = build_corpus(["a b"], tokenizer=Tokenizer(), min_count=1)
    given = {"vocabulary": vocabulary, "corpus": corpus, "tokenizer": Tokenizer(), "min_count": 1}
    with pytest.raises(error, match=whole(message)):
        EncodedCorpus(**{**given, **arguments})


# Files that are not what they should be


@pytest.fixture
def parts(tmp_path: Path) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    path = tmp_path / "c.bitsense"
    encode_corpus(texts(), path, tokenizer=Tokenizer(), min_count=2)
    contents = files.read_contents(path)
    return path, contents.header, dict(contents.arrays)


def test_a_file_of_which_a_byte_is_wrong_is_refused(parts: Any) -> None:
    path = parts[0]
    right = path.read_bytes()
    for place in range(0, len(right), 997):
        wrong = bytearray(right)
        wrong[place] ^= 1
        path.write_bytes(wrong)
        with pytest.raises(FormatError):
            EncodedCorpus.load(path)
    for size in (0, 100, 1000, len(right) - 1):
        path.write_bytes(right[:size])
        with pytest.raises(FormatError):
            EncodedCorpus.load(path, verify=False)


@pytest.mark.parametrize(
    ("header", "arrays", "message"),
    [
        ({"cut": "x"}, {}, "corrupt: 'cut' must be tokenizer, callable or given, got 'x'"),
        ({"min_count": 0}, {}, "corrupt: `min_count` must be at least 1, got 0"),
        (
            {"max_vocabulary": "x"},
            {},
            "corrupt: 'max_vocabulary' of the header must be int, got 'x'",
        ),
        ({"documents": 7}, {}, "corrupt: 'documents' must be 402, got 7"),
        ({}, {"ids": None}, "corrupt: array 'ids' is missing"),
        (
            {},
            {"offsets": [0, 3]},
            "corrupt: `offsets` must have 403 items for 402 documents, got 2",
        ),
        ({}, {"words": [255]}, "the vocabulary is corrupt: word 0 is not valid UTF-8 at byte 0"),
    ],
)
@pytest.mark.parametrize("verify", [True, False])
def test_a_corrupt_corpus_with_right_checksums_is_refused(
    header: dict[str, Any], arrays: dict[str, Any], message: str, verify: bool, parts: Any
) -> None:
    path, own, held = parts
    for name, value in arrays.items():
        if name == "words":
            held["words"] = np.concatenate([[255], held["words"][1:]]).astype(np.uint8)
        elif value is None:
            del held[name]
        else:
            held[name] = np.array(value, held[name].dtype)
    files.write_file(path, "corpus", {**own, **header}, held)
    with pytest.raises(FormatError, match=whole(f"{path}: {message}")):
        EncodedCorpus.load(path, verify=verify)


def test_ids_out_of_range_do_no_harm(parts: Any) -> None:
    path, own, held = parts
    ids = held["ids"].copy()
    ids[5] = 2**32 - 1
    files.write_file(path, "corpus", own, {**held, "ids": ids})
    with pytest.raises(FormatError, match=r"an id of the corpus is that of no word$"):
        EncodedCorpus.load(path)
    loaded = EncodedCorpus.load(path, verify=False)
    for make in MODELS.values():
        with pytest.raises(ValueError, match="must be below the number of words"):
            make(**loaded.options).fit(loaded)


def test_other_files_and_tokenizers_are_refused(parts: Any, tmp_path: Path) -> None:
    path = parts[0]
    with pytest.raises(ValueError, match=whole("`tokenizer` must be None: no callable cut the "
                                               "documents")):  # fmt: skip
        EncodedCorpus.load(path, tokenizer=str.split)
    with pytest.raises(TypeError, match=whole("`tokenizer` must be a callable, got int")):
        EncodedCorpus.load(path, tokenizer=3)  # type: ignore[arg-type]
    codes = tmp_path / "codes.bitsense"
    bitsense.Codes(np.zeros((1, 1), np.uint8), 8).save(codes)
    with pytest.raises(FormatError, match=r"holds a Codes, not a EncodedCorpus$"):
        EncodedCorpus.load(codes)
    with pytest.raises(FormatError, match=r"holds a 'codes', not a 'corpus'$"):
        EncodedCorpus.load(codes, verify=False)


# The making of a file


def test_an_old_file_stays_where_the_making_of_a_new_one_fails(parts: Any) -> None:
    path = parts[0]
    before = path.read_bytes()

    def broken() -> Any:
        yield "a b"
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        encode_corpus(broken(), path, tokenizer=Tokenizer(), min_count=1)
    with pytest.raises(ValueError, match="removed all"):
        encode_corpus(["a b"], path, tokenizer=Tokenizer(), min_count=9)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    for target, error in (
        (path.parent / "no" / "c", FileNotFoundError),
        (path.parent, IsADirectoryError),
        (path / "c", OSError),
    ):
        with pytest.raises(error):
            encode_corpus(iter(["a"]), target, tokenizer=Tokenizer(), min_count=1)


@pytest.mark.parametrize("part", ["ids", "rest"])
def test_a_full_disk_leaves_the_old_file(
    part: str, parts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = parts[0]
    before = path.read_bytes()
    texts = ["a " * (1 << 18)]
    encode_corpus(texts, path.parent / "c", tokenizer=Tokenizer(), min_count=1)
    most = (path.parent / "c").stat().st_size - 1 if part == "rest" else 1 << 19
    read = []

    def read_words(*arguments: Any) -> Any:
        read.append(_encoded_corpus_read_words(*arguments))
        return read[0]

    monkeypatch.setattr("bitsense._encoded_corpus.read_words", read_words)
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, old[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            encode_corpus(texts, path, tokenizer=Tokenizer(), min_count=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert len(read) == (part == "rest")
    assert path.read_bytes() == before
    assert {each.name for each in path.parent.iterdir()} == {path.name, "c"}


def test_ctrl_c_while_the_file_is_finished_leaves_the_old_one(
    parts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = parts[0]
    before = path.read_bytes()

    def read_words(*arguments: Any) -> Any:
        made = _encoded_corpus_read_words(*arguments)
        threading.Timer(0.01, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        return made

    monkeypatch.setattr("bitsense._encoded_corpus.read_words", read_words)
    many = ("some words and more of them " * 2000 for _ in range(1500))  # 18,000,000 words
    with pytest.raises(KeyboardInterrupt):
        encode_corpus(many, path, tokenizer=Tokenizer(), min_count=1, threads=2)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_path_means_what_it_meant_at_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()
    options: dict[str, Any] = {"tokenizer": Tokenizer(), "min_count": 1}
    encode_corpus(["x"] * 9, "other/c", **options)

    def wandering() -> Any:
        yield "a b"
        os.chdir("other")

    assert encode_corpus(wandering(), "c", **options).n_documents == 1
    assert EncodedCorpus.load(tmp_path / "c").n_documents == 1
    assert EncodedCorpus.load("c").n_documents == 9
    before = Path("c").read_bytes()
    for path, error in (("c/", NotADirectoryError), ("no/../c", FileNotFoundError)):
        with pytest.raises(error):
            encode_corpus(iter(["a"]), path, **options)
    with pytest.raises(ValueError, match="must not contain a null character"):
        encode_corpus(["a"], "c\0", **options)
    assert Path("c").read_bytes() == before


def test_a_link_stays_and_its_file_is_replaced(parts: Any, tmp_path: Path) -> None:
    path = parts[0]
    link = tmp_path / "link"
    link.symlink_to(path.name)
    encode_corpus(["a b"], link, tokenizer=Tokenizer(), min_count=1)
    assert link.is_symlink()
    assert EncodedCorpus.load(path).n_documents == 1


@pytest.mark.parametrize("threads", [1, 3])
def test_memory_does_not_hold_the_ids(threads: int, tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    line = " ".join(f"w{i:03}" for i in range(1000)).encode() + b"\n"
    with path.open("wb") as file:
        for i in range(100):  # 100 MB of text, 20,000,000 tokens, 80 MB of ids
            file.write(line * 100)
            # Long documents among short ones: the k-th has k without words before it.
            file.write(b"-\n" * i + line[:-1] * 100 + b"\n")
    code = """
        import resource, sys
        from pathlib import Path
        from bitsense.text import Tokenizer, encode_corpus
        # What is private to a process and can be written: not the pages of mapped files.
        held = int(next(l for l in open("/proc/self/status") if l.startswith("VmData")).split()[1])
        threads = int(sys.argv[3])
        limit = held * 1024 + 70_000_000 + (threads - 1) * 18_000_000  # stack and more of each
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        corpus = encode_corpus(
            Path(sys.argv[1]), sys.argv[2], tokenizer=Tokenizer(), min_count=1, threads=threads
        )
        print(corpus.n_tokens)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), path, tmp_path / "c", str(threads)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (found.stderr, found.stdout) == ("", "19990100\n")


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    def endless() -> Any:
        threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        while True:
            yield "some words " * 1000

    with pytest.raises(KeyboardInterrupt):
        encode_corpus(endless(), tmp_path / "c", tokenizer=Tokenizer(), min_count=1)
    assert list(tmp_path.iterdir()) == []


def test_files_and_their_iterators_give_one_corpus(tmp_path: Path) -> None:
    plain = tmp_path / "a.txt"
    plain.write_text("\n".join(texts()) + "\n")
    options: dict[str, Any] = {"tokenizer": Tokenizer(), "min_count": 2}
    found = encode_corpus(TextFiles([plain, plain]), tmp_path / "c", **options)
    assert_same(found, texts() * 2, **options)

"""Corpora in files: what they hold, what they refuse, and that models learn the same from them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from encoded import assert_same, texts

import bitsense
from bitsense import (
    BinaryParagraphVector,
    DisambiguatedSkipGram,
    ParagraphVector,
    RealBinaryParagraphVector,
    Word2Vec,
    files,
)
from bitsense.errors import FormatError
from bitsense.text import (
    EncodedCorpus,
    Tokenizer,
    build_corpus,
    encode_corpus,
    encode_documents,
)


def whole(message: str) -> str:
    return f"^{re.escape(message)}$"


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

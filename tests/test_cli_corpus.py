"""The command that encodes corpora, and training from what it made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from reference.command_line import bitsense as run

import bitsense
from bitsense.text import EncodedCorpus, Tokenizer

LINES = ["Red wine and cheese", "red cars and fast cars", "white wine and fish", ""] * 5


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(LINES) + "\n")
    return path


def test_a_corpus_is_made_shown_and_trained_on(text: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.bitsense"
    _, said = run("corpus", text, "-o", corpus, "--min-count", 2, "--ngrams", 2, "--threads", 2)
    found = bitsense.load(corpus)
    assert isinstance(found, EncodedCorpus)
    assert found.options == {
        "tokenizer": Tokenizer(ngrams=2),
        "min_count": 2,
        "max_vocabulary": None,
    }
    assert (
        f"{corpus}: 20 documents, {found.n_tokens} tokens and {len(found.vocabulary)} words" in said
    )
    out, _ = run("info", corpus)
    assert "kind         corpus" in out
    assert "documents    20" in out
    assert f"array        ids: uint32, {found.n_tokens}" in out
    assert (
        run("verify", corpus)[0]
        == f"{corpus}: corpus, {corpus.stat().st_size:,} bytes, all right\n"
    )
    small = ("--bits", 8, "--epochs", 2, "--quiet")
    run("train", corpus, "-o", tmp_path / "a", *small)
    run("train", text, "-o", tmp_path / "b", "--min-count", 2, "--ngrams", 2, *small)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    run("train", corpus, "-o", tmp_path / "c", "--min-count", 2, "--ngrams", 2, *small)
    assert (tmp_path / "c").read_bytes() == (tmp_path / "a").read_bytes()
    run("train", corpus, "-o", tmp_path / "w", "--model", "skip-gram", "--dim", 8, "--quiet")


def test_a_corpus_of_json_lines_with_every_option(tmp_path: Path) -> None:
    path, corpus = tmp_path / "a.jsonl", tmp_path / "c"
    path.write_text("".join(json.dumps({"t": line}) + "\n" for line in LINES))
    run("corpus", path, "--field", "t", "-o", corpus, "--min-count", 1, "--min-count-ngrams", 6,
        "--max-vocabulary", 7, "--ngrams", 2, "--no-lowercase", "--quiet")  # fmt: skip
    found = EncodedCorpus.load(corpus)
    assert found.tokenizer == Tokenizer(ngrams=2, lowercase=False)
    assert (found.min_count, found.min_count_ngrams, found.max_vocabulary) == (1, 6, 7)
    assert "Red" in found.vocabulary


def test_wrong_inputs_are_named(text: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "c.bitsense"
    run("corpus", text, "-o", corpus, "--min-count", 1, "--quiet")

    def error(*arguments: object, status: int = 1) -> str:
        return run(*arguments, status=status)[1].splitlines()[-1].removeprefix("bitsense: error: ")

    hint = "the model's parameters can be given as **corpus.options"
    out = ("-o", tmp_path / "m")
    assert error("train", corpus, *out, "--min-count", 2) == (
        f"`min_count` must be that of the corpus, 1, got 2; {hint}"
    )
    assert error("train", corpus, *out, "--no-digits") == (
        "`tokenizer` must be that of the corpus, Tokenizer(), got Tokenizer(digits=False); " + hint
    )
    assert error("train", corpus, text, *out) == (
        "INPUT must be text or one encoded corpus, got 2 files"
    )
    assert error("train", corpus, *out, "--held-out", 0.1) == (
        f"--held-out needs text, {corpus} is an encoded corpus"
    )
    assert error("train", corpus, *out, "--field", "t") == (
        f"--field needs text, {corpus} is an encoded corpus"
    )
    assert error("corpus", text, "-o", tmp_path / "no" / "c").endswith("no: No such folder")
    assert "removed all" in error("corpus", text, "-o", corpus, "--min-count", 99, "--quiet")
    assert EncodedCorpus.load(corpus).n_documents == 20
    codes = tmp_path / "codes"
    bitsense.Codes(np.zeros((1, 1), np.uint8), 8).save(codes)
    assert error("train", codes, *out) == f"{codes}: holds a Codes, not a EncodedCorpus"

"""What the commands on vectors share: opening them, and words from arguments or standard input."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from typing import Any

__all__ = [
    "FILE_HELP",
    "add_words",
    "each_word",
    "open_model",
    "open_vectors",
    "report_unknown",
    "sense_keys",
    "standard_lines",
]

FILE_HELP = (
    "a model or vectors of bitsense, or a file of word2vec (binary or text), GloVe, fastText "
    "(.vec or .bin) or gensim; told by its contents"
)


def open_model(path: str) -> Any:
    """Return a model with vectors as `wv`, or vectors, of any known format."""
    from .. import files
    from ..formats import detect_format, load_vectors

    if detect_format(path) != "bitsense":
        return load_vectors(path)
    model = files.load(path)
    if not hasattr(getattr(model, "wv", model), "key_to_index"):
        raise ValueError(f"{path} must hold vectors of words, got {model!r}")
    return model


def open_vectors(path: str) -> Any:
    """Return the vectors of a file of any known format."""
    model = open_model(path)
    return getattr(model, "wv", model)


def add_words(parser: argparse.ArgumentParser, what: str = "WORD") -> None:
    """Add the words, which come from standard input if they are ``-``."""
    parser.add_argument(
        "word", nargs="+", metavar=what, help="words; - reads them from stdin, one a line"
    )


def standard_lines() -> Iterator[str]:
    """Yield the lines of standard input that are not empty, as UTF-8."""
    for number, line in enumerate(sys.stdin.buffer, 1):
        try:
            text = line.decode("utf-8").strip()
        except UnicodeDecodeError as error:
            raise ValueError(f"standard input line {number} is not UTF-8: {error}") from None
        if text:
            yield text


def each_word(words: Iterable[str]) -> Iterator[str]:
    """Yield the words; ``-`` stands for the lines of standard input."""
    for word in words:
        if word == "-":
            yield from standard_lines()
        else:
            yield word


def sense_keys(vectors: Any, word: str) -> list[str]:
    """Return the keys of all senses of a word, or the word itself where it is a key."""
    if hasattr(vectors, "sense_keys") and word not in vectors:
        return list(vectors.sense_keys(word))
    return [word]


def report_unknown(error: Exception) -> None:
    """Say that one of many words is unknown."""
    from . import explain

    print(f"bitsense: error: {explain(error)}", file=sys.stderr)

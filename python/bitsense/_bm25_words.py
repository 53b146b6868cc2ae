"""Texts as terms of a BM25 index: its vocabulary only grows, and ids of terms stay."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from ._check import check_threads
from ._feed import core_tokenizer, feed
from ._vocabulary import Corpus, Vocabulary

__all__ = ["encoded", "grown", "read_texts"]

_NO_LIMIT = 2**32 - 1


@contextlib.contextmanager
def _as_texts(texts: Any) -> Iterator[None]:
    """Errors that name `documents`, as the reader does, name `texts` here."""
    if isinstance(texts, (str, bytes)):
        raise TypeError(f"`texts` must be a list of texts, got {type(texts).__name__}")
    try:
        yield
    except (TypeError, ValueError) as error:
        raise type(error)(str(error).replace("`documents`", "`texts`")) from None


def read_texts(texts: Any, tokenizer: Any) -> tuple[Vocabulary, Corpus]:
    """Return the words of texts and the texts as their ids; there may be none of either."""
    with _as_texts(texts):
        threads = check_threads(None)
        builder = _core.CorpusBuilder(core_tokenizer(tokenizer), threads)
        feed(builder, texts, tokenizer, threads, False)
        vocabulary = Vocabulary(builder.rank(1, 1, _NO_LIMIT))
        return vocabulary, Corpus(*builder.drain())


def encoded(texts: Any, vocabulary: Vocabulary, tokenizer: Any, threads: int) -> Corpus:
    """Return texts as ids of a vocabulary, other words left out."""
    with _as_texts(texts):
        builder = _core.CorpusBuilder(core_tokenizer(tokenizer), threads, vocabulary._core)
        feed(builder, texts, tokenizer, threads, False)
        return Corpus(*builder.drain())


def grown(
    old: Vocabulary, found: Vocabulary, corpus: Corpus
) -> tuple[Vocabulary, npt.NDArray[np.uint32]]:
    """Return a vocabulary with new words behind the old ones, and the corpus as its ids."""
    known = np.array([-1 if i is None else i for i in map(old.get, found)], np.int64)
    fresh = np.flatnonzero(known < 0)
    known[fresh] = np.arange(len(old), len(old) + len(fresh))
    text, offsets, counts = old.to_arrays()
    words = [found.word(int(i)).encode() for i in fresh]
    ends = int(offsets[-1]) + np.cumsum([len(word) for word in words], dtype=np.uint64)
    sums = np.concatenate([counts, np.zeros(len(fresh), np.uint64)])
    sums[known] += found.counts
    vocabulary = Vocabulary.from_arrays(
        np.concatenate([text, np.frombuffer(b"".join(words), np.uint8)]),
        np.concatenate([offsets, ends]).astype(np.uint64),
        sums,
    )
    return vocabulary, known.astype(np.uint32)[corpus.ids]

"""From documents to a vocabulary and ids: what `build_corpus` and `encode_corpus` share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from . import _core
from ._check import check_count
from ._feed import feed
from ._tokenizer import Tokenizer
from ._vocabulary import Vocabulary

__all__ = ["CorpusOptions", "checked_options", "no_documents", "read_words"]

Splitter = Callable[[str], Sequence[str]]

_NO_LIMIT = 2**32 - 1
_MAX_COUNT = 2**64 - 1


class CorpusOptions(NamedTuple):
    """What decides the words and ids of documents."""

    tokenizer: Tokenizer | Splitter | None
    min_count: int
    min_count_ngrams: int
    max_vocabulary: int | None


def checked_options(
    tokenizer: Tokenizer | Splitter | None,
    min_count: int,
    min_count_ngrams: int | None,
    max_vocabulary: int | None,
) -> CorpusOptions:
    """Return the options, checked but for the tokeniser.

    Raises
    ------
    TypeError, ValueError
        With the name of the option.
    """
    min_count = check_count("min_count", min_count, most=_MAX_COUNT)
    if min_count_ngrams is None:
        min_count_ngrams = min_count
    min_count_ngrams = check_count("min_count_ngrams", min_count_ngrams, most=_MAX_COUNT)
    if max_vocabulary is not None:
        max_vocabulary = check_count("max_vocabulary", max_vocabulary, most=_NO_LIMIT)
    return CorpusOptions(tokenizer, min_count, min_count_ngrams, max_vocabulary)


def read_words(
    builder: _core.CorpusBuilder,
    documents: Any,
    options: CorpusOptions,
    threads: int,
    progress: bool,
) -> Vocabulary:
    """Give all documents to a builder without a vocabulary; return the one that it makes."""
    feed(builder, documents, options.tokenizer, threads, progress)
    if builder.counts()[0] == 0:
        raise ValueError(no_documents(documents))
    most = _NO_LIMIT if options.max_vocabulary is None else options.max_vocabulary
    vocabulary = Vocabulary(builder.rank(options.min_count, options.min_count_ngrams, most))
    if not vocabulary:
        raise ValueError(_no_words(builder.counts(), options))
    return vocabulary


def no_documents(documents: Any) -> str:
    """Return the text of the error for documents that are none."""
    if isinstance(documents, Iterator):
        return (
            "`documents` gave 0 documents; a generator that was read before is empty: pass a list, "
            "or another object that can be iterated again"
        )
    return "`documents` must hold at least 1 document, got 0"


def _no_words(counts: tuple[int, int, int, int], options: CorpusOptions) -> str:
    documents, tokens, types, most_frequent = counts
    if tokens == 0:
        return (
            f"the {documents:,} `documents` must hold at least 1 token, got 0; were they cut with "
            "the options you meant?"
        )
    least, least_ngrams = options.min_count, options.min_count_ngrams
    ngrams = f" and `min_count_ngrams`={least_ngrams}" if least_ngrams != least else ""
    return (
        f"`min_count`={least}{ngrams} removed all {types:,} types of {tokens:,} tokens; the "
        f"most frequent occurs {most_frequent:,} times"
    )

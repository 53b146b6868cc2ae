"""Text to ids: a tokeniser, a vocabulary, an encoded corpus.

`build_corpus` reads documents once and makes a vocabulary and the documents as ids of it;
`encode_documents` encodes other documents with a vocabulary that exists; `encode_corpus` makes a
file of a corpus, which models are trained on in place of documents. What they make depends on the
documents and options alone, not on `threads`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import _core
from ._build import Splitter, checked_options, no_documents, read_words
from ._check import check_threads
from ._encoded_corpus import EncodedCorpus, encode_corpus
from ._feed import core_tokenizer, feed
from ._text_files import TextFiles
from ._tokenizer import Tokenizer
from ._vocabulary import Corpus, Vocabulary

__all__ = [
    "Corpus",
    "EncodedCorpus",
    "TextFiles",
    "Tokenizer",
    "Vocabulary",
    "build_corpus",
    "encode_corpus",
    "encode_documents",
]


def build_corpus(
    documents: Any,
    *,
    tokenizer: Tokenizer | Splitter | None,
    min_count: int,
    min_count_ngrams: int | None = None,
    max_vocabulary: int | None = None,
    threads: int | None = None,
    progress: bool = False,
) -> tuple[Vocabulary, Corpus]:
    """Read documents once; return their vocabulary and the documents as ids of it.

    Only the ids (four bytes a token) and the tables of words are kept of the text.

    Parameters
    ----------
    documents : iterable of str, iterable of lists of str, path, list of paths, or TextFiles
        Texts, or documents that are lists of tokens already: those are used as they are, and only
        the n-grams of `tokenizer` apply to them. A `pathlib.Path`, or a list of them, names files
        with one document a line (see `TextFiles`). A single string can only be a path, never a
        text; a string in a list is always a text.
    tokenizer : Tokenizer, callable or None
        How texts are cut; a callable takes a string and returns a list of strings, with one
        thread, because Python runs it. None: the documents must be lists of tokens.
    min_count : int
        Leave out words that occur less often in all documents together.
    min_count_ngrams : int, optional
        The same for n-grams of two words and more; by default `min_count`.
    max_vocabulary : int, optional
        Keep only so many words, the most frequent.
    threads : int, optional
        Threads that cut, count and encode; by default one per available processor.
    progress : bool, default False
        Show a progress bar.

    Returns
    -------
    vocabulary : Vocabulary
    corpus : Corpus

    Raises
    ------
    TypeError
        If a document is neither a string nor a list of strings, or strings and lists are mixed.
    ValueError
        If there are no documents, no words are left, or a text is not valid Unicode.
    OSError
        If a file cannot be read.

    Examples
    --------
    >>> vocabulary, corpus = build_corpus(["red wine", "red"], tokenizer=Tokenizer(), min_count=1)
    >>> list(vocabulary), corpus.ids.tolist(), corpus.offsets.tolist()
    (['red', 'wine'], [0, 1, 0], [0, 2, 3])
    """
    options = checked_options(tokenizer, min_count, min_count_ngrams, max_vocabulary)
    threads = check_threads(threads)
    builder = _core.CorpusBuilder(core_tokenizer(tokenizer), threads)
    vocabulary = read_words(builder, documents, options, threads, progress)
    return vocabulary, Corpus(*builder.drain())


def encode_documents(
    documents: Any,
    vocabulary: Vocabulary,
    *,
    tokenizer: Tokenizer | Splitter | None,
    threads: int | None = None,
    progress: bool = False,
) -> Corpus:
    """Return documents as ids of a vocabulary; other words are left out but count in `totals`.

    Parameters
    ----------
    documents, tokenizer, threads, progress
        As for `build_corpus`. An empty list gives an empty corpus.
    vocabulary : Vocabulary

    Returns
    -------
    corpus : Corpus

    Raises
    ------
    TypeError, ValueError, OSError
        As `build_corpus`; ValueError also if an iterator gives no documents, because it was
        probably read before.

    Examples
    --------
    >>> vocabulary, _ = build_corpus(["red wine"], tokenizer=Tokenizer(), min_count=1)
    >>> corpus = encode_documents(["white wine"], vocabulary, tokenizer=Tokenizer())
    >>> corpus.ids.tolist(), corpus.totals.tolist()
    ([1], [2])
    """
    if not isinstance(vocabulary, Vocabulary):
        raise TypeError(f"`vocabulary` must be a Vocabulary, got {type(vocabulary).__name__}")
    threads = check_threads(threads)
    builder = _core.CorpusBuilder(core_tokenizer(tokenizer), threads, vocabulary._core)
    feed(builder, documents, tokenizer, threads, progress)
    if isinstance(documents, Iterator) and builder.counts()[0] == 0:
        raise ValueError(no_documents(documents))
    return Corpus(*builder.drain())

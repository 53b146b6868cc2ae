"""Search by words: an inverted index, ranked by BM25."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from ._bitmaps import check_mask, pack_mask
from ._bm25_words import encoded, grown, read_texts
from ._check import check_count, check_float, check_threads
from ._ids import check_ids
from ._tokenizer import Tokenizer
from ._vocabulary import Vocabulary
from .errors import NotFittedError

__all__ = ["BM25Index"]

Scores = npt.NDArray[np.float32]
Ids = npt.NDArray[Any]


class BM25Index:
    """Exact search of texts by the words that they share with a query.

    With N documents, of which df hold a term, the score of query q and document d is the sum, over
    the distinct terms of q, of::

        n(t, q) idf(t) tf (k1 + 1) / (tf + k1 (1 - b + b length(d) / mean length))
        idf(t) = ln(1 + (N - df + 0.5) / (df + 0.5))

    where n(t, q) and tf count the term in the query and in the document (Robertson and Zaragoza,
    "The probabilistic relevance framework: BM25 and beyond", 2009; this idf, which is never
    negative, is Lucene's). It is summed in double, in the order in which the terms appear in the
    query, and rounded once: the score of a pair depends neither on threads nor on the other
    queries of a call. Terms outside the index add nothing.

    Parameters
    ----------
    k1 : float, default 1.2
        How much more a term counts when it is there again; 0: not at all.
    b : float, default 0.75, from 0 to 1
        How much long documents are held to say the same in more words; 0: not at all.
    tokenizer : Tokenizer or callable, optional
        How texts and queries are cut; by default ``Tokenizer()``. A callable takes a string and
        returns a list of strings.

    Attributes
    ----------
    vocabulary : Vocabulary
        The terms, with their number in all documents.
    ids : ndarray or None
        The ids of the documents, int64 or objects of type str; None: their rows are used.

    Examples
    --------
    >>> index = BM25Index().fit(["red wine", "white wine and fish", "a fast red car"])
    >>> ids, scores = index.search(["red car"], k=2)
    >>> ids.tolist(), scores.astype(float).round(2).tolist()
    ([[2, 0]], [[1.34, 0.56]])
    """

    def __init__(self, k1: float = 1.2, b: float = 0.75, tokenizer: Any = None) -> None:
        self.k1 = check_float("k1", k1, most=1e6)
        self.b = check_float("b", b, most=1.0)
        if tokenizer is not None and not callable(tokenizer):
            got = type(tokenizer).__name__
            raise TypeError(f"`tokenizer` must be a Tokenizer or a callable, got {got}")
        self.tokenizer = Tokenizer() if tokenizer is None else tokenizer
        self._state: tuple[Vocabulary, _core.Bm25, Ids | None] | None = None

    def _fitted(self) -> tuple[Vocabulary, _core.Bm25, Ids | None]:
        if self._state is None:
            raise NotFittedError("this BM25Index has no documents yet: call `fit` first")
        return self._state

    @property
    def vocabulary(self) -> Vocabulary:
        """The terms, with their number in all documents."""
        return self._fitted()[0]

    @property
    def ids(self) -> Ids | None:
        """The ids of the documents, int64 or objects of type str; None: their rows are used."""
        return self._fitted()[2]

    def __len__(self) -> int:
        return 0 if self._state is None else len(self._state[1])

    def __repr__(self) -> str:
        if self._state is None:
            return f"<BM25Index: not fitted, k1={self.k1:g}, b={self.b:g}>"
        terms = len(self._state[0])
        return f"<BM25Index: {len(self):,} documents, {terms:,} terms>"

    def fit(self, texts: Any, ids: Sequence[Any] | Ids | None = None) -> BM25Index:
        """Index documents; those of an earlier call are forgotten.

        Parameters
        ----------
        texts : iterable of str, iterable of lists of str, pathlib.Path, or TextFiles
            As `documents` of `build_corpus`; but a single string is refused.
        ids : sequence of distinct int or str, optional
            Names of the documents. Searches answer with them instead of with row numbers.

        Returns
        -------
        BM25Index
            Itself.

        Raises
        ------
        TypeError, ValueError, OSError
            If the texts cannot be read, or the ids are not of one kind, distinct, one a text.
        """
        vocabulary, corpus = read_texts(texts, self.tokenizer)
        if not corpus.n_documents:
            raise ValueError("`texts` must hold at least 1 text, got 0")
        names = None if ids is None else check_ids(ids, corpus.n_documents)
        empty = _core.Bm25(self.k1, self.b)
        engine = empty.added(corpus.ids, corpus.offsets, corpus.totals)
        self._state = (vocabulary, engine, names)
        return self

    def add(self, texts: Any, ids: Sequence[Any] | Ids | None = None) -> BM25Index:
        """Append documents, all of them or none; the index is then that of one `fit`.

        A search that is under way in another thread goes on in the index as it was. Add many texts
        at once: each call copies the vocabulary and the lengths of documents.

        Parameters
        ----------
        texts
            As for `fit`.
        ids : sequence of int or str, optional
            Needed where the index has ids, refused where it has none.

        Returns
        -------
        BM25Index
            Itself.

        Raises
        ------
        TypeError, ValueError, OSError
            As for `fit`.
        """
        if self._state is None:
            return self.fit(texts, ids)
        vocabulary, engine, names = self._state
        found, corpus = read_texts(texts, self.tokenizer)
        if (ids is None) != (names is None):
            has = "none" if names is None else "ids"
            raise ValueError(f"`ids` must be given for all documents or for none; these have {has}")
        if ids is not None and names is not None:
            both = [*names.tolist(), *check_ids(ids, corpus.n_documents).tolist()]
            names = check_ids(both, len(both))
        vocabulary, terms = grown(vocabulary, found, corpus)
        engine = engine.added(terms, corpus.offsets, corpus.totals)
        self._state = (vocabulary, engine, names)
        return self

    def search(
        self,
        texts: Any,
        k: int = 10,
        *,
        mask: npt.ArrayLike | None = None,
        threads: int | None = None,
    ) -> tuple[Ids, Scores]:
        """Return the k best documents of each query.

        Parameters
        ----------
        texts : iterable of str, or of lists of str
            The queries.
        k : int, default 10
        mask : array-like of bool, shape (n,), optional
            Only documents where it is true are found. Scores are as without it: the statistics are
            those of all documents.
        threads : int, optional
            Default: every available processor.

        Returns
        -------
        ids : shape (m, k'); the ids of the documents if they have any, else row numbers (int64)
        scores : float32, shape (m, k'), falling; equal scores by row
            k' is k, or the number of documents that may be found where that is smaller. Documents
            that share no term with the query have score 0 and come last.
        """
        vocabulary, engine, names = self._fitted()
        threads = check_threads(threads)
        k = check_count("k", k)
        passes = None if mask is None else pack_mask(check_mask(mask, len(engine)))
        queries = encoded(texts, vocabulary, self.tokenizer, threads)
        rows, scores = engine.search(queries.ids, queries.offsets, k, passes, threads)
        return rows if names is None else names[rows], scores

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save as the file `path`; an old one is replaced at once or not at all.

        Raises
        ------
        TypeError
            If the tokeniser is a callable of yours, which no file can hold.
        OSError
            If the file cannot be written.
        """
        from ._bm25_file import save_bm25

        save_bm25(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> BM25Index:
        """Return the index that `save` wrote at `path`.

        Raises
        ------
        FormatError
            If the file is corrupt, cut, newer, or holds something else.
        OSError
            If the file cannot be opened.
        """
        from ._bm25_file import load_bm25

        return load_bm25(path)

    def __reduce__(self) -> tuple[Any, ...]:
        from ._bm25_file import bm25_bytes
        from .files import load_bytes

        if self._state is None:
            return type(self), (self.k1, self.b, self.tokenizer)
        return load_bytes, (bm25_bytes(self),)

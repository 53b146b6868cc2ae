"""What the paragraph-vector models that make binary codes share."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np

from ._model_parameters import check_on_unknown
from ._paragraph_vectors import CodeArray, Coverage, FloatArray, ParagraphVectors
from .text import Corpus

__all__ = ["CodedVectors"]

_CHUNK = 1 << 16  # documents whose real values are held at a time while codes are made


class CodedVectors(ParagraphVectors):
    """Documents to codes, and to the real values whose signs the codes are."""

    @overload
    def transform(self, documents: Any, *, return_coverage: Literal[False] = ...) -> CodeArray: ...
    @overload
    def transform(
        self, documents: Any, *, return_coverage: Literal[True]
    ) -> tuple[CodeArray, Coverage]: ...
    def transform(
        self, documents: Any, *, return_coverage: bool = False
    ) -> CodeArray | tuple[CodeArray, Coverage]:
        """Infer the packed codes of documents, the signs of their pre-activations.

        A document gets the same bytes whatever else is in the call, in whatever order, at any
        number of threads, each time.

        Parameters
        ----------
        documents
            As for `fit`.
        return_coverage : bool, default False
            Also return the share of each document's tokens that the vocabulary knows.

        Returns
        -------
        codes : ndarray of uint8, shape (n_documents, ceil(bits / 8))
            Bit j of a document in byte ``j // 8``, most significant bit first.
        coverage : ndarray of float64, shape (n_documents,), if asked for

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If a document has no known word and `on_unknown` is "error" or "nan".
        """
        corpus = self._encode(documents)
        codes = self._codes(corpus)
        return (codes, self._coverage(corpus)) if return_coverage else codes

    def _codes(self, corpus: Corpus) -> CodeArray:
        if check_on_unknown(self.on_unknown) == "nan":
            self._require_known(
                corpus,
                "a code cannot be NaN as `on_unknown` asks: use 'zero', or `preactivations`",
            )
        codes = np.empty((corpus.n_documents, self._n_columns()), np.uint8)
        for first in range(0, corpus.n_documents, _CHUNK):
            last = min(first + _CHUNK, corpus.n_documents)
            codes[first:last] = np.packbits(self._preactivations(corpus, first, last) > 0, axis=1)
        return codes

    @overload
    def preactivations(
        self, documents: Any, *, return_coverage: Literal[False] = ...
    ) -> FloatArray: ...
    @overload
    def preactivations(
        self, documents: Any, *, return_coverage: Literal[True]
    ) -> tuple[FloatArray, Coverage]: ...
    def preactivations(
        self, documents: Any, *, return_coverage: bool = False
    ) -> FloatArray | tuple[FloatArray, Coverage]:
        """Infer the real values whose signs are the codes.

        They serve as real vectors: by cosine, or as queries against codes (`asymmetric_scores`).

        Parameters
        ----------
        documents, return_coverage
            As for `transform`.

        Returns
        -------
        values : ndarray of float32, shape (n_documents, bits)
        coverage : ndarray of float64, shape (n_documents,), if asked for
        """
        corpus = self._encode(documents)
        values = self._preactivations(corpus)
        return (values, self._coverage(corpus)) if return_coverage else values

    def fit_transform(self, documents: Any, y: Any = None) -> CodeArray:
        """Fit to `documents` and return what `transform` gives for them; they are read once."""
        return self._codes(self._learn(documents))

    def _preactivations(
        self, corpus: Corpus, first: int = 0, last: int | None = None
    ) -> FloatArray:
        return self._infer(corpus, first, last)

    def _n_columns(self) -> int:
        return -(-int(self._recipe["bits"]) // 8)

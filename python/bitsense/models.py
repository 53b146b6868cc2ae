"""Paragraph vectors: documents to real vectors and to binary codes, learned from raw text.

Both models are trained and asked alike; docs/models.md has the formulas and what differs from the
papers.
"""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np

from . import files
from ._model_parameters import check_on_unknown
from ._paragraph_vectors import CodeArray, Coverage, FloatArray, ParagraphVectors
from ._progress import ProgressOption
from ._saved_model import Splitter
from .errors import FormatError
from .text import Corpus, Tokenizer
from .word_models import DisambiguatedSkipGram, Word2Vec

__all__ = ["BinaryParagraphVector", "ParagraphVector"]
_CHUNK = 1 << 16  # documents whose real values are held at a time while codes are made


class ParagraphVector(ParagraphVectors):
    """Real vectors of documents: PV-DBOW, the distributed bag of words [1]_.

    The vector d of a document predicts its words, p(w | d) = softmax(W d + c). A new document gets
    the vector that predicts its words best under the learned W and c.

    Parameters
    ----------
    dim : int, default 128
        Components of a vector.
    mode : {"dbow"}, default "dbow"
        The paper's model.
    window : int, default 16
        Consecutive words of a document that one step predicts, the paper's text window.
    min_count : int, default 2
        Words that occur less often in all documents together are left out.
    max_vocabulary : int, optional
        Keep only so many words, the most frequent.
    negatives : int, optional
        Noise words that a target is told from, drawn from count^0.75. The documents of a block
        share their noise: window * negatives words under negative sampling, `negatives` words
        under softmax. By default 5 under negative sampling, 128 under softmax.
    subsample : float, default 1e-4
        Relative frequency from which on the occurrences of a word are thinned out in training
        [2]_, where it is above the mean frequency of a word; 0 keeps all.
    epochs : int, default 10
        Passes over the documents, each in a new order.
    learning_rate : float, optional
        At the start; it falls linearly to zero. By default 0.07 for both optimisers.
    objective : {"negative-sampling", "softmax"}, default "negative-sampling"
        Negative sampling [2]_ or sampled softmax [3]_.
    optimizer : {"sgd", "adagrad"}, default "sgd"
        Of the words' rows; the documents always move by AdaGrad.
    dropout : float, default 0
        Share of a document's components that a step leaves out.
    batch : int, default 32
        Documents that a block trains at once. Part of the model, not of the machine: the result
        depends on it.
    infer_epochs : int, default 10
        Steps of the inference of new documents, each over all their words.
    tokenizer : Tokenizer or callable, optional
        How texts are cut; by default ``Tokenizer()``. N-gram targets are its `ngrams`. Documents
        that are lists of tokens are not cut.
    on_unknown : {"zero", "error", "nan"}, default "zero"
        What `transform` gives for a document without any known word.
    deterministic : bool, default True
        The same seed, documents and parameters give the same bytes at any number of threads (on
        processors of one level, see `bitsense.cpu_info`). False lets the threads race, and the
        result differs from run to run where there are more than one.
    threads : int, optional
        By default one per available processor, or BITSENSE_THREADS.
    seed : int, default 0
    progress : bool or callable, optional
        True draws a bar on standard error, False does not, None does on a terminal; a callable gets
        a `Progress` about ten times a second and at the end, and stops the training by raising. It
        is never saved or pickled.

    Attributes
    ----------
    vocabulary_ : Vocabulary
    losses_ : list of float
        Mean loss per target, for each epoch; 0 where `subsample` left nothing of an epoch.
    document_vectors_ : ndarray of float32, shape (n_documents, dim)
    word_vectors_ : ndarray of float32, shape (n_words, dim)
    n_documents_ : int
    partial_ : bool
        Whether the training was stopped before its end.

    References
    ----------
    .. [1] Le and Mikolov, "Distributed representations of sentences and documents", ICML 2014,
       arXiv:1405.4053.
    .. [2] Mikolov et al., "Distributed representations of words and phrases and their
       compositionality", NIPS 2013, arXiv:1310.4546.
    .. [3] Jean et al., "On using very large target vocabulary for neural machine translation",
       ACL 2015, arXiv:1412.2007.

    Examples
    --------
    >>> texts = ["red wine and white wine", "white wine with fish", "a fast red car"] * 20
    >>> model = ParagraphVector(dim=16, min_count=1, threads=1).fit(texts)
    >>> model.transform(["wine with fish"]).shape
    (1, 16)
    """

    _model = "pv-dbow"
    _document_rate = 1.5
    _infer_rate = 0.06
    _width = "dim"

    def __init__(
        self,
        dim: int = 128,
        *,
        mode: str = "dbow",
        window: int = 16,
        min_count: int = 2,
        max_vocabulary: int | None = None,
        negatives: int | None = None,
        subsample: float = 1e-4,
        epochs: int = 10,
        learning_rate: float | None = None,
        objective: str = "negative-sampling",
        optimizer: str = "sgd",
        dropout: float = 0.0,
        batch: int = 32,
        infer_epochs: int = 10,
        tokenizer: Tokenizer | Splitter | None = None,
        on_unknown: str = "zero",
        deterministic: bool = True,
        threads: int | None = None,
        seed: int = 0,
        progress: ProgressOption = None,
    ) -> None:
        self.dim = dim
        self.mode = mode
        self.window = window
        self.min_count = min_count
        self.max_vocabulary = max_vocabulary
        self.negatives = negatives
        self.subsample = subsample
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.objective = objective
        self.optimizer = optimizer
        self.dropout = dropout
        self.batch = batch
        self.infer_epochs = infer_epochs
        self.tokenizer = tokenizer
        self.on_unknown = on_unknown
        self.deterministic = deterministic
        self.threads = threads
        self.seed = seed
        self.progress = progress

    def _default_learning_rate(self) -> float:
        return 0.07

    @overload
    def transform(self, documents: Any, *, return_coverage: Literal[False] = ...) -> FloatArray: ...
    @overload
    def transform(
        self, documents: Any, *, return_coverage: Literal[True]
    ) -> tuple[FloatArray, Coverage]: ...
    def transform(
        self, documents: Any, *, return_coverage: bool = False
    ) -> FloatArray | tuple[FloatArray, Coverage]:
        """Infer the vectors of documents.

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
        vectors : ndarray of float32, shape (n_documents, dim)
        coverage : ndarray of float64, shape (n_documents,), if asked for

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If a document has no known word and `on_unknown` is "error".
        """
        corpus = self._encode(documents)
        vectors = self._infer(corpus)
        return (vectors, self._coverage(corpus)) if return_coverage else vectors

    def fit_transform(self, documents: Any, y: Any = None) -> FloatArray:
        """Fit to `documents` and return what `transform` gives for them; they are read once."""
        return self._infer(self._learn(documents))


class BinaryParagraphVector(ParagraphVectors):
    """Binary codes of documents: Binary PV-DBOW [1]_, learned end to end.

    A document has pre-activations a; its code is b = [a > 0], and b predicts its words,
    p(w | b) = softmax(W b + c). The gradient passes the rounding unchanged [2]_.

    Parameters
    ----------
    bits : int, default 128
        Bits of a code.
    objective : {"softmax", "negative-sampling"}, default "softmax"
    optimizer : {"adagrad", "sgd"}, default "adagrad"
    learning_rate : float, optional
        At the start; it falls linearly to zero. By default 0.2 / sqrt(bits) for AdaGrad (0.035
        at 32 bits, 0.018 at 128), 0.05 for SGD.
    on_unknown : {"zero", "error", "nan"}, default "zero"
        What a document without any known word gives. A code cannot be NaN: with "nan",
        `preactivations` gives NaN, and `transform` raises as with "error".
    mode, window, min_count, max_vocabulary, negatives, subsample, epochs, dropout, batch, \
infer_epochs, tokenizer, deterministic, threads, seed, progress
        As for `ParagraphVector`.

    Attributes
    ----------
    document_vectors_ : ndarray of float32, shape (n_documents, bits)
        Pre-activations of the training documents.
    vocabulary_, losses_, word_vectors_, n_documents_, partial_
        As for `ParagraphVector`.

    References
    ----------
    .. [1] Grzegorczyk and Kurdziel, "Binary paragraph vectors", RepL4NLP 2017, arXiv:1611.01116.
    .. [2] Krizhevsky and Hinton, "Using very deep autoencoders for content-based image retrieval",
       ESANN 2011.

    Examples
    --------
    >>> texts = ["red wine and white wine", "white wine with fish", "a fast red car"] * 20
    >>> model = BinaryParagraphVector(bits=16, min_count=1, threads=1).fit(texts)
    >>> codes = model.transform(["wine with fish"])
    >>> codes.shape, codes.dtype
    ((1, 2), dtype('uint8'))
    """

    _model = "binary-pv-dbow"
    _document_rate = 8.0
    _infer_rate = 0.1
    _width = "bits"

    def __init__(
        self,
        bits: int = 128,
        *,
        mode: str = "dbow",
        window: int = 16,
        min_count: int = 2,
        max_vocabulary: int | None = None,
        negatives: int | None = None,
        subsample: float = 1e-4,
        epochs: int = 10,
        learning_rate: float | None = None,
        objective: str = "softmax",
        optimizer: str = "adagrad",
        dropout: float = 0.0,
        batch: int = 32,
        infer_epochs: int = 10,
        tokenizer: Tokenizer | Splitter | None = None,
        on_unknown: str = "zero",
        deterministic: bool = True,
        threads: int | None = None,
        seed: int = 0,
        progress: ProgressOption = None,
    ) -> None:
        self.bits = bits
        self.mode = mode
        self.window = window
        self.min_count = min_count
        self.max_vocabulary = max_vocabulary
        self.negatives = negatives
        self.subsample = subsample
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.objective = objective
        self.optimizer = optimizer
        self.dropout = dropout
        self.batch = batch
        self.infer_epochs = infer_epochs
        self.tokenizer = tokenizer
        self.on_unknown = on_unknown
        self.deterministic = deterministic
        self.threads = threads
        self.seed = seed
        self.progress = progress

    def _default_learning_rate(self) -> float:
        return 0.2 / float(np.sqrt(self.bits)) if self.optimizer == "adagrad" else 0.05

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
            codes[first:last] = np.packbits(self._infer(corpus, first, last) > 0, axis=1)
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
        values = self._infer(corpus)
        return (values, self._coverage(corpus)) if return_coverage else values

    def fit_transform(self, documents: Any, y: Any = None) -> CodeArray:
        """Fit to `documents` and return what `transform` gives for them; they are read once."""
        return self._codes(self._learn(documents))

    def _n_columns(self) -> int:
        return -(-self._n_components // 8)


_CLASSES: dict[str, Any] = {
    cls.__name__: cls
    for cls in (ParagraphVector, BinaryParagraphVector, Word2Vec, DisambiguatedSkipGram)
}


def _load(header: dict[str, Any], arrays: dict[str, Any]) -> Any:
    name = files.require_field(header, "class", str)
    if name not in _CLASSES:
        raise FormatError(f"holds a model {name!r}, which this bitsense does not know")
    return _CLASSES[name]._from_state(header, arrays)


files.register("model", _load)

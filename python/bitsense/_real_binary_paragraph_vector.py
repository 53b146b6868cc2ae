"""Real vectors and short binary codes of documents, learned as one."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, overload

import numpy as np

from . import _core
from ._check import check_threads
from ._coded_vectors import CodedVectors
from ._modes import Mode
from ._paragraph_vectors import Coverage, FloatArray
from ._progress import ProgressOption
from ._saved_model import Splitter
from ._training import Trained
from .hashing import ITQ
from .text import Corpus, Tokenizer

__all__ = ["RealBinaryParagraphVector"]

_ITQ_DOCUMENTS = 1 << 16  # at most so many, evenly spaced, decide the rotation


class RealBinaryParagraphVector(CodedVectors):
    """Real vectors and short codes of documents at once: Real-Binary PV-DBOW [1]_.

    A document has a real vector r and pre-activations a = P r; its code is b = [a > 0], and b
    predicts its words, p(w | b) = softmax(W b + c). P, W and c are learned. The gradient passes the
    rounding unchanged [2]_. The codes find a short list of documents, which the vectors order.

    In the mode "encoder" r is that of the mode of `ParagraphVector`, a sum of vectors of the
    document's words, and the codes are its ITQ [3]_: a = P (r - m), with the mean m of the training
    documents and P found after the training.

    Parameters
    ----------
    dim : int, default 300
        Components of a real vector.
    bits : int, default 28
        Bits of a code; in "encoder" at most `dim`.
    mode : {"dbow", "encoder"}, default "dbow"
        The paper's model, or documents as sums of their words, which takes whole documents at once
        and uses neither `window` (but for the amount of noise under negative sampling) nor
        `subsample` and `infer_epochs`.
    neighbors : int, default 10
        In "encoder", near documents of which a document also learns to predict the words. They
        are found with a first training, so there are two: an exact search on a shortlist, of a
        time quadratic in the number of documents. 0: none, and one training.
    neighbor_weight : float, default 1
        How much a neighbour's words count beside the document's own.
    epochs : int, optional
        By default 10, in "encoder" 20 for each training.
    objective : {"softmax", "negative-sampling"}, optional
        By default "softmax".
    optimizer : {"adagrad", "sgd"}, default "adagrad"
        Of the words' rows; the documents and P always move by AdaGrad.
    learning_rate : float, optional
        At the start; it falls linearly to zero. By default 0.2 / sqrt(bits) for AdaGrad (0.038
        at 28 bits; 0.03 in "encoder"), 0.05 for SGD.
    on_unknown : {"zero", "error", "nan"}, default "zero"
        What a document without any known word gives. A code cannot be NaN: with "nan", `vectors`
        and `preactivations` give NaN, and `transform` raises as with "error".
    window, min_count, max_vocabulary, negatives, subsample, dropout, batch, \
infer_epochs, tokenizer, deterministic, threads, seed, progress
        As for `ParagraphVector`.

    Attributes
    ----------
    document_vectors_ : ndarray of float32, shape (n_documents, dim)
        Real vectors of the training documents.
    word_vectors_ : ndarray of float32, shape (n_words, bits)
        The weights W; of `dim` columns in "encoder".
    context_vectors_ : ndarray of float32, shape (n_words, dim)
        In "encoder", the vectors that r is the sum of.
    projection_ : ndarray of float32, shape (bits, dim)
        P.
    vocabulary_, losses_, n_documents_, n_extended_, continued_, partial_, certificate_
        As for `ParagraphVector`.

    See Also
    --------
    BinaryParagraphVector : Its pre-activations are real vectors too, one component a bit.

    References
    ----------
    .. [1] Grzegorczyk and Kurdziel, "Binary paragraph vectors", RepL4NLP 2017, arXiv:1611.01116.
    .. [2] Krizhevsky and Hinton, "Using very deep autoencoders for content-based image retrieval",
       ESANN 2011.
    .. [3] Gong and Lazebnik, "Iterative quantization: a Procrustean approach to learning binary
       codes", CVPR 2011, doi:10.1109/CVPR.2011.5995432.

    Examples
    --------
    >>> texts = ["red wine and white wine", "white wine with fish", "a fast red car"] * 20
    >>> model = RealBinaryParagraphVector(dim=20, bits=16, min_count=1, threads=1).fit(texts)
    >>> model.transform(["wine with fish"]).shape, model.vectors(["wine with fish"]).shape
    ((1, 2), (1, 20))
    """

    _modes: ClassVar = {
        "dbow": Mode(
            "real-binary-pv-dbow",
            document_rate=8.0,
            infer_rate=0.1,
            optimizer="adagrad",
            projection_rate=0.001,
        ),
        "encoder": Mode(
            "pv-encoder",
            document_rate=1.0,
            infer_rate=1.0,
            encoder=True,
            optimizer="adagrad",
            learning_rates={"adagrad": 0.03},
            negatives={"softmax": 512},
            context_rate=0.5,
            epochs=20,
        ),
    }
    _width = "dim"

    def __init__(
        self,
        dim: int = 300,
        bits: int = 28,
        *,
        mode: str = "dbow",
        neighbors: int = 10,
        neighbor_weight: float = 1.0,
        window: int = 16,
        min_count: int = 2,
        max_vocabulary: int | None = None,
        negatives: int | None = None,
        subsample: float = 1e-4,
        epochs: int | None = None,
        learning_rate: float | None = None,
        objective: str | None = None,
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
        self.dim = dim
        self.bits = bits
        self.mode = mode
        self.neighbors = neighbors
        self.neighbor_weight = neighbor_weight
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

    def _default_learning_rate(self, optimizer: str) -> float:
        by_bits = 0.2 / float(np.sqrt(self.bits)) if optimizer == "adagrad" else 0.05
        return self._modes[self.mode].learning_rates.get(optimizer, by_bits)

    def _binarised(self, trained: Trained, recipe: dict[str, Any]) -> tuple[Trained, FloatArray]:
        """Complete the tables; also return what is taken from a vector before it is projected.

        An encoder learns its real vectors from the words alone; the projection is their ITQ.
        """
        dim, bits = recipe["dim"], recipe["bits"]
        if not self._modes[recipe["mode"]].encoder:
            return trained, np.zeros(dim, np.float32)
        vectors = trained.tables.hidden[:, :dim]
        vectors = vectors[vectors.any(axis=1)]  # those of documents with words
        vectors = vectors[:: -(-len(vectors) // _ITQ_DOCUMENTS)]
        itq = ITQ(bits, seed=recipe["seed"])
        try:
            itq.fit(vectors)
        except KeyboardInterrupt as error:  # the vectors are kept: codes from a random rotation
            trained = trained._replace(error=trained.error or error)
            itq.set_params(iterations=0).fit(vectors)
        projection = np.zeros((bits, trained.tables.hidden.shape[1]), np.float32)
        projection[:, :dim] = itq.directions_.T
        return trained._replace(tables=trained.tables._replace(projection=projection)), itq.mean_

    @property
    def projection_(self) -> FloatArray:
        """The matrix P that turns a real vector into pre-activations, shape (bits, dim)."""
        self._check_fitted()
        return self._projection[:, : self._n_components]

    @overload
    def vectors(self, documents: Any, *, return_coverage: Literal[False] = ...) -> FloatArray: ...
    @overload
    def vectors(
        self, documents: Any, *, return_coverage: Literal[True]
    ) -> tuple[FloatArray, Coverage]: ...
    def vectors(
        self, documents: Any, *, return_coverage: bool = False
    ) -> FloatArray | tuple[FloatArray, Coverage]:
        """Infer the real vectors of documents.

        Parameters
        ----------
        documents, return_coverage
            As for `transform`.

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

    def _preactivations(
        self, corpus: Corpus, first: int = 0, last: int | None = None
    ) -> FloatArray:
        return self._code_values(self._infer(corpus, first, last))

    def _code_values(self, vectors: FloatArray) -> FloatArray:
        assert self._offset is not None  # a fitted model of this class has one
        # By the engine, so that a row does not depend on how many others there are.
        values = _core.project(
            np.ascontiguousarray(vectors),
            self._offset,
            np.ascontiguousarray(self.projection_.T),
            check_threads(self.threads),
        )
        values[~vectors.any(axis=1)] = 0.0  # documents without a word, whatever the offset
        return values

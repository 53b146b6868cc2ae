"""Binary codes of documents."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ._coded_vectors import CodedVectors
from ._modes import Mode
from ._progress import ProgressOption
from ._saved_model import Splitter
from .text import Tokenizer

__all__ = ["BinaryParagraphVector"]


class BinaryParagraphVector(CodedVectors):
    """Binary codes of documents: Binary PV-DBOW and Binary PV-DM [1]_, learned end to end.

    A document has pre-activations a; its code is b = [a > 0], and b predicts its words,
    p(w | b) = softmax(W b + c). The gradient passes the rounding unchanged [2]_. In PV-DM the words
    beside the predicted one, rounded too, stand beside b. In the mode "encoder" a is the weighted
    sum of vectors of the document's words [3]_ [4]_, which predict themselves and the words of near
    documents [5]_.

    Parameters
    ----------
    bits : int, default 128
        Bits of a code.
    mode : {"dbow", "dm", "encoder"}, default "dbow"
        The paper's model: the bag of words, or the distributed memory; or documents as sums of
        their words, which takes whole documents at once and uses neither `window` (but for the
        amount of noise under negative sampling) nor `subsample`, `infer_epochs`, `context`,
        `word_dim` and `round_words`.
    context : int, default 5
        In "dm", words beside the target on each side.
    word_dim : int, optional
        In "dm", components of the vector of a word beside the target; by default `bits`. The
        weights of a word have bits + 2 * context * word_dim components, which decides the time
        that a training takes.
    round_words : bool, default True
        In "dm", whether those vectors are rounded as the document's is; else they only go through
        the sigmoid.
    neighbors : int, default 10
        In "encoder", near documents of which a document also learns to predict the words. They
        are found with a first training, so there are two: an exact search on a shortlist, of a
        time quadratic in the number of documents. 0: none, and one training.
    neighbor_weight : float, default 1
        How much a neighbour's words count beside the document's own.
    negatives : int, optional
        As for `ParagraphVector`; by default 128 under softmax (64 in "dm", 512 in "encoder"), 5
        under negative sampling.
    epochs : int, optional
        By default 10, in "encoder" 20 for each training.
    objective : {"softmax", "negative-sampling"}, optional
        By default "softmax".
    optimizer : {"adagrad", "sgd"}, default "adagrad"
    learning_rate : float, optional
        At the start; it falls linearly to zero. By default 0.2 / sqrt(bits) for AdaGrad (0.035
        at 32 bits, 0.018 at 128), 0.05 for SGD.
    on_unknown : {"zero", "error", "nan"}, default "zero"
        What a document without any known word gives. A code cannot be NaN: with "nan",
        `preactivations` gives NaN, and `transform` raises as with "error".
    window, min_count, max_vocabulary, subsample, dropout, batch, \
infer_epochs, tokenizer, deterministic, threads, seed, progress
        As for `ParagraphVector`.

    Attributes
    ----------
    document_vectors_ : ndarray of float32, shape (n_documents, bits)
        Pre-activations of the training documents.
    word_vectors_ : ndarray of float32, shape (n_words, bits)
        The weights W; of bits + 2 * context * word_dim columns in "dm".
    context_vectors_ : ndarray of float32, shape (n_words, word_dim)
        In "dm", the vectors of words beside a target, before the sigmoid; in "encoder", of `bits`
        columns, those that pre-activations are sums of.
    vocabulary_, losses_, n_documents_, n_extended_, continued_, partial_, certificate_
        As for `ParagraphVector`.

    References
    ----------
    .. [1] Grzegorczyk and Kurdziel, "Binary paragraph vectors", RepL4NLP 2017, arXiv:1611.01116.
    .. [2] Krizhevsky and Hinton, "Using very deep autoencoders for content-based image retrieval",
       ESANN 2011.
    .. [3] Chen, "Efficient vector representation for documents through corruption", ICLR 2017,
       arXiv:1707.02377.
    .. [4] Chaidaroon and Fang, "Variational deep semantic hashing for text documents", SIGIR 2017,
       arXiv:1708.03436.
    .. [5] Chaidaroon, Ebesu and Fang, "Deep semantic text hashing with weak supervision", SIGIR
       2018, doi:10.1145/3209978.3209999.

    Examples
    --------
    >>> texts = ["red wine and white wine", "white wine with fish", "a fast red car"] * 20
    >>> model = BinaryParagraphVector(bits=16, min_count=1, threads=1).fit(texts)
    >>> codes = model.transform(["wine with fish"])
    >>> codes.shape, codes.dtype
    ((1, 2), dtype('uint8'))
    """

    _modes: ClassVar = {
        "dbow": Mode("binary-pv-dbow", document_rate=8.0, infer_rate=0.1, optimizer="adagrad"),
        "dm": Mode(
            "binary-pv-dm", document_rate=8.0, infer_rate=0.1, optimizer="adagrad", noise=256,
            context=True, concatenated=True, negatives={"softmax": 64},
        ),
        "encoder": Mode(
            "binary-pv-encoder", document_rate=1.0, infer_rate=1.0, encoder=True,
            optimizer="adagrad", negatives={"softmax": 512}, context_rate=50.0, epochs=20,
        ),
    }  # fmt: skip
    _width = "bits"

    def __init__(
        self,
        bits: int = 128,
        *,
        mode: str = "dbow",
        context: int = 5,
        word_dim: int | None = None,
        round_words: bool = True,
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
        self.bits = bits
        self.mode = mode
        self.context = context
        self.word_dim = word_dim
        self.round_words = round_words
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
        return 0.2 / float(np.sqrt(self.bits)) if optimizer == "adagrad" else 0.05

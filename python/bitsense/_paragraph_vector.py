"""Real vectors of documents."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, overload

from ._modes import Mode
from ._paragraph_vectors import Coverage, FloatArray, ParagraphVectors
from ._progress import ProgressOption
from ._saved_model import Splitter
from .text import Tokenizer

__all__ = ["ParagraphVector"]


class ParagraphVector(ParagraphVectors):
    """Real vectors of documents: the paragraph vectors of Le and Mikolov [1]_.

    The vector d of a document predicts its words: by itself in PV-DBOW, the distributed bag of
    words, p(w | d) = softmax(W d + c); together with the words beside the predicted one in PV-DM,
    the distributed memory, p(w | h) = softmax(W h + c), where h is their mean or all of them side
    by side. A new document gets the vector that predicts its words best under the learned weights.

    In the mode "encoder" a document is the weighted sum of the vectors of its words [4]_: the words
    it holds, weighted as in TF-IDF, predict themselves and the words of near documents [5]_. A new
    document is one sum away, without a search.

    Parameters
    ----------
    dim : int, default 128
        Components of a vector.
    mode : {"dbow", "dm-mean", "dm-concat", "encoder"}, default "dbow"
        The paper's model: PV-DBOW, or PV-DM with the mean of the vectors of a document and of the
        words beside the target, or with these side by side; or documents as sums of their words,
        which takes whole documents at once and uses neither `window` (but for the amount of noise
        under negative sampling) nor `subsample`, `infer_epochs`, `context` and `word_dim`.
    context : int, default 5
        In the "dm" modes, words beside the target on each side.
    word_dim : int, optional
        In the "dm" modes, components of the vector of a word beside the target; by default `dim`,
        and nothing else in "dm-mean". The weights of a word have dim + 2 * context * word_dim
        components in "dm-concat", which decides the time that a training takes; 16 was faster and
        better than 128 on 9,000 posts (docs/models.md).
    neighbors : int, default 10
        In "encoder", near documents of which a document also learns to predict the words. They
        are found with a first training, so there are two: an exact search on a shortlist, of a
        time quadratic in the number of documents. 0: none, and one training.
    neighbor_weight : float, default 1
        How much a neighbour's words count beside the document's own.
    window : int, default 16
        Consecutive words of a document that one step predicts, the paper's text window.
    min_count : int, default 2
        Words that occur less often in all documents together are left out.
    max_vocabulary : int, optional
        Keep only so many words, the most frequent.
    negatives : int, optional
        Noise words that a target is told from, drawn from count^0.75. The documents of a block
        share their noise: window * negatives words under negative sampling, `negatives` words
        under softmax. By default 5 under negative sampling (2 in the "dm" modes), 128 under
        softmax (512 in "encoder").
    subsample : float, default 1e-4
        Relative frequency from which on the occurrences of a word are thinned out in training
        [2]_, where it is above the mean frequency of a word; 0 keeps all.
    epochs : int, optional
        Passes over the documents, each in a new order; in "encoder" those of each training. By
        default 10, in "encoder" 20.
    learning_rate : float, optional
        At the start; it falls linearly to zero. By default 0.07 for both optimisers, but for
        AdaGrad 0.05 in "dm-concat" and 0.03 in "encoder".
    objective : {"negative-sampling", "softmax"}, optional
        Negative sampling [2]_ or sampled softmax [3]_. By default "softmax" in "encoder" and
        "negative-sampling" in the other modes.
    optimizer : {"sgd", "adagrad"}, optional
        Of the words' rows; the documents always move by AdaGrad. By default "adagrad" in
        "dm-concat" and "encoder", "sgd" in the other modes.
    dropout : float, default 0
        Share of the components of h (in "dbow", of a document) that a step leaves out.
    batch : int, default 32
        Documents that a block trains at once. Part of the model, not of the machine: the result
        depends on it. More than four threads want some 128 (README).
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
        Mean loss per target, for each epoch; 0 where `subsample` left nothing of an epoch. In
        "encoder" targets count by their weights, and of two trainings it is the second.
    document_vectors_ : ndarray of float32, shape (n_documents, dim)
    word_vectors_ : ndarray of float32, shape (n_words, dim)
        The weights W; of dim + 2 * context * word_dim columns in "dm-concat".
    context_vectors_ : ndarray of float32, shape (n_words, word_dim)
        In the "dm" modes, the vectors of words beside a target; in "encoder", the vectors that
        documents are sums of.
    n_documents_ : int
        Documents that the model knows, those that `extend` added included.
    n_extended_ : int
        Those that `extend` added and no `partial_fit` has trained since.
    continued_ : list of dict
        The calls of `partial_fit`: the `documents`, `epochs` and `learning_rate` of each.
    partial_ : bool
        Whether the training was stopped before its end. A second training that was stopped leaves
        the model of the first.
    certificate_ : Certificate or None
        What `certificate` measured last.

    References
    ----------
    .. [1] Le and Mikolov, "Distributed representations of sentences and documents", ICML 2014,
       arXiv:1405.4053.
    .. [2] Mikolov et al., "Distributed representations of words and phrases and their
       compositionality", NIPS 2013, arXiv:1310.4546.
    .. [3] Jean et al., "On using very large target vocabulary for neural machine translation",
       ACL 2015, arXiv:1412.2007.
    .. [4] Chen, "Efficient vector representation for documents through corruption", ICLR 2017,
       arXiv:1707.02377.
    .. [5] Chaidaroon, Ebesu and Fang, "Deep semantic text hashing with weak supervision", SIGIR
       2018, doi:10.1145/3209978.3209999.

    Examples
    --------
    >>> texts = ["red wine and white wine", "white wine with fish", "a fast red car"] * 20
    >>> model = ParagraphVector(dim=16, min_count=1, threads=1).fit(texts)
    >>> model.transform(["wine with fish"]).shape
    (1, 16)
    """

    _modes: ClassVar = {
        "dbow": Mode("pv-dbow", document_rate=1.5, infer_rate=0.06, objective="negative-sampling"),
        "dm-mean": Mode(
            "pv-dm-mean", document_rate=36.0, infer_rate=0.4, noise=256, context=True,
            objective="negative-sampling", negatives={"negative-sampling": 2},
        ),
        "dm-concat": Mode(
            "pv-dm-concat", document_rate=6.0, infer_rate=0.06, noise=256, context=True,
            concatenated=True, optimizer="adagrad", learning_rates={"adagrad": 0.05},
            objective="negative-sampling", negatives={"negative-sampling": 2},
        ),
        "encoder": Mode(
            "pv-encoder", document_rate=1.0, infer_rate=1.0, encoder=True, optimizer="adagrad",
            learning_rates={"adagrad": 0.03}, negatives={"softmax": 512}, context_rate=0.5,
            epochs=20,
        ),
    }  # fmt: skip
    _width = "dim"

    def __init__(
        self,
        dim: int = 128,
        *,
        mode: str = "dbow",
        context: int = 5,
        word_dim: int | None = None,
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
        optimizer: str | None = None,
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
        self.context = context
        self.word_dim = word_dim
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
        return self._modes[self.mode].learning_rates.get(optimizer, 0.07)

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

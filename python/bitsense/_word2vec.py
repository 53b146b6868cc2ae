"""Word2Vec: skip-gram and CBOW."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import _core, files
from ._progress import ProgressOption, Reporter
from ._saved_model import Splitter
from ._saver import Saver
from ._subwords import Subwords
from ._word_file import require_table
from ._word_models import WordModel
from ._word_parameters import check_freeze, check_mode, check_subwords, checked_parameters
from .checkpoints import Checkpoint
from .text import Corpus, Tokenizer, Vocabulary
from .vectors import WordVectors

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Word2Vec"]

FloatArray = npt.NDArray[np.float32]

_CHUNK = 4096  # words whose rows are gathered at a time


class Word2Vec(WordModel):
    """Vectors of words: skip-gram or CBOW with negative sampling [1]_, with subwords [2]_ if asked.

    Skip-gram: each word of a context predicts the centre. CBOW: the mean of the context does. The
    noise that a target is told from is drawn from count^0.75.

    Parameters
    ----------
    dim : int, default 100
        Components of a vector.
    mode : {"skip-gram", "cbow"}, default "skip-gram"
    window : int, default 5
        Most words on each side of a centre that are its context; the number is drawn anew, from 1
        to `window`, for each centre. Windows do not cross documents.
    negatives : int, default 5
        Noise words that a target is told from; three neighbouring centres and the words of their
        contexts share them (skip-gram), or six centres (CBOW).
    min_count : int, default 5
        Words that occur less often in all documents together are left out.
    max_vocabulary : int, optional
        Keep only so many words, the most frequent.
    subsample : float, default 1e-4
        Relative frequency from which on the occurrences of a word are thinned out in training,
        where it is above the mean frequency of a word; 0 keeps all.
    epochs : int, default 5
        Passes over the documents, each in a new order.
    learning_rate : float, optional
        Of plain SGD, at the start; it falls linearly to zero. By default 0.025 for skip-gram, 0.1
        for CBOW, whose gradient is divided by the number of words in the mean.
    subwords : (int, int), optional
        The shortest and the longest n-gram of characters, for example (3, 6). A word is then the
        mean of a row of its own and those of its n-grams, so `wv` knows words that the documents
        never held. N-grams are hashed as fastText hashes them.
    buckets : int, default 2,000,000
        Rows that the n-grams are hashed to; of no effect without `subwords`.
    freeze : {"input", "output"}, optional
        Leave this table as `fit` starts it: "input" keeps the words' vectors, "output" those of
        the targets, which aligns models that start from the same ones.
    tokenizer : Tokenizer or callable, optional
        How texts are cut; by default a `Tokenizer()`.
    deterministic : bool, default True
        Whether training gives the same bytes at any number of threads. False lets threads race.
    threads : int, optional
        By default one per available processor.
    seed : int, default 0
    progress : bool or callable, optional
        True shows a bar, False none, None a bar if standard error is a terminal. A callable gets a
        `Progress` about ten times a second and may raise to stop.

    Attributes
    ----------
    wv : WordVectors
        The vectors of the words.
    output_vectors_ : ndarray of float32, shape (n_words, dim)
        The vectors of the words as targets.
    vocabulary_ : Vocabulary
    losses_ : list of float
        Mean loss of a target, epoch by epoch.
    n_documents_ : int
        Documents that it was trained on, in all calls.
    continued_ : list of dict
        The calls of `partial_fit`: the `documents`, `epochs` and `learning_rate` of each.
    partial_ : bool
        Whether the training was stopped before its end.

    References
    ----------
    .. [1] Mikolov, Sutskever, Chen, Corrado and Dean, "Distributed representations of words and
       phrases and their compositionality", NIPS 2013, arXiv:1310.4546.
    .. [2] Bojanowski, Grave, Joulin and Mikolov, "Enriching word vectors with subword information",
       TACL 2017, arXiv:1607.04606.

    Examples
    --------
    >>> texts = ["red wine and white wine", "white wine with fish", "a fast red car"] * 20
    >>> model = Word2Vec(dim=16, min_count=1, threads=1).fit(texts)
    >>> len(model.wv), model.wv["wine"].shape
    (9, (16,))
    """

    _tables = ("input", "output")

    def __init__(
        self,
        dim: int = 100,
        *,
        mode: str = "skip-gram",
        window: int = 5,
        negatives: int = 5,
        min_count: int = 5,
        max_vocabulary: int | None = None,
        subsample: float = 1e-4,
        epochs: int = 5,
        learning_rate: float | None = None,
        subwords: tuple[int, int] | None = None,
        buckets: int = 2_000_000,
        freeze: str | None = None,
        tokenizer: Tokenizer | Splitter | None = None,
        deterministic: bool = True,
        threads: int | None = None,
        seed: int = 0,
        progress: ProgressOption = None,
    ) -> None:
        self.dim = dim
        self.mode = mode
        self.window = window
        self.negatives = negatives
        self.min_count = min_count
        self.max_vocabulary = max_vocabulary
        self.subsample = subsample
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.subwords = subwords
        self.buckets = buckets
        self.freeze = freeze
        self.tokenizer = tokenizer
        self.deterministic = deterministic
        self.threads = threads
        self.seed = seed
        self.progress = progress

    def fit(
        self,
        documents: Any,
        y: Any = None,
        *,
        start: WordVectors | Word2Vec | None = None,
        checkpoint: files.Path | Checkpoint | None = None,
    ) -> Self:
        """Learn from documents.

        Parameters
        ----------
        documents : iterable of str or of lists of str, paths, TextFiles or EncodedCorpus
            As for `build_corpus`: texts, or lists of tokens; a path names a file with one document
            a line. The documents are read once. A corpus that is encoded already must have been
            made with the tokeniser, `min_count` and `max_vocabulary` of the model.
        y : ignored
        start : WordVectors or Word2Vec, optional
            Where training starts from, by word: vectors give the words' rows, a fitted model its
            targets' rows too, and those of its n-grams if it has the same ones. Words that `start`
            lacks start as always.
        checkpoint : path or Checkpoint, optional
            A file that the training is saved to while it runs. Where it is there already, the
            training goes on from it, to the same bytes; it is removed at the end.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter is out of range, the documents are none, no word is left of them, `start`
            has another `dim` or lacks what `freeze` keeps, or the learning rate makes the weights
            infinite. The estimator is as before then. ValueError too if the file of `checkpoint` is
            of another training; FormatError if it is corrupt or no checkpoint.
        KeyboardInterrupt
            On Ctrl-C, or whatever `progress` raises. What was learned so far is kept: the model can
            be used, and `partial_` is True. Only while the documents are still being read there is
            nothing to keep, and the estimator is as before.
        """
        self._learn(documents, self._checked_start(start), checkpoint)
        return self

    def _checked_start(self, start: Any) -> Any:
        freeze = check_freeze(self.freeze)
        if start is None:
            if freeze is not None:
                raise ValueError(f"`freeze`={freeze!r} needs `start`: what is frozen must be given")
            return None
        if isinstance(start, Word2Vec):
            start._check_fitted()
            dim = start._recipe["dim"]
        elif isinstance(start, WordVectors):
            if freeze == "output":
                raise ValueError(
                    "`start` must be a fitted Word2Vec for `freeze`='output', got vectors alone"
                )
            dim = start.dim
        else:
            raise TypeError(
                f"`start` must be a WordVectors or a Word2Vec, got {type(start).__name__}"
            )
        if dim != self.dim:
            raise ValueError(f"`start` must have `dim`={self.dim} components, got {dim}")
        return start

    def _checked_parameters(self) -> dict[str, Any]:
        subwords, buckets = check_subwords(self.subwords, self.buckets)
        return {
            **checked_parameters(self),
            "mode": check_mode(self.mode),
            "freeze": check_freeze(self.freeze),
            "subwords": subwords,
            "buckets": buckets,
        }

    def _default_learning_rate(self, recipe: dict[str, Any]) -> float:
        return 0.025 if recipe["mode"] == "skip-gram" else 0.1

    def _train(
        self,
        recipe: dict[str, Any],
        vocabulary: Vocabulary,
        corpus: Corpus,
        start: Any,
        reporter: Reporter,
        saver: Saver,
    ) -> tuple[dict[str, Any], list[float], BaseException | None]:
        options = self._word_options(recipe)
        options.move_input = recipe["freeze"] != "input"
        options.move_output = recipe["freeze"] != "output"
        dim, words = recipe["dim"], len(vocabulary)
        bags: dict[str, Any] = {}
        rows = words
        if recipe["subwords"] is not None:
            rows += recipe["buckets"]
            shortest, longest = recipe["subwords"]
            ids, offsets = _core.subword_rows(
                vocabulary._core, shortest, longest, recipe["buckets"]
            )
            bags = {"bag_ids": ids, "bag_offsets": offsets}
        table = _core.word_table(rows, dim, 0.5 / dim, options.seed, options.threads)
        output = _core.word_table(words, dim)
        tables = {"input": table, "output": output}
        if start is not None:
            _start_from(start, recipe, vocabulary, table, output)
            saver.start_with(tables)
        position = _core.Position()
        saver.begin(position, lambda: tables)
        losses, error = _core.train_words(
            recipe["mode"],
            corpus.ids,
            corpus.offsets,
            vocabulary.counts,
            table,
            output,
            options,
            saver.watch(reporter.watch),
            position=position,
            **bags,
        )
        return tables, losses, saver.stopped(error)

    @classmethod
    def _check_tables(
        cls, arrays: dict[str, Any], recipe: dict[str, Any], vocabulary: Vocabulary
    ) -> dict[str, Any]:
        words = len(vocabulary)
        rows = words if recipe["subwords"] is None else words + recipe["buckets"]
        return {
            "input": require_table(arrays, "input", rows, recipe["dim"]),
            "output": require_table(arrays, "output", words, recipe["dim"]),
        }

    @classmethod
    def _from_state(cls, header: dict[str, Any], arrays: dict[str, Any]) -> Self:
        model = super()._from_state(header, arrays)
        if model.subwords is not None:  # JSON has no tuples
            shortest, longest = model.subwords
            model.subwords = shortest, longest
        return model

    @property
    def wv(self) -> WordVectors:
        """The vectors of the words, in the order of `vocabulary_`.

        Without subwords they are the trained table itself, not a copy.
        """
        self._check_fitted()
        if "_wv" not in self.__dict__:
            self.__dict__["_wv"] = self._word_vectors()
        vectors: WordVectors = self.__dict__["_wv"]
        return vectors

    def _word_vectors(self) -> WordVectors:
        dim, words = self._recipe["dim"], list(self.vocabulary_)
        table = self._arrays["input"]
        if self._recipe["subwords"] is None:
            return WordVectors(words, table[:, :dim], counts=self.vocabulary_.counts)
        shortest, longest = self._recipe["subwords"]
        buckets = self._recipe["buckets"]
        ids, offsets = _core.subword_rows(self.vocabulary_._core, shortest, longest, buckets)
        vectors = np.empty((len(words), dim), np.float32)
        for first in range(0, len(words), _CHUNK):
            last = min(first + _CHUNK, len(words))
            begins = offsets[first : last + 1].astype(np.int64)
            gathered = table[ids[begins[0] : begins[-1]], :dim]
            sums = np.add.reduceat(gathered, begins[:-1] - begins[0], axis=0)
            vectors[first:last] = sums / np.diff(begins)[:, None]
        subwords = Subwords(shortest, longest, buckets, table[len(words) :, :dim])
        return WordVectors(words, vectors, counts=self.vocabulary_.counts, subwords=subwords)

    @property
    def output_vectors_(self) -> FloatArray:
        """The vectors of the words as targets, shape (n_words, dim), in the order of `wv`."""
        self._check_fitted()
        output: FloatArray = self._arrays["output"][:, : self._recipe["dim"]]
        return output


def _start_from(
    start: WordVectors | Word2Vec,
    recipe: dict[str, Any],
    vocabulary: Vocabulary,
    table: FloatArray,
    output: FloatArray,
) -> None:
    """Overwrite the rows of the words (and n-grams) that `start` has."""
    keys = start.vocabulary_ if isinstance(start, Word2Vec) else start.index_to_key
    ids = [vocabulary.get(key) for key in keys]
    theirs = np.array([i for i, mine in enumerate(ids) if mine is not None], dtype=np.int64)
    ours = np.array([mine for mine in ids if mine is not None], dtype=np.int64)
    if isinstance(start, WordVectors):
        table[ours, : start.dim] = start.vectors[theirs]
        return
    table[ours] = start._arrays["input"][theirs]
    output[ours] = start._arrays["output"][theirs]
    same = all(start._recipe[name] == recipe[name] for name in ("subwords", "buckets"))
    if same and recipe["subwords"] is not None:
        table[len(vocabulary) :] = start._arrays["input"][len(keys) :]

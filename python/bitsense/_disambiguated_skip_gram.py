"""The disambiguated skip-gram: a vector for each sense of a word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import files
from ._check import check_count, check_float, check_option
from ._progress import ProgressOption, Reporter
from ._saved_model import Splitter
from ._saver import Saver
from ._sense_assigners import SenseAssigner, sides, softmax
from ._sense_contexts import _check_contexts
from ._sense_tables import checked_senses, train_senses
from ._sense_vectors import SenseVectors
from ._word_models import WordModel
from ._word_parameters import checked_parameters
from .checkpoints import Checkpoint
from .text import Corpus, Tokenizer, Vocabulary

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["DisambiguatedSkipGram"]

FloatArray = npt.NDArray[np.float32]

_MOST_SENSES = 64
RULES = ("cosine", "likelihood", "gate")


class DisambiguatedSkipGram(WordModel):
    """Several vectors per word, one for each of its senses: the disambiguated skip-gram [1]_.

    A gate, a softmax over the senses of a word, looks at the context of each occurrence; the
    occurrence's vector is the mixture of the senses that the gate says, and predicts the words
    around. Both are learned at once. Afterwards a pass over the documents tells how often each
    sense is chosen, its prior, and rare ones are pruned.

    Parameters
    ----------
    dim : int, default 100
        Components of a vector.
    senses : int, default 5
        Most senses of a word, at most 64.
    window : int, default 5
        Words on each side that an occurrence predicts; fewer only where the document ends.
    gate_window : int, default 20
        Words on each side that the gate sees.
    negatives : int, default 5
        Noise words that a target is told from; a run of eight centres shares its noise.
    min_count : int, default 5
        Words that occur less often in all documents together are left out.
    min_count_senses : int, default 100
        Words that occur less often get one sense only: they are too rare to be divided, and most
        of the memory would be theirs.
    max_vocabulary : int, optional
        Keep only so many words, the most frequent.
    subsample : float, default 1e-4
        As for `Word2Vec`; occurrences that are left out are not seen by the gate either.
    epochs : int, default 5
        Passes over the documents, each in a new order.
    learning_rate : float, optional
        Of plain SGD, at the start; it falls linearly to zero. By default 0.025.
    gate_rate : float, default 0.1
        Learning rate of the gate. A gate that learns slowly tells fewer senses apart; one that
        learns fast decides early and leaves words with fewer senses.
    shared_until : float, default 0.25
        Share of the training during which all words share one gate, which breaks the symmetry of
        the senses; then each word learns its own on top of it.
    entropy_cost : float, default -0.1
        Weight of the gate's entropy in the loss while the gate is shared; negative values keep all
        senses in use.
    temperature : float, default 0.5
        Of the Concrete distribution [2]_ that the mixture is drawn from, at the end; it falls from
        1 in the first half of the training with gates of their own.
    prune : float, default 0.05
        Senses of a lower prior are left out of `wv`: larger values give coarser senses. At least
        one stays. `all_senses_.prune` tries others without training.
    tokenizer : Tokenizer or callable, optional
        How texts are cut; by default a `Tokenizer()`.
    deterministic, threads, seed, progress
        As for `Word2Vec`.

    Attributes
    ----------
    wv : SenseVectors
        A vector for each sense; keys are ``bank#1``, ``bank#2``, by falling prior.
    all_senses_ : SenseVectors
        The same before pruning.
    output_vectors_ : ndarray of float32, shape (n_words, dim)
        The vectors of the words as targets, which the gate sees of a context.
    vocabulary_, losses_, n_documents_, continued_, partial_
        As for `Word2Vec`.

    References
    ----------
    .. [1] Grzegorczyk and Kurdziel, "Disambiguated skip-gram model", EMNLP 2018, D18-1174.
    .. [2] Maddison, Mnih and Teh, "The Concrete distribution", ICLR 2017, arXiv:1611.00712.

    Examples
    --------
    >>> texts = ["the bank of the river", "river bank and water", "money in the bank"] * 40
    >>> model = DisambiguatedSkipGram(16, senses=2, min_count=1, min_count_senses=1, threads=1)
    >>> model = model.fit(texts)
    >>> key = model.disambiguate(["money", "in", "the", "bank"], 3)
    >>> key in model.wv.sense_keys("bank")
    True
    """

    _tables = ("senses", "output", "gate", "gate_bias", "priors", "sense_offsets")

    def __init__(
        self,
        dim: int = 100,
        *,
        senses: int = 5,
        window: int = 5,
        gate_window: int = 20,
        negatives: int = 5,
        min_count: int = 5,
        min_count_senses: int = 100,
        max_vocabulary: int | None = None,
        subsample: float = 1e-4,
        epochs: int = 5,
        learning_rate: float | None = None,
        gate_rate: float = 0.1,
        shared_until: float = 0.25,
        entropy_cost: float = -0.1,
        temperature: float = 0.5,
        prune: float = 0.05,
        tokenizer: Tokenizer | Splitter | None = None,
        deterministic: bool = True,
        threads: int | None = None,
        seed: int = 0,
        progress: ProgressOption = None,
    ) -> None:
        self.dim = dim
        self.senses = senses
        self.window = window
        self.gate_window = gate_window
        self.negatives = negatives
        self.min_count = min_count
        self.min_count_senses = min_count_senses
        self.max_vocabulary = max_vocabulary
        self.subsample = subsample
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.gate_rate = gate_rate
        self.shared_until = shared_until
        self.entropy_cost = entropy_cost
        self.temperature = temperature
        self.prune = prune
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
        checkpoint : path or Checkpoint, optional
            A file that the training is saved to while it runs. Where it is there already, the
            training goes on from it, to the same bytes; it is removed at the end.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter is out of range, the documents are none, no word is left of them, or the
            learning rate makes the weights infinite. The estimator is as before then. ValueError
            too if the file of `checkpoint` is of another training; FormatError if it is corrupt or
            no checkpoint.
        KeyboardInterrupt
            On Ctrl-C, or whatever `progress` raises. What was learned so far is kept: the model can
            be used, and `partial_` is True. Only while the documents are still being read there is
            nothing to keep, and the estimator is as before.
        """
        self._learn(documents, None, checkpoint)
        return self

    def _checked_parameters(self) -> dict[str, Any]:
        return {
            **checked_parameters(self),
            "senses": check_count("senses", self.senses, most=_MOST_SENSES),
            "gate_window": check_count("gate_window", self.gate_window, most=4096),
            "min_count_senses": check_count(
                "min_count_senses", self.min_count_senses, most=2**64 - 1
            ),
            "gate_rate": check_float("gate_rate", self.gate_rate, most=1000.0),
            "shared_until": check_float("shared_until", self.shared_until, most=0.99),
            "entropy_cost": check_float("entropy_cost", self.entropy_cost, least=-10.0, most=10.0),
            "temperature": check_float("temperature", self.temperature, least=0.05, most=1.0),
            "prune": check_float("prune", self.prune, most=1.0),
        }

    def _default_learning_rate(self, recipe: dict[str, Any]) -> float:
        return 0.025

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
        return train_senses(recipe, options, vocabulary, corpus, reporter, saver, start)

    @classmethod
    def _check_tables(
        cls, arrays: dict[str, Any], recipe: dict[str, Any], vocabulary: Vocabulary
    ) -> dict[str, Any]:
        return checked_senses(arrays, recipe, vocabulary)

    @property
    def all_senses_(self) -> SenseVectors:
        """All senses, those of a low prior included."""
        self._check_fitted()
        dim = self._recipe["dim"]
        if "_all" not in self.__dict__:
            self.__dict__["_all"] = SenseVectors(
                list(self.vocabulary_),
                self._arrays["sense_offsets"].astype(np.int64),
                self._arrays["senses"][:, :dim],
                priors=self._arrays["priors"],
                counts=self.vocabulary_.counts,
                word_vectors=self._arrays["output"][:, :dim],
            )
        result: SenseVectors = self.__dict__["_all"]
        return result

    @property
    def wv(self) -> SenseVectors:
        """The senses whose prior is at least `prune`, and the most probable one of each word."""
        self._check_fitted()
        if "_wv" not in self.__dict__:
            self.__dict__["_wv"] = self.all_senses_.prune(self._recipe["prune"])
        vectors: SenseVectors = self.__dict__["_wv"]
        return vectors

    @property
    def output_vectors_(self) -> FloatArray:
        """The vectors of the words as targets, shape (n_words, dim)."""
        self._check_fitted()
        output: FloatArray = self._arrays["output"][:, : self._recipe["dim"]]
        return output

    # Senses in context

    def disambiguate(self, tokens: Any, position: Any, *, by: str = "cosine") -> Any:
        """Return the sense that a word has in its context, or those of many words.

        Parameters
        ----------
        tokens : list of str, or list of such lists
            The text around the word and the word itself, cut as the tokeniser of the model cuts.
        position : int, or list of int
            The place of the word in its list.
        by : {"cosine", "likelihood", "gate"}, default "cosine"
            Which sense is nearest to the mean of the senses around, in which frequent and distant
            words count less; which predicts the words around best, weighed by its prior; or which
            one the gate of the training chooses.

        Returns
        -------
        str, or list of str
            Keys of `wv`; in a list None where the word is unknown.

        Raises
        ------
        KeyError
            If the word is unknown, and it is the only one asked about.
        IndexError
            If a position is outside its list.
        """
        if not isinstance(position, (list, tuple, np.ndarray)):
            position = check_count("position", position, least=0)
            key = self._disambiguated([tokens], [position], by)[0]
            return self.wv.sense_keys(tokens[position])[0] if key is None else key
        return self._disambiguated(tokens, position, by)

    def _disambiguated(self, tokens: Any, positions: Any, by: str) -> list[str | None]:
        chances = self.sense_probabilities(tokens, positions, by=by)
        best = chances.argmax(axis=1)
        known: Any = chances.any(axis=1)
        return [
            self.wv.sense_keys(each[place])[best[i]] if known[i] else None
            for i, (each, place) in enumerate(zip(tokens, positions, strict=True))
        ]

    def sense_probabilities(
        self,
        tokens: Sequence[Sequence[str]],
        positions: Sequence[int],
        *,
        by: str = "cosine",
    ) -> FloatArray:
        """Return how probable each sense of some words is in their contexts.

        Parameters
        ----------
        tokens : list of n lists of str
        positions : list of n int
        by : {"cosine", "likelihood", "gate"}, default "cosine"
            As for `disambiguate`.

        Returns
        -------
        float32, shape (n, senses)
            In the order of the word's senses in `wv`; 0 past the last one, and all 0 where the
            word is unknown.
        """
        self._check_fitted()
        check_option("by", by, RULES)
        wv = self.wv
        places = _check_contexts(tokens, positions)
        result = np.zeros((len(places), self._recipe["senses"]), np.float32)
        assigner, index = self._assigner(), wv._word_index
        for i, (each, place) in enumerate(zip(tokens, places, strict=True)):
            word = index.get(each[place])
            if word is None:
                continue
            count = wv.n_senses(each[place])
            left, right = sides(index, each, place)
            result[i, :count] = softmax(assigner.scores(by, word, count, left, right))
        return result

    def _assigner(self) -> SenseAssigner:
        if "_rules" not in self.__dict__:
            dim, counts = self._recipe["dim"], self.vocabulary_.counts.astype(np.float64)
            threshold = max(self._recipe["subsample"], 1.0 / len(counts))
            ratio = threshold * counts.sum() / np.maximum(counts, 1)
            keep = np.minimum(1.0, np.sqrt(ratio) + ratio)
            if self._recipe["subsample"] == 0:
                keep = np.ones(len(counts))
            noise = np.maximum(counts, 1) ** 0.75
            arrays = self._arrays
            self.__dict__["_rules"] = SenseAssigner(
                arrays["senses"][:, :dim],
                arrays["gate"][:, :dim],
                arrays["gate_bias"],
                arrays["output"][:, :dim],
                self.wv.mean_vectors,
                arrays["sense_offsets"].astype(np.int64),
                arrays["priors"],
                keep,
                noise / noise.sum(),
                self._recipe["gate_window"],
            )
        rules: SenseAssigner = self.__dict__["_rules"]
        return rules

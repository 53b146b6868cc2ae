"""Vectors of the senses of words, each a key of its own: ``bank#1``, ``bank#2``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ._check import check_bool, check_count, check_float
from ._sense_checks import check_offsets, check_priors
from ._sense_contexts import best_examples, sense_cosines
from ._vector_keys import check_keys
from ._vector_queries import Filter, Restriction, check_counts, check_matrix, direction, weighted
from ._vector_search import Floats
from .vectors import WordVectors

__all__ = ["Sense", "SenseVectors"]

Doubles = npt.NDArray[np.float64]


class Sense(NamedTuple):
    """One sense of a word, as `SenseVectors.senses` describes it."""

    key: str
    """For example ``"bank#2"``."""
    prior: float
    """How probable the sense is where the word occurs."""
    neighbors: list[tuple[str, float]]
    """Senses of other words, and their similarities, the nearest first."""
    examples: list[str] | None
    """Contexts in which the sense is most probable; None where no documents were given."""


class SenseVectors(WordVectors):
    """A vector for each sense of each word.

    The senses of a word are numbered from 1 by falling prior, and their keys are word, ``#`` and
    number; ``key.rsplit("#", 1)`` gives the word back. All that `WordVectors` does works on senses.

    Parameters
    ----------
    words : sequence of V distinct str
    offsets : array-like of V + 1 integers
        The senses of word i are the rows ``offsets[i]`` to ``offsets[i + 1] - 1``, at least one.
    vectors : array-like, shape (rows, dim)
        Kept as `WordVectors` keeps them.
    priors : array-like, shape (rows,)
        Probabilities, which sum to 1 over the senses of a word and do not rise within it.
    counts : array-like of V integers, optional
        How often each word occurred.
    word_vectors : array-like, shape (V, dim), optional
        Another vector for each word, such as those that predict contexts, for `disambiguate`.

    Raises
    ------
    TypeError, ValueError
        If the arguments do not fit each other.

    Examples
    --------
    >>> wv = SenseVectors(
    ...     ["bank", "river", "money"],
    ...     [0, 2, 3, 4],
    ...     [[0.0, 1.0], [1.0, 0.0], [1.0, 0.1], [0.1, 1.0]],
    ...     priors=[0.7, 0.3, 1.0, 1.0],
    ... )
    >>> wv.disambiguate(["river", "bank"], 1)
    'bank#2'
    >>> wv.most_similar("bank#1", k=1)[0][0]
    'money#1'
    """

    def __init__(
        self,
        words: Sequence[str],
        offsets: npt.ArrayLike,
        vectors: npt.ArrayLike,
        *,
        priors: npt.ArrayLike,
        counts: npt.ArrayLike | None = None,
        word_vectors: npt.ArrayLike | None = None,
    ) -> None:
        self._words = check_keys("words", words)
        self._offsets = check_offsets(offsets, len(self._words))
        self._priors = check_priors(priors, self._offsets, self._words)
        sizes = np.diff(self._offsets).tolist()
        keys = [
            f"{word}#{number}"
            for word, size in zip(self._words, sizes, strict=True)
            for number in range(1, size + 1)
        ]
        super().__init__(keys, vectors)
        self._word_index = {word: i for i, word in enumerate(self._words)}
        self._word_counts = None
        if counts is not None:
            self._word_counts = check_counts("counts", counts, len(self._words))
            shares = np.repeat(self._word_counts.astype(np.float64), sizes) * self._priors
            self._counts = check_counts("counts", np.rint(shares).astype(np.uint64), len(keys))
        self._word_vectors = None
        if word_vectors is not None:
            self._word_vectors = check_matrix("word_vectors", word_vectors, len(self._words))
            if self._word_vectors.shape[1] != self.dim:
                raise ValueError(
                    f"`word_vectors` must have {self.dim} columns, "
                    f"got {self._word_vectors.shape[1]}"
                )
        self._means: Floats | None = None

    @property
    def words(self) -> list[str]:
        """The words. The list is the one in use: do not change it."""
        return self._words

    @property
    def offsets(self) -> npt.NDArray[np.int64]:
        """Where the senses of each word begin, read-only, shape (V + 1,)."""
        return self._offsets

    @property
    def priors(self) -> Doubles:
        """The prior of each sense, read-only, shape (rows,)."""
        return self._priors

    @property
    def word_counts(self) -> npt.NDArray[np.uint64] | None:
        """How often each word occurred, shape (V,), or None; `counts` has its senses' shares."""
        return self._word_counts

    @property
    def word_vectors(self) -> Floats | None:
        """The other vector of each word, read-only, shape (V, dim), or None."""
        return self._word_vectors

    @property
    def mean_vectors(self) -> Floats:
        """The mean of each word's senses, unweighted, read-only, shape (V, dim)."""
        if self._means is None:
            sizes = np.diff(self._offsets)
            means = np.empty((len(self._words), self.dim), dtype=np.float32)
            for size in np.unique(sizes):  # few sizes: a block of words each
                words = np.flatnonzero(sizes == size)
                for start in range(0, len(words), 4096):
                    some = words[start : start + 4096]
                    rows = self._offsets[some][:, None] + np.arange(size)
                    means[some] = self._vectors[rows].mean(axis=1, dtype=np.float64)
            means.flags.writeable = False
            self._means = means
        return self._means

    def __repr__(self) -> str:
        return (
            f"<SenseVectors: {len(self):,} senses of {len(self._words):,} words, "
            f"{self.dim} dimensions>"
        )

    def _hint(self, key: Any) -> str:
        if isinstance(key, str) and key in self._word_index:
            return f"its senses are {', '.join(map(repr, self.sense_keys(key)))}"
        return ""

    # Words.

    def word_row(self, word: str) -> int:
        """Return the place of `word` among the words.

        Raises
        ------
        KeyError
            If it is none of them.
        """
        row = self._word_index.get(word)
        if row is None:
            raise self._unknown(word)
        return row

    def sense_rows(self, word: str) -> range:
        """Return the rows of the senses of `word`."""
        row = self.word_row(word)
        return range(int(self._offsets[row]), int(self._offsets[row + 1]))

    def sense_keys(self, word: str) -> list[str]:
        """Return the keys of the senses of `word`, the most probable first."""
        rows = self.sense_rows(word)
        return self._keys[rows.start : rows.stop]

    def n_senses(self, word: str) -> int:
        """Return how many senses `word` has."""
        return len(self.sense_rows(word))

    def senses(
        self,
        word: str,
        *,
        k: int = 10,
        documents: Iterable[Any] | None = None,
        examples: int = 3,
        window: int = 8,
        tokenizer: Callable[[str], Sequence[str]] | None = None,
    ) -> list[Sense]:
        """Return the senses of a word with their neighbours and, on request, examples.

        Parameters
        ----------
        word : str
        k : int, default 10
            Neighbours per sense, all senses of other words.
        documents, examples, window, tokenizer
            Where examples are looked for; as `documents`, `n`, `window` and `tokenizer` of
            `examples`.

        Returns
        -------
        list of Sense
            The most probable first.
        """
        found = None
        if documents is not None:
            found = self.examples(word, documents, n=examples, window=window, tokenizer=tokenizer)
        return [
            Sense(
                self._keys[row],
                float(self._priors[row]),
                self.most_similar(self._keys[row], k=k, other_words=True),
                None if found is None else found[self._keys[row]],
            )
            for row in self.sense_rows(word)
        ]

    def most_similar(
        self,
        positive: Any = None,
        negative: Any = None,
        *,
        k: int = 10,
        restrict_to: Restriction = None,
        exclude: Iterable[str] | None = None,
        filter: Filter = None,
        other_words: bool = False,
    ) -> list[tuple[str, float]]:
        """Return the senses most similar to a sense, or to a sum of senses and vectors.

        Parameters
        ----------
        positive, negative, k, restrict_to, exclude, filter
            As for `WordVectors.most_similar`.
        other_words : bool, default False
            The other senses of the words of `positive` and `negative` are no answers. By default
            they are: that two senses of one word are near is worth knowing.

        Returns
        -------
        list of (key, similarity)
        """
        barred = list(exclude) if exclude is not None and not isinstance(exclude, str) else exclude
        if check_bool("other_words", other_words):
            parts = weighted(positive, 1.0) + weighted(negative, -1.0)
            _, own = direction(self, parts)
            words = np.searchsorted(self._offsets, own, side="right") - 1
            more = [key for word in words for key in self.sense_keys(self._words[word])]
            barred = more if barred is None else [*barred, *more]
        return super().most_similar(
            positive, negative, k=k, restrict_to=restrict_to, exclude=barred, filter=filter
        )

    def prune(self, threshold: float = 0.05) -> SenseVectors:
        """Return the vectors without the senses whose prior is below a threshold.

        Each word keeps its most probable sense. Numbers stay as they are, because senses are
        numbered by falling prior; the priors that are left are scaled to sum to 1.

        Parameters
        ----------
        threshold : float, default 0.05
            From 0 to 1.
        """
        threshold = check_float("threshold", threshold, most=1.0)
        kept = self._priors >= threshold
        kept[self._offsets[:-1]] = True
        ends = np.concatenate([[0], np.cumsum(kept)])[self._offsets]
        priors = self._priors[kept]
        if len(priors):
            priors /= np.repeat(np.add.reduceat(priors, ends[:-1]), np.diff(ends))
        return SenseVectors(
            self._words,
            ends,
            self._vectors[kept],
            priors=priors,
            counts=self._word_counts,
            word_vectors=self._word_vectors,
        )

    # Contexts.

    def disambiguate(self, tokens: Any, position: Any, *, context: str = "senses") -> Any:
        """Return the sense that a word has in its context, or those of many words.

        The sense is the one whose cosine to the mean of the vectors of the other known tokens is
        the highest; of equals, or without known tokens, it is the most probable one.

        Parameters
        ----------
        tokens : list of str, or list of such lists
        position : int, or list of int
            The place of the word in its list.
        context : {"senses", "words"}
            The vector of a token: the mean of its senses, or its row of `word_vectors`.

        Returns
        -------
        str, or list of str
            Keys; in a list None where the word is unknown.

        Raises
        ------
        KeyError
            If the word is unknown, and it is the only one asked about.
        IndexError
            If a position is outside its list.
        """
        if not isinstance(position, (list, tuple, np.ndarray)):
            position = check_count("position", position, least=0)
            key = self._disambiguated([tokens], [position], context)[0]
            return self._keys[self.sense_rows(tokens[position]).start] if key is None else key
        return self._disambiguated(tokens, position, context)

    def _disambiguated(self, tokens: Any, positions: Any, context: str) -> list[str | None]:
        words, scores = sense_cosines(self, tokens, positions, context)
        best = scores.argmax(axis=1) + self._offsets[np.maximum(words, 0)] if len(words) else words
        pairs = zip(words.tolist(), best.tolist(), strict=True)
        return [self._keys[row] if word >= 0 else None for word, row in pairs]

    def sense_probabilities(
        self, tokens: Sequence[Sequence[str]], positions: Sequence[int], *, context: str = "senses"
    ) -> Floats:
        """Return how probable each sense of some words is in their contexts.

        Proportional to (1 + cosine) / 2, the cosine being that of `disambiguate`.

        Parameters
        ----------
        tokens : list of n lists of str
        positions : list of n int
        context
            As for `disambiguate`.

        Returns
        -------
        float32, shape (n, most senses of a word)
            In the order of the senses; 0 past the last one, and all 0 where the word is unknown.
        """
        words, scores = sense_cosines(self, tokens, positions, context)
        shifted = np.where(np.isneginf(scores), 0, (1 + scores.astype(np.float64)) / 2)
        totals = shifted.sum(axis=1, keepdims=True)
        result: Floats = (shifted / np.where(totals == 0, 1, totals)).astype(np.float32)
        result[words < 0] = 0
        return result

    def examples(
        self,
        word: str,
        documents: Iterable[Any],
        *,
        n: int = 3,
        window: int = 8,
        tokenizer: Callable[[str], Sequence[str]] | None = None,
    ) -> dict[str, list[str]]:
        """Return the contexts in which each sense of a word is most probable.

        Parameters
        ----------
        word : str
        documents : iterable of lists of tokens, or of texts
        n : int, default 3
            Contexts per sense, all different.
        window : int, default 8
            Tokens on each side.
        tokenizer : callable, optional
            Cuts texts into tokens; by default a `Tokenizer`.

        Returns
        -------
        dict of str to list of str
            For each sense its contexts, the most probable first, with the word in brackets.
        """
        n, window = check_count("n", n), check_count("window", window)
        return best_examples(self, word, documents, n, window, tokenizer)

"""What the measures ask of a model, whether its words have one vector or one for each sense."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._check import check_option
from ..vectors import SenseVectors, WordVectors

__all__ = ["ASSIGNERS", "sense_chances", "sense_units", "vectors_of", "word_finder"]

ASSIGNERS = ("cosine", "likelihood", "gate")


def vectors_of(model: Any) -> WordVectors:
    """Return the vectors of a model, or the vectors themselves."""
    vectors = model if isinstance(model, WordVectors) else getattr(model, "wv", None)
    if not isinstance(vectors, WordVectors):
        raise TypeError(f"`model` must have word vectors, got {type(model).__name__}")
    return vectors


def word_finder(vectors: WordVectors) -> Callable[[str], str | None]:
    """Return a function that gives a word as the vectors have it: as it is, in lower case, None."""
    known: Any = vectors.key_to_index
    if isinstance(vectors, SenseVectors):
        known = frozenset(vectors.words)
    return lambda word: next((form for form in (word, word.lower()) if form in known), None)


def sense_units(vectors: WordVectors, word: str) -> npt.NDArray[np.float64]:
    """Return the unit vectors of the senses of a known word, shape (senses, dim)."""
    if isinstance(vectors, SenseVectors):
        rows = vectors.sense_rows(word)
        return vectors.unit_vectors[rows.start : rows.stop].astype(np.float64)
    row = vectors.key_to_index[word]
    return vectors.unit_vectors[row : row + 1].astype(np.float64)


def sense_chances(
    model: Any, tokens: Sequence[Sequence[str]], positions: Sequence[int], by: str
) -> npt.NDArray[np.float64]:
    """Return how probable each sense is in each context, shape (contexts, most senses).

    All words are known. Words with one vector have one sense, which is certain.
    """
    check_option("by", by, ASSIGNERS)
    if not isinstance(vectors_of(model), SenseVectors):
        return np.ones((len(tokens), 1))
    if isinstance(model, SenseVectors):
        if by != "cosine":
            raise ValueError(f"`by` must be 'cosine' for vectors without their model, got {by!r}")
        chances = model.sense_probabilities(tokens, positions)
    else:
        chances = model.sense_probabilities(tokens, positions, by=by)
    array = np.asarray(chances, np.float64)
    normalized: npt.NDArray[np.float64] = array / array.sum(axis=1, keepdims=True)
    return normalized

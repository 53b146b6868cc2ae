"""One view of word vectors and sense vectors, for pictures and exports."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Row", "describe", "has_senses", "rows_of", "vectors_of"]


class Row(NamedTuple):
    """What a row of vectors stands for."""

    key: str
    word: str
    """The key, of a sense without its number."""
    sense: int
    """From 1; 1 where a word has one vector."""
    prior: float
    """1.0 where a word has one vector."""
    occurrences: int | None


def vectors_of(model: Any) -> Any:
    """Return the vectors of a model (its ``wv``), or `model` itself if it is vectors."""
    vectors = getattr(model, "wv", model)
    if not hasattr(vectors, "key_to_index") or not hasattr(vectors, "most_similar"):
        raise TypeError(f"`model` must be vectors or have them as `wv`, got {type(model).__name__}")
    return vectors


def has_senses(vectors: Any) -> bool:
    """Return whether each word has a vector per sense."""
    return hasattr(vectors, "priors")


def rows_of(vectors: Any, word: str) -> list[int]:
    """Return the rows of all senses of a word, or of one sense that is named by its key.

    Raises
    ------
    KeyError
        If it is unknown.
    """
    if has_senses(vectors) and word not in vectors:
        return list(vectors.sense_rows(word))
    return [vectors.row(word)]


def describe(vectors: Any, row: int) -> Row:
    """Return what a row stands for."""
    key = vectors.index_to_key[row]
    count = None if vectors.counts is None else int(vectors.counts[row])
    if not has_senses(vectors):
        return Row(key, key, 1, 1.0, count)
    word, _, number = key.rpartition("#")
    return Row(key, word, int(number), float(vectors.priors[row]), count)

"""Vectors with keys: neighbours, similarities, analogies; of words, and of their senses.

All similarities are cosines of unit vectors, and a row of zeros has similarity 0 to everything.
Answers are exact and ordered by (similarity falling, row rising); they depend neither on how
queries are batched nor on the number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from ._analogy_methods import AnalogyMethods
from ._check import check_count
from ._vector_keys import UnknownKeyError, check_keys
from ._vector_queries import (
    Filter,
    Restriction,
    candidates_of,
    check_counts,
    check_matrix,
    direction,
    many_rows,
    weighted,
)
from ._vector_search import Floats, Integers, cosines, nearest, unit_rows

__all__ = ["Sense", "SenseVectors", "WordVectors"]


class WordVectors(AnalogyMethods):
    """Keys with a vector each, which do not change.

    Parameters
    ----------
    keys : sequence of n distinct str
        Not empty. By custom the most frequent come first.
    vectors : array-like, shape (n, dim)
        Finite. Kept without a copy where it is float32 and the values of a row are contiguous;
        then it must not be written any more.
    counts : array-like of n integers, optional
        How often each key occurred.
    subwords : object, optional
        Composes vectors of unknown words by its method ``vector(word)``, for `get` and ``[]``.

    Raises
    ------
    TypeError, ValueError
        If keys are not distinct strings, or the other arguments do not fit them.

    Examples
    --------
    >>> wv = WordVectors(["cat", "dog", "car"], [[2.0, 1.0], [1.0, 1.0], [0.0, 3.0]])
    >>> wv.most_similar("cat", k=1)
    [('dog', 0.948683...)]
    >>> wv["dog"].tolist(), "cow" in wv
    ([1.0, 1.0], False)
    """

    def __init__(
        self,
        keys: Sequence[str],
        vectors: npt.ArrayLike,
        *,
        counts: npt.ArrayLike | None = None,
        subwords: Any = None,
    ) -> None:
        self._keys = check_keys("keys", keys)
        self._vectors = check_matrix("vectors", vectors, len(self._keys))
        self._counts = None if counts is None else check_counts("counts", counts, len(self._keys))
        if subwords is not None and not callable(getattr(subwords, "vector", None)):
            raise TypeError(f"`subwords` must have a method `vector`, got {subwords!r}")
        self._subwords = subwords
        self._index = {key: row for row, key in enumerate(self._keys)}
        self._units: Floats | None = None

    @property
    def vectors(self) -> Floats:
        """The vectors, read-only, shape (n, dim)."""
        return self._vectors

    @property
    def unit_vectors(self) -> Floats:
        """The vectors divided by their lengths, read-only, shape (n, dim); made at first use."""
        if self._units is None:
            units = unit_rows(self._vectors)
            units.flags.writeable = False
            self._units = units
        return self._units

    @property
    def dim(self) -> int:
        """The number of values of a vector."""
        return int(self._vectors.shape[1])

    @property
    def counts(self) -> npt.NDArray[np.uint64] | None:
        """How often each key occurred, read-only, shape (n,); None if that is not known."""
        return self._counts

    @property
    def subwords(self) -> Any:
        """What composes vectors of unknown words, or None."""
        return self._subwords

    @property
    def index_to_key(self) -> list[str]:
        """The keys by row. The list is the one in use: do not change it."""
        return self._keys

    @property
    def key_to_index(self) -> Mapping[str, int]:
        """The row of each key, read-only."""
        return MappingProxyType(self._index)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __contains__(self, key: object) -> bool:
        """Return whether `key` has a vector of its own, without subwords."""
        return key in self._index

    def __repr__(self) -> str:
        named = "" if self._subwords is None else ", with subwords"
        return f"<{type(self).__name__}: {len(self):,} keys of {self.dim} dimensions{named}>"

    # Single vectors.

    def __getitem__(self, key: str | Sequence[str]) -> Floats:
        """Return the vector of a key, shape (dim,), or those of a list of keys, (n, dim).

        Raises
        ------
        KeyError
            If a key is unknown and there are no subwords to compose it of.
        """
        if isinstance(key, str):
            return self._vector(key)
        rows = [self._index.get(each, -1) for each in key]
        found = np.asarray(rows, dtype=np.int64)
        unknown = np.flatnonzero(found < 0)
        result = self._vectors[found] if len(self) else np.empty((len(found), self.dim), np.float32)
        if unknown.size and self._subwords is None:
            raise self._unknown(key[int(unknown[0])], int(unknown.size), len(found))
        for place in unknown.tolist():
            result[place] = self._vector(key[place])
        return result

    def get(self, key: str, default: Any = None) -> Any:
        """Return the vector of `key`, or `default` if it is unknown.

        An unknown word is composed of its parts where there are subwords.
        """
        try:
            return self._vector(key)
        except KeyError:
            return default

    def _vector(self, key: str) -> Floats:
        row = self._index.get(key)
        if row is not None:
            known: Floats = self._vectors[row]
            return known
        composed = None if self._subwords is None else self._subwords.vector(key)
        if composed is None:
            raise self._unknown(key)
        return np.asarray(composed, dtype=np.float32)

    def _unknown(self, key: Any, unknown: int = 1, of: int = 1) -> KeyError:
        hint = f"{unknown} of {of} are unknown" if unknown > 1 else self._hint(key)
        return UnknownKeyError(key, self._index, hint)

    def _hint(self, key: Any) -> str:
        """Return what to say of an unknown key instead of which keys are near."""
        return ""

    def row(self, key: str) -> int:
        """Return the row of `key`.

        Raises
        ------
        KeyError
            If it has none.
        """
        row = self._index.get(key)
        if row is None:
            raise self._unknown(key)
        return row

    # Neighbours.

    def most_similar(
        self,
        positive: Any = None,
        negative: Any = None,
        *,
        k: int = 10,
        restrict_to: Restriction = None,
        exclude: Iterable[str] | None = None,
        filter: Filter = None,
    ) -> list[tuple[str, float]]:
        """Return the keys most similar to a key, or to a sum of keys and vectors.

        Every part counts with its unit vector, times its weight.

        Parameters
        ----------
        positive, negative : str, vector, or list of these and of (str or vector, weight)
            What to be near to, and far from: the weights of `negative` are turned round. Keys that
            are named here are not among the answers.
        k : int, default 10
            Answers; fewer only where fewer candidates exist.
        restrict_to : int or iterable of str, optional
            Only the first so many rows, or only these keys, are candidates.
        exclude : iterable of str, optional
            Keys that are none; unknown ones are ignored.
        filter : bool array of shape (n,), or callable, optional
            Only the rows where it is True, or the keys of which it says so, are candidates.

        Returns
        -------
        list of (key, similarity)
            By (similarity falling, row rising).

        Raises
        ------
        KeyError
            If a key is unknown and there are no subwords to compose it of, or one of `restrict_to`.
        """
        k = check_count("k", k)
        parts = weighted(positive, 1.0) + weighted(negative, -1.0)
        query, own = direction(self, parts)
        candidates = candidates_of(self, restrict_to, exclude, filter)
        rows, similarities = nearest(candidates, query[None], [own], min(k, len(self)))
        return self._named(rows[0], similarities[0])

    def neighbors(
        self,
        queries: Any,
        *,
        k: int = 10,
        restrict_to: Restriction = None,
        exclude: Iterable[str] | None = None,
        filter: Filter = None,
    ) -> tuple[Integers, Floats]:
        """Return the rows most similar to each of many keys or vectors.

        Parameters
        ----------
        queries : list of q str, int array of q rows, or float array of shape (q, dim)
            A key or a row is not among its own answers.
        k : int, default 10
            Answers per query.
        restrict_to, exclude, filter
            As for `most_similar`.

        Returns
        -------
        rows : int64, shape (q, k)
            By (similarity falling, row rising); -1 where fewer than k candidates exist.
        similarities : float32, shape (q, k)
            NaN where fewer than k candidates exist.
        """
        k = check_count("k", k)
        units, own = many_rows(self, queries)
        return nearest(candidates_of(self, restrict_to, exclude, filter), units, own, k)

    def _named(self, rows: Integers, scores: Floats) -> list[tuple[str, float]]:
        pairs = zip(rows.tolist(), scores.tolist(), strict=True)
        return [(self._keys[row], score) for row, score in pairs if row >= 0]

    # Similarities.

    def similarity(self, a: str, b: str) -> float:
        """Return the cosine of the vectors of keys `a` and `b`."""
        return float(self.similarities([a], [b])[0])

    def similarities(self, a: Sequence[str], b: Sequence[str]) -> Floats:
        """Return the cosines of pairs of keys, the first of `a` with the first of `b`, and so on.

        Returns
        -------
        float32, shape (pairs,)
        """
        left, right = (many_rows(self, keys)[0] for keys in (a, b))
        if len(left) != len(right):
            raise ValueError(f"`b` must have {len(left)} keys as `a` has, got {len(right)}")
        every = np.arange(len(left))
        return cosines(left, every, right, every)

    def doesnt_match(self, keys: Sequence[str]) -> str:
        """Return that of `keys` which is least similar to the mean of their unit vectors.

        Of equals the first is returned.
        """
        if isinstance(keys, str) or len(keys) < 2:
            raise ValueError(f"`keys` must be at least 2 keys, got {keys!r}")
        units = many_rows(self, list(keys))[0]
        mean = unit_rows(units.mean(axis=0, keepdims=True, dtype=np.float64).astype(np.float32))
        return keys[int(cosines(units, np.arange(len(units)), mean[0]).argmin())]

    # Files. The module that knows their layout imports this one.

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save as the file `path`; an old one is replaced at once or not at all.

        Raises
        ------
        OSError
            If the file cannot be written.
        TypeError
            If the subwords are none that a file holds.
        """
        from ._vectors_file import save_own

        save_own(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Any:
        """Return what `save` wrote at `path`; the vectors are a view of the mapped file.

        Raises
        ------
        FormatError
            If the file is corrupt, cut, newer, or holds something else.
        OSError
            If the file cannot be opened.
        """
        from ._vectors_file import load_own

        return load_own(cls, path)

    def __reduce__(self) -> tuple[Any, ...]:
        from ._vectors_file import own_bytes
        from .files import load_bytes

        return load_bytes, (own_bytes(self),)


# Senses are vectors too: their module imports this one, and is named here for callers.
from ._sense_vectors import Sense, SenseVectors  # noqa: E402

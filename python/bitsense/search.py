"""Exact search of packed codes by Hamming distance, and a second stage with real vectors.

Every answer is ordered by (distance, row), or by (score descending, row), and depends neither on
the number of threads, nor on the other queries of a call, nor on the machine's instruction set.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from ._check import MAX_BITS, check_count, check_threads, check_vectors
from .codes import Codes, as_codes

__all__ = ["HammingIndex", "TwoStageIndex", "asymmetric_scores", "hamming_distances"]

Ints = npt.NDArray[np.int64]
Distances = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float32]


def hamming_distances(
    queries: npt.ArrayLike,
    codes: npt.ArrayLike,
    *,
    bits: int | None = None,
    threads: int | None = None,
) -> npt.NDArray[np.uint16]:
    """Return the matrix of Hamming distances.

    Parameters
    ----------
    queries, codes : Codes, or uint8, shapes (m, ceil(bits / 8)) and (n, ceil(bits / 8))
    bits : int, optional
        Bit length of arrays; default 8 per byte. At most 65535.
    threads : int, optional
        Default: every available processor.

    Returns
    -------
    uint16, shape (m, n). Take care when subtracting.
    """
    base = _searchable(as_codes("codes", codes, bits))
    asked = as_codes("queries", queries, base.bits)
    return _core.hamming_distances(asked.data, base.data, base.bits, check_threads(threads))


def asymmetric_scores(
    query_vectors: npt.ArrayLike,
    codes: npt.ArrayLike,
    *,
    bits: int | None = None,
    threads: int | None = None,
) -> Scores:
    """Return the scores of real queries and binary codes: sum over j of q_j (2 b_j - 1).

    Parameters
    ----------
    query_vectors : array-like of real numbers, shape (m, bits)
        In the space whose signs are the codes: what a binariser's `project` returns.
    codes : Codes, or uint8, shape (n, ceil(bits / 8))
    bits : int, optional
        Bit length of an array; default 8 per byte.
    threads : int, optional
        Default: every available processor.

    Returns
    -------
    float32, shape (m, n); larger is nearer. Summed in double precision.
    """
    base = as_codes("codes", codes, bits)
    asked = check_vectors("query_vectors", query_vectors, dim=base.bits)
    return _core.asymmetric_scores(asked, base.data, base.bits, check_threads(threads))


class HammingIndex:
    """Exact nearest neighbours of packed codes.

    The codes are scanned where they lie: nothing is copied, trained or rearranged.

    Parameters
    ----------
    codes : Codes, or uint8, shape (n, ceil(bits / 8))
    bits : int, optional
        Bit length of an array; default 8 per byte. At most 65535.

    Examples
    --------
    >>> import numpy as np
    >>> index = HammingIndex(np.array([[0b0000_1111], [0b0000_0000], [0b0000_0111]], np.uint8))
    >>> ids, distances = index.search(np.array([[0b0000_1111]], np.uint8), k=2)
    >>> ids.tolist(), distances.tolist()
    ([[0, 2]], [[0, 1]])
    """

    def __init__(self, codes: npt.ArrayLike, *, bits: int | None = None) -> None:
        self.codes = _searchable(as_codes("codes", codes, bits))

    @property
    def bits(self) -> int:
        """The number of bits of a code."""
        return self.codes.bits

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the codes as the file `path`, see `Codes.save`: this index is nothing else."""
        self.codes.save(path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> HammingIndex:
        """Return an index of the codes in the file `path`, where they lie; see `Codes.load`."""
        return cls(Codes.load(path))

    def __len__(self) -> int:
        return len(self.codes)

    def __repr__(self) -> str:
        return f"<HammingIndex: {len(self)} codes of {self.bits} bits>"

    def search(
        self,
        queries: npt.ArrayLike,
        k: int = 10,
        *,
        mask: npt.ArrayLike | None = None,
        threads: int | None = None,
    ) -> tuple[npt.NDArray[Any], Distances]:
        """Return the k nearest codes of each query.

        Parameters
        ----------
        queries : Codes, or uint8, shape (m, ceil(bits / 8))
        k : int, default 10
        mask : array-like of bool, shape (n,), optional
            Only codes where it is true are found; the answer is that of a search of those alone.
        threads : int, optional
            Default: every available processor.

        Returns
        -------
        ids : shape (m, k'); the ids of the codes if they have any, else row numbers (int64)
        distances : int32, shape (m, k')
            k' is k, or the number of codes that may be found where that is smaller: no place is
            ever filled with an id that means "none".
        """
        asked = as_codes("queries", queries, self.bits)
        rows, distances = _core.hamming_search(
            self.codes.data,
            asked.data,
            self.bits,
            check_count("k", k),
            _check_mask(mask, len(self)),
            check_threads(threads),
        )
        return _names(self.codes, rows), distances

    def range_search(
        self,
        queries: npt.ArrayLike,
        radius: int,
        *,
        mask: npt.ArrayLike | None = None,
        threads: int | None = None,
    ) -> tuple[Ints, npt.NDArray[Any], Distances]:
        """Return all codes within a distance of each query.

        Parameters
        ----------
        queries : Codes, or uint8, shape (m, ceil(bits / 8))
        radius : int, 0 or more
            The largest distance that is still found.
        mask, threads
            As for `search`.

        Returns
        -------
        offsets : int64, shape (m + 1,)
            The answers to query i are at offsets[i]:offsets[i + 1] of the other two arrays.
        ids, distances : shape (offsets[-1],)
        """
        asked = as_codes("queries", queries, self.bits)
        offsets, rows, distances = _core.hamming_range_search(
            self.codes.data,
            asked.data,
            self.bits,
            min(check_count("radius", radius, least=0), self.bits),
            _check_mask(mask, len(self)),
            check_threads(threads),
        )
        return offsets, _names(self.codes, rows), distances


class TwoStageIndex:
    """A shortlist by Hamming distance, put in order by real values.

    With `vectors` the shortlist is ordered by the cosine of query and vector; without, by the
    asymmetric score of real query and binary code, which needs no memory but the codes (the scheme
    of Yamada, Asai and Hajishirzi, "Efficient passage retrieval with hashing", ACL 2021).

    Parameters
    ----------
    codes : Codes, or uint8, shape (n, ceil(bits / 8))
    vectors : array-like of real numbers, shape (n, dim), optional
        Kept as float32; not copied if they are that already.
    bits : int, optional
        Bit length of an array of codes; default 8 per byte.
    """

    def __init__(
        self,
        codes: npt.ArrayLike,
        vectors: npt.ArrayLike | None = None,
        *,
        bits: int | None = None,
    ) -> None:
        self.index = HammingIndex(codes, bits=bits)
        self.vectors = None if vectors is None else check_vectors("vectors", vectors)
        if self.vectors is not None and len(self.vectors) != len(self.index):
            raise ValueError(f"`vectors` must have {len(self.index)} rows, got {len(self.vectors)}")

    @property
    def codes(self) -> Codes:
        """The codes of the first stage."""
        return self.index.codes

    def __len__(self) -> int:
        return len(self.index)

    def __repr__(self) -> str:
        score = "asymmetric score" if self.vectors is None else "cosine"
        return f"<TwoStageIndex: {len(self)} codes of {self.index.bits} bits, {score}>"

    def search(
        self,
        query_codes: npt.ArrayLike,
        query_vectors: npt.ArrayLike,
        k: int = 10,
        *,
        shortlist: int | None = None,
        mask: npt.ArrayLike | None = None,
        threads: int | None = None,
    ) -> tuple[npt.NDArray[Any], Scores]:
        """Return the k best codes of each query's shortlist.

        Parameters
        ----------
        query_codes : Codes, or uint8, shape (m, ceil(bits / 8))
        query_vectors : array-like of real numbers
            Shape (m, dim) with real vectors in the index; else (m, bits), in the space whose signs
            are the codes.
        k : int, default 10
        shortlist : int, optional
            Codes taken from the first stage, at least k; default the larger of 10 k and 100.
        mask, threads
            As for `HammingIndex.search`.

        Returns
        -------
        ids : shape (m, k'), and scores : float32, shape (m, k'), descending; equal scores by row.
            k' is k, or the number of codes that may be found where that is smaller.
        """
        k = check_count("k", k)
        size = (
            max(10 * k, 100) if shortlist is None else check_count("shortlist", shortlist, least=k)
        )
        threads = check_threads(threads)
        asked = as_codes("query_codes", query_codes, self.index.bits)
        width = self.index.bits if self.vectors is None else self.vectors.shape[1]
        real = check_vectors("query_vectors", query_vectors, dim=width)
        if len(real) != len(asked):
            raise ValueError(f"`query_vectors` must have {len(asked)} rows, got {len(real)}")
        passes = _check_mask(mask, len(self))
        data, bits = self.codes.data, self.index.bits
        rows, _ = _core.hamming_search(data, asked.data, bits, size, passes, threads)
        k = min(k, rows.shape[1])
        if self.vectors is None:
            rows, scores = _core.rerank_asymmetric(real, data, bits, rows, k, threads)
        else:
            rows, scores = _core.rerank_cosine(real, self.vectors, rows, k, threads)
        return _names(self.codes, rows), scores


def _searchable(codes: Codes) -> Codes:
    if codes.bits > MAX_BITS:
        raise ValueError(f"`bits` must be at most {MAX_BITS}, got {codes.bits}")
    return codes


def _names(codes: Codes, rows: Ints) -> npt.NDArray[Any]:
    return rows if codes.ids is None else codes.ids[rows]


def _check_mask(mask: npt.ArrayLike | None, items: int) -> npt.NDArray[np.bool_] | None:
    if mask is None:
        return None
    array = np.asarray(mask)
    if array.dtype != np.bool_:
        raise TypeError(f"`mask` must have dtype bool, got dtype {array.dtype}")
    if array.shape != (items,):
        raise ValueError(f"`mask` must have shape ({items},), got {array.shape}")
    return np.ascontiguousarray(array)

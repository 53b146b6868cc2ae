"""A shortlist by Hamming distance, put in order by real values."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from ._check import check_count, check_threads, check_vectors
from ._hamming_index import HammingIndex
from .codes import Codes, as_codes

__all__ = ["TwoStageIndex"]

Scores = npt.NDArray[np.float32]


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
    ids : sequence of n distinct int or str, optional
        Names of the items; default those of `codes`, else row numbers.
    attributes : dict of str to array-like, data frame or Attributes, optional
        Values of each item that `where` may ask about.
    """

    def __init__(
        self,
        codes: npt.ArrayLike,
        vectors: npt.ArrayLike | None = None,
        *,
        bits: int | None = None,
        ids: Any = None,
        attributes: Any = None,
    ) -> None:
        self.index = HammingIndex(codes, bits=bits, kind="flat", ids=ids, attributes=attributes)
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
        ids: Any = None,
        where: Any = None,
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
        mask, ids, where, threads
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
        snapshot, bitmap = self.index._filtered(mask, ids, where, threads)
        data, bits = snapshot.columns["codes"], self.index.bits
        rows, _ = _core.hamming_search(data, asked.data, bits, size, bitmap, threads)
        k = min(k, rows.shape[1])
        if self.vectors is None:
            rows, scores = _core.rerank_asymmetric(real, data, bits, rows, k, threads)
        else:
            rows, scores = _core.rerank_cosine(real, self.vectors, rows, k, threads)
        return (rows if snapshot.ids is None else snapshot.ids[rows]), scores

"""Inverted lists of codes: the first rows of an index by the nearest of some centers.

A structure as those of `_structures`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from . import _core
from ._merge import Answers, Request
from ._structures import search_codes

__all__ = ["CodeLists"]

Packed = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.uint32]
Words = npt.NDArray[np.uint64]

_SAMPLE, _ITERATIONS = 48, 8  # rows a center that k-means learns of, and its rounds
_PROBES, _PROBED_SHARE = 16, 16


class CodeLists(NamedTuple):
    """Codes of the first rows, copied together by the nearest of some centers."""

    centers: Packed
    starts: Numbers
    listed: Numbers
    copies: Packed

    @property
    def rows(self) -> int:
        """How many rows they cover."""
        return len(self.listed)

    @classmethod
    def built(
        cls, codes: Packed, bits: int, lists: int | None, old: CodeLists | None, threads: int
    ) -> CodeLists:
        """Return the lists of codes, with the centers of old ones unless those are too few."""
        count = min(math.isqrt(3 * len(codes) // 2) if lists is None else lists, len(codes))
        if old is not None and count <= 2 * len(old.centers):
            centers = old.centers
        else:
            sample = _SAMPLE * count
            centers = _core.cluster_codes(codes, bits, count, sample, _ITERATIONS, threads)
        labels, _ = _core.hamming_search(centers, codes, bits, 1, None, threads)
        starts, listed = _core.inverted_lists(labels[:, 0].copy(), len(centers))
        return cls(centers, starts, listed, codes[listed])

    def check(self, codes: Packed, bits: int) -> None:
        """Raise ValueError unless these can be searched for codes and keep those."""
        covered = self.rows
        if covered > len(codes):
            raise ValueError(f"the lists have {covered} rows of {len(codes)}")
        _core.lists_check(self.starts, self.listed)
        self.search(codes, bits, Request(codes[:0], 1, None, None, 1), 1)  # checks the shapes
        if not np.array_equal(codes[self.listed], self.copies):
            raise ValueError("the codes of the lists must be those of the rows")

    def search(self, codes: Packed, bits: int, request: Request, probes: int | None) -> Answers:
        """Return the ranks of the k nearest codes in the lists looked at, and their distances."""
        queries, k, _, ranks, threads = request
        covered = self.rows
        if probes is None:
            probes = max(_PROBES, len(self.centers) // _PROBED_SHARE)
        named = None if ranks is None else ranks[:covered]

        def look(bitmap: Words | None) -> Answers:
            return _core.lists_search(*self, queries, bits, k, probes, bitmap, named, threads)

        return search_codes(codes, bits, covered, request, look)

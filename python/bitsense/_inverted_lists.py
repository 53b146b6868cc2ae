"""Inverted lists of codes: the first rows of an index by the nearest of some centers.

A structure as those of `_structures`. A search may look at the near lists alone, or at all of them
and pass over what the distances from the centers rule out (search/code_lists.hpp in the engine).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from . import _core
from ._bitmaps import behind, within
from ._memory import aligned
from ._merge import Answers, RangeRequest, Request, Within, joined_ranges
from ._structures import search_codes

__all__ = ["CodeLists"]

Packed = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.uint32]
Words = npt.NDArray[np.uint64]

_SAMPLE, _ITERATIONS = 48, 8  # rows a center that k-means learns of, and its rounds
_PROBES, _PROBED_SHARE = 16, 16
_NEIGHBORS, _MOST_SCANNED = 10, 0.6  # of a search that lists must not leave more than this to scan
_SOME_QUERIES, _MANY_CODES = 8, 300_000  # fewer of both are sooner scanned


class CodeLists(NamedTuple):
    """Codes of the first rows, copied together by the nearest of some centers."""

    centers: Packed
    starts: Numbers
    """Where the places of each list begin."""
    listed: Numbers
    """The row of each place."""
    planes: Packed
    """The codes of the places, by tiles of 64."""
    radii: npt.NDArray[np.uint16]
    """How far the first code of each tile is from its center; the others are no farther."""
    spread: Numbers
    """How many centers are how much farther from a code than the nearest, summed over some."""

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
        labels, apart = _core.hamming_search(centers, codes, bits, 1, None, threads)
        starts, listed = _core.inverted_lists(labels[:, 0].copy(), apart[:, 0].copy(), len(centers))
        planes, radii, spread = _core.lay_lists(codes, centers, starts, listed, bits, threads)
        return cls(centers, starts, listed, aligned(planes), radii, spread)

    @classmethod
    def pruning(
        cls, codes: Packed, bits: int, old: CodeLists | None, threads: int
    ) -> CodeLists | None:
        """Return lists in which an exact search passes over much, or None where there are none.

        Half as many as of an approximate search, which needs them smaller.
        """
        made = cls.built(codes, bits, _pruning_lists(len(codes)), old, threads)
        scanned = _core.lists_scanned_share(made, codes, bits, _NEIGHBORS, threads)
        return made if scanned <= _MOST_SCANNED else None

    @staticmethod
    def cost(rows: int) -> int:
        """Return how many comparisons building the lists of `pruning` takes: two rows' a center."""
        return 2 * rows * _pruning_lists(rows)

    def check(self, codes: Packed, bits: int) -> None:
        """Raise ValueError unless these can be searched for codes and keep those."""
        covered = self.rows
        if covered > len(codes):
            raise ValueError(f"the lists have {covered} rows of {len(codes)}")
        planes, radii, spread = _core.lay_lists(codes, self.centers, self.starts, self.listed, bits)
        same = np.array_equal(planes, self.planes) and np.array_equal(radii, self.radii)
        if not same or not np.array_equal(spread, self.spread):
            raise ValueError("the lists must be of the codes")

    def search(self, codes: Packed, bits: int, request: Request, probes: int | None) -> Answers:
        """Return the ranks of the k nearest codes in the lists looked at, and their distances."""
        if probes is None:
            probes = max(_PROBES, len(self.centers) // _PROBED_SHARE)
        return self._found(codes, bits, request, probes)

    def nearest(self, codes: Packed, bits: int, request: Request) -> Answers:
        """Return the ranks of the k nearest of all codes, and their distances."""
        queries, k, bitmap, ranks, threads = request
        batch = len(queries) >= _SOME_QUERIES
        sooner = not batch and len(codes) < _MANY_CODES
        if bitmap is not None and batch:  # a few are copied together
            sooner = 4 * _core.bitmap_count(bitmap) < len(codes)
        if sooner:
            return _core.hamming_search(codes, queries, bits, k, bitmap, threads, ranks=ranks)
        return self._found(codes, bits, request, None)

    def _found(self, codes: Packed, bits: int, request: Request, probes: int | None) -> Answers:
        queries, k, _, ranks, threads = request
        covered = self.rows
        named = None if ranks is None else ranks[:covered]

        def look(bitmap: Words | None) -> Answers:
            return _core.lists_search(self, queries, bits, k, probes, bitmap, named, threads)

        return search_codes(codes, bits, covered, request, look)

    def within(self, codes: Packed, bits: int, request: RangeRequest) -> Within:
        """Return offsets, ranks and distances of all codes within a radius of each query."""
        queries, radius, bitmap, ranks, threads = request
        covered = self.rows
        head = within(covered, bitmap)
        named = None if ranks is None else ranks[:covered]
        found = _core.lists_range_search(self, queries, bits, radius, head, named, threads)
        if covered == len(codes):
            return found
        first, rest = behind(covered, len(codes), bitmap)
        named = None if ranks is None else ranks[first:]
        offsets, others, distances = _core.hamming_range_search(
            codes[first:], queries, bits, radius, rest, threads, ranks=named
        )
        return joined_ranges(
            found, (offsets, others if ranks is not None else others + first, distances)
        )


def _pruning_lists(rows: int) -> int:
    return max(math.isqrt(3 * rows // 8), 1)

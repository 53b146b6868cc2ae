"""What indexes build: plain arrays over the first rows, by which a search need not scan those.

Each structure is a NamedTuple of arrays, which a file holds under the names of its fields. `built`
makes it, out of an older one where there is one; `check` raises ValueError unless one from a file
is of the rows; `search` finds the rows of an approximate kind, those behind the structure included.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from . import _core
from ._bitmaps import within
from ._merge import Answers, Request, by_rank, is_few, with_rest
from ._stored_vectors import StoredVectors

__all__ = ["Graph", "Quantized", "Tables", "search_codes", "with_scan"]

Floats = npt.NDArray[np.float32]
Packed = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.uint32]
Words = npt.NDArray[np.uint64]

_SAMPLE, _ITERATIONS = 20_000, 12


class Tables(NamedTuple):
    """The tables of multi-index hashing over the first rows."""

    offsets: Numbers
    entries: Numbers

    @property
    def rows(self) -> int:
        """How many rows they cover."""
        return int(self.entries.shape[1])

    @classmethod
    def built(cls, codes: Packed, bits: int, tables: int | None, threads: int) -> Tables:
        """Return the tables of codes."""
        return cls(*_core.multi_build(codes, bits, tables, threads))

    def check(self, codes: Packed, bits: int) -> None:
        """Raise ValueError unless these can be searched for codes."""
        _core.multi_check(self.offsets, self.entries)
        _core.multi_search(codes, *self, codes[:0], bits, 1)  # checks the shapes


class Graph(NamedTuple):
    """A graph of neighbours over the first rows."""

    neighbors: Numbers
    entries: Numbers
    copies: Numbers

    @property
    def rows(self) -> int:
        """How many rows it covers."""
        return len(self.neighbors)

    @classmethod
    def built(
        cls,
        codes: Packed,
        bits: int,
        degree: int,
        ef_construction: int,
        old: Graph | None,
        threads: int,
    ) -> Graph:
        """Return the graph of codes, grown from an old one if there is one."""
        if old is None:
            made = _core.graph_build_codes(codes, bits, degree, ef_construction, threads=threads)
        else:
            made = _core.graph_extend_codes(*old, codes, bits, ef_construction, threads=threads)
        return cls(*made)

    def check(self, codes: Packed, bits: int) -> None:
        """Raise ValueError unless this can be walked for codes."""
        _core.graph_check(*self)
        if self.rows > len(codes):
            raise ValueError(f"the graph has {self.rows} rows of {len(codes)}")

    def search(self, codes: Packed, bits: int, request: Request, ef: int) -> Answers:
        """Return the ranks of the k nearest codes that a walk finds, and their distances."""
        queries, k, _, ranks, threads = request
        covered = self.rows

        def walk(bitmap: Words | None) -> Answers:
            found = _core.graph_search_codes(
                *self, codes[:covered], queries, bits, k, ef, bitmap, threads
            )
            return by_rank(found, ranks)

        return search_codes(codes, bits, covered, request, walk)


class Quantized(NamedTuple):
    """Short codes of the first rows."""

    centroids: Floats
    planes: Packed
    covered: npt.NDArray[np.int64]

    @property
    def rows(self) -> int:
        """How many rows have codes."""
        return int(self.covered[0])

    @classmethod
    def built(
        cls,
        stored: StoredVectors,
        metric: _core.Metric,
        width: int,
        old: Quantized | None,
        threads: int,
    ) -> Quantized:
        """Return the codes of vectors, with the centroids of old ones unless those are too few."""
        rows = len(stored.data)
        width = min(width, stored.dim)
        if old is not None and rows <= 4 * len(old.planes) * 64:
            centroids, first = old.centroids, old.rows
        else:
            centroids = _core.train_centroids(*stored, metric, width, _SAMPLE, _ITERATIONS, threads)
            first = 0
        parts = -(-stored.dim // width)
        planes = np.zeros((-(-rows // 64), -(-parts // 2), 64), np.uint8)
        if first and old is not None:
            planes[: len(old.planes)] = old.planes
        _core.encode_rows(*stored, metric, centroids, first, planes, threads)
        return cls(centroids, planes, np.array([rows]))

    def check(self, stored: StoredVectors, metric: _core.Metric, threads: int) -> None:
        """Raise ValueError unless these can be searched for vectors."""
        if not np.isfinite(self.centroids).all() or self.covered.shape != (1,):
            raise ValueError("centroids must be finite")
        nothing = np.empty((0, stored.dim), np.float32)
        self.search(stored, metric, Request(nothing, 1, None, None, threads), 1)  # checks shapes

    def search(
        self, stored: StoredVectors, metric: _core.Metric, request: Request, shortlist: int
    ) -> Answers:
        """Return the ranks of the k nearest vectors of a shortlist, and their distances."""
        queries, k, bitmap, ranks, threads = request
        covered = self.rows
        found = _core.quantized_search(
            *stored.part(0, covered),
            self.centroids,
            self.planes,
            queries,
            metric,
            k,
            shortlist,
            within(covered, bitmap),
            None if ranks is None else ranks[:covered],
            threads,
        )
        return with_scan(found, covered, stored, metric, request)


def search_codes(
    codes: Packed,
    bits: int,
    covered: int,
    request: Request,
    find: Callable[[Words | None], Answers],
) -> Answers:
    """Return what `find` finds among the covered codes that a bitmap lets pass, and those behind.

    Where few pass a scan of those alone is sooner done.
    """
    queries, k, bitmap, ranks, threads = request
    head = within(covered, bitmap)
    if head is not None and is_few(head, covered):
        return _core.hamming_search(codes, queries, bits, k, bitmap, threads, ranks=ranks)

    def scan(first: int, rest: Words | None, named: Numbers | None) -> Answers:
        return _core.hamming_search(codes[first:], queries, bits, k, rest, threads, ranks=named)

    return with_rest(find(head), covered, len(codes), request, scan)


def with_scan(
    found: Answers, covered: int, stored: StoredVectors, metric: _core.Metric, request: Request
) -> Answers:
    """Add to what was found among the covered vectors what is behind them."""

    def scan(first: int, rest: Words | None, named: Numbers | None) -> Answers:
        part, threads = stored.part(first), request.threads
        return _core.real_search(*part, request.queries, metric, request.k, rest, named, threads)

    return with_rest(found, covered, len(stored.data), request, scan)

"""The graph of real vectors: walks over bytes, exact distances of what they find."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _core
from ._bitmaps import within
from ._memory import joined
from ._merge import Answers, Request, is_few
from ._principal_axes import PrincipalAxes
from ._stored_vectors import StoredVectors, unit
from ._structures import with_scan

__all__ = ["VectorGraph"]

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.uint32]
Mask = npt.NDArray[np.bool_]
Records = npt.NDArray[np.int8]

_CHECKED_ROWS = 65_536
_MEASURED_MORE = 10
_ALIKE = 0.99  # of the largest squared length


class VectorGraph(NamedTuple):
    """A graph of neighbours over the first rows, which it keeps as bytes along some axes."""

    neighbors: Numbers
    entries: Numbers
    copies: Numbers
    records: Records
    mean: Floats
    axes: Floats
    nearness: npt.NDArray[np.uint8]
    """One number: 1 if rows are compared by their Euclidean distance, 0 if by their product."""

    @property
    def rows(self) -> int:
        """How many rows it covers."""
        return len(self.neighbors)

    @classmethod
    def built(
        cls,
        stored: StoredVectors,
        metric: _core.Metric,
        degree: int,
        ef_construction: int,
        old: VectorGraph | None,
        threads: int,
    ) -> VectorGraph:
        """Return the graph of vectors, grown from an old one unless what came does not suit it."""
        by_distance = _may_compare_distances(stored, metric)
        if old is not None and old.by_distance == by_distance:
            added = stored.part(old.rows).compared(metric)
            if old.principal.suit(old.rows, added):
                records = _core.quantise_rows(old.principal.compared(added, threads), threads)
                records = joined([old.records, records])
                made = _core.graph_extend_bytes(
                    *old[:3], records, by_distance, ef_construction, threads=threads
                )
                return cls(*made, records, *old.principal, old.nearness)
        values = stored.compared(metric)
        principal = PrincipalAxes.learned(values, centred=by_distance, threads=threads)
        records = _core.quantise_rows(principal.compared(values, threads), threads)
        made = _core.graph_build_bytes(
            records, by_distance, degree, ef_construction, threads=threads
        )
        return cls(*made, records, *principal, np.array([by_distance], np.uint8))

    @property
    def principal(self) -> PrincipalAxes:
        """The axes along which rows are compared."""
        return PrincipalAxes(self.mean, self.axes)

    @property
    def by_distance(self) -> bool:
        """Whether rows are compared by their Euclidean distance, not by their product."""
        return bool(self.nearness[0])

    def check(self, stored: StoredVectors, metric: _core.Metric, threads: int) -> None:
        """Raise ValueError unless this can be walked for vectors and keeps those."""
        _core.graph_check(*self[:3])
        self.principal.check(stored.dim)
        if self.nearness.tolist() not in ([0], [1]) or (
            metric != _core.Metric.ip and not self.by_distance
        ):
            raise ValueError("vectors must be compared by distance, or under 'ip' by product")
        for first in range(0, self.rows, _CHECKED_ROWS):
            last = min(first + _CHECKED_ROWS, self.rows)
            values = stored.part(first, last).compared(metric)
            right = _core.quantise_rows(self.principal.compared(values, threads), threads)
            if not np.array_equal(right, self.records[first:last]):
                raise ValueError("the rows of the graph must be those of the vectors")

    def search(
        self, stored: StoredVectors, metric: _core.Metric, request: Request, ef: int
    ) -> Answers:
        """Return the ranks of the k nearest vectors that a walk finds, and their distances."""
        queries, k, bitmap, ranks, threads = request
        covered = self.rows
        head = within(covered, bitmap)
        if head is not None and is_few(head, covered):  # a scan of those alone is sooner done
            return _core.real_search(*stored, queries, metric, k, bitmap, ranks, threads)
        values = queries if metric == _core.Metric.l2 else unit(queries)
        if metric == _core.Metric.ip and self.by_distance:  # the rows are all as long as the first
            values *= np.sqrt(stored.squares[:1])
        asked = self.principal.compared(values, threads)
        trusted = self.principal.hold(values, asked)
        records = _core.quantise_rows(asked, threads)

        def nearest(some: Any, count: int) -> Answers:
            listed, _ = _core.graph_search_bytes(
                *self[:4], records[some], self.by_distance, count, ef, head, threads
            )
            least = min(k, listed.shape[1])
            return _core.real_rerank(*stored, queries[some], metric, listed, least, ranks, threads)

        if trusted.all():
            found = nearest(slice(None), self._measured(k, ef))
        else:  # of the others the nearest by bytes may be wrong: all that a walk finds are measured
            found = nearest(~trusted, ef)
            found = _put(nearest(trusted, self._measured(k, ef)), trusted, found, ~trusted)
        return with_scan(found, covered, stored, metric, request)

    def _measured(self, k: int, ef: int) -> int:
        """Return among how many of the nearest by bytes the k nearest are."""
        if self.principal.kept:
            return min(ef, max(3 * k, k + 2 * _MEASURED_MORE, ef // 3))
        return min(ef, max(2 * k, k + _MEASURED_MORE, ef // 4))


def _put(one: Answers, first: Mask, other: Answers, second: Mask) -> Answers:
    """Return the answers of two groups of queries as those of all."""
    ids = np.empty((len(first), one[0].shape[1]), one[0].dtype)
    distances = np.empty(ids.shape, one[1].dtype)
    for (some_ids, some_distances), some in ((one, first), (other, second)):
        ids[some], distances[some] = some_ids, some_distances
    return ids, distances


def _may_compare_distances(stored: StoredVectors, metric: _core.Metric) -> bool:
    """Return whether Euclidean distances of the compared vectors order as the metric.

    Products do where all rows have the same length, or nearly.
    """
    if metric != _core.Metric.ip:
        return True
    squares = stored.squares
    return bool(squares.min(initial=np.inf) >= _ALIKE * squares.max(initial=0.0))

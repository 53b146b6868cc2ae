"""Pairs and groups of near codes: what a HammingIndex does with its own items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ._check import check_count, check_threads
from ._index_base import Index
from ._item_store import Snapshot
from ._merge import RangeRequest, Within
from ._row_pairs import Pairs, leaders, row_pairs

__all__ = ["NearDuplicates"]

Ints = npt.NDArray[np.int64]
Distances = npt.NDArray[np.int32]
Words = npt.NDArray[np.uint64]


class NearDuplicates(Index):
    """The joins of an index of codes."""

    _bits: int

    # What the subclass says

    def _want_tables(self, threads: int) -> None:
        """Build what `_within` is faster with."""
        raise NotImplementedError

    def _within(self, snapshot: Snapshot, request: RangeRequest) -> Within:
        """Return offsets, ranks or rows, and distances of what is within a radius of each query."""
        raise NotImplementedError

    def self_join(
        self, radius: int, *, where: Any = None, threads: int | None = None
    ) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any], Distances]]:
        """Return all pairs of codes within a distance of each other, a block at a time.

        Each pair comes once. The pairs of all blocks are ordered by the row of the first and then
        of the second; memory is bounded by the pairs of some thousand codes.

        Parameters
        ----------
        radius : int, 0 or more
        where : Expression or str, optional
            Only pairs of codes whose attributes both fulfil it.
        threads : int, optional
            Default: every available processor.

        Returns
        -------
        iterator of (first, second, distances)
            The ids of the two, shape (pairs,) each, and their distances, int32, shape (pairs,).
        """
        radius = min(check_count("radius", radius, least=0), self._bits)
        threads = check_threads(threads)
        self._want_tables(threads)
        snapshot, bitmap = self._filtered(None, None, where, threads)
        names = np.arange(snapshot.rows) if snapshot.ids is None else snapshot.ids
        for first, second, distances in self._row_pairs(snapshot, radius, bitmap, threads):
            yield names[first], names[second], distances

    def _row_pairs(
        self, snapshot: Snapshot, radius: int, bitmap: Words | None, threads: int
    ) -> Iterator[Pairs]:
        def within(rows: Ints) -> Within:
            queries = snapshot.columns["codes"][rows]
            return self._within(snapshot, RangeRequest(queries, radius, bitmap, None, threads))

        return row_pairs(snapshot.rows, bitmap, within)

    def clusters(self, radius: int, *, threads: int | None = None) -> npt.NDArray[Any]:
        """Return groups of near-duplicates: codes joined by chains of pairs within a distance.

        Parameters
        ----------
        radius : int, 0 or more
        threads : int, optional
            Default: every available processor.

        Returns
        -------
        shape (n,)
            For each code, in the order of `ids`, the id of the first code of its group.
        """
        radius = min(check_count("radius", radius, least=0), self._bits)
        threads = check_threads(threads)
        self._want_tables(threads)
        snapshot, bitmap = self._filtered(None, None, None, threads)
        pairs = self._row_pairs(snapshot, radius, bitmap, threads)
        names = np.arange(snapshot.rows) if snapshot.ids is None else snapshot.ids
        groups: npt.NDArray[Any] = names[leaders(pairs, snapshot.rows)]
        return groups if snapshot.alive is None else groups[snapshot.alive]

"""Which rows are nearest: exact answers from a fast matrix product.

The last bits of a float32 product depend on the shape of its block, so answers that were sorted by
them would depend on how queries are batched. Here the product only *bounds* each similarity: a sum
of `dim` products of unit rows is off by less than (dim + 8) / 2^24, whatever the order. The few
rows whose upper bound reaches the k-th best are summed again, one by one in float64 and in one
fixed order, and rounded to float32. So ties are real ties and go to the smaller row.

Memory is bounded by `_CELLS` similarities at a time, or by those of one query.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

__all__ = ["Candidates", "best", "cosines", "nearest", "product_error", "unit_rows"]

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_CELLS = 1 << 24  # similarities at a time: 64 MiB
_VALUES = 1 << 20  # float64 values at a time, where rows are summed one by one


def unit_rows(vectors: Floats) -> Floats:
    """Return the rows divided by their Euclidean length; rows of zeros stay zero."""
    units = np.empty(vectors.shape, dtype=np.float32)
    step = max(1, _VALUES // max(vectors.shape[1], 1))
    for start in range(0, len(vectors), step):
        rows = vectors[start : start + step].astype(np.float64)
        lengths = np.sqrt((rows * rows).sum(axis=1))
        lengths[lengths == 0] = 1
        units[start : start + step] = rows / lengths[:, None]
    return units


def product_error(dim: int) -> float:
    """Return what a float32 sum of products of two unit rows can be off by, at most."""
    return (dim + 8) * 2.0**-24


def cosines(units: Floats, rows: Integers, queries: Floats, of: Integers | None = None) -> Floats:
    """Return the similarities of pairs of unit rows, each independent of all others.

    Parameters
    ----------
    units : float32, shape (n, dim)
    rows : int64, shape (pairs,)
        Rows of `units`.
    queries : float32, shape (q, dim), or (dim,) where `of` is None
    of : int64, shape (pairs,), optional
        Rows of `queries`.

    Returns
    -------
    float32, shape (pairs,), within [-1, 1]
    """
    result = np.empty(len(rows), dtype=np.float32)
    step = max(1, _VALUES // max(units.shape[1], 1))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        left = units[rows[part]].astype(np.float64)
        right = queries if of is None else queries[of[part]]
        result[part] = (left * right.astype(np.float64)).sum(axis=1)
    return np.clip(result, -1, 1, out=result)


class Candidates:
    """The rows among which answers are searched, with their unit vectors.

    Parameters
    ----------
    units : float32, shape (n, dim)
    first : int
        Only the first rows, so many, are candidates.
    chosen : bool, shape (n,), optional
        Only these rows are.
    """

    def __init__(self, units: Floats, first: int, chosen: Mask | None = None) -> None:
        self.all_units = units
        self.units = units[:first]
        self.rows: Integers | None = None
        self.allowed: Mask | None = None
        if chosen is not None:
            chosen = chosen[:first]
            if 4 * np.count_nonzero(chosen) <= first:  # few: cheaper to copy than to pass over
                self.rows = np.flatnonzero(chosen)
                self.units = units[self.rows]
            else:
                self.allowed = chosen

    def __len__(self) -> int:
        return len(self.units)

    def rows_of(self, positions: Integers) -> Integers:
        """Return the rows at positions among the candidates."""
        return positions if self.rows is None else self.rows[positions]

    def positions_of(self, rows: Integers) -> Integers:
        """Return the position of each of `rows` among the candidates, -1 where it is none."""
        if self.rows is None:
            inside = rows < len(self.units)
            if self.allowed is not None:
                inside[inside] = self.allowed[rows[inside]]
            return np.where(inside, rows, -1)
        places = np.searchsorted(self.rows, rows)
        inside = places < len(self.rows)
        inside[inside] = self.rows[places[inside]] == rows[inside]
        return np.where(inside, places, -1)

    def remove(self, bounds: Floats, own: list[Integers]) -> None:
        """Set to -inf what is no answer: rows not allowed, and the own rows of each query."""
        if self.allowed is not None:
            bounds[:, ~self.allowed] = -np.inf
        for row, rows in zip(bounds, own, strict=True):
            positions = self.positions_of(rows)
            row[positions[positions >= 0]] = -np.inf


def best(upper: Floats, k: int, exact: Callable[[Integers], Floats]) -> tuple[Integers, Floats]:
    """Return positions and exact scores of the k best, by (score falling, position rising).

    Parameters
    ----------
    upper : float32, shape (m,)
        No exact score is above its bound; -inf is for positions that are no answers.
    k : int
    exact : callable
        Returns the scores at some positions.
    """
    start = _likely(upper, k)
    positions = start
    if len(start) == k:  # else these are all that there are
        positions = np.flatnonzero(upper >= exact(start).min())
    scores = exact(positions)
    order = np.lexsort((positions, -scores))[:k]
    return positions[order], scores[order]


def _likely(upper: Floats, k: int) -> Integers:
    """Return k positions of high bounds; all possible ones where there are fewer than k."""
    width = len(upper) // (4 * k)
    floor = np.float32(-np.inf)
    if width > 1:  # the k-th best of the highest of each run is a floor that k bounds reach
        runs = len(upper) // width
        highest = upper[: runs * width].reshape(runs, width).max(axis=1)
        floor = np.partition(highest, runs - k)[runs - k]
    if np.isneginf(floor):
        positions = np.flatnonzero(upper > floor)
    else:
        positions = np.flatnonzero(upper >= floor)
    if len(positions) > k:
        positions = positions[np.argpartition(-upper[positions], k - 1)[:k]]
    return positions


def nearest(
    candidates: Candidates, queries: Floats, own: list[Integers], k: int
) -> tuple[Integers, Floats]:
    """Return the k candidates most similar to each query.

    Parameters
    ----------
    candidates : Candidates
    queries : float32, shape (q, dim)
        Unit vectors, or zeros.
    own : list of q int64 arrays
        Rows that are no answers to this query.
    k : int

    Returns
    -------
    rows : int64, shape (q, k)
        By (similarity falling, row rising); -1 past the last candidate.
    similarities : float32, shape (q, k)
        NaN past the last candidate.
    """
    ids, similarities = no_answers(len(queries), k)
    error = np.float32(product_error(queries.shape[1]))
    for block in query_blocks(len(queries), len(candidates)):
        upper = queries[block] @ candidates.units.T
        upper += error
        candidates.remove(upper, own[block])
        for i, bounds in enumerate(upper, block.start):

            def exact(positions: Integers, query: Floats = queries[i]) -> Floats:
                return cosines(candidates.units, positions, query)

            positions, found = best(bounds, k, exact)
            ids[i, : len(found)] = candidates.rows_of(positions)
            similarities[i, : len(found)] = found
    return ids, similarities


def no_answers(queries: int, k: int) -> tuple[Integers, Floats]:
    """Return the two arrays of answers before any is known: -1 and NaN."""
    return np.full((queries, k), -1, np.int64), np.full((queries, k), np.nan, np.float32)


def query_blocks(queries: int, candidates: int) -> list[slice]:
    """Return the slices of queries whose similarities are computed together."""
    step = max(1, _CELLS // max(candidates, 1))
    return [slice(start, start + step) for start in range(0, queries if candidates else 0, step)]

"""Two answers as one: what a structure found, and the scan of the rows behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _core
from ._bitmaps import behind

__all__ = [
    "Answers",
    "RangeRequest",
    "Request",
    "Within",
    "by_rank",
    "is_few",
    "joined_ranges",
    "merged",
    "with_rest",
]

Answers = tuple[npt.NDArray[np.int64], npt.NDArray[Any]]
Within = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int32]]
Ranks = npt.NDArray[np.uint32]
Words = npt.NDArray[np.uint64]

FEW_ROWS, FEW_SHARE = 1_000, 50


class Request(NamedTuple):
    """What a search asks of the rows of a snapshot."""

    queries: npt.NDArray[Any]
    k: int
    bitmap: Words | None
    """Of the rows that may be found; None lets all pass."""
    ranks: Ranks | None
    """The rank of each row among equal distances, which answers name it by; None: the row."""
    threads: int


class RangeRequest(NamedTuple):
    """What a range search asks of the rows of a snapshot; the fields are those of `Request`."""

    queries: npt.NDArray[Any]
    radius: int
    bitmap: Words | None
    ranks: Ranks | None
    threads: int


def is_few(bitmap: Words, rows: int) -> bool:
    """Return whether so few rows pass that a scan of them costs less than a walk of a graph."""
    return _core.bitmap_count(bitmap) < max(FEW_ROWS, rows // FEW_SHARE)


def by_rank(found: Answers, ranks: Ranks | None) -> Answers:
    """Return an answer of rows as one of ranks, again by (distance, rank)."""
    if ranks is None:
        return found
    rows, distances = ranks[found[0]].astype(np.int64), found[1]
    order = np.lexsort((rows, distances), axis=1)
    return np.take_along_axis(rows, order, 1), np.take_along_axis(distances, order, 1)


def merged(one: Answers, other: Answers, k: int) -> Answers:
    """Return the k best of two answers, (ids, distances) of shape (m, .), by (distance, id)."""
    ids = np.concatenate([one[0], other[0]], axis=1)
    distances = np.concatenate([one[1], other[1]], axis=1)
    order = np.lexsort((ids, distances), axis=1)[:, :k]
    return np.take_along_axis(ids, order, 1), np.take_along_axis(distances, order, 1)


def with_rest(
    found: Answers,
    covered: int,
    rows: int,
    request: Request,
    scan: Callable[[int, Words | None, Ranks | None], Answers],
) -> Answers:
    """Add to what was found among the covered rows, which is of ranks, the rows behind them.

    `scan` takes a row, and the bitmap and ranks of the rows from there on. It returns the k best of
    those, by their ranks, or counted from that row if there are none.
    """
    if covered == rows:
        return found
    first, rest = behind(covered, rows, request.bitmap)
    named = None if request.ranks is None else request.ranks[first:]
    others, distances = scan(first, rest, named)
    return merged(found, (others + first if named is None else others, distances), request.k)


def joined_ranges(one: Within, other: Within) -> Within:
    """Return two answers of range searches as one: offsets, ids, distances, by (distance, id)."""
    counts = [np.diff(each[0]) for each in (one, other)]
    owners = np.concatenate([np.repeat(np.arange(len(c)), c) for c in counts])
    ids, distances = np.concatenate([one[1], other[1]]), np.concatenate([one[2], other[2]])
    order = np.lexsort((ids, distances, owners))
    return one[0] + other[0], ids[order], distances[order]

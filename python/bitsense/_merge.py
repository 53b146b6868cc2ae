"""Two answers as one: what a structure found, and the scan of the rows behind it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["behind", "merged"]

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]


def behind(covered: int, rows: int, bitmap: Words | None) -> tuple[int, Words | None]:
    """Return a multiple of 64 and the bitmap of the rows from there on, of which those before
    `covered` do not pass."""
    first = covered // 64 * 64
    if bitmap is None:
        if first == covered:
            return first, None
        rest = np.full((rows - first + 63) // 64, ~np.uint64(0))
    else:
        rest = bitmap[first // 64 :].copy()
    rest[0] &= ~np.uint64((1 << (covered - first)) - 1)
    if rows % 64:
        rest[-1] &= np.uint64((1 << rows % 64) - 1)
    return first, rest


def merged(
    one: tuple[Ints, npt.NDArray[Any]], other: tuple[Ints, npt.NDArray[Any]], k: int
) -> tuple[Ints, npt.NDArray[Any]]:
    """Return the k best of two answers, (ids, distances) of shape (m, .), by (distance, id)."""
    ids = np.concatenate([one[0], other[0]], axis=1)
    distances = np.concatenate([one[1], other[1]], axis=1)
    order = np.lexsort((ids, distances), axis=1)[:, :k]
    return np.take_along_axis(ids, order, 1), np.take_along_axis(distances, order, 1)

"""All pairs of near rows, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import numpy.typing as npt

from . import _core

__all__ = ["Pairs", "leaders", "row_pairs"]

Ints = npt.NDArray[np.int64]
Distances = npt.NDArray[np.int32]
Pairs = tuple[Ints, Ints, Distances]

_JOIN_ROWS = 4096  # a multiple of 64


def row_pairs(
    total: int,
    bitmap: npt.NDArray[np.uint64] | None,
    within: Callable[[Ints], tuple[Ints, Ints, Distances]],
) -> Iterator[Pairs]:
    """Return (first, second, distance) of all pairs of rows below `total`, each once, in order.

    `within` takes rows and returns offsets, as of a `range_search`, the rows near each that pass
    the bitmap, and their distances.
    """
    for start in range(0, total, _JOIN_ROWS):
        rows = np.arange(start, min(start + _JOIN_ROWS, total))
        if bitmap is not None:
            chosen = bitmap[rows // 64] >> (rows % 64).astype(np.uint64) & np.uint64(1)
            rows = rows[chosen.astype(np.bool_)]
        if not len(rows):
            continue
        offsets, seconds, distances = within(rows)
        firsts = np.repeat(rows, np.diff(offsets))
        later = seconds > firsts
        firsts, seconds, distances = firsts[later], seconds[later], distances[later]
        order = np.lexsort((seconds, firsts))
        if len(order):
            yield firsts[order], seconds[order], distances[order]


def leaders(pairs: Iterable[Pairs], total: int) -> Ints:
    """Return for each row the first of the group that chains of pairs join."""
    groups = _core.Groups(total)
    for first, second, _ in pairs:
        groups.join(first, second)
    return groups.leaders()

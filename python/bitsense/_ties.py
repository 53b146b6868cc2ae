"""Groups of items at one distance, by query: what metrics that are fair to ties need to know.

Two ways to find them. Small integer distances are counted, which costs a few nanoseconds an item;
others are sorted. Only groups that hold a relevant item are kept: the others add nothing to the
metrics of `bitsense.evaluate`, whose docstring defines the letters.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Floats", "Groups", "Integers", "tie_groups"]

_HISTOGRAM_LIMIT = 1 << 14  # the largest integer distance that is counted instead of sorted

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Groups(NamedTuple):
    """The groups of equal distance that hold a relevant item, by (query, distance).

    All have the same length, one entry per group; the letters are those of the module.
    """

    query: Integers
    N: Integers
    n: Integers
    S: Floats
    Q: Floats


def tie_groups(
    distances: npt.NDArray[Any], gains: npt.NDArray[Any], own: Integers | None
) -> Groups:
    """Return the groups of a block that hold a relevant item."""
    if not distances.size or not gains.any():
        none = np.zeros(0, dtype=np.int64)
        return Groups(none, none, none, none.astype(np.float64), none.astype(np.float64))
    if distances.dtype.kind in "bui":
        least, most = int(distances.min()), int(distances.max())
        if least >= 0 and most < _HISTOGRAM_LIMIT:
            return _count_groups(distances, gains, own, most + 1)
    elif np.isnan(distances).any():
        raise ValueError("`distances` must not be NaN")
    return _sort_groups(distances, gains, own)


def _count_groups(
    distances: npt.NDArray[Any], gains: npt.NDArray[Any], own: Integers | None, bins: int
) -> Groups:
    """Count the items of a block by (query, distance): no sort, for small integers."""
    rows = np.arange(len(distances), dtype=np.int64)
    keys = distances.astype(np.int64) + (rows * bins)[:, None]
    sizes = np.bincount(keys.ravel(), minlength=rows.size * bins)
    if own is not None:
        sizes -= np.bincount(keys[rows, own], minlength=sizes.size)
    sizes = sizes.reshape(-1, bins)
    N = np.cumsum(sizes, axis=1) - sizes
    relevant = gains > 0
    keys = keys[relevant]
    weights = None if gains.dtype == np.bool_ else gains[relevant]
    S = np.bincount(keys, weights, sizes.size)
    Q = S if weights is None else np.bincount(keys, weights * weights, sizes.size)
    held = np.flatnonzero(S)
    return Groups(
        held // bins,
        N.ravel()[held],
        sizes.ravel()[held],
        S[held].astype(np.float64),
        Q[held].astype(np.float64),
    )


def _sort_groups(
    distances: npt.NDArray[Any], gains: npt.NDArray[Any], own: Integers | None
) -> Groups:
    """Sort the distances of each query and look its relevant items up among them."""
    relevant = gains > 0
    columns: list[tuple[npt.NDArray[Any], ...]] = []
    for row, (values, held) in enumerate(zip(distances, relevant, strict=True)):
        found = values[held]
        if not found.size:
            continue
        weight = None if gains.dtype == np.bool_ else gains[row, held]
        found, inverse, counts = np.unique(found, return_inverse=True, return_counts=True)
        ordered = np.sort(values)
        N = np.searchsorted(ordered, found, side="left")
        n = np.searchsorted(ordered, found, side="right") - N
        if own is not None:  # the query itself is among `ordered`: take it out of the counts
            N = N - (values[own[row]] < found)
            n = n - (values[own[row]] == found)
        S = counts if weight is None else np.bincount(inverse, weight)
        Q = counts if weight is None else np.bincount(inverse, weight * weight)
        columns.append((np.full(len(found), row), N, n, S, Q))
    query, N, n, S, Q = (np.concatenate(column) for column in zip(*columns, strict=True))
    return Groups(
        query.astype(np.int64),
        N.astype(np.int64),
        n.astype(np.int64),
        S.astype(np.float64),
        Q.astype(np.float64),
    )

"""The answers of a soak's searches against every distance computed by NumPy."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from soak_ledger import View, distances, tolerance

__all__ = ["WrongAnswerError", "check_pairs", "check_range", "check_search", "require"]

Array = np.ndarray[Any, Any]


class WrongAnswerError(Exception):
    """An index has answered what it must not."""


def require(holds: Any, message: str) -> None:
    """Raise an error unless something holds."""
    if not holds:
        raise WrongAnswerError(message)


def _check_row(view: View, right: Array, near: float, ids: Array, found: Array) -> None:
    """Check one answer: ordered by (distance, id), each id once, each distance that of its item."""
    d, i = found.tolist(), ids.tolist()
    ordered = list(zip(d, i, strict=True))
    require(ordered == sorted(ordered), f"not ordered by (distance, id): {ordered}")
    require(len(set(i)) == len(i), f"an id twice: {i}")
    known: dict[Any, list[float]] = defaultdict(list)
    places = np.flatnonzero(np.isin(view.ids, np.array(i, view.ids.dtype)))
    for each, distance in zip(view.ids[places].tolist(), right[places].tolist(), strict=True):
        known[each].append(distance)
    for distance, each in ordered:
        fits = any(abs(distance - other) <= near for other in known[each])
        require(fits, f"id {each!r} at {distance}, it may be at {known[each]}")


def check_search(
    view: View, metric: str, queries: Array, k: int, answer: tuple[Array, Array], exact: bool
) -> tuple[int, int]:
    """Check the answer of `search`; return how many were right of how many, for the recall.

    `view` has only the items that pass the filters.
    """
    ids, found = answer
    least, most = min(k, int(view.certain.sum())), min(k, len(np.unique(view.ids)))
    require(
        ids.shape == found.shape and len(ids) == len(queries) and least <= ids.shape[1] <= most,
        f"answers of shape {ids.shape}, there must be {least} to {most} for each query",
    )
    near = tolerance(metric, queries, view.rows)
    hits = wanted = 0
    for q, right in enumerate(distances(metric, queries, view.rows)):
        _check_row(view, right, near, ids[q], found[q])
        listed = np.isin(view.ids, ids[q].astype(view.ids.dtype))
        nearer = view.certain
        if ids.shape[1] == k:
            last, name = found[q, -1], ids[q, -1]
            nearer = view.certain & (right < last - 2 * near)
            if metric == "hamming":
                nearer |= view.certain & (right == last) & (view.ids < name)
        missed = int((nearer & ~listed).sum())
        if exact and missed:
            some = view.ids[nearer & ~listed][:5].tolist()
            raise WrongAnswerError(f"{missed} nearer items are missing, as {some}")
        if ids.shape[1] == k:  # else it is everything
            hits += max(0, k - missed)
            wanted += k
    return hits, wanted


def check_range(
    view: View,
    metric: str,
    queries: Array,
    radius: float,
    answer: tuple[Array, Array, Array],
) -> int:
    """Check the answer of `range_search`; return how many items there were."""
    offsets, ids, found = answer
    require(
        offsets.shape == (len(queries) + 1,) and offsets[0] == 0 and offsets[-1] == len(ids),
        f"offsets {offsets.tolist()} of {len(ids)} answers",
    )
    near = tolerance(metric, queries, view.rows)
    for q, right in enumerate(distances(metric, queries, view.rows)):
        part = slice(offsets[q], offsets[q + 1])
        _check_row(view, right, near, ids[part], found[part])
        require((found[part] <= radius).all(), f"an item beyond the radius {radius}")
        within = view.certain & ((right <= radius) if near == 0 else (right < radius - near))
        missed = view.ids[within & ~np.isin(view.ids, ids[part].astype(view.ids.dtype))]
        require(not len(missed), f"not found within {radius}: {missed[:5].tolist()}")
    return len(ids)


def check_pairs(view: View, radius: int, pairs: list[tuple[Any, Any, int]], still: bool) -> int:
    """Check the pairs of `self_join`, which come in the order of the items while these stay."""
    right = distances("hamming", view.rows, view.rows)
    places: dict[Any, list[int]] = defaultdict(list)
    for place, each in enumerate(view.ids.tolist()):
        places[each].append(place)
    seen = set()
    for first, second, distance in pairs:
        require(first != second, f"{first!r} with itself")
        fits = any(right[i, j] == distance for i in places[first] for j in places[second])
        require(fits and distance <= radius, f"{first!r} and {second!r} at {distance}")
        seen.add(frozenset((first, second)))
    require(len(seen) == len(pairs), "a pair twice")
    certain = np.flatnonzero(view.certain)
    close = np.triu(right[np.ix_(certain, certain)] <= radius, 1)
    names = view.ids[certain].tolist()
    for i, j in np.argwhere(close).tolist():
        wanted = frozenset((names[i], names[j]))
        require(wanted in seen, f"the pair {sorted(wanted)} within {radius} is missing")
    if still:
        rows = [(places[first][0], places[second][0]) for first, second, _ in pairs]
        require(rows == sorted(rows), "the pairs are not in the order of the items")
    return len(pairs)

"""Retrieval metrics from their definitions, averaged over every order that ties allow."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np


def orders(distances: Sequence[float]) -> Iterator[list[int]]:
    """Yield each order of the items in which no item precedes a nearer one."""
    groups = [
        [i for i, d in enumerate(distances) if d == value] for value in sorted(set(distances))
    ]
    for choice in itertools.product(*(itertools.permutations(group) for group in groups)):
        yield [item for group in choice for item in group]


def average_precision(gains: Sequence[float]) -> float:
    """Sum of gain times mean gain down to its rank, over the sum of the gains."""
    return sum(g * sum(gains[: t + 1]) / (t + 1) for t, g in enumerate(gains)) / sum(gains)


def dcg(gains: Sequence[float], k: int) -> float:
    return sum(g / math.log2(t + 2) for t, g in enumerate(gains[:k]))


def metrics_of_order(gains: Sequence[float], k: int) -> list[float]:
    """Return AP, NDCG@k, precision@k and recall@k of gains in the order of the ranking."""
    hits = sum(g > 0 for g in gains[:k])
    return [
        average_precision(gains),
        dcg(gains, k) / dcg(sorted(gains, reverse=True), k),
        hits / k,
        hits / sum(g > 0 for g in gains),
    ]


def expected_metrics(
    distances: Sequence[float], gains: Sequence[float], k: int
) -> list[float] | None:
    """Return the mean of `metrics_of_order` over `orders`; None where nothing is relevant."""
    if not any(g > 0 for g in gains):
        return None
    rows = [metrics_of_order([gains[i] for i in order], k) for order in orders(distances)]
    return [float(x) for x in np.mean(rows, axis=0)]


def expected_means(
    distances: np.ndarray, gains: np.ndarray, k: int, *, exclude_self: bool = False
) -> tuple[list[float], int]:
    """Return the means over the queries with a relevant item, and how many these are."""
    rows = []
    for query in range(len(distances)):
        items = [i for i in range(distances.shape[1]) if not (exclude_self and i == query)]
        row = expected_metrics(
            [float(distances[query, i]) for i in items], [float(gains[query, i]) for i in items], k
        )
        if row is not None:
            rows.append(row)
    return ([float(x) for x in np.mean(rows, axis=0)] if rows else [math.nan] * 4), len(rows)

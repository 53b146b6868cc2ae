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


def average_rank(values: Sequence[float], value: float) -> float:
    """Return the mean of the ranks, from 1, that equal values share."""
    below = sum(other < value for other in values)
    equal = sum(other == value for other in values)
    return below + (equal + 1) / 2


def spearman(x: Sequence[float], y: Sequence[float]) -> float:
    """Pearson's coefficient of the average ranks; NaN where a list is constant."""
    left = [average_rank(x, value) for value in x]
    right = [average_rank(y, value) for value in y]
    if len(set(left)) < 2 or len(set(right)) < 2:
        return math.nan
    a, b = sum(left) / len(left), sum(right) / len(right)
    top = sum((u - a) * (v - b) for u, v in zip(left, right, strict=True))
    squares = sum((u - a) ** 2 for u in left) * sum((v - b) ** 2 for v in right)
    return top / math.sqrt(squares)


def pairs_together(labels: Sequence[object]) -> set[tuple[int, int]]:
    """Return the pairs of items with one label."""
    places = range(len(labels))
    return {(i, j) for i, j in itertools.combinations(places, 2) if labels[i] == labels[j]}


def adjusted_rand_index(gold: Sequence[object], predicted: Sequence[object]) -> float:
    """(agreement - its mean) / (its maximum - its mean), the mean over every order of `predicted`.

    Agreement is the number of pairs that both put together.
    """
    ours, theirs = pairs_together(gold), pairs_together(predicted)
    every = itertools.permutations(predicted)
    chance = float(np.mean([len(ours & pairs_together(order)) for order in every]))
    most = (len(ours) + len(theirs)) / 2
    return 1.0 if math.isclose(most, chance) else (len(ours & theirs) - chance) / (most - chance)


def paired_f_score(gold: Sequence[object], predicted: Sequence[object]) -> float:
    ours, theirs = pairs_together(gold), pairs_together(predicted)
    if not ours and not theirs:
        return 1.0
    if not ours & theirs:
        return 0.0
    precision, recall = len(ours & theirs) / len(theirs), len(ours & theirs) / len(ours)
    return 2 * precision * recall / (precision + recall)


def entropy(labels: Sequence[object]) -> float:
    shares = [list(labels).count(label) / len(labels) for label in set(labels)]
    return -sum(share * math.log(share) for share in shares)


def v_measure(gold: Sequence[object], predicted: Sequence[object]) -> float:
    """Harmonic mean of 1 - H(gold | predicted) / H(gold) and the same the other way round."""

    def explained(of: Sequence[object], by: Sequence[object]) -> float:
        if len(set(of)) == 1:
            return 1.0
        parts = [[a for a, b in zip(of, by, strict=True) if b == label] for label in set(by)]
        left = sum(len(part) / len(of) * entropy(part) for part in parts)
        return 1 - left / entropy(of)

    h, c = explained(gold, predicted), explained(predicted, gold)
    return 2 * h * c / (h + c) if h + c > 1e-12 else 0.0


def analogy_rank(
    units: np.ndarray, question: Sequence[int], method: str, limit: int | None = None
) -> int:
    """Return the rank of d by the formula, over the first `limit` rows without a, b and c."""
    a, b, c, d = question
    rows = [row for row in range(len(units) if limit is None else limit) if row not in (a, b, c)]
    if d not in rows:
        return 0
    cosine = units.astype(np.float64) @ units.astype(np.float64).T
    if method == "3cosadd":
        scores = {row: cosine[row, b] - cosine[row, a] + cosine[row, c] for row in rows}
    else:
        near = (cosine + 1) / 2
        scores = {row: near[row, b] * near[row, c] / (near[row, a] + 0.001) for row in rows}
    return 1 + sum(scores[row] > scores[d] for row in rows)

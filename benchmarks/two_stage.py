"""Two-stage retrieval: short codes choose a list of documents, real vectors order it.

The protocol. Each test document queries the other test documents. The first stage keeps

- ``radius R``: those whose code differs from the query's in at most R bits: none, or thousands; or
- ``nearest n``: the n with the nearest codes. Of those at the distance at which the list is full,
  some at random are taken: documents are shuffled once per seed, because they are stored by class.

The second stage orders that list by cosine. NDCG@10 scores an answer as it is: a place that the
list leaves empty gains nothing, while the ideal ranking is that of all documents, so a query
without any list counts 0. Beside it stand `coverage`, the share of queries that have a list,
`mean_list`, its mean length over all queries, and `ndcg_at_10_of_lists`, the mean over the queries
that have one: that number alone would praise a filter that answers only easy queries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from common import Row

from bitsense.search import hamming_distances

RADII = (1, 2, 3)
NEAREST = (100, 1000)
FILTERS = (*(("radius", radius) for radius in RADII), *(("nearest", n) for n in NEAREST))
CUT_OFF = 10
_ROWS = 256  # queries whose distances to everything are held at a time

Scores = Callable[[int, int], np.ndarray]


def chosen(distances: np.ndarray, kind: str, limit: int) -> np.ndarray:
    """Return which items each query's list holds; a query's own distance is beyond all others."""
    if kind == "radius":
        return distances <= limit
    items = distances.shape[1]
    # (distance, place) as one number, so that a list has exactly `limit` items but for the query.
    keys = distances.astype(np.int64) * items + np.arange(items)
    limit = min(limit, items - 1)
    return keys <= np.partition(keys, limit - 1, axis=1)[:, limit - 1 : limit]


def cosines(vectors: Any) -> Scores:
    """Return a function of the cosines of some rows with all; sparse rows have length 1."""
    if not isinstance(vectors, np.ndarray):
        return lambda start, stop: (vectors[start:stop] @ vectors.T).toarray()
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = vectors / np.where(norms > 0, norms, 1)
    return lambda start, stop: units[start:stop] @ units.T


def evaluate_two_stage(
    codes: np.ndarray,
    vectors: Any,
    labels: np.ndarray,
    filters: Sequence[tuple[str, int]] = FILTERS,
    seed: int = 0,
) -> list[Row]:
    """Return the metrics of each filter, see the module's docstring."""
    order = np.random.default_rng(seed).permutation(len(codes))
    codes, vectors, labels = codes[order], vectors[order], labels[order]
    score, beyond = cosines(vectors), 8 * codes.shape[1] + 1
    gains: dict[tuple[str, int], list[np.ndarray]] = {which: [] for which in filters}
    for start in range(0, len(codes), _ROWS):
        stop = min(start + _ROWS, len(codes))
        own = np.arange(stop - start), np.arange(start, stop)
        distances = hamming_distances(codes[start:stop], codes, threads=1)
        distances[own] = beyond
        relevant = labels[start:stop, None] == labels
        relevant[own] = False
        scores = score(start, stop)
        for which in filters:
            listed = chosen(distances, *which)
            gains[which].append(_measured(scores, listed, relevant))
    rows = []
    for kind, limit in filters:
        ndcg, precision, length, possible = np.concatenate(gains[kind, limit], axis=1)
        kept, has = possible > 0, (possible > 0) & (length > 0)
        rows.append({
            "filter": f"{kind} {limit}",
            "ndcg_at_10": float(ndcg[kept].mean()),
            "ndcg_at_10_of_lists": float(ndcg[has].mean()) if has.any() else None,
            "precision_at_10": float(precision[kept].mean()),
            "coverage": float(has.sum() / kept.sum()),
            "mean_list": float(length[kept].mean()),
            "n_queries": int(kept.sum()),
        })  # fmt: skip
    return rows


def _measured(scores: np.ndarray, listed: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Return NDCG@10, P@10, the length of the list and the number of relevant items, by query."""
    ranked = np.where(listed, -scores, np.inf)
    depth = min(CUT_OFF, ranked.shape[1])
    best = np.argpartition(ranked, depth - 1, axis=1)[:, :depth]
    inner = np.argsort(np.take_along_axis(ranked, best, axis=1), axis=1)
    best = np.take_along_axis(best, inner, axis=1)
    hits = np.take_along_axis(listed & relevant, best, axis=1)
    discounts = 1 / np.log2(np.arange(2, CUT_OFF + 2))
    possible = relevant.sum(axis=1)
    ideal = np.concatenate([[0], np.cumsum(discounts)])[np.minimum(possible, CUT_OFF)]
    ndcg = hits @ discounts[:depth] / np.where(ideal > 0, ideal, 1)
    return np.array([ndcg, hits.sum(axis=1) / CUT_OFF, listed.sum(axis=1), possible])


@dataclass
class TwoStage:
    """Codes that choose and vectors that order; a row for each filter."""

    model: str
    orders: str
    bits: int
    codes: np.ndarray
    vectors: Any
    costs: Row = field(default_factory=dict)
    more: Row = field(default_factory=dict)
    seed: int = 0

    def rows(self, labels: np.ndarray, train_labels: np.ndarray) -> Iterator[Row]:
        """Yield a row for each filter; only test documents take part."""
        for row in evaluate_two_stage(self.codes, self.vectors, labels, seed=self.seed):
            yield {"model": self.model, "bits": self.bits, "ranking": "two-stage",
                   "ordered_by": self.orders, **self.more, **row, **self.costs}  # fmt: skip

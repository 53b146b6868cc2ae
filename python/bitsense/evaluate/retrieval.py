"""Retrieval metrics in which ties are resolved by their exact expectation, never by position.

Short codes put hundreds of items at one Hamming distance, and collections are often stored class
by class, so that the order of the items inside a tie can change the mean average precision by
half. Every number of this module is the expectation over all orderings of the items within each
group of equal distance, in closed form (F. McSherry and M. Najork, "Computing information
retrieval performance measures efficiently in the presence of tied scores", ECIR 2008).

Notation of the formulas below. A query ranks M items; gain g >= 0 says how relevant an item is
(0 or 1 for binary relevance). For one group of n items at the same distance:

    N   items at a smaller distance              S = sum of g    over the group
    G   sum of g over those N items              Q = sum of g^2  over the group
    H(t) = 1 + 1/2 + ... + 1/t                   D(t) = sum over i = 1..t of 1 / log2(i + 1)

In a random order of the group each of its items is equally likely at each of the ranks
N + 1, ..., N + n, so E[g at a rank] = S / n, and for two ranks E[g g'] = (S^2 - Q) / (n (n - 1)).
Groups without a relevant item add nothing to any metric and are skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._check import check_codes, check_count, check_vectors
from .._ties import Floats, Groups, Integers, tie_groups

__all__ = ["RetrievalMetrics", "evaluate_rankings", "evaluate_retrieval", "retrieval_metrics"]

_BLOCK_ELEMENTS = 1 << 22  # distances held at once: 4 M, some tens of megabytes with their keys


@dataclass(frozen=True)
class RetrievalMetrics:
    """Means over the queries that have at least one relevant item.

    Attributes
    ----------
    map : float
        Mean average precision over the full ranking.
    ndcg, precision, recall : dict of int to float
        The metric at each cut-off k.
    n_queries : int
        Queries that were averaged.
    n_skipped : int
        Queries without any relevant item. For these AP, NDCG and recall are 0/0; they are left
        out of every mean, precision included, and counted here.
    """

    map: float
    ndcg: dict[int, float]
    precision: dict[int, float]
    recall: dict[int, float]
    n_queries: int
    n_skipped: int

    def as_dict(self) -> dict[str, float | int]:
        """Return one flat dict: ``map``, ``ndcg_at_10``, ..., ``n_queries``, ``n_skipped``."""
        row: dict[str, float | int] = {"map": self.map}
        for name in ("ndcg", "precision", "recall"):
            row.update({f"{name}_at_{k}": value for k, value in getattr(self, name).items()})
        return row | {"n_queries": self.n_queries, "n_skipped": self.n_skipped}


def retrieval_metrics(
    distances: npt.ArrayLike,
    relevant: npt.ArrayLike,
    *,
    k: int | Sequence[int] = (10,),
    exclude_self: bool = False,
) -> RetrievalMetrics:
    r"""Return MAP, NDCG, precision and recall, each exact in expectation over ties.

    Parameters
    ----------
    distances : array_like, shape (n_queries, n_items)
        Smaller is nearer; pass negated scores for similarities. Integers up to 16,383 are
        counted, everything else is sorted. NaN is refused, infinities are distances like others.
    relevant : array_like, shape (n_queries, n_items)
        Booleans, or graded gains: finite numbers >= 0.
    k : int or sequence of int, default (10,)
        Cut-offs of NDCG, precision and recall.
    exclude_self : bool, default False
        The queries are the items: item i is taken out of the ranking of query i. Needs a square
        matrix.

    Returns
    -------
    RetrievalMetrics
        Means over the queries with a relevant item; the others are counted in ``n_skipped``.
        With no such query every mean is NaN.

    Raises
    ------
    ValueError
        For shapes that differ, NaN distances, negative gains, or a cut-off below 1.

    Notes
    -----
    With the letters of the module's docstring and sums over the groups of one query:

    Average precision is :math:`\sum_t g_t \, c_t / t \,/ \sum g`, where :math:`c_t` is the sum
    of the gains down to rank t; for binary relevance the usual one, otherwise the graded AP in
    which a perfect ranking of fractional gains stays below 1. At the i-th rank of a group the
    expectation of :math:`g_t c_t` has three parts, the gains before the group, the item itself,
    and the i - 1 items above it in the group:

    .. math:: E[g_t c_t] = \frac{S G + Q}{n} + (i - 1) \frac{S^2 - Q}{n (n - 1)}

    Dividing by t = N + i and summing over i = 1..n, with
    :math:`h = \sum_i 1 / (N + i) = H(N + n) - H(N)` and
    :math:`\sum_i (i - 1) / (N + i) = n - (N + 1) h`:

    .. math:: E[AP] = \frac{1}{\sum g} \sum_{groups} \frac{S G + Q}{n} h
              + \frac{S^2 - Q}{n (n - 1)} \bigl(n - (N + 1) h\bigr)

    NDCG takes the gains linearly, as scikit-learn does (pass ``2 ** gain - 1`` for the
    exponential form), with :math:`[t]_k = \min(t, k)`:

    .. math:: E[DCG@k] = \sum_{groups} \frac{S}{n} \bigl(D([N + n]_k) - D([N]_k)\bigr)

    divided by the DCG@k of the gains in decreasing order, which ties do not touch. Precision and
    recall call an item relevant where its gain is > 0. With r such items in a group and R in all,

    .. math:: E[hits@k] = \sum_{groups} \frac{r}{n} \bigl([N + n]_k - [N]_k\bigr)

    gives precision = hits / k, also where there are fewer than k items, and recall = hits / R.
    """
    distances = np.asarray(distances)
    relevant = np.asarray(relevant)
    if distances.ndim != 2:
        raise ValueError(f"`distances` must have 2 dimensions, got {distances.ndim}")
    if distances.dtype.kind not in "buif":
        raise TypeError(f"`distances` must be real numbers, got dtype {distances.dtype}")
    if relevant.shape != distances.shape:
        raise ValueError(
            f"`relevant` must have the shape of `distances`, {distances.shape}, "
            f"got {relevant.shape}"
        )
    if relevant.dtype.kind not in "buif":
        raise TypeError(f"`relevant` must be booleans or gains, got dtype {relevant.dtype}")
    if exclude_self and distances.shape[0] != distances.shape[1]:
        raise ValueError(
            f"`distances` must be square where `exclude_self` is set, got {distances.shape}"
        )
    totals = _Totals(_check_cut_offs(k), distances.shape[1])
    for start, stop in _blocks(*distances.shape):
        own = np.arange(start, stop) if exclude_self else None
        totals.add(distances[start:stop], relevant[start:stop], own)
    return totals.means()


def evaluate_rankings(
    distances: Callable[[int, int], npt.ArrayLike],
    query_labels: npt.ArrayLike,
    item_labels: npt.ArrayLike | None = None,
    *,
    k: int | Sequence[int] = (10,),
) -> RetrievalMetrics:
    """Return the metrics of a ranking that is made block by block; same label is relevant.

    The way in for any score: the full matrix never exists.

    Parameters
    ----------
    distances : callable
        ``distances(start, stop)`` returns the rows of queries start to stop, shape
        (stop - start, n_items), smaller is nearer.
    query_labels : array_like, shape (n_queries,)
    item_labels : array_like, shape (n_items,), optional
        None: the queries are the items, and each is taken out of its own ranking.
    k : int or sequence of int, default (10,)

    Returns
    -------
    RetrievalMetrics
        See `retrieval_metrics` for the formulas.
    """
    exclude_self = item_labels is None
    wanted = _check_labels("query_labels", query_labels)
    offered = wanted if item_labels is None else _check_labels("item_labels", item_labels)
    _, numbers = np.unique(np.concatenate([wanted, offered]), return_inverse=True)
    wanted_numbers = numbers[: len(wanted)].astype(np.int32)
    offered_numbers = numbers[len(wanted) :].astype(np.int32)
    totals = _Totals(_check_cut_offs(k), len(offered))
    for start, stop in _blocks(len(wanted), len(offered)):
        block = np.asarray(distances(start, stop))
        if block.shape != (stop - start, len(offered)):
            raise ValueError(
                f"`distances` must return shape {(stop - start, len(offered))} "
                f"for queries {start} to {stop}, got {block.shape}"
            )
        own = np.arange(start, stop) if exclude_self else None
        totals.add(block, wanted_numbers[start:stop, None] == offered_numbers, own)
    return totals.means()


def evaluate_retrieval(
    queries: npt.ArrayLike,
    query_labels: npt.ArrayLike,
    items: npt.ArrayLike | None = None,
    item_labels: npt.ArrayLike | None = None,
    *,
    k: int | Sequence[int] = (10,),
) -> RetrievalMetrics:
    """Rank items for each query by Hamming distance or cosine; same label is relevant.

    Parameters
    ----------
    queries : array_like
        Packed codes, uint8, shape (n_queries, bytes): Hamming distance. Or vectors, float, shape
        (n_queries, dim): cosine, computed in float32; a zero vector has cosine 0 to everything.
    query_labels : array_like, shape (n_queries,)
    items, item_labels : array_like, optional
        What is ranked, of the same kind as `queries`. None: the queries rank one another, each
        taken out of its own ranking.
    k : int or sequence of int, default (10,)

    Returns
    -------
    RetrievalMetrics
        See `retrieval_metrics` for the formulas and the treatment of ties.
    """
    if (items is None) != (item_labels is None):
        raise ValueError("`items` and `item_labels` must be given together")
    queries = np.asarray(queries)
    items = queries if items is None else np.asarray(items)
    block = (_hamming_blocks if queries.dtype == np.uint8 else _cosine_blocks)(queries, items)
    for name, rows, labels in (
        ("query_labels", queries, query_labels),
        ("item_labels", items, item_labels),
    ):
        if labels is not None and len(_check_labels(name, labels)) != len(rows):
            raise ValueError(
                f"`{name}` must have one label per row, {len(rows)}, got {len(np.asarray(labels))}"
            )
    return evaluate_rankings(block, query_labels, item_labels, k=k)


class _Totals:
    """Sums of the metrics over blocks of queries."""

    def __init__(self, cut_offs: list[int], items: int) -> None:
        self.cut_offs = cut_offs
        self.names = ["map"] + [f"{m}@{k}" for k in cut_offs for m in ("ndcg", "hits", "recall")]
        self.sums = dict.fromkeys(self.names, 0.0)
        self.queries = self.skipped = 0
        # Long doubles where the platform has them: the closed form of AP takes n - (N + 1) h, in
        # which an error of H would be multiplied by N.
        ranks = np.arange(1, items + 1, dtype=np.longdouble)
        self.harmonic = np.concatenate([[np.longdouble(0)], np.cumsum(1 / ranks)])
        discounts = 1.0 / np.log2(np.arange(2, items + 2))
        self.discount = np.concatenate([[0.0], np.cumsum(discounts)])

    def add(
        self, distances: npt.NDArray[Any], gains: npt.NDArray[Any], own: Integers | None
    ) -> None:
        """Add a block of queries; `own` is the item that each of them leaves out."""
        graded = gains.dtype != np.bool_
        if graded:
            gains = gains.astype(np.float64)
            if not (np.isfinite(gains).all() and (gains >= 0).all()):
                raise ValueError("`relevant` must be finite and at least 0")
        if own is not None:
            gains = gains.copy()
            gains[np.arange(len(own)), own] = 0
        groups = tie_groups(distances, gains, own)
        hits = groups if not graded else tie_groups(distances, gains > 0, own)
        rows = len(distances)
        found = _sum_by(groups.query, groups.S, rows)
        kept = found > 0
        self.queries += int(kept.sum())
        self.skipped += rows - int(kept.sum())
        relevant = _sum_by(hits.query, hits.S, rows)
        values = {"map": self._average_precision(groups, rows) / np.where(kept, found, 1)}
        for k in self.cut_offs:
            hit = self._within(hits, rows, np.arange(len(self.discount), dtype=np.float64), k)
            values[f"hits@{k}"] = hit
            values[f"recall@{k}"] = hit / np.maximum(relevant, 1)
            ideal = self._ideal(gains if graded else None, relevant, k)
            gain = self._within(groups, rows, self.discount, k)
            values[f"ndcg@{k}"] = gain / np.where(kept, ideal, 1)
        for name, value in values.items():
            self.sums[name] += float(value[kept].sum())

    def means(self) -> RetrievalMetrics:
        """Return the means over the queries that were not skipped."""
        count = self.queries if self.queries else float("nan")
        mean = {name: total / count for name, total in self.sums.items()}
        return RetrievalMetrics(
            map=mean["map"],
            ndcg={k: mean[f"ndcg@{k}"] for k in self.cut_offs},
            precision={k: mean[f"hits@{k}"] / k for k in self.cut_offs},
            recall={k: mean[f"recall@{k}"] for k in self.cut_offs},
            n_queries=self.queries,
            n_skipped=self.skipped,
        )

    def _average_precision(self, groups: Groups, rows: int) -> Floats:
        """Return E[AP] times the sum of the gains, for each query of the block."""
        query, N, n, S, Q = groups
        total = _sum_by(query, S, rows)
        G = np.cumsum(S) - S - (np.cumsum(total) - total)[query]
        h = (self.harmonic[N + n] - self.harmonic[N]).astype(np.float64)
        pairs = (S * S - Q) / (n * np.maximum(n - 1, 1))
        return _sum_by(query, (S * G + Q) / n * h + pairs * (n - (N + 1) * h), rows)

    def _within(self, groups: Groups, rows: int, cumulative: Floats, k: int) -> Floats:
        """Return the sum over groups of S / n times the weight of their ranks down to k."""
        above, below = np.minimum(groups.N, k), np.minimum(groups.N + groups.n, k)
        weight = groups.S / groups.n * (cumulative[below] - cumulative[above])
        return _sum_by(groups.query, weight, rows)

    def _ideal(self, gains: Floats | None, relevant: Floats, k: int) -> Floats:
        """Return DCG@k of the gains in decreasing order; None stands for gains of 1."""
        if gains is None:
            ideal: Floats = self.discount[np.minimum(relevant, k).astype(np.int64)]
            return ideal
        best = -np.sort(-gains, axis=1)[:, :k]
        return best @ np.diff(self.discount)[: best.shape[1]]


def _sum_by(query: Integers, weights: Floats, rows: int) -> Floats:
    """Return the sum of the weights of each query, shape (rows,)."""
    return np.bincount(query, weights, rows).astype(np.float64, copy=False)


def _hamming_blocks(
    queries: npt.NDArray[Any], items: npt.NDArray[Any]
) -> Callable[[int, int], npt.ArrayLike]:
    from ..search import hamming_distances

    bits = 8 * queries.shape[-1] if queries.ndim == 2 else 0
    codes = check_codes("queries", queries, bits)
    others = check_codes("items", items, bits)
    return lambda start, stop: hamming_distances(codes[start:stop], others)


def _cosine_blocks(
    queries: npt.NDArray[Any], items: npt.NDArray[Any]
) -> Callable[[int, int], npt.ArrayLike]:
    vectors = check_vectors("queries", queries)
    others = check_vectors("items", items, dim=vectors.shape[1])
    units, other_units = _normalized(vectors), _normalized(others)
    return lambda start, stop: -(units[start:stop] @ other_units.T)


def _normalized(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return (vectors / np.where(norms > 0, norms, 1)).astype(np.float32)


def _blocks(rows: int, columns: int) -> Iterator[tuple[int, int]]:
    step = max(1, _BLOCK_ELEMENTS // max(1, columns))
    return ((start, min(start + step, rows)) for start in range(0, rows, step))


def _check_cut_offs(k: int | Sequence[int]) -> list[int]:
    cut_offs = list(k) if isinstance(k, Sequence | np.ndarray) else [k]
    return [check_count("k", value) for value in cut_offs]


def _check_labels(name: str, labels: npt.ArrayLike) -> npt.NDArray[Any]:
    array = np.asarray(labels)
    if array.ndim != 1:
        raise ValueError(f"`{name}` must have 1 dimension, got {array.ndim}")
    return array

"""Several rankings of the same items as one: words and vectors, or several models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ._check import check_bool, check_count, check_float, check_option

__all__ = ["fuse"]

AnyArray = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


def fuse(
    rankings: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]],
    k: int = 10,
    *,
    method: str = "rrf",
    weights: Sequence[float] | None = None,
    rank_constant: float = 60,
    larger_is_better: bool | Sequence[bool] | None = None,
) -> tuple[AnyArray, Floats]:
    """Return the k best items of each query by several rankings together.

    Parameters
    ----------
    rankings : sequence of (ids, scores), two arrays of shape (m, k_i)
        Answers of searches for the same m queries, best first, with ids that mean the same items:
        integers, or strings. Row numbers of one index are ids too.
    k : int, default 10
    method : {"rrf", "scores"}, default "rrf"
        "rrf": reciprocal rank fusion; an item at place r of a ranking, from 1, gets 1 /
        (`rank_constant` + r) (Cormack, Clarke and Buettcher, "Reciprocal rank fusion outperforms
        Condorcet and individual rank learning methods", SIGIR 2009). Scores are not looked at.
        "scores": the scores of a query, within each ranking, moved and scaled so that the worst
        that is there gets 0 and the best 1; all get 1 where they are equal.
    weights : sequence of float, optional
        What a ranking's part is multiplied by, 0 or more; by default 1 for each.
    rank_constant : float, default 60
        For "rrf": the larger, the less the first places stand out.
    larger_is_better : bool or sequence of bool, optional
        For "scores": whether a ranking's larger scores are the better ones; False for distances. By
        default True, but it must be given where scores are integers, as Hamming distances are.

    Returns
    -------
    ids : shape (m, k'), int64 or objects of type str
    scores : float64, shape (m, k'), falling; equal scores by id
        The sum of an item's parts; a ranking without the item adds nothing. k' is k, or the
        smallest number of items that the rankings have for a query where that is smaller; it is k
        if one of them has k.

    Raises
    ------
    TypeError, ValueError
        If the rankings do not fit each other, or one has an item twice for a query.

    Examples
    --------
    >>> words = [[3, 1, 2]], [[2.0, 1.5, 0.1]]
    >>> vectors = [[2, 3, 4]], [[0.9, 0.8, 0.7]]
    >>> ids, scores = fuse([words, vectors], k=2)
    >>> ids.tolist()
    [[3, 2]]
    """
    k = check_count("k", k)
    check_option("method", method, ("rrf", "scores"))
    constant = check_float("rank_constant", rank_constant)
    pairs = [_ranking(f"rankings[{i}]", ranking) for i, ranking in enumerate(rankings)]
    if not pairs:
        raise ValueError("`rankings` must have at least one ranking, got none")
    _require_alike(pairs)
    factors = _weights(weights, len(pairs))
    if method == "rrf":
        parts = [np.broadcast_to(_by_rank(ids.shape[1], constant), ids.shape) for ids, _ in pairs]
    else:
        better = _directions(larger_is_better, pairs)
        parts = [
            _by_score(f"rankings[{i}]", scores, larger)
            for i, ((_, scores), larger) in enumerate(zip(pairs, better, strict=True))
        ]
    weighted = [factor * part for factor, part in zip(factors, parts, strict=True)]
    return _best([ids for ids, _ in pairs], weighted, k)


def _ranking(name: str, ranking: Any) -> tuple[AnyArray, AnyArray]:
    try:
        ids, scores = (np.asarray(part) for part in ranking)
    except (TypeError, ValueError):
        got = type(ranking).__name__
        raise TypeError(f"`{name}` must be a pair of ids and scores, got {got}") from None
    if ids.ndim != 2 or ids.shape != scores.shape:
        raise ValueError(
            f"`{name}` must have ids and scores of one shape (m, k), got {ids.shape} and "
            f"{scores.shape}"
        )
    if ids.dtype.kind == "U":
        ids = ids.astype(object)
    if ids.dtype.kind == "O":
        if not all(isinstance(each, str) for each in ids.flat):
            raise TypeError(f"`{name}` must have ids that are all integers or all strings")
    elif ids.dtype.kind in "iu" or not ids.size:
        ids = ids.astype(np.int64)
    else:
        raise TypeError(f"`{name}` must have ids that are integers or strings, got {ids.dtype}")
    if scores.dtype.kind not in "fiu":
        raise TypeError(f"`{name}` must have scores that are numbers, got dtype {scores.dtype}")
    return ids, scores


def _require_alike(pairs: list[tuple[AnyArray, AnyArray]]) -> None:
    queries = len(pairs[0][0])
    for i, (ids, _) in enumerate(pairs):
        if len(ids) != queries:
            raise ValueError(f"`rankings[{i}]` must have {queries} rows, got {len(ids)}")
    if len({ids.dtype for ids, _ in pairs if ids.size}) > 1:
        raise TypeError("`rankings` must have ids that are all integers or all strings")


def _weights(weights: Sequence[float] | None, count: int) -> list[float]:
    if weights is None:
        return [1.0] * count
    if len(weights) != count:
        raise ValueError(f"`weights` must have {count} items, got {len(weights)}")
    return [check_float(f"weights[{i}]", weight) for i, weight in enumerate(weights)]


def _directions(
    larger_is_better: bool | Sequence[bool] | None, pairs: list[tuple[AnyArray, AnyArray]]
) -> list[bool]:
    if larger_is_better is None:
        for i, (_, scores) in enumerate(pairs):
            if scores.dtype.kind in "iu":
                raise ValueError(
                    "`larger_is_better` must be given where scores are integers, which may be "
                    f"distances, as in `rankings[{i}]`"
                )
        return [True] * len(pairs)
    if isinstance(larger_is_better, (bool, np.bool_)):
        return [bool(larger_is_better)] * len(pairs)
    if len(larger_is_better) != len(pairs):
        raise ValueError(
            f"`larger_is_better` must have {len(pairs)} items, got {len(larger_is_better)}"
        )
    return [check_bool(f"larger_is_better[{i}]", each) for i, each in enumerate(larger_is_better)]


def _by_rank(places: int, constant: float) -> Floats:
    return 1.0 / (constant + np.arange(1, places + 1, dtype=np.float64))


def _by_score(name: str, scores: AnyArray, larger_is_better: bool) -> Floats:
    values = scores.astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"`{name}` must have finite scores")
    if not values.size:
        return values
    least, most = values.min(axis=1, keepdims=True), values.max(axis=1, keepdims=True)
    span = most - least
    from_worst = values - least if larger_is_better else most - values
    return np.where(span > 0, from_worst / np.where(span > 0, span, 1.0), 1.0)


def _best(rankings: list[AnyArray], parts: list[Floats], k: int) -> tuple[AnyArray, Floats]:
    """Sum the parts of each item of each query and take the best.

    The parts of a sum are sorted, so that it does not depend on the order of the rankings.
    """
    queries = len(rankings[0])
    flat = np.concatenate([ids.ravel() for ids in rankings if ids.size] or [np.empty(0, np.int64)])
    names, codes = np.unique(flat, return_inverse=True)
    rows = [np.repeat(np.arange(queries), ids.shape[1]) for ids in rankings]
    keys = np.concatenate(rows) * len(names) + codes.ravel()
    start = 0
    for i, ids in enumerate(rankings):
        if len(np.unique(keys[start : start + ids.size])) != ids.size:
            raise ValueError(f"`rankings[{i}]` must not have an id twice for a query")
        start += ids.size
    values = np.concatenate([part.ravel() for part in parts])
    order = np.lexsort((values, keys))
    items, place = np.unique(keys[order], return_inverse=True)
    sums = np.bincount(place.ravel(), weights=values[order], minlength=len(items))
    query, code = np.divmod(items, max(1, len(names)))
    ranked = np.lexsort((code, -sums, query))
    found = np.bincount(query, minlength=queries)
    k = min(k, int(found.min())) if queries else 0
    firsts = np.cumsum(found) - found
    chosen = ranked[firsts[:, None] + np.arange(k)]
    return names[code[chosen]], sums[chosen]

"""How well nearest neighbours by code agree with those by real vectors, ties by expectation.

Let A be the k items nearest to a query by cosine, and B the m nearest by Hamming distance. Where
several items lie at the distance of the last place, the places that are left go to some of them at
random: with t such items and r places, each is in with probability r / t. The two choices are
independent, so the expected number of items in both sets is

    E |A and B| = sum over items of P(item in A) P(item in B)

and this over k is the overlap at k where m = k, and the recall at k of a shortlist of m otherwise
(recall of quantised vectors against exact ones: Jegou, Douze and Schmid, "Product quantization for
nearest neighbor search", IEEE TPAMI 33(1), 2011; ties as in McSherry and Najork, ECIR 2008).
Cosines that agree in nine decimals are ties: float32 vectors say no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _core

__all__ = ["Neighbours", "agreement", "real_neighbours"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_BLOCK_ELEMENTS = 1 << 21  # distances held at once
_DECIMALS = 9


class Neighbours(NamedTuple):
    """Items that are, or may be, among the k nearest of each query; one entry a pair."""

    query: Integers
    item: Integers
    chance: Doubles


def real_neighbours(vectors: Floats, queries: Integers, k: int) -> Neighbours:
    """Return the k nearest other rows by cosine of some rows; a zero vector has cosine 0 to all."""
    rows = vectors.astype(np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(norms > 0, norms, 1.0)
    parts = []
    for some in _blocks(len(queries), len(rows)):
        own = queries[some]
        distances = -np.round(rows[own] @ rows.T, _DECIMALS)
        distances[np.arange(len(own)), own] = np.inf
        last, share = _last_place(distances, k)
        query, item = np.nonzero(distances <= last)
        chance = np.where(distances[query, item] < last[query, 0], 1.0, share[query, 0])
        parts.append((query + some.start, item, chance))
    query, item, chance = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Neighbours(query, item, chance)


def agreement(
    codes: npt.NDArray[np.uint8],
    bits: int,
    queries: Integers,
    truth: Neighbours,
    k: int,
    shortlist: int,
    threads: int,
) -> tuple[float, float]:
    """Return the overlap at k and the recall at k of a shortlist, means over the queries.

    Parameters
    ----------
    codes : uint8, shape (n, ceil(bits / 8))
    bits : int
    queries : int64, rows of `codes`; each is compared with the other rows
    truth : Neighbours
        Of the same queries, by `real_neighbours`.
    k, shortlist : int
        Below n.
    threads : int
    """
    sums = [0.0, 0.0]
    for some in _blocks(len(queries), len(codes)):
        own = queries[some]
        distances = _core.hamming_distances(codes[own], codes, bits, threads).astype(np.int32)
        distances[np.arange(len(own)), own] = np.iinfo(np.int32).max
        first, last = np.searchsorted(truth.query, [some.start, some.stop])
        query = truth.query[first:last] - some.start
        found = distances[query, truth.item[first:last]]
        for place, most in enumerate((k, shortlist)):
            bound, share = _last_place(distances, most)
            bound, share = bound[query, 0], share[query, 0]
            chance = np.where(found < bound, 1.0, np.where(found == bound, share, 0.0))
            sums[place] += float(chance @ truth.chance[first:last])
    overlap, recall = (min(1.0, each / (k * len(queries))) for each in sums)
    return overlap, recall


def _last_place(distances: npt.NDArray[Any], k: int) -> tuple[npt.NDArray[Any], Doubles]:
    """Return the distance of the k-th nearest, and the chance of an item at it to be among the k.

    Both have the shape (rows, 1).
    """
    last = np.partition(distances, k - 1, axis=1)[:, k - 1 : k]
    nearer = (distances < last).sum(axis=1, keepdims=True)
    level = (distances == last).sum(axis=1, keepdims=True)
    return last, (k - nearer) / level


def _blocks(queries: int, items: int) -> Iterator[slice]:
    step = max(1, _BLOCK_ELEMENTS // max(1, items))
    for first in range(0, queries, step):
        yield slice(first, min(first + step, queries))

"""Slow twins of reports and certificates, by their definitions, with nothing shared."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

MASK = 2**64 - 1
GAMMA = 0x9E3779B97F4A7C15


def mix(x: int) -> int:
    """The finaliser of SplitMix64."""
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & MASK
    return x ^ (x >> 31)


def draw(seed: int, purpose: int, place: int) -> int:
    return mix((place + 1) * GAMMA + mix((seed + purpose * GAMMA) & MASK) & MASK)


def chances(distances: Sequence[float], k: int) -> list[float]:
    """How likely each item is to be among the k nearest, over every choice that ties allow."""
    items = range(len(distances))
    choices = [
        set(choice)
        for choice in itertools.combinations(items, k)
        if max(distances[i] for i in choice)
        <= min((distances[i] for i in items if i not in choice), default=math.inf)
    ]
    return [sum(item in choice for choice in choices) / len(choices) for item in items]


def expected_agreement(real: np.ndarray, codes: np.ndarray, k: int, shortlist: int) -> float:
    """Mean over queries of the expected share of the k nearest that the shortlist holds.

    Two matrices of distances of all items to all; no item is its own neighbour.
    """
    shares = []
    for query in range(len(real)):
        others = [i for i in range(len(real)) if i != query]
        true = chances([float(real[query, i]) for i in others], k)
        found = chances([float(codes[query, i]) for i in others], shortlist)
        shares.append(sum(a * b for a, b in zip(true, found, strict=True)) / k)
    return sum(shares) / len(shares)


def entropy(column: Sequence[int]) -> float:
    share = sum(column) / len(column)
    return -sum(p * math.log2(p) for p in (share, 1 - share) if p > 0)


def correlations(bits: np.ndarray) -> list[float]:
    """Absolute Pearson coefficients of the pairs of columns that vary."""
    moving = [j for j in range(bits.shape[1]) if len(set(bits[:, j].tolist())) > 1]
    return [
        abs(float(np.corrcoef(bits[:, i].astype(float), bits[:, j].astype(float))[0, 1]))
        for i, j in itertools.combinations(moving, 2)
    ]


def participation(vectors: np.ndarray) -> float:
    values = np.linalg.eigvalsh(np.atleast_2d(np.cov(vectors.astype(float), rowvar=False)))
    return float(values.sum() ** 2 / (values**2).sum())


def radius(distances: Sequence[int], found: float) -> int:
    """The smallest distance that finds the share, by trying one after another."""
    r = 0
    while sum(d <= r for d in distances) / len(distances) < found - 1e-12:
        r += 1
    return r


def edited(
    documents: Sequence[Sequence[int]], counts: Sequence[int], edit: float, seed: int
) -> list[list[int]]:
    """The copies of documents, word by word."""
    copies, start = [], 0
    for document in documents:
        keys = [draw(seed, 1, start + i) for i in range(len(document))]
        most = max(1, math.floor(edit * len(document) + 0.5))
        copy = list(document)
        for i in sorted(range(len(document)), key=keys.__getitem__)[:most]:
            mark = (draw(seed, 2, start + i) >> 11) * 2.0**-53 * sum(counts)
            copy[i] = next(w for w in range(len(counts)) if int(mark) < sum(counts[: w + 1]))
        copies.append(copy)
        start += len(document)
    return copies

"""What a set of bits, or of real vectors, says about itself: balance, correlation, crowding.

With n documents, n_i ones in bit i and n_ij documents that have both bits:

    share of ones   p_i = n_i / n
    entropy         H_i = -p_i log2 p_i - (1 - p_i) log2 (1 - p_i)             in [0, 1] bit
    correlation     r_ij = (n n_ij - n_i n_j) / sqrt(n_i (n - n_i) n_j (n - n_j))

r is Pearson's coefficient (the phi coefficient of two bits). A bit that never changes has none, so
pairs with such a bit are left out; where no pair is left, both summaries are 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "Correlation",
    "bit_correlation",
    "bit_entropy",
    "code_buckets",
    "effective_dimension",
    "ones_shares",
]

Bytes = npt.NDArray[np.uint8]
Doubles = npt.NDArray[np.float64]

_ROWS = 1 << 14  # held at once; as float32, sums of so many zeros and ones are exact
_COLUMNS = 2048


class Correlation(NamedTuple):
    """Absolute correlation over the pairs of different bits."""

    mean: float
    largest: float


def ones_shares(codes: Bytes, bits: int) -> Doubles:
    """Return the share of ones of each bit of packed codes, shape (bits,); at least one code."""
    return _ones(codes, bits) / len(codes)


def bit_entropy(shares: Doubles) -> Doubles:
    """Return the entropy in bits of each share of ones; 0 where a bit never changes."""
    entropy = np.zeros_like(shares)
    for share in (shares, 1.0 - shares):
        held = share > 0
        entropy[held] -= share[held] * np.log2(share[held])
    return entropy


def bit_correlation(codes: Bytes, bits: int) -> Correlation:
    """Return the mean and the largest absolute correlation of pairs of bits."""
    n = float(len(codes))
    ones = _ones(codes, bits)
    spread = np.sqrt(ones * (n - ones))
    total, pairs, largest = 0.0, 0, 0.0
    for left, right, both in _products(
        lambda rows, part: _floats(codes[rows], part), len(codes), bits
    ):
        scale = np.outer(spread[left], spread[right])
        counts = scale > 0
        if left == right:
            counts = np.triu(counts, 1)
        covariance = n * both - np.outer(ones[left], ones[right])
        sizes = np.abs(covariance[counts]) / scale[counts]
        total += float(sizes.sum())
        pairs += sizes.size
        largest = max(largest, float(sizes.max(initial=0.0)))
    largest = min(largest, 1.0)
    return Correlation(min(total / pairs, largest) if pairs else 0.0, largest)


def code_buckets(codes: Bytes) -> tuple[int, int]:
    """Return how many different codes there are, and how many rows share the commonest."""
    if not len(codes):
        return 0, 0
    whole = np.ascontiguousarray(codes).view(np.dtype((np.void, codes.shape[1]))).ravel()
    counts = np.unique(whole, return_counts=True)[1]
    return len(counts), int(counts.max())


def effective_dimension(vectors: npt.NDArray[np.float32]) -> float:
    """Return the participation ratio of the eigenvalues of the covariance; 0 where all are zero.

    (sum of l)^2 / (sum of l^2) over the eigenvalues l: d where all d directions vary alike, 1 where
    one does (Gao et al., "A theory of multineuronal dimensionality, dynamics and measurement",
    bioRxiv 214262, 2017). Both sums are had without the eigenvalues: the trace of the covariance
    and the sum of the squares of its elements.
    """
    mean = vectors.mean(axis=0, dtype=np.float64)
    trace, squares = 0.0, 0.0
    for left, right, product in _products(
        lambda rows, part: vectors[rows, part] - mean[part], *vectors.shape
    ):
        squares += float((product * product).sum()) * (1.0 if left == right else 2.0)
        if left == right:
            trace += float(np.trace(product))
    return trace * trace / squares if squares > 0 else 0.0


def _ones(codes: Bytes, bits: int) -> Doubles:
    ones = np.zeros(bits)
    for first in range(0, len(codes), _ROWS):
        ones += np.unpackbits(codes[first : first + _ROWS], axis=1, count=bits).sum(axis=0)
    return ones


def _floats(codes: Bytes, part: slice) -> npt.NDArray[np.float32]:
    """Return some bits of codes as 0 and 1; the part starts at a byte."""
    packed = codes[:, part.start // 8 : -(-part.stop // 8)]
    return np.unpackbits(packed, axis=1, count=part.stop - part.start).astype(np.float32)


def _products(
    values: Callable[[slice, slice], npt.NDArray[Any]], rows: int, columns: int
) -> Iterator[tuple[slice, slice, Doubles]]:
    """Yield the blocks on and above the diagonal of X^T X, where ``values(rows, columns)`` is X.

    Neither X nor the product, of up to 65,535 columns, is ever held whole.
    """
    parts = [slice(at, min(at + _COLUMNS, columns)) for at in range(0, columns, _COLUMNS)]
    for place, left in enumerate(parts):
        for right in parts[place:]:
            product = np.zeros((left.stop - left.start, right.stop - right.start))
            for first in range(0, rows, _ROWS):
                some = slice(first, min(first + _ROWS, rows))
                own = values(some, left)
                product += own.T @ (own if left == right else values(some, right))
            yield left, right, product

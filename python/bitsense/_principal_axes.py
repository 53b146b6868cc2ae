"""Fewer numbers for the walks of a graph: vectors along their principal axes.

A walk needs distances that are about right, since what it finds is measured exactly; and of most
real vectors a few directions hold nearly all that tells them apart. With the mean m of the items
and orthonormal axes A, two vectors are about as far apart as A'(x - m) and A'(y - m). Of inner
products m is not taken off: <q, x> ~ <A'q, A'x> + c, where c is the same for all x.

The axes are nearly those of principal component analysis (codes/principal.hpp in the engine), as
many as hold the wanted share of the variance of rows that they were not learned from.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from . import _core
from ._stored_vectors import spaced

__all__ = ["SAMPLED_ROWS", "PrincipalAxes"]

Floats = npt.NDArray[np.float32]

_SHARE = 0.92  # of the variance that the axes hold
_LEAST_SHARE = 0.85  # that they may come to hold of rows which are added
_TRUSTED_SHARE = 0.8  # of what sets a query apart, where distances along the axes are about right
SAMPLED_ROWS = 4096  # half of them to learn from, half to judge by
_LEAST_ROWS = 2000
_QUANTUM, _TAIL = 32, 8  # a record is so many bytes, or a multiple; the last are not numbers


class PrincipalAxes(NamedTuple):
    """The axes, or none of them where vectors are taken as they are."""

    mean: Floats
    """Shape (dim,), or (0,) for none."""
    axes: Floats
    """Shape (dim, kept), or (0, 0) for none."""

    @classmethod
    def none(cls) -> PrincipalAxes:
        """Return none."""
        return cls(np.empty(0, np.float32), np.empty((0, 0), np.float32))

    @classmethod
    def learned(cls, vectors: Floats, *, centred: bool, threads: int = 1) -> PrincipalAxes:
        """Return the axes of items, shape (n, dim), or none where they do not pay.

        If not `centred`, the mean that is taken off is zero.
        """
        widths = _widths(vectors.shape[1])
        if len(vectors) < _LEAST_ROWS or not widths:
            return cls.none()
        sample = spaced(vectors, SAMPLED_ROWS)
        rows, others = np.ascontiguousarray(sample[::2]), np.ascontiguousarray(sample[1::2])
        mean, axes = _core.principal_axes(rows, others, widths, _SHARE, threads)
        if not axes.shape[1]:
            return cls.none()
        return cls(mean if centred else np.zeros_like(mean), axes)

    @property
    def kept(self) -> int:
        """How many axes; 0 for none."""
        return int(self.axes.shape[1])

    def check(self, dim: int) -> None:
        """Raise ValueError unless these are axes for vectors of `dim` numbers, or none."""
        if self.mean.shape == (0,) and self.axes.shape == (0, 0):
            return
        if self.mean.shape != (dim,) or self.axes.shape[0] != dim or not self.kept:
            raise ValueError(f"the axes must have {dim} rows, and the mean {dim} numbers")
        if not np.isfinite(self.mean).all() or not np.isfinite(self.axes).all():
            raise ValueError("axes must be finite")

    def suit(self, old: int, added: Floats) -> bool:
        """Return whether these, learned when there were `old` rows, still do with those added."""
        if not self.kept:
            return old >= _LEAST_ROWS or old + len(added) < _LEAST_ROWS
        part = spaced(added, SAMPLED_ROWS)
        mean = part.mean(axis=0, dtype=np.float64).astype(np.float32)
        held = _core.project(part, mean, self.axes).astype(np.float64)
        apart = part.astype(np.float64) - mean
        return bool((held**2).sum() >= _LEAST_SHARE * (apart**2).sum())

    def hold(self, vectors: Floats, compared: Floats) -> npt.NDArray[np.bool_]:
        """Return for each vector whether the axes hold most of what sets it apart."""
        if not self.kept:
            return np.ones(len(vectors), np.bool_)
        apart = vectors - self.mean
        whole = np.einsum("ij,ij->i", apart, apart, dtype=np.float64)
        held = np.einsum("ij,ij->i", compared, compared, dtype=np.float64)
        most: npt.NDArray[np.bool_] = held >= _TRUSTED_SHARE * whole
        return most

    def compared(self, vectors: Floats, threads: int) -> Floats:
        """Return what of vectors, shape (n, dim), is compared."""
        if not self.kept:
            return vectors
        return _core.project(vectors, self.mean, self.axes, threads)


def _widths(dim: int) -> list[int]:
    """Return how many axes fill records that are shorter by a quarter or more."""
    whole = -(-(dim + _TAIL) // _QUANTUM)
    return [blocks * _QUANTUM - _TAIL for blocks in range(1, 3 * whole // 4 + 1)]

"""Fewer numbers for the walks of a graph: vectors along their principal axes.

A walk needs distances that are about right, since what it finds is measured exactly; and of most
real vectors a few directions hold nearly all that tells them apart. With the mean m of the items
and orthonormal axes A, two vectors are about as far apart as A'(x - m) and A'(y - m). Of inner
products m is not taken off: <q, x> ~ <A'q, A'x> + c, where c is the same for all x.

The axes are those of principal component analysis (Hotelling, 1933), as many as hold the wanted
share of the variance of rows that they were not learned from.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from . import _core
from ._stored_vectors import spaced

__all__ = ["SAMPLED_ROWS", "PrincipalAxes"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

_SHARE = 0.92  # of the variance that the axes hold
_LEAST_SHARE = 0.85  # that they may come to hold of rows which are added
_TRUSTED_SHARE = 0.8  # of what sets a query apart, where distances along the axes are about right
SAMPLED_ROWS = 4096  # half of them to learn from, half to judge by
_LEAST_ROWS = 2000
_GRID = 2.0**-14  # of the numbers of axes that no last bits of a library may change
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
    def learned(cls, vectors: Floats, *, centred: bool, rounded: bool = True) -> PrincipalAxes:
        """Return the axes of items, shape (n, dim), or none where they do not pay.

        If not `centred`, the mean that is taken off is zero. Axes that are not `rounded` are
        orthonormal to the last places, which depend on the linear algebra library.
        """
        if len(vectors) < _LEAST_ROWS:
            return cls.none()
        sample = spaced(vectors, SAMPLED_ROWS)
        rows, others = sample[::2].astype(np.float64), sample[1::2].astype(np.float64)
        mean = rows.mean(axis=0).astype(np.float32)
        rows -= mean
        others -= mean
        widths = _widths(min(len(rows), rows.shape[1]), rows.shape[1])
        if not widths:
            return cls.none()
        axes = _leading(rows, widths[-1])
        held = np.cumsum(((others @ axes) ** 2).sum(axis=0))
        wanted = _SHARE * (others**2).sum()
        kept = next((width for width in widths if held[width - 1] >= wanted > 0), 0)
        if not kept:
            return cls.none()
        axes = axes[:, :kept]
        if rounded:
            axes = np.rint(axes / _GRID) * _GRID
        return cls(mean if centred else np.zeros_like(mean), np.ascontiguousarray(axes, np.float32))

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
        part = spaced(added, SAMPLED_ROWS).astype(np.float64)
        apart = part - part.mean(axis=0)
        held = (apart @ self.axes) ** 2
        return bool(held.sum() >= _LEAST_SHARE * (apart**2).sum())

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


def _widths(rank: int, dim: int) -> list[int]:
    """Return how many axes fill records that are shorter by a quarter or more."""
    whole = -(-(dim + _TAIL) // _QUANTUM)
    widths = [blocks * _QUANTUM - _TAIL for blocks in range(1, 3 * whole // 4 + 1)]
    return [width for width in widths if width <= rank]


def _leading(rows: Doubles, count: int) -> Doubles:
    """Return the first principal axes of centred rows, shape (dim, count)."""
    largest = np.abs(rows).max(initial=0.0)
    if largest > 0.0:
        rows = rows / largest
    if len(rows) < rows.shape[1]:  # those of the smaller matrix of products give the others
        _, left = np.linalg.eigh(rows @ rows.T)
        axes: Doubles = rows.T @ left[:, : -count - 1 : -1]
        lengths = np.sqrt((axes**2).sum(axis=0))
        axes /= np.where(lengths > 0, lengths, 1)
    else:
        _, axes = np.linalg.eigh(rows.T @ rows)
        axes = axes[:, : -count - 1 : -1].copy()
    ends = axes[np.abs(axes).argmax(axis=0), np.arange(count)]
    axes *= np.where(ends < 0, -1.0, 1.0)
    return axes

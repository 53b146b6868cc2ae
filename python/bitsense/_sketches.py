"""Sketches of the first rows: bytes along principal axes that bound scores.

A structure as those of `_structures`. Answers are what they are without it; most rows are passed
over by what their sketches say (search/sketches.hpp in the engine).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from . import _core
from ._principal_axes import SAMPLED_ROWS, PrincipalAxes
from ._stored_vectors import StoredVectors

__all__ = ["Sketches"]

Floats = npt.NDArray[np.float32]
Packed = npt.NDArray[np.uint8]

_TILE = 64  # rows
_TERMS = 5  # numbers of a row beside its bytes
_AXES_ERROR = 1e-4  # that the engine allows for


class Sketches(NamedTuple):
    """Sketches of the first rows; of none of them where axes do not pay."""

    mean: Floats
    axes: Floats
    bytes: Packed
    terms: Floats
    covered: npt.NDArray[np.int64]

    @property
    def rows(self) -> int:
        """How many rows have been looked at."""
        return int(self.covered[0])

    @property
    def principal(self) -> PrincipalAxes:
        """The axes along which rows are sketched."""
        return PrincipalAxes(self.mean, self.axes)

    @classmethod
    def built(
        cls, stored: StoredVectors, metric: _core.Metric, old: Sketches | None, threads: int
    ) -> Sketches:
        """Return the sketches of vectors, with the axes of old ones where those still do."""
        rows = len(stored.data)
        if old is not None:
            added = stored.part(old.rows).spaced(SAMPLED_ROWS).compared(metric)
            if not old.principal.suit(old.rows, added):
                old = None
        principal = _learned(stored, metric, threads) if old is None else old.principal
        tiles = -(-rows // _TILE) if principal.kept else 0
        made = np.zeros((tiles, _TILE * principal.kept), np.uint8)
        terms = np.zeros((tiles, _TERMS, _TILE), np.float32)
        if old is not None:
            made[: len(old.bytes)] = old.bytes
            terms[: len(old.terms)] = old.terms
        if principal.kept:
            first = 0 if old is None else old.rows
            _core.sketch_rows(*stored, metric, *principal, first, made, terms, threads)
        return cls(*principal, made, terms, np.array([rows]))

    def check(self, stored: StoredVectors, metric: _core.Metric, threads: int) -> None:
        """Raise ValueError unless these are sketches of vectors."""
        self.principal.check(stored.dim)
        if self.covered.shape != (1,) or not 0 <= self.rows <= len(stored.data):
            raise ValueError("sketches must say how many rows they are of")
        if not self.principal.kept:
            if self.bytes.size or self.terms.size:
                raise ValueError("sketches must have axes")
            return
        if not _orthonormal(self.axes):
            raise ValueError("the axes must be orthonormal")
        right, terms = np.zeros_like(self.bytes), np.zeros_like(self.terms)
        part = stored.part(0, self.rows)
        _core.sketch_rows(*part, metric, *self.principal, 0, right, terms, threads)
        if not np.array_equal(right, self.bytes) or not np.array_equal(terms, self.terms):
            raise ValueError("the sketches must be those of the vectors")

    def arguments(self) -> _core._SketchArrays | None:
        """Return these as the searches of the engine take them."""
        if not self.principal.kept:
            return None
        return (self.mean, self.axes, self.bytes, self.terms, self.rows)


def _learned(stored: StoredVectors, metric: _core.Metric, threads: int) -> PrincipalAxes:
    """Return the axes of vectors, or none."""
    sample = stored.spaced(SAMPLED_ROWS).compared(metric)
    centred = metric != _core.Metric.ip
    made = PrincipalAxes.learned(sample, centred=centred, threads=threads)
    if made.kept and not centred:  # the mean is not taken off: one axis is for the rest of it
        rest = mean = sample.astype(np.float64).mean(axis=0)
        axes = made.axes.astype(np.float64)[:, :-1]
        for _ in range(2):  # without BLAS, so that machines agree
            rest = rest - (axes * (axes * rest[:, None]).sum(axis=0)).sum(axis=1)
        length = np.sqrt((rest**2).sum())
        if length > 1e-6 * np.sqrt((mean**2).sum()):
            made.axes[:, -1] = rest / length
    return made if not made.kept or _orthonormal(made.axes) else PrincipalAxes.none()


def _orthonormal(axes: Floats) -> bool:
    exact = axes.astype(np.float64)
    return bool(np.linalg.norm(exact.T @ exact - np.eye(axes.shape[1])) <= _AXES_ERROR)

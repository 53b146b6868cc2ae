"""Real vectors as an index keeps them: rows padded for the engine, and what belongs to each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _core
from .errors import FormatError

__all__ = ["DTYPES", "StoredVectors", "check_columns", "columns_of", "spaced", "unit"]

Floats = npt.NDArray[np.float32]
Columns = Mapping[str, npt.NDArray[Any]]

DTYPES = ("float32", "float16", "int8")
_QUANTUM = 16  # numbers that a row is padded to


class StoredVectors(NamedTuple):
    """Rows as the engine takes them: its functions begin with these four."""

    data: npt.NDArray[Any]
    """In one of the dtypes, padded with zeros."""
    dim: int
    """How many numbers of a row count."""
    scales: Floats | None
    """For int8: what the numbers of each row are multiplied by."""
    squares: Floats
    """The squared lengths."""

    @classmethod
    def of(cls, columns: Columns, dim: int) -> StoredVectors:
        """Return what the columns of `columns_of` hold."""
        return cls(columns["vectors"], dim, columns.get("scales"), columns["squares"])

    def part(self, first: int, last: int | None = None) -> StoredVectors:
        """Return the rows from `first` to `last`. Views."""
        rows = slice(first, last)
        scales = None if self.scales is None else self.scales[rows]
        return StoredVectors(self.data[rows], self.dim, scales, self.squares[rows])

    def spaced(self, count: int) -> StoredVectors:
        """Return so many rows, or all if there are fewer, evenly spaced. Copies."""
        scales = None if self.scales is None else spaced(self.scales, count)
        return StoredVectors(
            spaced(self.data, count), self.dim, scales, spaced(self.squares, count)
        )

    def compared(self, metric: _core.Metric) -> Floats:
        """Return vectors whose distances, or under "ip" products, order as the metric."""
        return unit(self.values()) if metric == _core.Metric.cosine else self.values()

    def values(self) -> Floats:
        """Return the numbers as float32, shape (rows, dim). A copy."""
        values = self.data[:, : self.dim].astype(np.float32)
        if self.scales is not None:
            values *= self.scales[:, None]
        return values


def spaced(rows: npt.NDArray[Any], count: int) -> npt.NDArray[Any]:
    """Return so many rows, or all if there are fewer, evenly spaced. A copy."""
    count = min(count, len(rows))
    return rows[np.arange(count) * len(rows) // max(count, 1)]


def unit(values: Floats) -> Floats:
    """Return rows of length 1; those of length 0 stay."""
    lengths = np.sqrt((values.astype(np.float64) ** 2).sum(axis=1, keepdims=True))
    return np.ascontiguousarray(values / np.where(lengths > 0, lengths, 1), np.float32)


def columns_of(name: str, given: Floats, dtype: str, threads: int) -> dict[str, npt.NDArray[Any]]:
    """Return the columns `vectors`, `squares` and, for int8, `scales` of checked vectors.

    Raises
    ------
    ValueError
        If a number is too large for the dtype, or a squared length for float32; it says `name`.
    """
    columns: dict[str, npt.NDArray[Any]] = {}
    if dtype == "float16":
        with np.errstate(over="ignore"):
            stored: npt.NDArray[Any] = given.astype(np.float16)
        if not np.isfinite(stored).all():
            row = int(np.flatnonzero(~np.isfinite(stored).all(axis=1))[0])
            raise ValueError(f"`{name}` must be finite in float16, row {row} is not")
    elif dtype == "int8":
        largest = np.abs(given).max(axis=1, initial=0.0)
        scales = (largest / np.float32(127)).astype(np.float32)
        divisors = np.where(scales > 0, scales, np.float32(1))
        stored = np.rint(given / divisors[:, None]).clip(-127, 127).astype(np.int8)
        columns["scales"] = scales
    else:
        stored = given
    columns["vectors"] = _padded(stored)
    columns["squares"] = _squares(columns, given.shape[1], threads)
    if not np.isfinite(columns["squares"]).all():
        raise ValueError(f"`{name}` must have lengths whose squares fit float32")
    return columns


def check_columns(columns: Columns, dim: int, threads: int) -> None:
    """Raise FormatError unless a file's columns are such as `columns_of` makes."""
    squares = columns["squares"]
    with np.errstate(all="ignore"):
        right = _squares(columns, dim, threads)
    if not np.isfinite(squares).all() or not np.array_equal(right, squares):
        raise FormatError("corrupt: 'squares' must be the squared lengths of the vectors")
    if columns["vectors"][:, dim:].any():
        raise FormatError(f"corrupt: 'vectors' must be zero from column {dim} on")


def _padded(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return rows of a multiple of the numbers that the engine reads at once."""
    dim = rows.shape[1]
    stride = -(-dim // _QUANTUM) * _QUANTUM
    if dim == stride:
        return rows
    padded = np.zeros((len(rows), stride), rows.dtype)
    padded[:, :dim] = rows
    return padded


def _squares(columns: Columns, dim: int, threads: int) -> Floats:
    return _core.squared_lengths(columns["vectors"], dim, columns.get("scales"), threads)

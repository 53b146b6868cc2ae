"""Arrays that begin with a cache line, so that rows of 32 or 64 bytes do not lie in two."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["aligned", "aligned_empty"]

Rows = npt.NDArray[Any]

_LINE = 64  # bytes


def aligned_empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Rows:
    """Return an array of any values that begins with a cache line; one of objects need not."""
    kind = np.dtype(dtype)
    if kind.hasobject:
        return np.empty(shape, kind)
    size = prod(shape) * kind.itemsize
    memory = np.empty(size + _LINE, np.uint8)
    first = -memory.ctypes.data % _LINE
    return memory[first : first + size].view(kind).reshape(shape)


def aligned(rows: Rows) -> Rows:
    """Return the array itself if it begins with a cache line, or else a copy that does."""
    if rows.ctypes.data % _LINE == 0:
        return rows
    copy = aligned_empty(rows.shape, rows.dtype)
    copy[...] = rows
    return copy

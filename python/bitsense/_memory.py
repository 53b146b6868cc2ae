"""Arrays that begin with a cache line, so that rows of 32 or 64 bytes do not lie in two."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["aligned", "aligned_empty", "joined"]

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


def joined(parts: Sequence[Rows]) -> Rows:
    """Return the rows of at least one array, behind each other; of one alone itself."""
    if len(parts) == 1:
        return parts[0]
    rows = aligned_empty((sum(map(len, parts)), *parts[0].shape[1:]), parts[0].dtype)
    return np.concatenate(parts, out=rows)

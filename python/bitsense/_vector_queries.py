"""What callers pass to `WordVectors`, as arrays: matrices, queries, candidates."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ._check import check_count, check_vectors
from ._vector_search import Candidates, Floats, Integers, unit_rows

if TYPE_CHECKING:
    from .vectors import WordVectors

__all__ = [
    "Filter",
    "Restriction",
    "candidates_of",
    "check_counts",
    "check_matrix",
    "check_rows",
    "direction",
    "many_rows",
    "weighted",
]

Parts = list[tuple[Any, float]]
Restriction = int | Iterable[str] | None
Filter = Callable[[str], bool] | npt.NDArray[np.bool_] | None

_NOTHING: Integers = np.empty(0, dtype=np.int64)


def check_matrix(name: str, vectors: npt.ArrayLike, rows: int) -> Floats:
    """Return a read-only float32 matrix, without a copy where its rows are contiguous already."""
    array = np.asarray(vectors)
    if array.ndim == 2 and array.shape[0] != rows:
        raise ValueError(f"`{name}` must have {rows} rows, one for each key, got {len(array)}")
    if array.ndim == 2 and array.shape[1] < 1:
        raise ValueError(f"`{name}` must have at least 1 column, got 0")
    usable = (
        array.ndim == 2
        and array.dtype == np.float32
        and array.dtype.isnative
        and array.flags.aligned
        and (array.strides[1] == 4 or array.shape[1] == 1)
    )
    if usable:
        for start in range(0, rows, 4096):
            check_vectors(name, array[start : start + 4096])
        view: Floats = array.view()
    else:
        view = check_vectors(name, array).view()
    view.flags.writeable = False
    return view


def check_counts(name: str, counts: npt.ArrayLike, n: int) -> npt.NDArray[np.uint64]:
    """Return counts as a read-only uint64 array, one for each of n keys."""
    array = np.asarray(counts)
    if array.dtype.kind not in "iu":
        raise TypeError(f"`{name}` must be integers, got dtype {array.dtype}")
    if array.shape != (n,):
        raise ValueError(f"`{name}` must have the shape ({n},), got {array.shape}")
    if array.dtype.kind == "i" and (array < 0).any():
        raise ValueError(f"`{name}` must not be negative, got {array.min()}")
    view: npt.NDArray[np.uint64] = array.astype(np.uint64, copy=False).view()
    view.flags.writeable = False
    return view


def check_rows(name: str, rows: npt.NDArray[Any], n: int) -> Integers:
    """Return row numbers as int64 within [0, n)."""
    wrong = rows[(rows < 0) | (rows >= n)]
    if wrong.size:
        raise IndexError(f"`{name}` must be rows from 0 to {n - 1}, got {wrong[0]}")
    return rows.astype(np.int64)


def weighted(parts: Any, sign: float) -> Parts:
    """Return keys and vectors with their weights, as `most_similar` takes them."""
    if parts is None:
        return []
    if isinstance(parts, str) or (isinstance(parts, np.ndarray) and parts.ndim == 1):
        parts = [parts]
    result: Parts = []
    for part in parts:
        weight: Any = 1.0
        if isinstance(part, tuple) and len(part) == 2 and isinstance(part[0], (str, np.ndarray)):
            part, weight = part
        if not isinstance(weight, numbers.Real) or not np.isfinite(float(weight)):
            raise ValueError(f"the weight of {part!r} must be a finite number, got {weight!r}")
        result.append((part, sign * float(weight)))
    return result


def direction(wv: WordVectors, parts: Parts) -> tuple[Floats, Integers]:
    """Return the unit vector of a weighted sum, and the rows of the keys in it."""
    if not parts:
        raise ValueError("`positive` and `negative` must name at least one key or vector")
    own = []
    total = np.zeros(wv.dim, dtype=np.float64)
    for part, weight in parts:
        if isinstance(part, str):
            row = wv._index.get(part)
            unit = unit_rows(wv[part][None])[0] if row is None else wv.unit_vectors[row]
            if row is not None:
                own.append(row)
        else:
            unit = unit_rows(check_vectors("positive", np.atleast_2d(part), dim=wv.dim))[0]
        if len(parts) == 1 and weight > 0:
            return unit, np.array(own, dtype=np.int64)
        total += weight * unit.astype(np.float64)
    length = np.sqrt((total * total).sum())
    unit = (total / length if length else total).astype(np.float32)
    return unit, np.array(own, dtype=np.int64)


def many_rows(wv: WordVectors, queries: Any) -> tuple[Floats, list[Integers]]:
    """Return the unit vectors of keys, rows or vectors, and the row that each one is."""
    if isinstance(queries, str):
        raise TypeError(f"`queries` must be a list of keys, got one string: {queries!r}")
    if isinstance(queries, np.ndarray) and queries.dtype.kind in "iu" and queries.ndim == 1:
        rows = check_rows("queries", queries, len(wv))
        return wv.unit_vectors[rows], list(rows[:, None])
    if isinstance(queries, np.ndarray) and queries.dtype.kind == "f":
        vectors = check_vectors("queries", np.atleast_2d(queries), dim=wv.dim)
        return unit_rows(vectors), [_NOTHING] * len(vectors)
    keys = list(queries)
    if keys and not all(isinstance(key, str) for key in keys):
        return many_rows(wv, np.asarray(keys, dtype=np.float32))
    rows = np.array([wv._index.get(key, -1) for key in keys], dtype=np.int64)
    known = rows >= 0
    units = np.empty((len(keys), wv.dim), dtype=np.float32)
    units[known] = wv.unit_vectors[rows[known]]
    if not known.all():
        units[~known] = unit_rows(wv[[keys[place] for place in np.flatnonzero(~known)]])
    return units, [row[row >= 0] for row in rows[:, None]]


def candidates_of(
    wv: WordVectors, restrict_to: Any, exclude: Iterable[str] | None, filter: Any
) -> Candidates:
    """Return the rows that pass all of `restrict_to`, `exclude` and `filter`."""
    first = len(wv)
    chosen: npt.NDArray[np.bool_] | None = None
    if isinstance(restrict_to, (int, np.integer)):
        first = min(first, check_count("restrict_to", restrict_to))
    elif restrict_to is not None:
        if isinstance(restrict_to, str):
            raise TypeError(f"`restrict_to` must be a number or keys, got {restrict_to!r}")
        chosen = np.zeros(len(wv), dtype=np.bool_)
        chosen[[wv.row(key) for key in restrict_to]] = True
    if filter is not None:
        passed = _passed(wv, filter)
        chosen = passed if chosen is None else chosen & passed
    if exclude is not None:
        if isinstance(exclude, str):
            raise TypeError(f"`exclude` must be keys, got one string: {exclude!r}")
        chosen = np.ones(len(wv), dtype=np.bool_) if chosen is None else chosen.copy()
        chosen[[wv._index[key] for key in exclude if key in wv._index]] = False
    return Candidates(wv.unit_vectors, first, chosen)


def _passed(wv: WordVectors, filter: Any) -> npt.NDArray[np.bool_]:
    if callable(filter):
        return np.fromiter((bool(filter(key)) for key in wv), dtype=np.bool_, count=len(wv))
    mask = np.asarray(filter)
    if mask.dtype != np.bool_:
        raise TypeError(f"`filter` must be a callable or a bool array, got dtype {mask.dtype}")
    if mask.shape != (len(wv),):
        raise ValueError(f"`filter` must have the shape ({len(wv)},), got {mask.shape}")
    return mask

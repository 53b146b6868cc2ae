"""Checks of arguments: one function per kind; each error names the argument and what it got."""

from __future__ import annotations

import numbers
import operator
import os
from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from ._cpu_limits import available_cpus

__all__ = [
    "MAX_BITS",
    "check_bool",
    "check_codes",
    "check_count",
    "check_float",
    "check_option",
    "check_seed",
    "check_threads",
    "check_vectors",
]

MAX_BITS = 65535  # of a code: distances are counted in 16 bits


def check_bool(name: str, value: Any) -> bool:
    """Return `value` if it is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"`{name}` must be True or False, got {value!r}")
    return bool(value)


def check_count(name: str, value: Any, *, least: int = 1, most: int | None = None) -> int:
    """Return `value` as an int within [least, most]."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"`{name}` must be an integer, got {value!r}") from None
    if number < least:
        raise ValueError(f"`{name}` must be at least {least}, got {number}")
    if most is not None and number > most:
        raise ValueError(f"`{name}` must be at most {most}, got {number}")
    return number


def check_float(
    name: str, value: Any, *, least: float = 0.0, most: float = np.inf, open_below: bool = False
) -> float:
    """Return `value` as a finite float within [least, most], or (least, most]."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise TypeError(f"`{name}` must be a number, got {value!r}")
    try:
        number = float(value)
    except OverflowError:  # an int of hundreds of digits
        number = np.inf
    if not np.isfinite(number):
        raise ValueError(f"`{name}` must be finite, got {value!r}")
    if number < least or (open_below and number == least):
        bound = "more than" if open_below else "at least"
        raise ValueError(f"`{name}` must be {bound} {least:g}, got {value!r}")
    if number > most:
        raise ValueError(f"`{name}` must be at most {most:g}, got {value!r}")
    return number


def check_option(name: str, value: Any, options: Collection[str]) -> str:
    """Return `value` if it is one of the option names."""
    if not isinstance(value, str) or value not in options:
        names = ", ".join(repr(option) for option in options)
        raise ValueError(f"`{name}` must be one of {names}, got {value!r}")
    return value


def check_seed(seed: Any) -> int:
    """Return a seed as an int within [0, 2^64 - 1]."""
    return check_count("seed", seed, least=0, most=2**64 - 1)


def check_threads(threads: Any) -> int:
    """Return a thread count; None means BITSENSE_THREADS if set, else every available processor."""
    if threads is None:
        variable = os.environ.get("BITSENSE_THREADS", "")
        if not variable:
            return available_cpus()
        try:
            threads = int(variable)
        except ValueError:
            raise ValueError(f"BITSENSE_THREADS must be an integer, got {variable!r}") from None
        return check_count("BITSENSE_THREADS", threads, most=1024)
    return check_count("threads", threads, most=1024)


def check_vectors(name: str, vectors: Any, *, dim: int | None = None) -> npt.NDArray[np.float32]:
    """Return `vectors` as a finite C-contiguous float32 matrix, shape (n, dim)."""
    array = np.asarray(vectors)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"`{name}` must be a matrix of real numbers, got dtype {array.dtype}")
    if array.ndim != 2:
        raise ValueError(f"`{name}` must have 2 dimensions, got {array.ndim}")
    if dim is not None and array.shape[1] != dim:
        raise ValueError(f"`{name}` must have {dim} columns, got {array.shape[1]}")
    with np.errstate(over="ignore"):  # what float32 cannot hold is refused below
        array = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
        raise ValueError(f"`{name}` must be finite in float32, row {row} is not")
    return array


def check_codes(name: str, codes: Any, bits: int) -> npt.NDArray[np.uint8]:
    """Return packed codes as a C-contiguous uint8 matrix, shape (n, ceil(bits / 8)).

    Anything but uint8 is refused: a cast and a reinterpretation would both make sense.
    """
    array = np.asarray(codes)
    if array.dtype != np.uint8:
        raise TypeError(f"`{name}` must be packed codes of dtype uint8, got dtype {array.dtype}")
    if array.ndim != 2:
        raise ValueError(f"`{name}` must have 2 dimensions, got {array.ndim}")
    width = (bits + 7) // 8
    if array.shape[1] != width:
        raise ValueError(
            f"`{name}` must have {width} bytes per row for {bits} bits, got {array.shape[1]}"
        )
    array = np.ascontiguousarray(array)
    padding = width * 8 - bits
    if padding and array.size and (array[:, -1] & ((1 << padding) - 1)).any():
        raise ValueError(f"`{name}` must have zero padding bits after bit {bits}")
    return array

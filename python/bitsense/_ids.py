"""Ids of items: what they may be, and how a file holds them.

A header names their kind: "none", "int" (an int64 array `ids`) or "str" (the arrays `ids` and
`ids_ends` of strings).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ._header import pack_strings, require_array, require_field, unpack_strings
from .errors import FormatError

__all__ = ["check_ids", "pack_ids", "unpack_ids"]

Ids = npt.NDArray[Any]
Arrays = Mapping[str, npt.NDArray[Any]]


def check_ids(ids: Any, rows: int) -> Ids:
    """Return ids as int64, or as objects of type str; distinct, one per row."""
    values = list(ids.tolist() if isinstance(ids, np.ndarray) else ids)
    if len(values) != rows:
        raise ValueError(f"`ids` must have {rows} items, got {len(values)}")
    if len(set(values)) != rows:
        twice = Counter(values).most_common(1)[0][0]
        raise ValueError(f"`ids` must be distinct, got {twice!r} twice")
    if all(isinstance(value, str) for value in values) and rows:
        return np.array(values, dtype=object)
    if all(
        isinstance(value, (int, np.integer)) and not isinstance(value, bool) for value in values
    ):
        try:
            return np.array(values, dtype=np.int64)
        except OverflowError:
            raise ValueError("`ids` must fit 64 bits with sign") from None
    kinds = ", ".join(sorted({type(value).__name__ for value in values}))
    raise TypeError(f"`ids` must be all int or all str, got {kinds}")


def pack_ids(ids: Ids | None) -> tuple[str, dict[str, npt.NDArray[Any]]]:
    """Return the kind of checked ids, and the arrays that a file keeps of them."""
    if ids is None:
        return "none", {}
    if ids.dtype == np.int64:
        return "int", {"ids": ids}
    return "str", pack_strings("ids", ids)


def unpack_ids(header: Mapping[str, Any], arrays: Arrays, rows: int) -> Ids | None:
    """Return the ids of a file: int64, or objects of type str; None where it has none.

    Whether they are distinct, and whether there are as many strings as rows, is left to the caller.
    """
    kind = require_field(header, "ids", str)
    if kind == "none":
        return None
    if kind == "int":
        return require_array(arrays, "ids", "int64", rows)
    if kind == "str":
        return np.array(unpack_strings(arrays, "ids"), dtype=object)
    raise FormatError(f"corrupt: 'ids' must be none, int or str, got {kind!r}")

"""`Attributes` as a header and arrays, for whatever file they are part of.

Column i has the array ``attributes_{i}``: its values, for strings their codes, for tags the offsets
of its rows in ``attributes_{i}_codes``. Strings of a dictionary are packed as
``attributes_{i}_names``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ._column_values import KINDS
from ._columns import BoolColumn, Column, FloatColumn, IntColumn
from ._header import pack_strings, require_array, require_field, unpack_strings
from ._string_columns import StringColumn, TagColumn
from .errors import FormatError

__all__ = ["columns_from_state", "columns_state", "empty_column"]

AnyArray = npt.NDArray[Any]
_NUMBERS: dict[str, tuple[type[Column], str]] = {
    "int64": (IntColumn, "int64"),
    "float64": (FloatColumn, "float64"),
    "bool": (BoolColumn, "int8"),
}


def empty_column(name: str, kind: str) -> Column:
    """Return a column of a kind without rows."""
    if kind in _NUMBERS:
        column, dtype = _NUMBERS[kind]
        return column(name, np.empty(0, dtype))
    codes = np.empty(0, np.int32)
    return (
        StringColumn(name, codes)
        if kind == "str"
        else TagColumn(name, np.zeros(1, np.int64), codes)
    )


def columns_state(
    columns: Mapping[str, Column], rows: int
) -> tuple[dict[str, Any], dict[str, AnyArray]]:
    """Return the header and the arrays of columns."""
    arrays: dict[str, AnyArray] = {}
    described = []
    for i, (name, column) in enumerate(columns.items()):
        key = f"attributes_{i}"
        described.append({"name": name, "kind": column.kind})
        arrays[key] = column.view(rows + 1 if isinstance(column, TagColumn) else rows)
        if isinstance(column, TagColumn):
            arrays[f"{key}_codes"] = column.codes()[: int(arrays[key][-1])]
        if isinstance(column, (StringColumn, TagColumn)):
            arrays.update(pack_strings(f"{key}_names", column.dictionary.names()))
    return {"rows": rows, "columns": described}, arrays


def columns_from_state(
    header: Mapping[str, Any], arrays: Mapping[str, AnyArray]
) -> tuple[dict[str, Column], int]:
    """Return the columns and the number of rows of a header and arrays, which are checked."""
    rows = require_field(header, "rows", int)
    described = require_field(header, "columns", list)
    if rows < 0 or not described:
        raise FormatError(f"corrupt: attributes have {rows} rows and {len(described)} columns")
    columns: dict[str, Column] = {}
    for i, description in enumerate(described):
        if not isinstance(description, dict):
            raise FormatError(f"corrupt: an attribute is described by {description!r}")
        name = require_field(description, "name", str)
        kind = require_field(description, "kind", str)
        if kind not in KINDS or name in columns:
            raise FormatError(f"corrupt: attribute {name!r} of kind {kind!r} is unknown or twice")
        columns[name] = _column(name, kind, f"attributes_{i}", rows, arrays)
    return columns, rows


def _column(name: str, kind: str, key: str, rows: int, arrays: Mapping[str, AnyArray]) -> Column:
    if kind in _NUMBERS:
        column, dtype = _NUMBERS[kind]
        values = require_array(arrays, key, dtype, rows)
        if kind == "bool" and rows and not -1 <= values.min() <= values.max() <= 1:
            raise FormatError(f"corrupt: attribute {name!r} has a bool that is not -1, 0 or 1")
        return column(name, values)
    names = unpack_strings(arrays, f"{key}_names")
    if len(set(names)) != len(names):
        raise FormatError(f"corrupt: attribute {name!r} has a string twice in its dictionary")
    if kind == "str":
        codes = require_array(arrays, key, "int32", rows)
        _check_codes(name, codes, -1, len(names))
        return StringColumn(name, codes, names)
    offsets = require_array(arrays, key, "int64", rows + 1)
    codes = require_array(arrays, f"{key}_codes", "int32", None)
    _check_codes(name, codes, 0, len(names))
    if offsets[0] != 0 or offsets[-1] != len(codes) or (offsets[1:] < offsets[:-1]).any():
        raise FormatError(f"corrupt: attribute {name!r} has offsets that do not rise to its end")
    ascends = np.append(codes[1:] > codes[:-1], True)
    ascends[offsets[(offsets > 0) & (offsets < len(codes))] - 1] = True  # from one row to the next
    if not ascends.all():
        raise FormatError(f"corrupt: attribute {name!r} has tags out of order")
    return TagColumn(name, offsets, codes, names)


def _check_codes(name: str, codes: AnyArray, least: int, size: int) -> None:
    if len(codes) and not least <= codes.min() <= codes.max() < size:
        raise FormatError(f"corrupt: attribute {name!r} has a code that its dictionary lacks")

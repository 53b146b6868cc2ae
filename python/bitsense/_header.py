"""The JSON line of a file: what is in it, written and read strictly.

A header that was changed by hand and given the right checksums must not do more than a corrupt one,
so everything that is read here is checked, and every mistake is a :class:`FormatError`.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from .errors import FormatError

__all__ = [
    "check_description",
    "check_kind",
    "decode_header",
    "describe",
    "encode_arrays",
    "encode_header",
    "pack_strings",
    "require_array",
    "require_field",
    "unpack_strings",
]

AnyArray = npt.NDArray[Any]

DTYPES = ("uint8", "int8", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")
"""The types of numbers that a file may hold, all little-endian."""

MOST_DIMENSIONS = 8


def check_kind(kind: Any) -> str:
    if not isinstance(kind, str) or not kind:
        raise ValueError(f"`kind` must be a name, got {kind!r}")
    return kind


def encode_header(kind: str, header: Mapping[str, Any], arrays: list[dict[str, Any]]) -> bytes:
    """Return the JSON of a file, after making sure that it reads back as the same values."""
    fields = {
        "kind": check_kind(kind),
        "writer": f"bitsense {_core.__version__}",
        "header": dict(header),
        "arrays": arrays,
    }
    try:
        text = json.dumps(fields, ensure_ascii=False, allow_nan=False)
        encoded = text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"`header` must hold only finite JSON values: {error}") from None
    if json.loads(text) != fields:
        raise ValueError(
            "`header` must hold only JSON values: strings as keys and lists, not tuples"
        )
    return encoded


def describe(name: str, dtype: str, *shape: int) -> dict[str, Any]:
    """Return what a header says of an array."""
    return {"name": name, "dtype": dtype, "shape": list(shape)}


def encode_arrays(
    arrays: Mapping[str, npt.ArrayLike],
) -> tuple[list[dict[str, Any]], list[npt.NDArray[np.uint8]]]:
    """Return the descriptions of the arrays, and their bytes in the order of the file."""
    descriptions: list[dict[str, Any]] = []
    sections: list[npt.NDArray[np.uint8]] = []
    for name, value in arrays.items():
        if not isinstance(name, str) or not name:
            raise ValueError(f"`arrays` must be named by strings, got {name!r}")
        array = np.asarray(value)
        if array.dtype.name not in DTYPES:
            raise TypeError(
                f"array {name!r} must have one of the dtypes {', '.join(DTYPES)}, got {array.dtype}"
            )
        if array.ndim > MOST_DIMENSIONS:
            raise ValueError(
                f"array {name!r} must have at most {MOST_DIMENSIONS} dimensions, got {array.ndim}"
            )
        descriptions.append(describe(name, array.dtype.name, *array.shape))
        little = array.dtype.newbyteorder("<")
        flat = np.ascontiguousarray(array, dtype=little).reshape(-1)
        sections.append(flat.view(np.uint8))
    return descriptions, sections


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key occurs twice")
    return fields


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits} is not finite")
    return value


def _not_json(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def decode_header(encoded: bytes) -> dict[str, Any]:
    """Return the JSON of a file; more is refused here than the json module does by itself."""
    try:
        text = encoded.decode("utf-8")
        fields = json.loads(
            text, object_pairs_hook=_unique, parse_float=_finite, parse_constant=_not_json
        )
        json.dumps(fields, ensure_ascii=False).encode("utf-8")  # refuses half of a surrogate pair
    except (ValueError, RecursionError) as error:
        raise FormatError(f"corrupt: the header is not valid JSON: {error}") from None
    if not isinstance(fields, dict) or set(fields) != {"kind", "writer", "header", "arrays"}:
        raise FormatError("corrupt: the header must have the keys kind, writer, header and arrays")
    for key, wanted in (("kind", str), ("writer", str), ("header", dict), ("arrays", list)):
        if not isinstance(fields[key], wanted):
            raise FormatError(f"corrupt: `{key}` of the header has the wrong type")
    return fields


def check_description(description: Any, size: int) -> tuple[str, np.dtype[Any], list[int]]:
    """Return name, dtype and shape of an array that must fill `size` bytes."""
    if not isinstance(description, dict) or set(description) != {"name", "dtype", "shape"}:
        raise FormatError("corrupt: an array must have the keys name, dtype and shape")
    name, dtype, shape = description["name"], description["dtype"], description["shape"]
    if not isinstance(name, str) or not name:
        raise FormatError(f"corrupt: an array has the name {name!r}")
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise FormatError(f"corrupt: array {name!r} has the dtype {dtype!r}")
    if (
        not isinstance(shape, list)
        or len(shape) > MOST_DIMENSIONS
        or not all(type(length) is int and 0 <= length < 2**62 for length in shape)
        or math.prod(max(length, 1) for length in shape) >= 2**59
    ):
        raise FormatError(f"corrupt: array {name!r} has the shape {shape!r}")
    element = np.dtype(dtype).newbyteorder("<")
    if math.prod(shape) * element.itemsize != size:
        raise FormatError(
            f"corrupt: array {name!r} of {dtype} and shape {shape} cannot fill {size} bytes"
        )
    return name, element, shape


def require_array(
    arrays: Mapping[str, AnyArray], name: str, dtype: str, *shape: int | None
) -> AnyArray:
    """Return an array of a file if it is there with this dtype and shape.

    A length of None stands for any.

    Raises
    ------
    FormatError
        If the array is absent or different.
    """
    array = arrays.get(name)
    if array is None:
        raise FormatError(f"corrupt: array {name!r} is missing")
    if array.dtype != np.dtype(dtype):
        raise FormatError(f"corrupt: array {name!r} must be of {dtype}, got {array.dtype}")
    fits = len(shape) == array.ndim and all(
        wanted is None or wanted == got for wanted, got in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted_shape = ", ".join("any" if length is None else str(length) for length in shape)
        got_shape = ", ".join(map(str, array.shape))
        raise FormatError(
            f"corrupt: array {name!r} must have the shape ({wanted_shape}), got ({got_shape})"
        )
    return array


def require_field(header: Mapping[str, Any], name: str, kind: type | tuple[type, ...]) -> Any:
    """Return a value of a header if it is there with this type; a bool is never an int here.

    Raises
    ------
    FormatError
        If the value is absent or of another type.
    """
    if name not in header:
        raise FormatError(f"corrupt: {name!r} is missing from the header")
    value = header[name]
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        names = " or ".join(each.__name__ for each in kinds)
        raise FormatError(f"corrupt: {name!r} of the header must be {names}, got {value!r}")
    return value


def pack_strings(name: str, strings: Iterable[str]) -> dict[str, AnyArray]:
    """Return two arrays that hold strings: their UTF-8 as `name`, and `name` + "_ends".

    ``ends[i]`` is where string i ends among the bytes; string 0 starts at 0.
    """
    encoded = [string.encode("utf-8") for string in strings]
    ends = np.cumsum([len(each) for each in encoded], dtype=np.uint64)
    return {
        name: np.frombuffer(b"".join(encoded), dtype=np.uint8),
        f"{name}_ends": ends,
    }


def unpack_strings(arrays: Mapping[str, AnyArray], name: str) -> list[str]:
    """Return the strings that `pack_strings` packed.

    Raises
    ------
    FormatError
        If they are absent, not valid UTF-8, or do not fill their bytes exactly.
    """
    data = require_array(arrays, name, "uint8", None)
    ends = require_array(arrays, f"{name}_ends", "uint64", None)
    starts = np.concatenate([np.zeros(1, dtype=np.uint64), ends])
    if (starts[1:] < starts[:-1]).any() or int(starts[-1]) != data.size:
        raise FormatError(f"corrupt: the strings of {name!r} do not fill their bytes")
    encoded = data.tobytes()
    try:
        bounds = starts.tolist()
        return [encoded[begin:end].decode("utf-8") for begin, end in itertools.pairwise(bounds)]
    except UnicodeDecodeError as error:
        raise FormatError(f"corrupt: the strings of {name!r} are not UTF-8: {error}") from None

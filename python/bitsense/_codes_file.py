"""Codes as a file: the packed matrix, its bit length and its ids.

The header of kind "codes" has `bits` and `ids` ("none", "int" or "str"); the arrays are `codes`,
and `ids` (int64), or `ids` and `ids_ends` (strings). docs/formats.md has the code contract.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from . import files
from ._ids import pack_ids, unpack_ids
from .errors import FormatError

if TYPE_CHECKING:
    from .codes import Codes

__all__ = ["codes_bytes", "load_codes", "save_codes"]


def _parts(codes: Codes) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    kind, names = pack_ids(codes.ids)
    return {"bits": codes.bits, "ids": kind}, {"codes": codes.data, **names}


def save_codes(codes: Codes, path: files.Path) -> None:
    """Save codes as one file; an old file there is replaced at once or not at all."""
    files.write_file(path, "codes", *_parts(codes))


def codes_bytes(codes: Codes) -> bytes:
    """Return the bytes of the file that `save_codes` would write."""
    return files.write_bytes("codes", *_parts(codes))


def load_codes(path: files.Path) -> Codes:
    """Load codes that `save_codes` wrote; the matrix is a view of the mapped file.

    Raises
    ------
    FormatError
        If the file is corrupt, cut, newer, or holds something else than codes.
    """
    from .codes import Codes

    loaded = files.load(path)
    if not isinstance(loaded, Codes):
        raise FormatError(f"{path}: holds a {type(loaded).__name__}, not Codes")
    return loaded


def _from_parts(header: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> Codes:
    from .codes import Codes

    bits = files.require_field(header, "bits", int)
    if bits < 1:
        raise FormatError(f"corrupt: 'bits' must be at least 1, got {bits}")
    data = files.require_array(arrays, "codes", "uint8", None, (bits + 7) // 8)
    ids = unpack_ids(header, arrays, len(data))
    try:
        return Codes(data, bits, ids)
    except (TypeError, ValueError) as error:
        raise FormatError(f"corrupt: {error}") from None


files.register("codes", _from_parts)

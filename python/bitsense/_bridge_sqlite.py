"""SQLite: rows for the extension sqlite-vec, and a Hamming distance that needs no extension."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ._check import check_count
from ._ids import check_ids
from .codes import Codes, as_codes
from .errors import FormatError

__all__ = ["read_sqlite_vec", "register_hamming", "sqlite_vec_rows"]


def register_hamming(connection: Any, name: str = "hamming") -> None:
    """Give a connection the SQL function ``hamming(a, b)``: the number of bits that differ.

    Its arguments are two BLOBs of equal length, of whatever order of bits, such as
    ``codes.data[row].tobytes()``; the answer is NULL where one is NULL. Anything else is an error
    of the SQL statement.

    Parameters
    ----------
    connection : sqlite3.Connection, or apsw.Connection
    name : str, default "hamming"
        What the function is called.

    Raises
    ------
    TypeError
        If `connection` is neither.

    Examples
    --------
    >>> import sqlite3
    >>> connection = sqlite3.connect(":memory:")
    >>> register_hamming(connection)
    >>> connection.execute("SELECT hamming(x'ff00', x'0f01')").fetchone()
    (5,)
    >>> connection.close()
    """
    if hasattr(connection, "create_scalar_function"):  # apsw
        connection.create_scalar_function(name, _hamming, 2, deterministic=True)
    elif hasattr(connection, "create_function"):
        connection.create_function(name, 2, _hamming, deterministic=True)
    else:
        raise TypeError(
            f"`connection` must be one of sqlite3 or apsw, got {type(connection).__name__}"
        )


def _hamming(a: Any, b: Any) -> int | None:
    if a is None or b is None:
        return None
    for value in (a, b):
        if not isinstance(value, bytes):
            raise TypeError(f"hamming() takes two BLOBs, got {type(value).__name__}")
    if len(a) != len(b):
        raise ValueError(f"hamming() takes BLOBs of equal length, got {len(a)} and {len(b)} bytes")
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).bit_count()


def sqlite_vec_rows(
    codes: Any, *, ids: Any = None, bits: int | None = None
) -> Iterator[tuple[Any, bytes]]:
    """Return rows (id, code) for a table of sqlite-vec with a column ``bit[bits]``.

    They are for ``INSERT INTO t(id, code) VALUES (?, vec_bit(?))``, and a single one for a query.
    The least significant bit of a byte comes first, so that codes meet those of sqlite-vec's own
    ``vec_quantize_binary``.

    Parameters
    ----------
    codes : Codes, or uint8, shape (n, ceil(bits / 8))
        The number of bits must be a multiple of 8, which sqlite-vec asks for.
    ids : sequence of n distinct int or str, optional
        By default those of the codes, or else the numbers of the rows.
    bits : int, optional
        Bit length of an array; default 8 per byte.

    Returns
    -------
    iterator of (int or str, bytes)

    Raises
    ------
    ValueError
        If the number of bits is not a multiple of 8.
    """
    base = as_codes("codes", codes, bits)
    names = base.ids if ids is None else check_ids(ids, len(base))
    if base.bits % 8:
        raise ValueError(f"`codes` must have a multiple of 8 bits for sqlite-vec, got {base.bits}")
    listed = range(len(base)) if names is None else names.tolist()
    return zip(listed, (row.tobytes() for row in base.to_little_endian()), strict=True)


def read_sqlite_vec(rows: Iterable[tuple[Any, bytes]], bits: int) -> Codes:
    """Return codes of rows (id, code) of a table of sqlite-vec: the inverse of `sqlite_vec_rows`.

    Parameters
    ----------
    rows : iterable of (int or str, bytes)
        Such as a cursor gives for ``SELECT id, code FROM t``.
    bits : int
        The number of bits of a code, a multiple of 8.

    Returns
    -------
    Codes
        With the ids.

    Raises
    ------
    FormatError
        If a code is not a BLOB of that length, or an id occurs twice.
    """
    bits = check_count("bits", bits)
    if bits % 8:
        raise ValueError(f"`bits` must be a multiple of 8 for sqlite-vec, got {bits}")
    ids, blobs = [], []
    for row, (name, blob) in enumerate(rows):
        if not isinstance(blob, bytes):
            raise FormatError(f"row {row} must have a BLOB, got {type(blob).__name__}")
        if len(blob) != bits // 8:
            raise FormatError(f"row {row} must have {bits // 8} bytes, got {len(blob)}")
        ids.append(name)
        blobs.append(blob)
    data = np.frombuffer(b"".join(blobs), np.uint8).reshape(-1, bits // 8)
    try:
        return Codes.from_little_endian(data, bits, ids)
    except (TypeError, ValueError) as error:
        raise FormatError(str(error)) from None

"""Binary COPY into PostgreSQL: its own type bit(n), and vector and halfvec of pgvector.

The layouts are those of the "Binary Format" of COPY in PostgreSQL's manual, of `bit_send` (the
number of bits as int32, then bytes with the most significant bit first, which is our order too),
and of pgvector's `vector_send` and `halfvec_send` (the number of values as int16, an int16 that is
not used, then the values). Every number is big-endian.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ._bridge_columns import Columns, check_columns
from ._check import check_count, check_option

__all__ = ["HEADER", "MAX_DIM", "REALS", "TRAILER", "pgvector_copy"]

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no extension
TRAILER = b"\xff\xff"
MAX_DIM = 16_000  # of pgvector's types

REALS = {"vector": ">f4", "halfvec": ">f2"}


def pgvector_copy(
    codes: Any = None,
    vectors: Any = None,
    *,
    ids: Any = None,
    bits: int | None = None,
    kind: str = "vector",
    rows: int = 1024,
) -> Iterator[bytes]:
    """Return the blocks of a binary COPY into columns for id, code and vector, in this order.

    They are for ``COPY table (id, code, vector) FROM STDIN (FORMAT BINARY)``, without `code` or
    `vector` where it is not given: psycopg's ``copy.write`` takes each. Nothing but a few rows is
    held in memory. The text of a code is what `Codes.to_pgvector` gives.

    Parameters
    ----------
    codes : Codes, or uint8, shape (n, ceil(bits / 8)), optional
        For a column of type ``bit(bits)``.
    vectors : WordVectors, or array-like of real numbers, shape (n, dim), optional
        For a column of type ``vector(dim)`` or ``halfvec(dim)``. At most 16,000 values.
    ids : sequence of n distinct int or str, optional
        For a column of type ``bigint`` (not ``integer``) or ``text``. By default those of the
        codes, or the keys of the vectors, or else the numbers of the rows.
    bits : int, optional
        Bit length of an array of codes; default 8 per byte.
    kind : {"vector", "halfvec"}
        The type of the column for vectors. "halfvec" rounds to the nearest half-precision value.
    rows : int, default 1024
        Rows in a block.

    Returns
    -------
    iterator of bytes
        At least two blocks. The arguments are checked before the first.

    Raises
    ------
    TypeError, ValueError
        If the arguments do not fit each other or the types, such as a NUL character in an id.
    """
    columns = check_columns(codes, vectors, ids, bits)
    check_option("kind", kind, tuple(REALS))
    rows = check_count("rows", rows)
    if columns.vectors is not None:
        _check_vectors(columns.vectors, kind)
    names = np.arange(columns.rows) if columns.ids is None else columns.ids
    if names.dtype != np.int64:
        _check_texts(names)
    return _blocks(Columns(columns.codes, columns.vectors, names), kind, rows)


def _check_vectors(vectors: npt.NDArray[np.float32], kind: str) -> None:
    if not 1 <= vectors.shape[1] <= MAX_DIM:
        raise ValueError(f"`vectors` must have 1 to {MAX_DIM} columns, got {vectors.shape[1]}")
    # The least float32 that rounds to infinity lies half a step above the largest half.
    if kind == "halfvec" and vectors.size and max(vectors.max(), -vectors.min()) >= 65520:
        row = int(np.flatnonzero((np.abs(vectors) >= 65520).any(axis=1))[0])
        raise ValueError(f"`vectors` must be finite in half precision, row {row} is not")


def _check_texts(ids: npt.NDArray[Any]) -> None:
    for text in ids:
        if "\0" in text:
            raise ValueError(f"`ids` must hold no NUL character, got {text!r}")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError(f"`ids` must be text that UTF-8 can hold, got {text!r}") from None


def _blocks(columns: Columns, kind: str, rows: int) -> Iterator[bytes]:
    yield HEADER
    ids = columns.ids
    assert ids is not None
    fields = 1 + (columns.codes is not None) + (columns.vectors is not None)
    for start in range(0, len(ids), rows):
        part = slice(start, start + rows)
        behind = _pieces(columns, kind, part)
        if ids.dtype == np.int64:
            head = [("fields", ">i2", fields), ("id_size", ">i4", 8), ("id", ">i8", ids[part])]
            yield _records(head + behind).tobytes()
            continue
        texts = [text.encode() for text in ids[part]]
        count = fields.to_bytes(2, "big")
        yield b"".join(
            count + len(text).to_bytes(4, "big") + text + record.tobytes()
            for text, record in zip(texts, _records(behind), strict=True)
        )
    yield TRAILER


Piece = tuple[str, Any, Any]  # name, type, and the value, or the values of the rows


def _pieces(columns: Columns, kind: str, part: slice) -> list[Piece]:
    """Return the pieces of the columns behind the id; the length in bytes leads each column."""
    pieces: list[Piece] = []
    if columns.codes is not None:
        data = columns.codes.data[part]
        width = data.shape[1]
        pieces += [
            ("code_size", ">i4", 4 + width),
            ("bits", ">i4", columns.codes.bits),
            ("code", ("u1", (width,)), data),
        ]
    if columns.vectors is not None:
        real = np.dtype(REALS[kind])
        values = columns.vectors[part]
        dim = values.shape[1]
        pieces += [
            ("vector_size", ">i4", 4 + dim * real.itemsize),
            ("dim", ">i2", dim),
            ("unused", ">i2", 0),
            ("vector", (real, (dim,)), values),
        ]
    return pieces


def _records(pieces: list[Piece]) -> npt.NDArray[Any]:
    """Return records without gaps, one per row of the last piece."""
    kinds = np.dtype([(name, kind) for name, kind, _ in pieces])
    records = np.empty(len(pieces[-1][2]), kinds)
    for name, _, values in pieces:
        records[name] = values
    return records

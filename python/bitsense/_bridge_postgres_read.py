"""Binary COPY out of PostgreSQL, read strictly: `_bridge_postgres` has the layouts."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ._bridge_columns import Columns, named_columns
from ._bridge_postgres import HEADER, MAX_DIM, REALS
from ._check import check_count
from .errors import FormatError

__all__ = ["read_pgvector_copy"]

_IDS = ("bigint", "text")
_TYPES = (*_IDS, "bit", *REALS)
_INT16 = struct.Struct(">h")
_INT32 = struct.Struct(">i")
_INT64 = struct.Struct(">q")
_VECTOR = struct.Struct(">hh")
_CRITICAL = 0xFFFF0000  # flags that a reader must know
_MARK = 11  # bytes of the signature


def read_pgvector_copy(
    blocks: Iterable[bytes],
    types: Sequence[str] = ("bigint", "bit"),
    *,
    bits: int | None = None,
    dim: int | None = None,
) -> Columns:
    """Return what ``COPY ... TO STDOUT (FORMAT BINARY)`` sends.

    Parameters
    ----------
    blocks : iterable of bytes
        The stream, cut anywhere: psycopg's ``copy``, or a file opened for reading bytes.
    types : sequence of str, default ("bigint", "bit")
        The types of the columns in their order, which the stream does not tell: at most one of
        "bigint" and "text" (ids), at most one "bit" (codes), at most one of "vector" and "halfvec".
    bits, dim : int, optional
        Bits of a code and values of a vector; by default those of the first row. They must be
        given where there may be no row.

    Returns
    -------
    Columns
        codes : Codes with the ids, or None
        vectors : float32, shape (n, dim), or None
        ids : int64, or objects of type str, shape (n,), or None

    Raises
    ------
    FormatError
        If the stream is cut, has something behind its end, or holds other columns, a NULL, codes or
        vectors of several lengths, an id twice, or text that is not UTF-8.
    """
    kinds = _check_types(types)
    sizes = {
        "bit": None if bits is None else check_count("bits", bits),
        "real": None if dim is None else check_count("dim", dim, most=MAX_DIM),
    }
    reader = _Reader(blocks)
    reader.header()
    found: list[list[Any]] = [[] for _ in kinds]
    parsers = [_parser(kind, sizes) for kind in kinds]
    row = 0
    while (fields := _INT16.unpack(reader.take(2))[0]) != -1:
        if fields != len(kinds):
            raise FormatError(f"row {row} must have {len(kinds)} columns, got {fields}")
        for kind, values, parse in zip(kinds, found, parsers, strict=True):
            size = _INT32.unpack(reader.take(4))[0]
            if size < 0:
                what = "NULL" if size == -1 else f"length {size}"
                raise FormatError(f"row {row} must have a value of type {kind}, got {what}")
            try:
                values.append(parse(reader.take(size)))
            except _WrongError as error:
                raise FormatError(f"row {row} must have {error}") from None
        row += 1
    reader.end()
    return _columns(dict(zip(kinds, found, strict=True)), sizes)


def _check_types(types: Sequence[str]) -> tuple[str, ...]:
    kinds = (types,) if isinstance(types, str) else tuple(types)
    groups = [kind if kind == "bit" else "id" if kind in _IDS else "real" for kind in kinds]
    if set(kinds) - set(_TYPES) or not kinds or len(set(groups)) != len(groups):
        raise ValueError(
            f"`types` must be at most one each of ids ('bigint', 'text'), codes ('bit') and "
            f"vectors ('vector', 'halfvec'), got {types!r}"
        )
    return kinds


class _WrongError(Exception):
    """A field of the wrong bytes; says what a row must have, and what it got."""


class _Reader:
    """Takes bytes from blocks that are cut anywhere."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._data = b""
        self._place = 0

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        left = len(self._data) - self._place
        if left < size:
            parts = [self._data[self._place :]]
            while left < size:
                block = next(self._blocks, None)
                if block is None:
                    raise FormatError("cut: the stream of COPY has no end mark")
                parts.append(bytes(block))
                left += len(parts[-1])
            self._data, self._place = b"".join(parts), 0
        self._place += size
        return self._data[self._place - size : self._place]

    def header(self) -> None:
        """Read the signature, the flags and the extension, which has no meaning yet."""
        if self.take(_MARK) != HEADER[:_MARK]:
            raise FormatError("is no stream of COPY (FORMAT BINARY)")
        flags, extension = struct.unpack(">Ii", self.take(8))
        if flags & _CRITICAL:
            raise FormatError(f"must have no flags that are not known, got {flags:#010x}")
        if extension < 0:
            raise FormatError(f"corrupt: the extension of the header has length {extension}")
        self.take(extension)

    def end(self) -> None:
        """Require that nothing follows."""
        if self._place != len(self._data) or any(len(block) for block in self._blocks):
            raise FormatError("corrupt: something follows the end mark")


def _parser(kind: str, sizes: dict[str, int | None]) -> Callable[[bytes], Any]:
    """Return the function that reads a field; the first sets the size that it must have."""

    def bit(data: bytes) -> bytes:
        bits = _INT32.unpack_from(data)[0] if len(data) >= 4 else -1
        if bits < 1 or len(data) != 4 + (bits + 7) // 8:
            raise _WrongError(f"a bit string, got {len(data)} bytes that are none")
        _keep(sizes, "bit", bits, "bits in a code")
        return data[4:]

    def real(data: bytes) -> bytes:
        dim, unused = _VECTOR.unpack_from(data) if len(data) >= 4 else (-1, 0)
        width = np.dtype(REALS[kind]).itemsize
        if not 1 <= dim <= MAX_DIM or unused or len(data) != 4 + width * dim:
            raise _WrongError(f"a {kind}, got {len(data)} bytes that are none")
        _keep(sizes, "real", dim, "values in a vector")
        return data[4:]

    return {"bigint": _bigint, "text": _text, "bit": bit}.get(kind, real)


def _keep(sizes: dict[str, int | None], name: str, size: int, what: str) -> None:
    if sizes[name] is None:
        sizes[name] = size
    if sizes[name] != size:
        raise _WrongError(f"{sizes[name]} {what}, got {size}")


def _bigint(data: bytes) -> int:
    if len(data) != 8:
        raise _WrongError(f"a bigint of 8 bytes, got {len(data)}: a query can cast, id::bigint")
    return int(_INT64.unpack(data)[0])


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise _WrongError("text in UTF-8, got other bytes; is it the client_encoding?") from None


def _columns(found: dict[str, list[Any]], sizes: dict[str, int | None]) -> Columns:
    codes = vectors = ids = None
    for kind, values in found.items():
        if kind in _IDS:
            ids = np.array(values, np.int64 if kind == "bigint" else object)
            continue
        size = sizes["bit" if kind == "bit" else "real"]
        if size is None:
            name = "bits" if kind == "bit" else "dim"
            raise FormatError(f"the stream must have a row where `{name}` is not given, got none")
        joined = b"".join(values)
        if kind == "bit":
            codes = np.frombuffer(joined, np.uint8).reshape(-1, (size + 7) // 8)
        else:
            vectors = np.frombuffer(joined, REALS[kind]).astype(np.float32).reshape(-1, size)
    return named_columns(codes, sizes["bit"] or 1, vectors, ids)

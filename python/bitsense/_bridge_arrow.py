"""Codes and vectors as Arrow tables, by its PyCapsule interface, and as Parquet files.

The table has the columns `id` (int64 or large_utf8), `code` (fixed_size_binary) and `vector`
(fixed_size_list of float32). The metadata of the field `code` say what its bytes do not:
`bitsense.bits`, the true number of bits, and `bitsense.bit_order`, which is "msb".
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from ._bridge_columns import Columns, check_columns, named_columns
from ._check import check_count
from ._extras import import_extra
from ._replace import replacing
from .errors import FormatError

__all__ = ["ArrowTable", "arrow_table", "from_arrow", "read_parquet", "write_parquet"]

_BITS = "bitsense.bits"
_ORDER = "bitsense.bit_order"


class ArrowTable:
    """A table for anything that takes Arrow data: Polars, DuckDB, pyarrow, pandas.

    `arrow_table` makes it, of a `table` of the engine with `rows` rows. It shares the memory of the
    codes and vectors, which lives as long as a consumer holds it and must not be written any more.
    """

    __slots__ = ("_rows", "_table")

    def __init__(self, table: _core.ArrowColumn, rows: int) -> None:
        self._table = table
        self._rows = rows

    def __len__(self) -> int:
        return self._rows

    def __repr__(self) -> str:
        return f"<ArrowTable: {self._rows} rows>"

    def __arrow_c_schema__(self) -> object:
        """Return the schema as a capsule, see Arrow's PyCapsule interface."""
        return _core.arrow_schema(self._table)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the table as a capsule with a stream of one batch; no other schema is made."""
        return _core.arrow_stream(self._table)


def arrow_table(
    codes: Any = None, vectors: Any = None, *, ids: Any = None, bits: int | None = None
) -> ArrowTable:
    """Return codes, vectors or both as a table for Polars, DuckDB, pyarrow, and others.

    Nothing but text ids is copied, and no package is needed.

    Parameters
    ----------
    codes : Codes, or uint8, shape (n, ceil(bits / 8)), optional
        The column `code`: fixed_size_binary, most significant bit first. The field has the metadata
        ``bitsense.bits`` and ``bitsense.bit_order``.
    vectors : WordVectors, or array-like of real numbers, shape (n, dim), optional
        The column `vector`: fixed_size_list of float32.
    ids : sequence of n distinct int or str, optional
        The column `id`: int64 or large_utf8. By default those of the codes, or the keys of the
        vectors; without any there is no such column.
    bits : int, optional
        Bit length of an array of codes; default 8 per byte.

    Returns
    -------
    ArrowTable

    Raises
    ------
    TypeError, ValueError
        If the arguments do not fit each other.
    """
    columns = check_columns(codes, vectors, ids, bits)
    parts = []
    if columns.ids is not None:
        parts.append(_id_column(columns.ids))
    if columns.codes is not None:
        metadata = {_BITS: str(columns.codes.bits), _ORDER: "msb"}
        parts.append(_core.arrow_codes("code", _metadata_bytes(metadata), columns.codes.data))
    if columns.vectors is not None:
        aligned = np.require(columns.vectors, np.float32, ["C", "A"])  # consumers rely on it
        parts.append(_core.arrow_vectors("vector", b"", aligned))
    return ArrowTable(_core.arrow_table(parts), columns.rows)


def _id_column(ids: npt.NDArray[Any]) -> _core.ArrowColumn:
    if ids.dtype == np.int64:
        return _core.arrow_numbers("id", ids)
    try:
        texts = [text.encode() for text in ids]
    except UnicodeEncodeError as error:
        raise ValueError(f"`ids` must be text that UTF-8 can hold, got {error.object!r}") from None
    ends = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in texts], out=ends[1:])
    return _core.arrow_texts("id", ends, np.frombuffer(b"".join(texts), np.uint8))


def _metadata_bytes(metadata: Mapping[str, str]) -> bytes:
    """Return metadata as the C data interface has them: counts and lengths in native int32."""
    parts = [struct.pack("=i", len(metadata))]
    for text in (text for item in metadata.items() for text in item):
        data = text.encode()
        parts += [struct.pack("=i", len(data)), data]
    return b"".join(parts)


def from_arrow(table: Any, *, bits: int | None = None) -> Columns:
    """Return the codes, vectors and ids of a table that `arrow_table` made, or one like it.

    Parameters
    ----------
    table : object with ``__arrow_c_stream__``
        Such as a DataFrame of Polars, a table of pyarrow, a relation of DuckDB. It may have other
        columns beside `id`, `code` and `vector`, and variants of their types: large, of variable
        length, views.
    bits : int, optional
        Bit length of the codes, where the metadata do not tell: not every program keeps them. By
        default 8 per byte then.

    Returns
    -------
    Columns
        codes : Codes with the ids, or None
        vectors : float32, shape (n, dim), or None
        ids : int64, or objects of type str, shape (n,), or None

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    FormatError
        If a column has a null, another type, another order of bits or values of several lengths, or
        there are neither codes nor vectors.
    """
    arrow = import_extra("pyarrow", "pyarrow", "parquet")
    bits = None if bits is None else check_count("bits", bits)
    if not hasattr(table, "__arrow_c_stream__"):
        raise TypeError(
            f"`table` must have the method __arrow_c_stream__, got {type(table).__name__}"
        )
    try:
        return _columns(arrow, arrow.table(table), bits)
    except arrow.ArrowInvalid as error:
        raise FormatError(f"must be a table of Arrow: {error}") from None


def write_parquet(
    path: str | os.PathLike[str],
    codes: Any = None,
    vectors: Any = None,
    *,
    ids: Any = None,
    bits: int | None = None,
) -> None:
    """Write codes, vectors or both as a Parquet file; an old one is replaced at once or not at all.

    Parameters
    ----------
    path : path
        The file to write.
    codes, vectors, ids, bits
        As for `arrow_table`, which says what columns the file has.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    OSError
        If the file cannot be written.
    """
    arrow = import_extra("pyarrow", "pyarrow", "parquet")
    parquet = import_extra("pyarrow.parquet", "pyarrow", "parquet")
    table = arrow.table(arrow_table(codes, vectors, ids=ids, bits=bits))
    with replacing(path, binary=True) as file:
        parquet.write_table(table, file, compression="zstd", write_page_checksum=True)


def read_parquet(path: str | os.PathLike[str], *, bits: int | None = None) -> Columns:
    """Return the codes, vectors and ids of a Parquet file: the inverse of `write_parquet`.

    Parameters
    ----------
    path : path
        The file; other columns than `id`, `code` and `vector` are not read.
    bits : int, optional
        As for `from_arrow`.

    Returns
    -------
    Columns
        As `from_arrow` returns it.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    FormatError
        If the file is no Parquet file or is corrupt, or as for `from_arrow`.
    OSError
        If it cannot be read.
    """
    arrow = import_extra("pyarrow", "pyarrow", "parquet")
    parquet = import_extra("pyarrow.parquet", "pyarrow", "parquet")
    bits = None if bits is None else check_count("bits", bits)
    try:
        with (
            open(path, "rb") as file,  # noqa: PTH123
            parquet.ParquetFile(file, page_checksum_verification=True) as parts,
        ):
            names = {"id", "code", "vector"} & set(parts.schema_arrow.names)
            return _columns(arrow, parts.read(columns=sorted(names)), bits)
    except OSError as error:
        if error.errno is not None:
            raise
        raise FormatError(f"{os.fspath(path)}: corrupt: {error}") from None
    except FormatError as error:
        raise FormatError(f"{os.fspath(path)}: {error}") from None
    except arrow.ArrowException as error:
        raise FormatError(f"{os.fspath(path)}: corrupt: {error}") from None


def _columns(arrow: Any, table: Any, bits: int | None) -> Columns:
    found = {}
    for name in ("id", "code", "vector"):
        places = [place for place, each in enumerate(table.column_names) if each == name]
        if len(places) > 1:
            raise FormatError(f"must have one column `{name}`, got {len(places)}")
        if places:
            column = table.column(places[0])
            if column.null_count:
                raise FormatError(f"column `{name}` must have no nulls, got {column.null_count}")
            column.validate(full=True)
            found[name] = column.combine_chunks()
    if found.keys() <= {"id"}:
        raise FormatError(f"must have a column `code` or `vector`, got {table.column_names}")
    ids = _ids(arrow, found["id"]) if "id" in found else None
    vectors = _vectors(arrow, found["vector"]) if "vector" in found else None
    codes, told = None, 1
    if "code" in found:
        metadata = table.schema.field("code").metadata or {}
        codes, told = _codes(arrow, found["code"], metadata, bits)
    return named_columns(codes, told, vectors, ids)


def _ids(arrow: Any, column: Any) -> Any:
    kind = column.type
    if arrow.types.is_integer(kind):
        return np.array(column.to_pylist(), dtype=object) if len(column) else np.empty(0, np.int64)
    if str(kind) in ("string", "large_string", "string_view"):
        return np.array(column.to_pylist(), dtype=object)
    raise FormatError(f"column `id` must be of integers or text, got {kind}")


def _codes(
    arrow: Any, column: Any, metadata: Mapping[bytes, bytes], bits: int | None
) -> tuple[Any, int]:
    """Return packed codes and their number of bits."""
    order = metadata.get(_ORDER.encode(), b"msb")
    if order != b"msb":
        raise FormatError(
            f"column `code` must have the bit order 'msb', got {order.decode(errors='replace')!r}"
        )
    data, widths = _bytes(arrow, column)
    told = metadata.get(_BITS.encode())
    if told is not None and not (told.isdigit() and len(told) < 10 and int(told)):
        raise FormatError(f"column `code` must have a number as {_BITS}, got {told!r}")
    if told is not None and bits is not None and int(told) != bits:
        raise FormatError(f"column `code` must have {bits} bits, got {int(told)}")
    size = int(told) if told is not None else bits
    if size is None:
        size = 8 * min(widths, default=0)
    if not size or widths - {(size + 7) // 8}:
        raise FormatError(f"column `code` must have values of one length, got {sorted(widths)}")
    return data.reshape(-1, (size + 7) // 8), size


def _bytes(arrow: Any, column: Any) -> tuple[npt.NDArray[np.uint8], set[int]]:
    """Return the bytes of binary values side by side, and their lengths."""
    kind = column.type
    if arrow.types.is_fixed_size_binary(kind):
        width = kind.byte_width
        start, size = column.offset * width, len(column) * width
        return np.frombuffer(column.buffers()[1] or b"", np.uint8)[start : start + size], {width}
    if str(kind) not in ("binary", "large_binary", "binary_view"):
        raise FormatError(f"column `code` must be binary, got {kind}")
    values = column.to_pylist()
    return np.frombuffer(b"".join(values), np.uint8), {len(value) for value in values}


def _vectors(arrow: Any, column: Any) -> Any:
    kind = column.type
    if not (arrow.types.is_fixed_size_list(kind) or arrow.types.is_list(kind)
            or arrow.types.is_large_list(kind)) or not (
            arrow.types.is_floating(kind.value_type)):  # fmt: skip
        raise FormatError(f"column `vector` must be lists of floats, got {kind}")
    values = column.flatten()
    if values.null_count:
        raise FormatError(f"column `vector` must have no nulls, got {values.null_count}")
    if arrow.types.is_fixed_size_list(kind):
        dim = kind.list_size
    else:
        dims = set(column.value_lengths().to_pylist())
        if len(dims) != 1:
            raise FormatError(f"column `vector` must have lists of one length, got {sorted(dims)}")
        dim = dims.pop()
    return values.to_numpy(zero_copy_only=False).reshape(len(column), dim)

"""Packed bit codes: the contract, the container and the converters.

The contract. A set of n codes is an (n, ceil(bits / 8)) uint8 matrix, C-contiguous. Bit j of an
item is in byte j // 8, the most significant bit first, as `numpy.packbits` makes them. The padding
bits after the last one are zero. The true number of bits travels with the matrix. A bit made from a
real value is 1 where the value is > 0; 0 and -0.0 give 0.

Other engines order bits or sign bytes otherwise, and codes of two orders that meet give wrong ranks
without any error; so each converter is named by what it makes. `tests/data/codes_golden.json`
holds codes in every form, for anyone who writes another implementation.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ._check import check_codes, check_count
from ._ids import check_ids

__all__ = ["Codes", "pack_bits", "pack_signs", "unpack_bits"]

Bytes = npt.NDArray[np.uint8]
Ids = npt.NDArray[Any]


def pack_bits(values: npt.ArrayLike) -> Bytes:
    """Pack a matrix of bits into codes.

    Parameters
    ----------
    values : array-like of bool, or of integers 0 and 1, shape (n, bits)

    Returns
    -------
    uint8, shape (n, ceil(bits / 8))

    Raises
    ------
    TypeError
        The values are neither bool nor integers.
    ValueError
        An integer is not 0 or 1, or the matrix has not 2 dimensions.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "biu":
        raise TypeError(f"`values` must be bool, or integers 0 and 1, got dtype {array.dtype}")
    _require_matrix("values", array)
    if array.dtype != np.bool_:
        wrong = array[(array != 0) & (array != 1)]
        if wrong.size:
            raise ValueError(f"`values` must be 0 or 1, got {wrong[0]}")
    return np.packbits(array.astype(np.bool_, copy=False), axis=1)


def unpack_bits(codes: npt.ArrayLike, bits: int | None = None) -> npt.NDArray[np.bool_]:
    """Return the bits of codes as a bool matrix, shape (n, bits).

    Parameters
    ----------
    codes : Codes, or uint8, shape (n, ceil(bits / 8))
    bits : int, optional
        Needed for an array unless the codes fill their bytes; defaults to 8 per byte.
    """
    return as_codes("codes", codes, bits).to_bool()


def pack_signs(vectors: npt.ArrayLike) -> Bytes:
    """Pack the signs of real values: a bit is 1 where the value is > 0.

    Parameters
    ----------
    vectors : array-like of real numbers, shape (n, dim)
        Compared with zero in their own precision: the smallest positive double gives 1.

    Returns
    -------
    uint8, shape (n, ceil(dim / 8))

    Raises
    ------
    ValueError
        A value is NaN, or the matrix has not 2 dimensions.
    """
    array = np.asarray(vectors)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"`vectors` must be a matrix of real numbers, got dtype {array.dtype}")
    _require_matrix("vectors", array)
    nan = np.isnan(array) if array.dtype.kind == "f" else np.zeros((0, 0), np.bool_)
    if nan.any():
        row = int(np.flatnonzero(nan.any(axis=1))[0])
        raise ValueError(f"`vectors` must not be NaN, row {row} is")
    return np.packbits(array > 0, axis=1)


class Codes:
    """A matrix of packed codes with its bit length and, if wished, a name for each row.

    Parameters
    ----------
    data : array-like of uint8, shape (n, ceil(bits / 8))
        Not copied if it is C-contiguous.
    bits : int, optional
        The true bit length, 1 or more; default 8 per byte.
    ids : sequence of n distinct int or str, optional
        Names of the rows. Searches answer with them instead of with row numbers.

    Raises
    ------
    TypeError
        The data is not uint8, or the ids are neither all int nor all str.
    ValueError
        Shapes do not fit, padding bits are not zero, or an id occurs twice.

    Examples
    --------
    >>> codes = Codes(pack_bits([[1, 0, 1], [0, 0, 1]]), bits=3, ids=["a", "b"])
    >>> codes.to_pgvector()
    ['101', '001']
    """

    __slots__ = ("_bits", "_data", "_ids")

    def __init__(
        self,
        data: npt.ArrayLike,
        bits: int | None = None,
        ids: Sequence[Any] | npt.NDArray[Any] | None = None,
    ) -> None:
        array = np.asarray(data)
        if bits is None:
            bits = 8 * array.shape[1] if array.ndim == 2 else 8
        self._bits = check_count("bits", bits)
        view = check_codes("data", array, self._bits).view()
        view.flags.writeable = False
        self._data: Bytes = view
        self._ids = None if ids is None else check_ids(ids, len(view))

    @property
    def data(self) -> Bytes:
        """The packed codes, read-only, shape (n, ceil(bits / 8))."""
        return self._data

    @property
    def bits(self) -> int:
        """The true number of bits of a code."""
        return self._bits

    @property
    def ids(self) -> Ids | None:
        """The names of the rows, int64 or objects of type str, shape (n,); or None."""
        return self._ids

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, rows: Any) -> Codes:
        """Return the codes of some rows; one row number gives a set of one code."""
        if isinstance(rows, (int, np.integer)) and not isinstance(rows, (bool, np.bool_)):
            rows = [rows]
        if isinstance(rows, tuple):
            raise TypeError(f"rows must be a row number, a slice or an array, got {rows!r}")
        if isinstance(rows, list) and not rows:
            rows = slice(0, 0)
        return Codes(self._data[rows], self._bits, None if self._ids is None else self._ids[rows])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if dtype is not None and np.dtype(dtype) != np.uint8:
            if copy is False:
                raise ValueError(f"codes of dtype uint8 cannot be {np.dtype(dtype)} without a copy")
            return self._data.astype(dtype)
        return self._data.copy() if copy else self._data

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Codes):
            return NotImplemented
        same_ids = (self._ids is None) == (other._ids is None) and (
            self._ids is None or np.array_equal(self._ids, other._ids)  # type: ignore[arg-type]
        )
        return self._bits == other._bits and same_ids and np.array_equal(self._data, other._data)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        named = "" if self._ids is None else ", with ids"
        return f"<Codes: {len(self)} of {self._bits} bits{named}>"

    # Files. The module that knows their layout imports this one.

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save as the file `path`, ids included; an old one is replaced at once or not at all.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        from ._codes_file import save_codes

        save_codes(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Codes:
        """Return what `save` wrote at `path`; the codes are a read-only view of the mapped file.

        Raises
        ------
        FormatError
            If the file is corrupt, cut, newer, or holds something else.
        OSError
            If the file cannot be opened.
        """
        from ._codes_file import load_codes

        return load_codes(path)

    def __reduce__(self) -> tuple[Any, ...]:
        from ._codes_file import codes_bytes
        from .files import load_bytes

        return load_bytes, (codes_bytes(self),)

    # Converters to other forms.

    def to_bool(self) -> npt.NDArray[np.bool_]:
        """Return the bits, shape (n, bits)."""
        return np.unpackbits(self._data, axis=1, count=self._bits).view(np.bool_)

    def to_hex(self) -> list[str]:
        """Return each code as lower-case hexadecimal digits, two per byte, padding included."""
        return [row.tobytes().hex() for row in self._data]

    def to_little_endian(self) -> Bytes:
        """Return codes whose bit j is the j % 8-th least significant of its byte.

        The order of sqlite-vec, of faiss' and Arrow's bitmaps, and of `numpy.packbits(...,
        bitorder="little")`.
        """
        return np.packbits(self.to_bool(), axis=1, bitorder="little")

    def to_signed_bytes(self) -> npt.NDArray[np.int8]:
        """Return the same bits read as int8 (two's complement), as Vespa stores them. A copy."""
        signed: npt.NDArray[np.int8] = self._data.copy().view(np.int8)
        return signed

    def to_offset_bytes(self) -> npt.NDArray[np.int8]:
        """Return each byte minus 128 as int8: "binary" of sentence-transformers and Cohere."""
        offset: npt.NDArray[np.int8] = np.bitwise_xor(self._data, np.uint8(128)).view(np.int8)
        return offset

    def to_uint64(self) -> npt.NDArray[np.uint64]:
        """Return words, shape (n, ceil(bits / 64)): bit j is the j % 64-th most significant.

        So the first word of a code of 64 bits is the number that its digits in base 2 read.
        """
        words = (self._bits + 63) // 64
        padded = np.zeros((len(self), words * 8), np.uint8)
        padded[:, : self._data.shape[1]] = self._data
        return padded.view(">u8").astype(np.uint64)

    def to_pgvector(self) -> list[str]:
        """Return each code as a string of 0 and 1, the text of PostgreSQL's type bit(bits)."""
        digits = self.to_bool().astype(np.uint8) + ord("0")
        return [row.tobytes().decode("ascii") for row in digits]

    # Converters from other forms. A form that does not tell the number of bits is given it.

    @classmethod
    def from_bool(cls, values: npt.ArrayLike, ids: Any = None) -> Codes:
        """Make codes of `values`, bits as for `pack_bits`; `ids` as for `Codes`."""
        array = np.asarray(values)
        return cls(pack_bits(array), array.shape[1], ids)

    @classmethod
    def from_hex(cls, digits: Iterable[str], bits: int, ids: Any = None) -> Codes:
        """Make codes of `bits` bits of `digits`, hexadecimal strings with two digits per byte.

        `ids` as for `Codes`.
        """
        bits = check_count("bits", bits)
        width = (bits + 7) // 8
        rows = []
        for text in digits:
            try:
                row = bytes.fromhex(text)
            except ValueError:
                raise ValueError(f"`digits` must be hexadecimal, got {text!r}") from None
            if len(row) != width or len(text) != 2 * width:
                raise ValueError(f"`digits` must have {2 * width} digits each, got {text!r}")
            rows.append(row)
        data = np.frombuffer(b"".join(rows), np.uint8).reshape(-1, width)
        return cls(data, bits, ids)

    @classmethod
    def from_little_endian(cls, data: npt.ArrayLike, bits: int, ids: Any = None) -> Codes:
        """Make codes of `data`, uint8 with the least significant bit first.

        Padding bits must be zero; `bits` and `ids` as for `Codes`.
        """
        bits = check_count("bits", bits)
        array = np.asarray(data)
        if array.dtype != np.uint8:
            raise TypeError(f"`data` must have dtype uint8, got dtype {array.dtype}")
        _require_matrix("data", array)
        values = np.unpackbits(array, axis=1, bitorder="little")
        return cls(np.packbits(values, axis=1), bits, ids)

    @classmethod
    def from_signed_bytes(cls, data: npt.ArrayLike, bits: int, ids: Any = None) -> Codes:
        """Make codes of `data`, int8 of the same bits: the inverse of `to_signed_bytes`.

        `bits` and `ids` as for `Codes`.
        """
        return cls(_from_int8(data), bits, ids)

    @classmethod
    def from_offset_bytes(cls, data: npt.ArrayLike, bits: int, ids: Any = None) -> Codes:
        """Make codes of `data`, bytes minus 128 as int8: the inverse of `to_offset_bytes`.

        `bits` and `ids` as for `Codes`.
        """
        return cls(_from_int8(data) ^ np.uint8(128), bits, ids)

    @classmethod
    def from_uint64(cls, words: npt.ArrayLike, bits: int, ids: Any = None) -> Codes:
        """Make codes of `words`, uint64: the inverse of `to_uint64`.

        `bits` and `ids` as for `Codes`.
        """
        bits = check_count("bits", bits)
        array = np.asarray(words)
        if array.dtype.newbyteorder("=") != np.uint64:
            raise TypeError(f"`words` must have dtype uint64, got dtype {array.dtype}")
        _require_matrix("words", array)
        if array.shape[1] != (bits + 63) // 64:
            raise ValueError(
                f"`words` must have {(bits + 63) // 64} columns for {bits} bits, "
                f"got {array.shape[1]}"
            )
        data = np.ascontiguousarray(array.astype(">u8")).view(np.uint8)
        width = (bits + 7) // 8
        if data[:, width:].any():
            raise ValueError(f"`words` must have zero padding bits after bit {bits}")
        return cls(data[:, :width], bits, ids)

    @classmethod
    def from_pgvector(cls, texts: Sequence[str], ids: Any = None) -> Codes:
        """Make codes of `texts`, strings of 0 and 1, all of one length; `ids` as for `Codes`."""
        if isinstance(texts, str):
            raise TypeError(f"`texts` must be a sequence of strings, got {texts!r}")
        rows = list(texts)
        if not rows or not rows[0]:
            raise ValueError("`texts` must hold at least one code of at least one bit")
        bits = len(rows[0])
        for text in rows:
            if len(text) != bits or set(text) - {"0", "1"}:
                raise ValueError(f"`texts` must be {bits} digits 0 or 1 each, got {text!r}")
        digits = np.frombuffer("".join(rows).encode("ascii"), np.uint8).reshape(-1, bits)
        return cls(np.packbits(digits == ord("1"), axis=1), bits, ids)


def as_codes(name: str, codes: Any, bits: int | None = None) -> Codes:
    """Return codes or an array of packed codes as Codes; an error says `name`.

    Raises
    ------
    ValueError
        `codes` are Codes of another bit length than `bits`.
    """
    if isinstance(codes, Codes):
        if bits is not None and codes.bits != bits:
            raise ValueError(f"`{name}` must have {bits} bits, got {codes.bits}")
        return codes
    array = np.asarray(codes)
    if bits is None:
        bits = 8 * array.shape[1] if array.ndim == 2 else 8
    bits = check_count("bits", bits)
    return Codes(check_codes(name, array, bits), bits)


def _require_matrix(name: str, array: npt.NDArray[Any]) -> None:
    if array.ndim != 2:
        raise ValueError(f"`{name}` must have 2 dimensions, got {array.ndim}")


def _from_int8(data: npt.ArrayLike) -> Bytes:
    array = np.asarray(data)
    if array.dtype != np.int8:
        raise TypeError(f"`data` must have dtype int8, got dtype {array.dtype}")
    return np.ascontiguousarray(array).view(np.uint8)

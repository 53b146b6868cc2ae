"""Vectors in binary files of others: word2vec's and fastText's.

word2vec: a line "keys dimensions", then each key, a space, and its float32 values, with or without
a newline after them. fastText: `FastText::saveModel` of 0.9.2, of which dictionary and input matrix
are read.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import Any

import numpy as np

from ._foreign_text import header_of, unique_keys
from ._subwords import Subwords
from ._vector_search import Floats
from .errors import FormatError

__all__ = ["FASTTEXT_MAGIC", "read_fasttext", "read_word2vec"]

FASTTEXT_MAGIC = struct.pack("<i", 793712314)
_LONGEST_KEY = 1 << 16  # bytes


def map_bytes(path: Path) -> mmap.mmap:
    """Map a file for reading; an empty one is refused."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            raise FormatError("the file is empty")
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _text(raw: bytes, offset: int) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise FormatError(f"the key at byte {offset} must be UTF-8: {error}") from None


def require_finite(matrix: Floats, names: list[str] | None = None) -> None:
    """Refuse a matrix with a value that is NaN or infinite."""
    for start in range(0, len(matrix), 4096):
        finite = np.isfinite(matrix[start : start + 4096]).all(axis=1)
        if not finite.all():
            row = start + int(np.flatnonzero(~finite)[0])
            name = f" of {names[row]!r}" if names is not None and row < len(names) else ""
            raise FormatError(f"row {row}{name} must be finite numbers")


def read_word2vec(path: Path) -> tuple[list[str], Floats]:
    """Return the keys and vectors of a binary file of word2vec."""
    data = map_bytes(path)
    end = data.find(b"\n", 0, 64)
    header = header_of(data[:end]) if end >= 0 else None
    if header is None or header[0] < 1 or header[1] < 1:
        raise FormatError(f"line 1 must be the numbers of keys and dimensions, got {data[:40]!r}")
    rows, dim = header
    if rows * (4 * dim + 2) > len(data):
        raise FormatError(f"cut short: line 1 promises {rows} keys of {dim} dimensions")
    matrix = np.empty((rows, dim), dtype=np.float32)
    keys = []
    offset = end + 1
    for row in range(rows):
        space = data.find(b" ", offset, offset + _LONGEST_KEY)
        if space < 0 or space + 1 + 4 * dim > len(data):
            raise FormatError(f"cut short or corrupt: key {row} at byte {offset} is not whole")
        key = data[offset:space].lstrip(b"\r\n")
        if not key:
            raise FormatError(f"corrupt: key {row} at byte {offset} is empty")
        keys.append(_text(key, offset))
        offset = space + 1 + 4 * dim
        matrix[row] = np.frombuffer(data[space + 1 : offset], dtype="<f4")
    if data[offset:].strip(b"\r\n"):
        raise FormatError(f"corrupt: the file goes on after its last key, at byte {offset}")
    require_finite(matrix, keys)
    unique_keys(keys, "row", 0)
    return keys, matrix


class _Cursor:
    """A place in a mapped file from which numbers and strings are taken."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.offset = 0

    def take(self, form: str) -> tuple[Any, ...]:
        size = struct.calcsize(form)
        if self.offset + size > len(self.data):
            raise FormatError(f"cut short: more was expected at byte {self.offset}")
        values = struct.unpack_from(form, self.data, self.offset)
        self.offset += size
        return values

    def word(self) -> str:
        end = self.data.find(b"\0", self.offset, self.offset + _LONGEST_KEY)
        if end < 0:
            raise FormatError(f"cut short or corrupt: no key ends after byte {self.offset}")
        word = _text(self.data[self.offset : end], self.offset)
        self.offset = end + 1
        return word


def read_fasttext(path: Path) -> tuple[list[str], Floats, list[int], Subwords | None]:
    """Return keys, vectors, counts and subwords of a model of fastText."""
    data = map_bytes(path)
    cursor = _Cursor(data)
    magic, version = cursor.take("<ii")
    if struct.pack("<i", magic) != FASTTEXT_MAGIC or version not in (11, 12):
        raise FormatError(f"must be a fastText model of version 11 or 12, got version {version}")
    dim, _, _, _, _, _, _, model, buckets, min_n, max_n, _, _ = cursor.take("<12id")
    if version == 11 and model == 3:
        max_n = 0
    size, words, labels, _, pruned = cursor.take("<iiiqq")
    if dim < 1 or words < 1 or labels < 0 or size != words + labels or buckets < 0:
        raise FormatError("corrupt: the sizes of the model are impossible")
    if size * 10 > len(data):
        raise FormatError(f"cut short: the dictionary of {size} entries does not fit")
    if pruned >= 0 and pruned != 0:
        raise FormatError("quantized models, whose vectors are not stored, cannot be read")
    keys, counts = [], []
    for entry in range(size):
        key = cursor.word()
        count, kind = cursor.take("<qb")
        if (kind != 0) != (entry >= words) or count < 0:
            raise FormatError(f"corrupt: entry {entry} of the dictionary is impossible")
        if entry < words:
            keys.append(key)
            counts.append(count)
    if cursor.take("<b")[0]:
        raise FormatError("quantized models, whose vectors are not stored, cannot be read")
    rows, columns = cursor.take("<qq")
    if rows != words + buckets or columns != dim:
        raise FormatError(f"corrupt: the input matrix has the shape ({rows}, {columns})")
    if cursor.offset + 4 * rows * dim > len(data):
        raise FormatError(f"cut short: the input matrix at byte {cursor.offset} is not whole")
    flat = np.frombuffer(data, dtype="<f4", count=rows * dim, offset=cursor.offset)
    matrix = np.array(flat, dtype=np.float32).reshape(rows, dim)  # aligned, and no mapping is kept
    _check_output(cursor, 4 * rows * dim, dim)
    require_finite(matrix, keys)
    unique_keys(keys, "entry", 0)
    if max_n < 1 or not buckets:
        return keys, matrix[:words], counts, None
    subwords = Subwords(max(min_n, 1), max_n, buckets, matrix[words:])
    return keys, _composed(keys, matrix, subwords), counts, subwords


def _check_output(cursor: _Cursor, input_bytes: int, dim: int) -> None:
    """Refuse a model whose output matrix, which is not read, is cut: the file is not whole."""
    cursor.offset += input_bytes
    if cursor.take("<b")[0]:
        return  # a quantized output layer; the input is whole
    rows, columns = cursor.take("<qq")
    if rows < 0 or columns != dim or cursor.offset + 4 * rows * dim != len(cursor.data):
        raise FormatError(f"cut short or corrupt: the output matrix at byte {cursor.offset}")


def _composed(keys: list[str], matrix: Floats, subwords: Subwords) -> Floats:
    """Return the mean of each word's row and its n-grams' rows."""
    vectors = np.empty((len(keys), matrix.shape[1]), dtype=np.float32)
    for row, key in enumerate(keys):
        ids = [row]
        if key != "</s>":
            ids += (subwords.ids(key) + len(keys)).tolist()
        vectors[row] = matrix[ids].mean(axis=0, dtype=np.float64)
    return vectors

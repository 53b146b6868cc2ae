"""A BM25 index as a file of kind "bm25".

The header has `k1`, `b`, `tokenizer` (the options of a `Tokenizer`) and `ids` ("none", "int" or
"str"). The arrays are the vocabulary: `words` (uint8), `word_offsets` and `word_counts` (uint64);
the postings: of term t the places `offsets[t]` to `offsets[t + 1]` (uint64) of `rows` and `counts`
(uint32); `lengths`, the tokens of each document (uint32); and `ids` as in a file of codes.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from . import _core, files
from ._check import check_float
from ._ids import check_ids, pack_ids, unpack_ids
from ._tokenizer import Tokenizer
from ._vocabulary import Vocabulary
from .errors import FormatError
from .lexical import BM25Index

__all__ = ["bm25_bytes", "load_bm25", "save_bm25"]

_ARRAYS = ("offsets", "rows", "counts", "lengths")
_WORDS = ("words", "word_offsets", "word_counts")


def _parts(index: BM25Index) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    vocabulary, engine, ids = index._fitted()
    if not isinstance(index.tokenizer, Tokenizer):
        raise TypeError(
            "`tokenizer` must be a Tokenizer for the index to be saved: a file holds no callable"
        )
    arrays: dict[str, npt.NDArray[Any]] = {}
    arrays.update(zip(_WORDS, vocabulary.to_arrays(), strict=True))
    arrays.update(zip(_ARRAYS, engine.to_arrays(), strict=True))
    kind, names = pack_ids(ids)
    arrays.update(names)
    options = {"k1": index.k1, "b": index.b, "tokenizer": index.tokenizer.to_dict(), "ids": kind}
    return options, arrays


def save_bm25(index: BM25Index, path: files.Path) -> None:
    """Save an index as one file; an old file there is replaced at once or not at all."""
    files.write_file(path, "bm25", *_parts(index))


def bm25_bytes(index: BM25Index) -> bytes:
    """Return the bytes of the file that `save_bm25` would write."""
    return files.write_bytes("bm25", *_parts(index))


def load_bm25(path: files.Path) -> BM25Index:
    """Load what `save_bm25` wrote.

    Raises
    ------
    FormatError
        If the file is corrupt, cut, newer, or holds something else.
    """
    loaded = files.load(path)
    if not isinstance(loaded, BM25Index):
        raise FormatError(f"{path}: holds a {type(loaded).__name__}, not a BM25Index")
    return loaded


def _from_parts(header: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> BM25Index:
    tokenizer = Tokenizer.from_dict(files.require_field(header, "tokenizer", dict))
    words = files.require_array(arrays, "words", "uint8", None)
    word_offsets = files.require_array(arrays, "word_offsets", "uint64", None)
    word_counts = files.require_array(arrays, "word_counts", "uint64", None)
    vocabulary = Vocabulary.from_arrays(words, word_offsets, word_counts)
    offsets = files.require_array(arrays, "offsets", "uint64", None)
    rows, counts, lengths = (
        files.require_array(arrays, name, "uint32", None) for name in _ARRAYS[1:]
    )
    if len(offsets) > len(vocabulary) + 1:
        raise FormatError("corrupt: the postings have more terms than the vocabulary")
    ids = unpack_ids(header, arrays, len(lengths))
    try:
        k1, b = (
            check_float(name, files.require_field(header, name, (int, float)), most=most)
            for name, most in (("k1", 1e6), ("b", 1.0))
        )
        index = BM25Index(k1, b, tokenizer)
        names = None if ids is None else check_ids(ids, len(lengths))
    except (TypeError, ValueError) as error:
        raise FormatError(f"corrupt: {error}") from None
    engine = _core.Bm25.from_arrays(k1, b, offsets, rows, counts, lengths)
    index._state = (vocabulary, engine, names)
    return index


files.register("bm25", _from_parts)

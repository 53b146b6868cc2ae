"""Word and sense vectors as a file of kind "vectors", and back.

The header has `class`, and `subwords`: null, or `min_n`, `max_n` and `buckets`. The arrays are
`vectors` (float32, rows by dim) and, for `WordVectors`, the strings `keys`; for `SenseVectors`, the
strings `words`, `offsets` (uint64, words + 1) and `priors` (float64, rows). Where there are such:
`counts` (uint64), `word_vectors` (float32, words by dim), `buckets` (float32, buckets by dim).
"""

from __future__ import annotations

from typing import Any

from . import files
from ._sense_vectors import SenseVectors
from ._subwords import Subwords
from .errors import FormatError
from .vectors import WordVectors

__all__ = ["load_own", "own_bytes", "save_own"]


def _parts(wv: WordVectors) -> tuple[dict[str, Any], dict[str, Any]]:
    arrays: dict[str, Any] = {"vectors": wv.vectors}
    header: dict[str, Any] = {"class": "WordVectors", "subwords": None}
    counts = wv.counts
    if isinstance(wv, SenseVectors):
        header["class"] = "SenseVectors"
        arrays.update(files.pack_strings("words", wv.words))
        arrays["offsets"] = wv.offsets.astype("uint64")
        arrays["priors"] = wv.priors
        counts = wv.word_counts
        if wv.word_vectors is not None:
            arrays["word_vectors"] = wv.word_vectors
    else:
        arrays.update(files.pack_strings("keys", wv.index_to_key))
    if counts is not None:
        arrays["counts"] = counts
    if wv.subwords is not None:
        if not isinstance(wv.subwords, Subwords):
            kind = type(wv.subwords).__name__
            raise TypeError(f"`subwords` must be bitsense's own to be saved, got {kind}")
        names = ("min_n", "max_n", "buckets")
        header["subwords"] = {name: getattr(wv.subwords, name) for name in names}
        arrays["buckets"] = wv.subwords.bucket_vectors
    return header, arrays


def save_own(wv: WordVectors, path: files.Path) -> None:
    """Save vectors as one file; an old file there is replaced at once or not at all."""
    files.write_file(path, "vectors", *_parts(wv))


def own_bytes(wv: WordVectors) -> bytes:
    """Return the bytes of the file that `save_own` would write."""
    return files.write_bytes("vectors", *_parts(wv))


def load_own(cls: type[WordVectors], path: files.Path) -> WordVectors:
    """Load what `save_own` wrote, if it is of this class."""
    loaded = files.load(path)
    if not isinstance(loaded, cls):
        raise FormatError(f"{path}: holds a {type(loaded).__name__}, not a {cls.__name__}")
    return loaded


def _subwords(header: dict[str, Any], arrays: dict[str, Any], dim: int) -> Subwords | None:
    if "subwords" in header and header["subwords"] is None:
        return None
    values = files.require_field(header, "subwords", dict)
    min_n, max_n, buckets = (
        files.require_field(values, name, int) for name in ("min_n", "max_n", "buckets")
    )
    matrix = files.require_array(arrays, "buckets", "float32", None, dim)
    return Subwords(min_n, max_n, buckets, matrix)


def _from_parts(header: dict[str, Any], arrays: dict[str, Any]) -> WordVectors:
    kind = files.require_field(header, "class", str)
    vectors = files.require_array(arrays, "vectors", "float32", None, None)
    counts = None
    if "counts" in arrays:
        counts = files.require_array(arrays, "counts", "uint64", None)
    try:
        subwords = _subwords(header, arrays, vectors.shape[1])
        if kind == "WordVectors":
            keys = files.unpack_strings(arrays, "keys")
            return WordVectors(keys, vectors, counts=counts, subwords=subwords)
        if kind != "SenseVectors" or subwords is not None:
            raise FormatError(f"corrupt: 'class' must be one of vectors, got {kind!r}")
        return SenseVectors(
            files.unpack_strings(arrays, "words"),
            files.require_array(arrays, "offsets", "uint64", None),
            vectors,
            priors=files.require_array(arrays, "priors", "float64", None),
            counts=counts,
            word_vectors=arrays.get("word_vectors"),
        )
    except FormatError:
        raise
    except (TypeError, ValueError) as error:
        raise FormatError(f"corrupt: {error}") from None


files.register("vectors", _from_parts)

"""Vectors of words from their character n-grams, with the bucket numbers of fastText.

An n-gram is n characters of ``<word>``; its bucket is the 32-bit FNV-1a hash of its UTF-8 bytes,
each extended with its sign (as a C++ ``int8_t``), modulo the number of buckets. The n-grams of one
character that are a border, ``<`` or ``>``, are left out.

Bojanowski et al., "Enriching Word Vectors with Subword Information", TACL 2017;
`Dictionary::computeSubwords` of fastText 0.9.2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._check import check_count
from ._vector_queries import check_matrix

__all__ = ["Subwords", "subword_ids"]

_MASK = 0xFFFFFFFF
# What a byte does to the hash: bytes from 128 up are negative and set the upper bits as well.
_EXTENDED = [byte if byte < 128 else byte | 0xFFFFFF00 for byte in range(256)]


def subword_ids(word: str, min_n: int, max_n: int, buckets: int) -> list[int]:
    """Return the buckets of the n-grams of a word, by their start and then by their length."""
    framed = [each.encode("utf-8", "surrogateescape") for each in f"<{word}>"]
    ids = []
    for start in range(len(framed)):
        value = 2166136261
        for length, character in enumerate(framed[start : start + max_n], 1):
            for byte in character:
                value = ((value ^ _EXTENDED[byte]) * 16777619) & _MASK
            border = length == 1 and start in (0, len(framed) - 1)
            if length >= min_n and not border:
                ids.append(value % buckets)
    return ids


class Subwords:
    """Vectors of hashed n-grams, of which words are composed.

    Parameters
    ----------
    min_n, max_n : int
        The shortest and the longest n-grams, in characters.
    buckets : int
    bucket_vectors : array-like, shape (buckets, dim)
        Not copied where it is float32 and the values of a row are contiguous.
    """

    def __init__(self, min_n: int, max_n: int, buckets: int, bucket_vectors: npt.ArrayLike) -> None:
        self.min_n = check_count("min_n", min_n)
        self.max_n = check_count("max_n", max_n, least=self.min_n)
        self.buckets = check_count("buckets", buckets, most=2**31 - 1)
        self.bucket_vectors = check_matrix("bucket_vectors", bucket_vectors, self.buckets)

    def __repr__(self) -> str:
        return f"<Subwords: {self.min_n} to {self.max_n} characters in {self.buckets:,} buckets>"

    def ids(self, word: str) -> npt.NDArray[np.int64]:
        """Return the buckets of the n-grams of `word`, with repetitions, shape (n-grams,)."""
        return np.array(subword_ids(word, self.min_n, self.max_n, self.buckets), dtype=np.int64)

    def vector(self, word: str) -> npt.NDArray[np.float32]:
        """Return the mean of the n-grams' vectors, shape (dim,); zeros if `word` has none."""
        ids = self.ids(word)
        dim = self.bucket_vectors.shape[1]
        if not ids.size:
            return np.zeros(dim, dtype=np.float32)
        mean: npt.NDArray[Any] = self.bucket_vectors[ids].mean(axis=0, dtype=np.float64)
        return mean.astype(np.float32)

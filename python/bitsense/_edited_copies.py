"""Copies of documents with some words replaced, and pairs of different documents.

Everything random here is SplitMix64 of (seed, what it is for, position), the engine's generator, so
it depends neither on NumPy's version nor on the machine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .hashing import _GAMMA, _mix
from .text import Corpus

__all__ = ["COPIES", "HALVES", "HELD_OUT", "PAIRS", "QUERIES", "draws", "edited_copies",
           "random_pairs", "same_documents"]  # fmt: skip

# What draws are for; each has numbers of its own.
PLACES, COPIES, PAIRS, QUERIES, HALVES, HELD_OUT = range(1, 7)

Integers = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]


def draws(seed: int, purpose: int, count: int, first: int = 0) -> Words:
    """Return the random words of 64 bits at `count` positions from `first` on."""
    with np.errstate(over="ignore"):
        start = _mix(np.uint64(seed) + np.uint64(purpose) * _GAMMA)
        words: Words = _mix(
            np.arange(first + 1, first + count + 1, dtype=np.uint64) * _GAMMA + start
        )
    return words


def edited_copies(corpus: Corpus, counts: npt.NDArray[np.uint64], edit: float, seed: int) -> Corpus:
    """Return the documents with a share of their words replaced.

    Of a document of t words, the nearest whole number to ``edit * t`` are replaced, a half upwards,
    and at least one; which, and by what, is random. A new word is w with probability
    ``counts[w] / sum(counts)``; so it may be the old one.

    Parameters
    ----------
    corpus : Corpus
        Every document has at least one word.
    counts : uint64, shape (n_words,)
    edit : float
        In (0, 1].
    seed : int
    """
    offsets = corpus.offsets.astype(np.int64)
    lengths = np.diff(offsets)
    replaced = np.maximum(1, np.floor(edit * lengths + 0.5).astype(np.int64))
    document = np.repeat(np.arange(len(lengths)), lengths)
    # Each document's places in random order; the first of them are replaced.
    order = np.lexsort((draws(seed, PLACES, corpus.n_tokens), document))
    rank = np.arange(corpus.n_tokens) - offsets[document]
    places = order[rank < replaced[document]]
    ends = np.cumsum(counts.astype(np.int64))
    share = (draws(seed, COPIES, corpus.n_tokens)[places] >> np.uint64(11)) * 2.0**-53
    drawn = np.minimum((share * ends[-1]).astype(np.int64), ends[-1] - 1)
    ids = corpus.ids.copy()
    ids[places] = np.searchsorted(ends, drawn, side="right")
    return Corpus(ids, corpus.offsets, corpus.totals)


def same_documents(corpus: Corpus) -> Integers:
    """Return a number for each document, equal where documents have the same words equally often.

    A model of bags of words cannot tell such documents apart, and for others they are duplicates.
    """
    offsets = corpus.offsets.astype(np.int64)
    document = np.repeat(np.arange(corpus.n_documents), np.diff(offsets))
    ids = corpus.ids[np.lexsort((corpus.ids, document))]
    numbers: dict[bytes, int] = {}
    found = [
        numbers.setdefault(ids[offsets[i] : offsets[i + 1]].tobytes(), len(numbers))
        for i in range(corpus.n_documents)
    ]
    return np.array(found, dtype=np.int64)


def random_pairs(same: Integers, pairs: int, seed: int) -> tuple[Integers, Integers]:
    """Return two lists of documents that pair up, without pairs of the same document.

    All pairs where there are no more than `pairs`; otherwise so many, drawn with replacement, of
    which those of two documents with the same number in `same` are dropped.
    """
    n = len(same)
    if n * (n - 1) // 2 <= pairs:
        first, second = np.triu_indices(n, 1)
    else:
        words = draws(seed, PAIRS, 2 * pairs)
        first, second = _below(words[:pairs], n), _below(words[pairs:], n - 1)
        second += second >= first
    different = same[first] != same[second]
    return first[different], second[different]


def _below(words: Words, bound: int) -> Any:
    """Return words of 64 bits as numbers below `bound`, which is less than 2^32."""
    return ((words >> np.uint64(32)) * np.uint64(bound) >> np.uint64(32)).astype(np.int64)

"""Why two documents have near codes: their distance, and the terms that they share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._check import check_count
from .codes import as_codes
from .search import hamming_distances
from .text import encode_documents

__all__ = ["PairExplanation", "SharedTerm", "explain_pair"]


@dataclass(frozen=True)
class SharedTerm:
    """A term of two documents.

    Attributes
    ----------
    term : str
    first, second : int
        How often it is in each of them.
    weight : float
        The smaller of the two times the term's information, ln(all words / this word).
    """

    term: str
    first: int
    second: int
    weight: float


@dataclass(frozen=True)
class PairExplanation:
    """What two documents have in common, as a model sees them.

    Attributes
    ----------
    distance : int
        The Hamming distance of their codes.
    bits : int
        Of a code.
    differing : int64, shape (distance,)
        The numbers of the bits that differ.
    terms : list of SharedTerm
        The weightiest first; equal weights by the word's id.
    """

    distance: int
    bits: int
    differing: npt.NDArray[np.int64]
    terms: list[SharedTerm]


def explain_pair(model: Any, first: str, second: str, *, k: int = 10) -> PairExplanation:
    """Explain how near the codes of two documents are, say a pair of `HammingIndex.self_join`.

    Parameters
    ----------
    model : BinaryParagraphVector or RealBinaryParagraphVector, fitted
        Its tokeniser and vocabulary say what a term is.
    first, second : str
        The documents.
    k : int, default 10
        How many shared terms at most.

    Returns
    -------
    PairExplanation

    Raises
    ------
    TypeError
        If a document is no string.
    NotFittedError
        If the model is not fitted.

    Examples
    --------
    >>> from bitsense import BinaryParagraphVector
    >>> texts = ["red wine", "white wine and fish", "a fast red car", "the car is fast"] * 5
    >>> model = BinaryParagraphVector(bits=8, min_count=1, epochs=2, threads=1).fit(texts)
    >>> [each.term for each in explain_pair(model, "fast car", "a fast red car").terms]
    ['car', 'fast']
    """
    for name, text in (("first", first), ("second", second)):
        if not isinstance(text, str):
            raise TypeError(f"`{name}` must be a string, got {type(text).__name__}")
    k = check_count("k", k)
    codes = as_codes("codes", model.transform([first, second]), model.bits)
    vocabulary = model.vocabulary_
    corpus = encode_documents([first, second], vocabulary, tokenizer=model.tokenizer_)
    ends = np.asarray(corpus.offsets)
    counted = [
        dict(zip(*(part.tolist() for part in np.unique(ids, return_counts=True)), strict=True))
        for ids in (corpus.ids[: ends[1]], corpus.ids[ends[1] :])
    ]
    counts = np.asarray(vocabulary.counts, np.float64)
    total = float(counts.sum())
    shared = [
        (-min(counted[0][i], counted[1][i]) * math.log(total / counts[i]), i)
        for i in counted[0].keys() & counted[1].keys()
    ]
    words = list(vocabulary) if shared else []
    terms = [
        SharedTerm(words[i], counted[0][i], counted[1][i], 0.0 - weight)
        for weight, i in sorted(shared)[:k]
    ]
    return PairExplanation(
        distance=int(hamming_distances(codes[:1], codes[1:])[0, 0]),
        bits=codes.bits,
        differing=np.flatnonzero(codes[:1].to_bool()[0] != codes[1:].to_bool()[0]),
        terms=terms,
    )

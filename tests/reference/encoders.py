"""Documents as sums of their words' rows, slowly and in float64: weights, neighbours, both ways.

The formulas are those of cpp/models/pv_encoder.hpp.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import log

import numpy as np

from .compositions import activate, deactivate

ENCODERS = ["pv-encoder", "binary-pv-encoder"]


def split(ids, offsets):
    """Return documents as lists of ids."""
    return [ids[int(a) : int(b)].tolist() for a, b in pairwise(offsets)]


def inverse_frequencies(documents, words):
    holders = [sum(word in set(document) for document in documents) for word in range(words)]
    return np.array([log(1 + len(documents) / df) if df else 1.0 for df in holders])


def inputs_of(document, idf):
    """Return the weight of each distinct word, ascending, in the sum; sum of squares 1."""
    times = sorted(Counter(document).items())
    x = {word: log(1 + n) * idf[word] ** 1.5 for word, n in times}
    length = sum(value**2 for value in x.values()) ** 0.5
    return {word: value / length for word, value in x.items()}


def targets_of(documents, idf):
    """Return how much each distinct word of each document counts as a target; their mean is 1."""
    y = [
        {word: log(1 + n) * idf[word] for word, n in sorted(Counter(document).items())}
        for document in documents
    ]
    values = [value for own in y for value in own.values()]
    mean = sum(values) / len(values) if values else 1.0
    return [{word: value / mean for word, value in own.items()} for own in y]


def compose(model, x, rows, soft=False):
    """Return the hidden vector of the weights `x`, one for each of `rows`."""
    return activate(model, x @ rows, soft)


def send_back(model, g, x, rows):
    """Return the gradient of each row; `g` is that of the hidden vector."""
    return np.outer(x, deactivate(model, x @ rows, g))


def encode(document, idf, context):
    """Return the vector of a document, before it is rounded."""
    total = np.zeros(context.shape[1])
    for word, weight in inputs_of(document, idf).items():
        total += weight * context[word]
    return total


def nearest(vectors, k):
    """Return the k nearest of each row by cosine, but itself, equals by their place."""
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    unit = vectors / np.where(lengths > 0, lengths, 1.0)[:, None]
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    return np.argsort(-cosines, axis=1, kind="stable")[:, :k]

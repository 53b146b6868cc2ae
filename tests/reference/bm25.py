"""BM25 by its formula: one document and one term at a time."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np


def scores(queries, documents, k1, b):
    """The float32 score of each query and document, given as lists of tokens."""
    counts = [Counter(document) for document in documents]
    n = len(documents)
    mean = sum(map(len, documents)) / n if any(documents) else 1.0
    result = np.zeros((len(queries), n), np.float32)
    for q, query in enumerate(queries):
        for d, count in enumerate(counts):
            total = 0.0
            for term, times in Counter(query).items():  # in the order of their first places
                df = sum(term in other for other in counts)
                if count[term]:
                    idf = math.log1p((n - df + 0.5) / (df + 0.5))
                    norm = k1 * (1 - b + b * len(documents[d]) / mean)
                    total += times * idf * (k1 + 1) * count[term] / (count[term] + norm)
            result[q, d] = total
    return result


def search(queries, documents, k, k1=1.2, b=0.75, mask=None):
    """The rows and scores of the best k that may be found."""
    table = scores(queries, documents, k1, b)
    rows = np.arange(len(documents)) if mask is None else np.flatnonzero(mask)
    k = min(k, len(rows))
    order = [rows[np.lexsort((rows, -line[rows]))][:k] for line in table]
    ids = np.array(order, np.int64).reshape(len(queries), k)
    return ids, np.take_along_axis(table, ids, axis=1)

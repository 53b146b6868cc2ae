"""The held-out part of a training split on which hyper-parameters are chosen, never the test.

Twenty per cent of the training documents, picked by a hash of their names, so that the split
depends on nothing else. Models are trained on the rest; the held-out documents then query one
another as the test documents do.

    python benchmarks/validation.py ../shared/data/20news_bydate.jsonl.gz    # sizes of the split
"""

from __future__ import annotations

import hashlib
import sys

import numpy as np
from newsgroups import Split, load

from bitsense.evaluate import RetrievalMetrics, evaluate_retrieval

SHARE = 0.2


def is_held_out(name: str) -> bool:
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < SHARE * 2**64


def validation_split(train: Split) -> tuple[Split, Split]:
    """Return the part to fit and the part to evaluate, both in the order of `train`."""
    held_out = np.array([is_held_out(name) for name in train.names])
    return train.take(np.flatnonzero(~held_out)), train.take(np.flatnonzero(held_out))


def evaluate(codes_or_vectors: np.ndarray, validation: Split) -> RetrievalMetrics:
    """Rank the held-out documents for one another: Hamming for uint8 codes, cosine for floats."""
    return evaluate_retrieval(codes_or_vectors, validation.labels, k=10)


def score(metrics: RetrievalMetrics) -> float:
    """Return what is maximised when choosing: the mean of MAP and NDCG@10."""
    return (metrics.map + metrics.ndcg[10]) / 2


if __name__ == "__main__":
    fit, validation = validation_split(load(sys.argv[1])[0])
    for part in (fit, validation):
        print(len(part.documents), "documents", part.words, "tokens", len(set(part.labels)))

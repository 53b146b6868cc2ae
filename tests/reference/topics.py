"""Documents with planted topics: each topic has words of its own, so the right answer is known."""

from __future__ import annotations

import numpy as np


def planted(topics=6, documents=40, words=30, length=(30, 60), seed=0):
    """Return texts and the topic of each; no two topics share a word."""
    rng = np.random.default_rng(seed)
    p = 1.0 / np.arange(1, words + 1)
    p /= p.sum()
    texts, labels = [], []
    for i in rng.permutation(topics * documents):
        topic = int(i) % topics
        ids = rng.choice(words, size=rng.integers(*length), p=p)
        texts.append(" ".join(f"topic{topic}word{w}" for w in ids))
        labels.append(topic)
    return texts, np.array(labels)


def planted_mixtures(topics=8, documents=240, words=25, seed=0):
    """Return texts of two to four topics, and a bool matrix of the topics of each."""
    rng = np.random.default_rng(seed)
    texts, member = [], np.zeros((documents, topics), dtype=bool)
    for d in range(documents):
        own = rng.choice(topics, size=rng.integers(2, 5), replace=False)
        member[d, own] = True
        drawn = zip(rng.choice(own, 80), rng.integers(0, words, 80), strict=True)
        texts.append(" ".join(f"topic{topic}word{w}" for topic, w in drawn))
    return texts, member


def nearest_share(distances, topics):
    """The share of documents whose nearest other document has their topic."""
    distances = np.array(distances, dtype=np.float64)
    np.fill_diagonal(distances, np.inf)
    return float(np.mean(topics[distances.argmin(axis=1)] == topics))


def cosine_distances(vectors):
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return 1 - vectors @ vectors.T

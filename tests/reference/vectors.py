"""The slow twin of neighbours, analogies and senses in context: one pair at a time, in float64."""

from __future__ import annotations

import math

import numpy as np


def unit(vector) -> np.ndarray:
    vector = np.asarray(vector, dtype=np.float64)
    length = math.sqrt(float((vector * vector).sum()))
    return (vector / length if length else vector).astype(np.float32)


def spread(rng, n, dim, held, share, mean=0.0):
    """Return rows with `share` of their variance in `held` of their dimensions, rotated."""
    scales = np.full(dim, np.sqrt((1 - share) / max(dim - held, 1)))
    scales[:held] = np.sqrt(share / held)
    rotation = np.linalg.qr(np.random.default_rng(99).standard_normal((dim, dim)))[0]
    rows = rng.standard_normal((n, dim)) * scales @ rotation
    return (rows + mean * rotation[-1]).astype(np.float32)


def cosine(a, b) -> np.float32:
    """The cosine of two unit vectors."""
    total = (np.asarray(a, dtype=np.float64) * np.asarray(b, dtype=np.float64)).sum()
    return np.float32(min(1.0, max(-1.0, np.float32(total))))


def ordered(scores, k):
    """Return the k best (row, score) of a dictionary, by (score falling, row rising)."""
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:k]


def neighbors(units, query, allowed, k):
    return ordered({row: cosine(units[row], query) for row in allowed}, k)


def analogy_scores(units, a, b, c, method):
    rows = [row for row in range(len(units)) if row not in (a, b, c)]
    if method == "3cosadd":
        total = units[b].astype(np.float64) - units[a] + units[c]
        return {row: cosine(units[row], unit(total)) for row in rows}

    def shifted(row, other):
        return (float(cosine(units[row], units[other])) + 1) / 2

    return {
        row: np.float32(shifted(row, b) * shifted(row, c) / (shifted(row, a) + 0.001))
        for row in rows
    }


def best_sense(senses, token_senses):
    """Return the number of the sense nearest to the mean of its tokens' mean senses, from 0."""
    means = [np.mean(each, axis=0, dtype=np.float64) for each in token_senses]
    context = unit(np.mean(means, axis=0)) if means else np.zeros(senses.shape[1])
    scores = [cosine(unit(sense), context) for sense in senses]
    return scores.index(max(scores))

"""The classical way to senses: cluster the contexts of a word, as vectors of a plain skip-gram.

For each word asked about, up to `OCCURRENCES` places are drawn from the training corpus. A context
is the mean of the vectors of the words within `WINDOW` on both sides, each weighted by the
probability with which skip-gram keeps it in training, sqrt(t / f) at most 1, and scaled to length
1. The contexts are clustered (k-means, or agglomerative clustering by Ward's criterion), a sense
is the centroid of a cluster, its prior the cluster's share, and a new context has the sense whose
centroid is nearest by cosine. Schuetze, "Automatic word sense discrimination", Computational
Linguistics 24 (1998); Reisinger and Mooney, NAACL 2010.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bitsense.vectors import SenseVectors

WINDOW = 10
OCCURRENCES = 2000
SUBSAMPLE = 1e-4

Labels = Mapping[int, np.ndarray]


class Contexts:
    """Vectors of contexts under one table of word vectors."""

    def __init__(self, words: Sequence[str], vectors: np.ndarray, counts: np.ndarray) -> None:
        self.rows = {word: row for row, word in enumerate(words)}
        frequency = counts / counts.sum()
        kept = np.minimum(1.0, np.sqrt(SUBSAMPLE / np.maximum(frequency, 1e-12)))
        self.weighted = (vectors * kept[:, None]).astype(np.float32)

    def of_ids(self, contexts: Iterable[np.ndarray]) -> np.ndarray:
        """Return one unit vector per array of rows; zeros for an empty one."""
        return _unit(np.array([self.weighted[rows].sum(axis=0) for rows in contexts]))

    def of_tokens(self, tokens: Sequence[Sequence[str]], positions: Sequence[int]) -> np.ndarray:
        """Return one unit vector per context, the word at its position left out."""
        return self.of_ids(
            [
                [self.rows[t] for i, t in enumerate(some) if i != position and t in self.rows]
                for some, position in zip(tokens, positions, strict=True)
            ]
        )


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def occurrences(
    ids: np.ndarray, offsets: np.ndarray, row: int, most: int, seed: int
) -> list[np.ndarray]:
    """Return the ids around up to `most` places of a word, drawn without replacement."""
    places = np.flatnonzero(ids == row)
    if len(places) > most:
        places = np.random.default_rng((seed, row)).choice(places, most, replace=False)
    documents = np.searchsorted(offsets, places, side="right") - 1
    found = []
    for place, document in zip(places.tolist(), documents.tolist(), strict=True):
        first = max(place - WINDOW, int(offsets[document]))
        last = min(place + WINDOW + 1, int(offsets[document + 1]))
        found.append(np.concatenate([ids[first:place], ids[place + 1 : last]]))
    return found


def k_means(points: np.ndarray, sizes: Sequence[int], seed: int) -> Labels:
    """Return the labels for each number of clusters, by k-means of scikit-learn."""
    from sklearn.cluster import KMeans

    with warnings.catch_warnings():  # of fewer distinct points than clusters
        warnings.simplefilter("ignore")
        return {k: KMeans(k, n_init=4, random_state=seed).fit_predict(points) for k in sizes}


def agglomerative(points: np.ndarray, sizes: Sequence[int], seed: int) -> Labels:
    """Return the labels for each number of clusters: one tree by Ward's criterion, cut."""
    from scipy.cluster.hierarchy import cut_tree, ward

    if len(points) < 2:
        return {k: np.zeros(len(points), np.int64) for k in sizes}
    labels = cut_tree(ward(points.astype(np.float64)), list(sizes))
    return {k: labels[:, column] for column, k in enumerate(sizes)}


CLUSTERINGS: dict[str, Callable[[np.ndarray, Sequence[int], int], Labels]] = {
    "k-means": k_means,
    "agglomerative": agglomerative,
}


@dataclass
class ClusteredSenses:
    """Senses that are centroids of contexts; what `bitsense.evaluate` asks of a model."""

    wv: SenseVectors
    contexts: Contexts

    def sense_probabilities(
        self, tokens: Sequence[Sequence[str]], positions: Sequence[int], *, by: str
    ) -> np.ndarray:
        """Return (1 + cosine to the centroid) / 2, scaled to sum to 1 over the senses."""
        made = self.contexts.of_tokens(tokens, positions)
        senses = [self.wv.sense_rows(some[i]) for some, i in zip(tokens, positions, strict=True)]
        chances = np.zeros((len(tokens), max(map(len, senses), default=1)))
        for row, context, rows in zip(chances, made, senses, strict=True):
            units = self.wv.unit_vectors[rows.start : rows.stop]
            row[: len(rows)] = (1 + units @ context) / 2
        return chances / chances.sum(axis=1, keepdims=True)


def clustered(centroids: Mapping[str, tuple[np.ndarray, np.ndarray]],
              contexts: Contexts) -> ClusteredSenses:  # fmt: skip
    """Return the model of words with their centroids and shares."""
    words, offsets, vectors, priors = list(centroids), [0], [], []
    for word in words:
        points, shares = centroids[word]
        order = np.argsort(-shares, kind="stable")
        vectors.append(points[order])
        priors.append(shares[order])
        offsets.append(offsets[-1] + len(shares))
    stacked = np.concatenate(vectors).astype(np.float32)
    wv = SenseVectors(words, offsets, stacked, priors=np.concatenate(priors))
    return ClusteredSenses(wv, contexts)


def cluster_words(
    words: Mapping[str, Sequence[int]],
    contexts: Contexts,
    corpus: Any,
    method: str,
    *,
    most: int = OCCURRENCES,
    seed: int = 1,
) -> dict[int, dict[str, tuple[np.ndarray, np.ndarray]]]:
    """Cluster the contexts of each word once for each number of clusters asked for.

    Returns
    -------
    dict of int to dict of str to (centroids, shares)
        By position among the numbers asked for, so that a word's own number can be one of them.
    """
    made: dict[int, dict[str, tuple[np.ndarray, np.ndarray]]] = {}
    for word, sizes in words.items():
        around = occurrences(corpus.ids, corpus.offsets, contexts.rows[word], most, seed)
        points = contexts.of_ids(around)
        wanted = sorted({min(k, len(points)) for k in sizes})
        labels = CLUSTERINGS[method](points, wanted, seed)
        for place, k in enumerate(sizes):
            made.setdefault(place, {})[word] = _centroids(points, labels[min(k, len(points))])
    return made


def _centroids(points: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    names, counts = np.unique(labels, return_counts=True)
    return np.array([points[labels == name].mean(axis=0) for name in names]), counts / len(points)

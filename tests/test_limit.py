"""LIMIT: what single vectors can and cannot rank, and what words can (Weller et al., 2025).

The data is LIMIT-small: 46 people who like 50 things each; every query has two answers.
"""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

import bitsense
from bitsense import BM25Index, HammingIndex, SignBinarizer, Tokenizer, fuse

PEOPLE = 46


def moment_curve(angles):
    """Return unit vectors on the trigonometric moment curve of dimension 4."""
    parts = [np.cos(angles), np.sin(angles), np.cos(2 * angles), np.sin(2 * angles)]
    return np.stack(parts, axis=1) / np.sqrt(2)


def pair_queries(angles, pairs):
    """Return the coefficients of -(1 - cos(t - a)) (1 - cos(t - b)), 0 at a and b, else negative.

    Up to a constant, they are a vector whose product with the curve at t is that function.
    """
    a, b = angles[pairs].T
    ends = [np.cos(a) + np.cos(b), np.sin(a) + np.sin(b)]
    return np.stack([*ends, -np.cos(a + b) / 2, -np.sin(a + b) / 2], axis=1)


@pytest.fixture(scope="module")
def oracle():
    angles = 2 * np.pi * np.arange(PEOPLE) / PEOPLE
    pairs = np.array(list(itertools.combinations(range(PEOPLE), 2)))
    assert len(pairs) == 1035
    return moment_curve(angles), pair_queries(angles, pairs), pairs


def test_four_dimensions_rank_every_pair_first(oracle):
    documents, queries, pairs = oracle
    queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    for dtype in (np.float64, np.float32):
        scores = queries.astype(dtype) @ documents.astype(dtype).T
        best = np.sort(np.argsort(-scores, axis=1, kind="stable")[:, :2], axis=1)
        assert np.array_equal(best, pairs)


def test_the_exact_search_finds_every_pair(oracle):
    documents, queries, pairs = oracle
    cosine_index = getattr(bitsense, "CosineIndex", None)
    if cosine_index is None:
        pytest.skip("needs bitsense.CosineIndex")
    ids, _ = cosine_index(documents.astype(np.float32)).search(queries.astype(np.float32), 2)
    assert np.array_equal(np.sort(ids, axis=1), pairs)


def test_four_bits_cannot(oracle):
    documents, queries, pairs = oracle
    binarizer = SignBinarizer().fit(documents)
    ids, _ = HammingIndex(binarizer.transform(documents)).search(binarizer.transform(queries), 2)
    assert (np.sort(ids, axis=1) == pairs).all(axis=1).mean() < 0.1


@pytest.fixture(scope="module")
def limit(data_folder):
    folder = data_folder / "limit_small"
    if not folder.is_dir():
        pytest.skip("needs limit_small in the data folder")

    def lines(name):
        return [json.loads(line) for line in (folder / name).read_text("utf-8").splitlines()]

    documents = {line["_id"]: line["text"] for line in lines("corpus.jsonl")}
    queries = {line["_id"]: line["text"] for line in lines("queries.jsonl")}
    relevant = {query: set() for query in queries}
    for line in lines("qrels.jsonl"):
        relevant[line["query-id"]].add(line["corpus-id"])
    assert (len(documents), len(queries)) == (PEOPLE, 1000)
    return documents, queries, relevant


def recall(ids, relevant, k):
    found = [len(set(row[:k]) & answers) / 2 for row, answers in zip(ids, relevant, strict=True)]
    return float(np.mean(found))


@pytest.mark.data
def test_bm25_has_the_published_recall(limit):
    documents, queries, relevant = limit
    index = BM25Index().fit(list(documents.values()), list(documents))
    ids, _ = index.search(list(queries.values()), 10)
    answers = list(relevant.values())
    assert recall(ids, answers, 2) >= 0.99
    assert recall(ids, answers, 10) == 1.0


def summed_words(texts, dim=256):
    """Return unit sums of a random vector for each word: vectors that know little."""

    def vector(word):
        return np.random.default_rng(list(word.encode())).normal(size=dim)

    sums = [sum(map(vector, sorted(set(Tokenizer()(text))))) for text in texts]
    return np.array([each / np.linalg.norm(each) for each in sums])


@pytest.mark.data
def test_fused_by_scores_with_poor_vectors_words_lose_little(limit):
    documents, queries, relevant = limit
    answers = list(relevant.values())
    index = BM25Index().fit(list(documents.values()), list(documents))
    words = index.search(list(queries.values()), PEOPLE)
    names = np.array(list(documents), object)
    scores = summed_words(queries.values()) @ summed_words(documents.values()).T
    order = np.argsort(-scores, axis=1, kind="stable")
    vectors = names[order], np.take_along_axis(scores, order, axis=1)
    assert recall(vectors[0], answers, 2) < 0.6
    for weight in (0.03, 0.1, 0.3):
        fused, _ = fuse([words, vectors], 10, method="scores", weights=[1, weight])
        assert recall(fused, answers, 2) >= recall(words[0], answers, 2) - 0.005
        assert recall(fused, answers, 10) == 1.0
    places, _ = fuse([words, vectors], 10)  # which trusts both alike
    assert recall(places, answers, 2) < 0.8

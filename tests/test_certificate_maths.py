"""The measurements of certificates, one by one, against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from reference import certificate as twin
from reference.codes import cosine, hamming

from bitsense import Corpus, _certify, _neighbour_agreement
from bitsense import _edited_copies as copies
from bitsense._certify import calibrated, pair_distances, quantile, some_documents
from bitsense._neighbour_agreement import agreement, real_neighbours


def corpus_of(documents):
    lengths = [len(document) for document in documents]
    return Corpus(
        np.array([word for document in documents for word in document], np.uint32),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.uint64),
        np.array(lengths, np.uint32),
    )


# Neighbours


@given(
    arrays.arrays(np.int8, (7, 3), elements=st.integers(-2, 2)),
    arrays.arrays(np.bool_, (7, 4)),
    st.integers(1, 4),
    st.integers(0, 2),
)
def test_agreement_is_the_expectation_over_ties(values, bits, k, more):
    vectors, codes = values.astype(np.float32), np.packbits(bits, axis=1)
    queries = np.arange(7)
    got = agreement(codes, 4, queries, real_neighbours(vectors, queries, k), k, k + more, 1)
    real, found = -cosine(vectors, vectors).round(9), hamming(codes, codes)
    assert got[0] == pytest.approx(twin.expected_agreement(real, found, k, k), abs=1e-9)
    assert got[1] == pytest.approx(twin.expected_agreement(real, found, k, k + more), abs=1e-9)
    assert 0 <= got[0] <= got[1] + 1e-12 <= 1 + 1e-12


def test_blocks_and_the_choice_of_queries_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(40, 6)).astype(np.float32)
    codes = np.packbits(vectors > 0, axis=1)
    queries = np.array([3, 7, 8, 20, 39])
    whole = agreement(codes, 6, queries, real_neighbours(vectors, queries, 4), 4, 12, 1)
    one = [
        agreement(codes, 6, one, real_neighbours(vectors, one, 4), 4, 12, 1)
        for one in queries[:, None]
    ]
    np.testing.assert_allclose(whole, np.mean(one, axis=0))
    monkeypatch.setattr(_neighbour_agreement, "_BLOCK_ELEMENTS", 80)
    assert agreement(codes, 6, queries, real_neighbours(vectors, queries, 4), 4, 12, 2) == (
        pytest.approx(whole)
    )


def test_codes_that_order_as_the_vectors_agree_wholly():
    vectors = np.array([[np.cos(a), np.sin(a)] for a in (0.0, 0.1, 0.3, 0.7, 1.4)], np.float32)
    steps = np.packbits(np.arange(16) < np.array([0, 1, 3, 7, 14])[:, None], axis=1)
    queries = np.arange(5)
    assert agreement(steps, 16, queries, real_neighbours(vectors, queries, 2), 2, 2, 1) == (1, 1)


# Copies, pairs and radius


@given(
    st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=9), min_size=1, max_size=6),
    st.lists(st.integers(1, 50), min_size=5, max_size=5),
    st.sampled_from([0.01, 0.05, 0.3, 0.5, 1.0]),
    st.integers(0, 2**64 - 1),
)
def test_copies_are_edited_word_by_word(documents, counts, edit, seed):
    corpus = corpus_of(documents)
    got = copies.edited_copies(corpus, np.array(counts, np.uint64), edit, seed)
    assert [got[i].tolist() for i in range(len(got))] == twin.edited(documents, counts, edit, seed)
    assert np.array_equal(got.offsets, corpus.offsets)


def test_words_are_drawn_by_their_counts():
    corpus = corpus_of([[0] * 5000])
    counts = np.array([10, 0, 30, 60], np.uint64)
    shares = np.bincount(copies.edited_copies(corpus, counts, 1.0, 3).ids, minlength=4) / 5000
    np.testing.assert_allclose(shares, counts / 100, atol=0.03)
    assert shares[1] == 0


def test_draws_are_those_of_the_generator():
    got = copies.draws(5, copies.PAIRS, 4, first=2)
    assert got.tolist() == [twin.draw(5, copies.PAIRS, place) for place in range(2, 6)]
    assert copies.draws(5, copies.PAIRS, 6)[2:].tolist() == got.tolist()


def test_pairs_are_of_different_documents():
    corpus = corpus_of([[1, 2], [2, 1], [3], [1, 2, 2], [3]])
    same = copies.same_documents(corpus)
    assert same.tolist() == [0, 0, 1, 2, 1]
    first, second = copies.random_pairs(same, 10, 0)
    pairs = list(zip(first.tolist(), second.tolist(), strict=True))
    assert pairs == [(0, 2), (0, 3), (0, 4), (1, 2), (1, 3), (1, 4), (2, 3), (3, 4)]
    first, second = copies.random_pairs(np.arange(50), 1000, 1)
    assert len(first) == 1000
    assert (first != second).all()
    assert (np.bincount(np.concatenate([first, second]), minlength=50) > 10).all()


@given(st.lists(st.integers(0, 20), min_size=1, max_size=40), st.floats(0.01, 1.0))
def test_the_radius_is_the_smallest_that_finds_enough(distances, found):
    got = calibrated(np.array(distances), np.array([3, 9, 9]), found)
    assert got["radius"] == twin.radius(distances, found)
    assert got["found"] == sum(d <= got["radius"] for d in distances) / len(distances)
    assert got["false_rate"] == sum(d <= got["radius"] for d in (3, 9, 9)) / 3
    assert got["copy_distances"][-1] == max(distances)
    assert list(got["copy_distances"]) == sorted(got["copy_distances"])


@given(
    st.lists(st.integers(0, 20), min_size=1, max_size=40), st.floats(0.01, 1), st.floats(0.01, 1)
)
def test_the_radius_rises_with_what_it_has_to_find(distances, one, other):
    ordered = np.sort(distances)
    assert quantile(ordered, min(one, other)) <= quantile(ordered, max(one, other))


def test_19_of_20_are_95_percent():
    assert quantile(np.arange(20), 0.95) == 18
    assert [quantile(np.arange(n), 1.0) for n in (1, 7, 999_983)] == [0, 6, 999_982]


def test_distances_of_pairs_are_hamming(monkeypatch):
    monkeypatch.setattr(_certify, "_PAIRS", 3)
    codes = np.random.default_rng(0).integers(0, 256, (9, 5)).astype(np.uint8)
    rows, others = np.arange(8), np.arange(8) + 1
    want = hamming(codes, codes)[rows, others]
    assert np.array_equal(pair_distances(codes, codes, rows, others), want)


def test_some_documents_of_a_corpus():
    corpus = corpus_of([[1, 2], [], [3], [4, 4, 4]])
    some = some_documents(corpus, np.array([1, 3]))
    assert [some[i].tolist() for i in range(2)] == [[], [4, 4, 4]]
    assert some.totals.tolist() == [0, 3]
    assert some_documents(corpus, np.array([], np.int64)).n_documents == 0

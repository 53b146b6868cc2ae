"""The metrics equal the mean over every order that ties allow, and scikit-learn without ties."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from reference import metrics as reference

from bitsense import _ties
from bitsense.evaluate import (
    RetrievalMetrics,
    evaluate_rankings,
    evaluate_retrieval,
    retrieval,
    retrieval_metrics,
)

ITEMS = 6  # 720 orders at most

shapes = st.tuples(st.integers(1, 3), st.integers(1, ITEMS))
squares = st.integers(1, ITEMS).map(lambda n: (n, n))

BOOLEANS = st.booleans()
GAINS = st.sampled_from([0.0, 0.0, 0.25, 0.5, 1.0, 3.0])


@st.composite
def cases(draw, shape=shapes, gains=BOOLEANS):
    """Distances with many ties, as integers or as floats, and relevance of the same shape."""
    size = draw(shape)
    dtype = draw(st.sampled_from([np.uint16, np.int64, np.float32, np.float64]))
    distances = draw(hnp.arrays(np.int64, size, elements=st.integers(0, 3))).astype(dtype)
    dtype = np.bool_ if gains is BOOLEANS else np.float64
    return distances, draw(hnp.arrays(dtype, size, elements=gains)), draw(st.integers(1, 8))


def numbers(result: RetrievalMetrics, k: int) -> list[float]:
    return [result.map, result.ndcg[k], result.precision[k], result.recall[k]]


def assert_equals_reference(case, *, exclude_self=False):
    distances, relevant, k = case
    result = retrieval_metrics(distances, relevant, k=k, exclude_self=exclude_self)
    want, queries = reference.expected_means(distances, relevant, k, exclude_self=exclude_self)
    np.testing.assert_allclose(numbers(result, k), want, rtol=1e-12)
    assert (result.n_queries, result.n_skipped) == (queries, len(distances) - queries)


@given(cases())
def test_binary_metrics_are_the_mean_over_every_order_of_the_ties(case):
    assert_equals_reference(case)


@given(cases(gains=GAINS))
def test_graded_metrics_are_the_mean_over_every_order_of_the_ties(case):
    assert_equals_reference(case)


@given(cases(shape=squares))
def test_a_query_is_left_out_of_its_own_ranking(case):
    assert_equals_reference(case, exclude_self=True)


@given(cases(shape=squares, gains=GAINS))
def test_a_graded_query_is_left_out_of_its_own_ranking(case):
    assert_equals_reference(case, exclude_self=True)


def test_one_group_of_everything_equals_the_mean_over_all_permutations():
    relevant = np.array([[True, True, False, False, False, True, False]])
    result = retrieval_metrics(np.zeros((1, 7), np.uint8), relevant, k=3)
    want, _ = reference.expected_means(np.zeros((1, 7)), relevant, 3)
    np.testing.assert_allclose(numbers(result, 3), want, rtol=1e-13)


def test_order_of_the_items_does_not_matter():
    rng = np.random.default_rng(5)
    distances = rng.integers(0, 6, (4, 300), dtype=np.uint16)
    relevant = rng.random((4, 300)) < 0.1
    order = rng.permutation(300)
    ours = retrieval_metrics(distances, relevant)
    moved = retrieval_metrics(distances[:, order], relevant[:, order])
    assert ours == moved


@pytest.mark.parametrize("graded", [False, True])
def test_counting_and_sorting_agree_with_and_without_self(graded):
    rng = np.random.default_rng(6)
    distances = rng.integers(0, 129, (200, 200))
    relevant = rng.random((200, 200)) < 0.1
    gains = relevant * rng.random((200, 200)) if graded else relevant
    for exclude_self in (False, True):
        counted = retrieval_metrics(distances, gains, k=(1, 10), exclude_self=exclude_self)
        for other in (distances.astype(np.float32), distances - 64, distances + (1 << 14)):
            ranked = retrieval_metrics(other, gains, k=(1, 10), exclude_self=exclude_self)
            assert counted.as_dict() == pytest.approx(ranked.as_dict(), rel=1e-12)


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(7)
    distances = rng.integers(0, 20, (50, 50))
    relevant = rng.random((50, 50)) < 0.1
    whole = retrieval_metrics(distances, relevant, exclude_self=True)
    monkeypatch.setattr(retrieval, "_BLOCK_ELEMENTS", 120)
    parts = retrieval_metrics(distances, relevant, exclude_self=True)
    assert whole.as_dict() == pytest.approx(parts.as_dict(), rel=1e-12)


def test_without_ties_the_metrics_are_those_of_scikit_learn():
    from sklearn.metrics import average_precision_score, ndcg_score

    rng = np.random.default_rng(8)
    scores = rng.normal(size=(20, 400))
    relevant = rng.random((20, 400)) < 0.05
    result = retrieval_metrics(-scores, relevant, k=(10, 100))
    precision = [average_precision_score(r, s) for r, s in zip(relevant, scores, strict=True)]
    assert result.map == pytest.approx(np.mean(precision), rel=1e-12)
    gains = relevant * rng.integers(1, 5, relevant.shape)
    graded = retrieval_metrics(-scores, gains, k=(10, 100))
    for k in (10, 100):
        assert result.ndcg[k] == pytest.approx(ndcg_score(relevant, scores, k=k), rel=1e-12)
        assert graded.ndcg[k] == pytest.approx(ndcg_score(gains, scores, k=k), rel=1e-12)


def test_with_ties_ndcg_is_that_of_scikit_learn():
    from sklearn.metrics import ndcg_score

    rng = np.random.default_rng(9)
    distances = rng.integers(0, 8, (20, 100))
    gains = rng.integers(0, 3, (20, 100))
    ours = retrieval_metrics(distances, gains, k=10).ndcg[10]
    assert ours == pytest.approx(ndcg_score(gains, -distances, k=10), rel=1e-12)


def test_average_precision_of_a_long_tie_keeps_its_digits():
    # One relevant item in a tie at the end of a million: E[AP] is the mean of 1 / rank.
    distances = np.zeros((1, 1_000_000), np.uint8)
    distances[0, -3:] = 1
    relevant = np.zeros_like(distances, dtype=bool)
    relevant[0, -2:] = True
    orders = [(1, 2), (1, 3), (2, 3)]
    want = np.mean([(1 / (999_997 + a) + 2 / (999_997 + b)) / 2 for a, b in orders])
    assert retrieval_metrics(distances, relevant).map == pytest.approx(want, rel=1e-9)


def test_infinite_distances_rank_last_and_a_query_at_infinity_leaves_itself_out():
    distances = np.array([[np.inf, 1, np.inf], [0, 0, 0], [-np.inf, 2, np.inf]])
    relevant = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 1]], dtype=bool)
    result = retrieval_metrics(distances, relevant, k=1, exclude_self=True)
    assert numbers(result, 1) == [0.5, 0.0, 0.0, 0.0]
    assert (result.n_queries, result.n_skipped) == (2, 1)


def test_queries_without_a_relevant_item_are_counted_and_left_out():
    result = retrieval_metrics(np.array([[1, 2], [1, 2]]), np.array([[1, 0], [0, 0]], bool), k=1)
    assert result == RetrievalMetrics(1.0, {1: 1.0}, {1: 1.0}, {1: 1.0}, 1, 1)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (3, 4)])
def test_means_of_no_query_are_nan(shape):
    result = retrieval_metrics(np.zeros(shape, np.uint8), np.zeros(shape, bool))
    assert all(math.isnan(x) for x in numbers(result, 10))
    assert (result.n_queries, result.n_skipped) == (0, shape[0])


def test_precision_divides_by_k_where_there_are_fewer_items():
    result = retrieval_metrics(np.array([[1, 2]]), np.array([[True, True]]), k=10)
    assert (result.precision[10], result.recall[10]) == (0.2, 1.0)


def test_as_dict_is_flat():
    row = retrieval_metrics(np.array([[1, 2]]), np.array([[True, False]]), k=(1, 2)).as_dict()
    assert row == {
        "map": 1.0, "ndcg_at_1": 1.0, "ndcg_at_2": 1.0, "precision_at_1": 1.0,
        "precision_at_2": 0.5, "recall_at_1": 1.0, "recall_at_2": 1.0,
        "n_queries": 1, "n_skipped": 0,
    }  # fmt: skip


def test_codes_are_ranked_by_hamming_distance():
    pytest.importorskip("bitsense.search")
    rng = np.random.default_rng(10)
    codes, others = (rng.integers(0, 256, (n, 4), dtype=np.uint8) for n in (60, 90))
    labels, other_labels = rng.integers(0, 4, 60), rng.integers(0, 5, 90)
    distances = np.unpackbits(codes[:, None] ^ codes, axis=2).sum(axis=2)
    within = retrieval_metrics(distances, labels[:, None] == labels, exclude_self=True)
    assert evaluate_retrieval(codes, labels) == within
    distances = np.unpackbits(codes[:, None] ^ others, axis=2).sum(axis=2)
    across = retrieval_metrics(distances, labels[:, None] == other_labels)
    assert evaluate_retrieval(codes, labels, others, other_labels) == across


def test_vectors_are_ranked_by_cosine_in_blocks(monkeypatch):
    rng = np.random.default_rng(11)
    vectors = rng.normal(size=(70, 16)).astype(np.float32)
    vectors[3] = 0
    labels = np.array(["a", "b", "c", "d", "e", "f", "g"])[rng.integers(0, 7, 70)]
    norms = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)
    cosine = (vectors / norms) @ (vectors / norms).T
    want = retrieval_metrics(-cosine, labels[:, None] == labels, k=5, exclude_self=True)
    monkeypatch.setattr(retrieval, "_BLOCK_ELEMENTS", 500)
    got = evaluate_retrieval(vectors * 7, labels, k=5)
    assert got.as_dict() == pytest.approx(want.as_dict(), rel=1e-6)


def test_rankings_are_asked_for_block_by_block(monkeypatch):
    rng = np.random.default_rng(12)
    distances = rng.integers(0, 9, (30, 20))
    labels, other_labels = rng.integers(0, 3, 30), rng.integers(0, 3, 20)
    asked = []
    monkeypatch.setattr(retrieval, "_BLOCK_ELEMENTS", 200)
    got = evaluate_rankings(
        lambda start, stop: asked.append((start, stop)) or distances[start:stop],
        labels, other_labels,
    )  # fmt: skip
    assert asked == [(0, 10), (10, 20), (20, 30)]
    want = retrieval_metrics(distances, labels[:, None] == other_labels)
    assert got.as_dict() == pytest.approx(want.as_dict(), rel=1e-12)


ONE = np.ones((2, 3))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: retrieval_metrics(np.ones(3), np.ones(3)), ValueError,
         "`distances` must have 2 dimensions, got 1"),
        (lambda: retrieval_metrics([["a"]], [[True]]), TypeError,
         "`distances` must be real numbers, got dtype <U1"),
        (lambda: retrieval_metrics(ONE, ONE.T), ValueError,
         "`relevant` must have the shape of `distances`, (2, 3), got (3, 2)"),
        (lambda: retrieval_metrics(ONE, ONE.astype(str)), TypeError,
         "`relevant` must be booleans or gains, got dtype <U32"),
        (lambda: retrieval_metrics(ONE, -ONE), ValueError,
         "`relevant` must be finite and at least 0"),
        (lambda: retrieval_metrics(ONE, ONE * np.nan), ValueError,
         "`relevant` must be finite and at least 0"),
        (lambda: retrieval_metrics(ONE * np.nan, ONE), ValueError,
         "`distances` must not be NaN"),
        (lambda: retrieval_metrics(ONE, ONE, exclude_self=True), ValueError,
         "`distances` must be square where `exclude_self` is set, got (2, 3)"),
        (lambda: retrieval_metrics(ONE, ONE, k=0), ValueError, "`k` must be at least 1, got 0"),
        (lambda: retrieval_metrics(ONE, ONE, k=(3, 1.5)), TypeError,
         "`k` must be an integer, got 1.5"),
        (lambda: evaluate_retrieval(ONE, [1, 2], ONE), ValueError,
         "`items` and `item_labels` must be given together"),
        (lambda: evaluate_retrieval(ONE, [1, 2, 3]), ValueError,
         "`query_labels` must have one label per row, 2, got 3"),
        (lambda: evaluate_retrieval(ONE, [1, 2], ONE, [[1], [2]]), ValueError,
         "`item_labels` must have 1 dimension, got 2"),
        (lambda: evaluate_retrieval(ONE, [1, 2], ONE[:, :2], [1, 2]), ValueError,
         "`items` must have 3 columns, got 2"),
        (lambda: evaluate_rankings(lambda a, b: ONE, [1, 2]), ValueError,
         "`distances` must return shape (2, 2) for queries 0 to 2, got (2, 3)"),
    ],
)  # fmt: skip
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        call()


def test_small_integers_are_counted_and_others_sorted(monkeypatch):
    def fail(*_):
        raise AssertionError("sorted")

    monkeypatch.setattr(_ties, "_sort_groups", fail)
    assert retrieval_metrics(np.array([[16383, 0]]), np.array([[True, False]])).map == 0.5
    for distances in (np.array([[16384, 0]]), np.array([[-1, 0]]), np.array([[0.0, 1.0]])):
        with pytest.raises(AssertionError, match="sorted"):
            retrieval_metrics(distances, np.array([[True, False]]))

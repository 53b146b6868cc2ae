"""Exact search: the order of answers, masks, radii, ids, threads, the second stage."""

from __future__ import annotations

import signal
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from reference import codes as twin

from bitsense.codes import Codes, pack_signs
from bitsense.search import HammingIndex, TwoStageIndex, asymmetric_scores, hamming_distances


def clustered(n, bits, seed=0):
    """Return codes with many equal distances: few centres, few flipped bits."""
    rng = np.random.default_rng(seed)
    centres = rng.random((8, bits)) < 0.5
    values = centres[rng.integers(0, 8, n)] ^ (rng.random((n, bits)) < 0.05)
    return Codes.from_bool(values)


@pytest.fixture(scope="module")
def base():
    return clustered(3000, 100)


@pytest.fixture(scope="module")
def queries():
    return clustered(70, 100, seed=1)


@pytest.mark.parametrize("k", [1, 10, 500, 3000])
def test_answers_are_ordered_by_distance_then_row(base, queries, k):
    ids, distances = HammingIndex(base).search(queries, k)
    expected = twin.nearest(twin.hamming(queries.data, base.data), k)
    assert np.array_equal(ids, expected[0])
    assert np.array_equal(distances, expected[1])
    assert ids.dtype == np.int64
    assert distances.dtype == np.int32


@pytest.mark.parametrize("count", [1, 3, 70])
def test_threads_and_batches_change_nothing(count):
    base, queries = clustered(70_000, 64), clustered(70, 64, seed=2)
    index = HammingIndex(base)
    once = index.search(queries, 20, threads=1)
    within = index.range_search(queries, 6, threads=1)
    for threads in (2, 3, 5):
        again = index.search(queries[:count], 20, threads=threads)
        assert np.array_equal(again[0], once[0][:count])
        assert np.array_equal(again[1], once[1][:count])
        near = index.range_search(queries[:count], 6, threads=threads)
        end = within[0][count]
        assert np.array_equal(near[0], within[0][: count + 1])
        assert np.array_equal(near[1], within[1][:end])
        assert np.array_equal(near[2], within[2][:end])


def test_ties_go_to_the_smaller_row():
    base = Codes(np.zeros((1000, 4), np.uint8))
    for m in (1, 9):
        ids, distances = HammingIndex(base).search(base[:m], 5)
        assert ids.tolist() == [[0, 1, 2, 3, 4]] * m
        assert not distances.any()


@given(
    hnp.arrays(np.uint8, st.tuples(st.integers(1, 150), st.just(2)), elements=st.integers(0, 3)),
    st.integers(1, 160),
    st.integers(0, 17),
    st.data(),
)
def test_any_search_equals_its_twin(data, k, radius, draw):
    mask = draw.draw(hnp.arrays(np.bool_, len(data)))
    count = draw.draw(st.sampled_from([1, 5]))
    index, asked = HammingIndex(data), np.repeat(data[:1], count, axis=0)
    distances = twin.hamming(asked, data)
    found = index.search(asked, k, mask=mask)
    expected = twin.nearest(distances, k, mask)
    assert np.array_equal(found[0], expected[0])
    assert np.array_equal(found[1], expected[1])
    offsets, ids, near = index.range_search(asked, radius, mask=mask)
    rows, ordered = twin.nearest(distances, len(data), mask)
    for q in range(count):
        within = ordered[q] <= radius
        assert np.array_equal(ids[offsets[q] : offsets[q + 1]], rows[q][within])
        assert np.array_equal(near[offsets[q] : offsets[q + 1]], ordered[q][within])


@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.5, 1.0])
@pytest.mark.parametrize("count", [1, 70])
def test_a_mask_still_gives_k_answers(base, queries, share, count):
    mask = np.random.default_rng(3).random(len(base)) < share
    ids, distances = HammingIndex(base).search(queries[:count], 10, mask=mask)
    expected = twin.nearest(twin.hamming(queries.data[:count], base.data), 10, mask)
    assert ids.shape == (count, min(10, mask.sum()))
    assert np.array_equal(ids, expected[0])
    assert np.array_equal(distances, expected[1])


def test_k_beyond_the_codes_gives_all_and_no_filler():
    index = HammingIndex(np.arange(5, dtype=np.uint8)[:, None])
    ids, distances = index.search(np.zeros((2, 1), np.uint8), 100)
    assert ids.tolist() == [[0, 1, 2, 4, 3]] * 2
    assert distances.tolist() == [[0, 1, 1, 1, 2]] * 2
    assert HammingIndex(np.zeros((0, 4), np.uint8)).search(np.zeros((2, 4), np.uint8))[0].shape == (
        2,
        0,
    )
    assert index.search(np.zeros((0, 1), np.uint8))[0].shape == (0, 5)


def test_a_radius_beyond_the_bits_gives_all():
    index = HammingIndex(np.arange(5, dtype=np.uint8)[:, None])
    offsets, ids, _ = index.range_search(np.zeros((1, 1), np.uint8), 10**6)
    assert offsets.tolist() == [0, 5]
    assert ids.tolist() == [0, 1, 2, 4, 3]
    offsets, ids, distances = index.range_search(np.zeros((0, 1), np.uint8), 3)
    assert offsets.tolist() == [0]
    assert ids.shape == distances.shape == (0,)


def test_answers_carry_the_ids_of_the_codes_and_ties_go_by_them(base, queries):
    order = np.random.default_rng(4).permutation(len(base))
    distances = twin.hamming(queries.data, base.data)
    for ids in (order, np.array([f"doc {i}" for i in order], object)):
        index = HammingIndex(Codes(base.data, 100, ids=ids))
        found, near = index.search(queries, 5)
        for q, row in enumerate(distances):
            expected = sorted(zip(row.tolist(), ids.tolist(), strict=True))[:5]
            assert list(zip(near[q].tolist(), found[q].tolist(), strict=True)) == expected
        _, names, _ = index.range_search(queries[:1], 30)
        assert set(names.tolist()) <= set(ids.tolist())


def test_the_distance_matrix_equals_its_twin(base, queries):
    found = hamming_distances(queries, base, threads=2)
    assert found.dtype == np.uint16
    assert np.array_equal(found, twin.hamming(queries.data, base.data))
    assert hamming_distances(queries[:0], base).shape == (0, 3000)
    assert hamming_distances(queries, base[:0]).shape == (70, 0)


def test_asymmetric_scores_equal_their_twin(base):
    vectors = np.random.default_rng(5).normal(size=(7, 100)).astype(np.float32)
    found = asymmetric_scores(vectors, base)
    np.testing.assert_allclose(found, twin.asymmetric(vectors, base.to_bool()), atol=1e-5)
    assert np.array_equal(found, asymmetric_scores(vectors, base, threads=3))
    assert np.array_equal(found[2:3, 5:9], asymmetric_scores(vectors[2:3], base[5:9]))


def test_asymmetric_scores_of_signs_are_bits_minus_twice_the_distance(base, queries):
    signs = 2.0 * queries.to_bool() - 1.0
    expected = 100 - 2 * hamming_distances(queries, base).astype(int)
    assert np.array_equal(asymmetric_scores(signs, base), expected)


def real_vectors(n, dim, seed):
    return np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)


@pytest.mark.parametrize("real", [True, False])
def test_the_second_stage_reorders_the_shortlist(real):
    vectors, asked = real_vectors(2000, 40, 6), real_vectors(9, 40, 7)
    codes, query_codes = Codes(pack_signs(vectors), 40), Codes(pack_signs(asked), 40)
    index = TwoStageIndex(codes, vectors if real else None)
    ids, scores = index.search(query_codes, asked, 10, shortlist=50)
    table = twin.cosine(asked, vectors) if real else twin.asymmetric(asked, codes.to_bool())
    shortlist, _ = twin.nearest(twin.hamming(query_codes.data, codes.data), 50)
    for q in range(9):
        expected = sorted(shortlist[q], key=lambda row, q=q: (-np.float32(table[q, row]), row))[:10]
        assert ids[q].tolist() == expected
        np.testing.assert_allclose(scores[q], table[q, expected], rtol=1e-5, atol=1e-6)
    again = index.search(query_codes[3:5], asked[3:5], 10, shortlist=50, threads=3)
    assert np.array_equal(again[0], ids[3:5])
    assert np.array_equal(again[1], scores[3:5])


def test_a_whole_shortlist_is_exact_search():
    vectors, asked = real_vectors(300, 24, 8), real_vectors(5, 24, 9)
    index = TwoStageIndex(pack_signs(vectors), vectors, bits=24)
    ids, _ = index.search(pack_signs(asked), asked, 20, shortlist=300)
    expected = np.argsort(-twin.cosine(asked, vectors), axis=1, kind="stable")[:, :20]
    assert np.array_equal(ids, expected)


def test_equal_scores_go_by_row_and_zero_vectors_score_zero():
    vectors = np.zeros((6, 8), np.float32)
    vectors[3] = 1.0
    index = TwoStageIndex(np.zeros((6, 1), np.uint8), vectors)
    ids, scores = index.search(np.zeros((1, 1), np.uint8), np.ones((1, 8)), 6)
    assert ids.tolist() == [[3, 0, 1, 2, 4, 5]]
    np.testing.assert_allclose(scores, [[1, 0, 0, 0, 0, 0]], atol=1e-6)
    assert not np.signbit(scores).any()


def test_a_mask_and_ids_reach_the_second_stage():
    vectors = real_vectors(100, 16, 10)
    names = [f"n{i}" for i in range(100)]
    index = TwoStageIndex(Codes(pack_signs(vectors), ids=names), vectors)
    mask = np.arange(100) % 20 == 7
    ids, _ = index.search(pack_signs(vectors[:2]), vectors[:2], 10, mask=mask)
    assert ids.shape == (2, 5)
    assert set(ids[0]) == {"n7", "n27", "n47", "n67", "n87"}


@pytest.mark.parametrize("threads", [1, 2])
def test_an_interrupt_stops_a_long_search(threads):
    index = HammingIndex(np.zeros((200_000, 32), np.uint8) + np.arange(32, dtype=np.uint8))
    asked = np.full((200_000, 32), 255, np.uint8)

    def interrupt(*_):
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    start = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            index.search(asked, 1, threads=threads)
        assert time.monotonic() - start < 1.5
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


INDEX = HammingIndex(np.zeros((4, 2), np.uint8), bits=16)
CODE = np.zeros((1, 2), np.uint8)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: INDEX.search(CODE, 0), ValueError, "`k` must be at least 1, got 0"),
        (lambda: INDEX.search(CODE, 1.5), TypeError, "`k` must be an integer, got 1.5"),
        (
            lambda: INDEX.search(np.zeros((1, 3), np.uint8)),
            ValueError,
            "`queries` must have 2 bytes per row for 16 bits, got 3",
        ),
        (
            lambda: INDEX.search(Codes(CODE, 15)),
            ValueError,
            "`queries` must have 16 bits, got 15",
        ),
        (lambda: INDEX.search(CODE[0]), ValueError, "`queries` must have 2 dimensions, got 1"),
        (
            lambda: INDEX.search(CODE, mask=np.ones(3, bool)),
            ValueError,
            "`mask` must have shape (4,), got (3,)",
        ),
        (
            lambda: INDEX.search(CODE, mask=[0, 1, 1, 0]),
            TypeError,
            "`mask` must have dtype bool, got dtype int64",
        ),
        (
            lambda: INDEX.range_search(CODE, -1),
            ValueError,
            "`radius` must be at least 0, got -1",
        ),
        (lambda: INDEX.search(CODE, threads=0), ValueError, "`threads` must be at least 1, got 0"),
        (
            lambda: HammingIndex(np.zeros((1, 8193), np.uint8)),
            ValueError,
            "`bits` must be at most 65535, got 65544",
        ),
        (
            lambda: asymmetric_scores(np.zeros((1, 15)), CODE),
            ValueError,
            "`query_vectors` must have 16 columns, got 15",
        ),
        (
            lambda: TwoStageIndex(CODE, np.zeros((2, 3))),
            ValueError,
            "`vectors` must have 1 rows, got 2",
        ),
        (
            lambda: TwoStageIndex(CODE).search(CODE, np.zeros((2, 16))),
            ValueError,
            "`query_vectors` must have 1 rows, got 2",
        ),
        (
            lambda: TwoStageIndex(CODE).search(CODE, np.zeros((1, 16)), 5, shortlist=4),
            ValueError,
            "`shortlist` must be at least 5, got 4",
        ),
    ],
)
def test_wrong_input_is_refused_by_name(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


def test_repr_says_what_it_is():
    assert repr(INDEX) == "<HammingIndex: 4 codes of 16 bits, auto>"
    assert repr(TwoStageIndex(CODE)) == "<TwoStageIndex: 1 codes of 16 bits, asymmetric score>"

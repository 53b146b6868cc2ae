"""Fusion of rankings: against dictionaries, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import fusion as twin

from bitsense import fuse


@st.composite
def problems(draw):
    queries = draw(st.integers(0, 3))
    strings = draw(st.booleans())
    rankings = []
    for _ in range(draw(st.integers(1, 4))):
        width = draw(st.integers(0, 6))
        rows = [draw(st.permutations(range(8)))[:width] for _ in range(queries)]
        values = st.lists(st.integers(-3, 3), min_size=width, max_size=width)
        scores = [draw(values) for _ in range(queries)]
        ids = np.array(rows, np.int64).reshape(queries, width)
        if strings:
            ids = np.array([f"d{i}" for i in ids.flat], object).reshape(queries, width)
        rankings.append((ids, np.array(scores, np.float32).reshape(queries, width)))
    return rankings


@given(
    problems(),
    st.integers(1, 12),
    st.sampled_from(["rrf", "scores"]),
    st.lists(st.sampled_from([0, 0.5, 1, 3]), min_size=4, max_size=4),
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.sampled_from([0, 1, 60]),
)
def test_fusion_equals_its_twin(rankings, k, method, weights, larger, constant):
    weights, larger = weights[: len(rankings)], larger[: len(rankings)]
    options = {"method": method, "weights": weights, "larger_is_better": larger}
    ids, scores = fuse(rankings, k, rank_constant=constant, **options)
    queries = len(rankings[0][0])
    expected = [
        twin.fuse_one(
            [(i[q].tolist(), s[q]) for i, s in rankings], method, weights, constant, larger
        )
        for q in range(queries)
    ]
    width = min([k, *map(len, expected)]) if queries else 0
    assert ids.shape == scores.shape == (queries, width)
    for q in range(queries):
        wanted = dict(expected[q])
        assert np.allclose(scores[q], [score for _, score in expected[q][:width]], atol=1e-12)
        assert np.allclose(scores[q], [wanted[name] for name in ids[q].tolist()], atol=1e-12)
        pairs = list(zip((-scores[q]).tolist(), ids[q].tolist(), strict=True))
        assert pairs == sorted(pairs)
    again = fuse(rankings[::-1], k, rank_constant=constant, method=method, weights=weights[::-1],
                 larger_is_better=larger[::-1])  # fmt: skip
    assert np.array_equal(again[0], ids)
    assert np.array_equal(again[1], scores)


def test_ties_go_to_the_smaller_id():
    first = [[5, 9, 1]], [[1.0, 1.0, 1.0]]
    second = [[1, 9, 5]], [[1.0, 1.0, 1.0]]
    ids, scores = fuse([first, second], 3, method="scores")
    assert ids.tolist() == [[1, 5, 9]]
    assert scores.tolist() == [[2.0, 2.0, 2.0]]
    ids, scores = fuse([first, second], 3)
    assert ids.tolist() == [[1, 5, 9]]
    assert scores.tolist()[0] == [1 / 61 + 1 / 63, 1 / 61 + 1 / 63, 2 / 62]


def test_distances_are_smaller_when_better():
    distances = [["a", "b", "c"]], np.array([[0, 1, 4]], np.int32)
    ids, scores = fuse([distances], 3, method="scores", larger_is_better=False)
    assert ids.tolist() == [["a", "b", "c"]]
    assert scores.tolist() == [[1.0, 0.75, 0.0]]
    assert fuse([distances], 3)[0].tolist() == [["a", "b", "c"]]


ONE = (np.array([[1, 2]]), np.array([[0.5, 0.1]]))


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: fuse([]),
            ValueError,
            "`rankings` must have at least one ranking, got none",
        ),
        (
            lambda: fuse([3]),
            TypeError,
            "`rankings[0]` must be a pair of ids and scores, got int",
        ),
        (
            lambda: fuse([([[1]], [[1.0, 2.0]])]),
            ValueError,
            "`rankings[0]` must have ids and scores of one shape (m, k), got (1, 1) and (1, 2)",
        ),
        (
            lambda: fuse([([[0.5]], [[1.0]])]),
            TypeError,
            "`rankings[0]` must have ids that are integers or strings, got float64",
        ),
        (
            lambda: fuse([(np.array([[None]], object), [[1.0]])]),
            TypeError,
            "`rankings[0]` must have ids that are all integers or all strings",
        ),
        (
            lambda: fuse([([[1]], [["x"]])]),
            TypeError,
            "`rankings[0]` must have scores that are numbers, got dtype <U1",
        ),
        (
            lambda: fuse([ONE, ([[1], [2]], [[1.0], [1.0]])]),
            ValueError,
            "`rankings[1]` must have 1 rows, got 2",
        ),
        (
            lambda: fuse([ONE, ([["a"]], [[1.0]])]),
            TypeError,
            "`rankings` must have ids that are all integers or all strings",
        ),
        (
            lambda: fuse([ONE, ([[1, 1]], [[1.0, 1.0]])]),
            ValueError,
            "`rankings[1]` must not have an id twice for a query",
        ),
        (lambda: fuse([ONE], weights=[]), ValueError, "`weights` must have 1 items, got 0"),
        (
            lambda: fuse([ONE], weights=[-1]),
            ValueError,
            "`weights[0]` must be at least 0, got -1",
        ),
        (
            lambda: fuse([([[1]], [[3]])], method="scores"),
            ValueError,
            (
                "`larger_is_better` must be given where scores are integers, which may be "
                "distances, as in `rankings[0]`"
            ),
        ),
        (
            lambda: fuse([ONE], method="scores", larger_is_better=[]),
            ValueError,
            "`larger_is_better` must have 1 items, got 0",
        ),
        (
            lambda: fuse([([[1]], [[np.inf]])], method="scores"),
            ValueError,
            "`rankings[0]` must have finite scores",
        ),
        (
            lambda: fuse([ONE], method="sum"),
            ValueError,
            "`method` must be one of 'rrf', 'scores', got 'sum'",
        ),
    ],
)
def test_wrong_rankings_give_one_clear_sentence(call, kind, message):
    with pytest.raises(kind) as error:
        call()
    assert str(error.value) == message

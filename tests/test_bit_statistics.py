"""Balance, correlation and crowding of bits against their definitions, at any number of blocks."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from reference import certificate as twin

from bitsense import _bit_statistics as ours

BITS = arrays.arrays(np.bool_, st.tuples(st.integers(1, 30), st.integers(1, 20)))


@pytest.fixture(params=[None, 8])
def small_blocks(request, monkeypatch):
    """The sizes of blocks as they are, and so small that there are many."""
    if request.param:
        monkeypatch.setattr(ours, "_ROWS", 3)
        monkeypatch.setattr(ours, "_COLUMNS", request.param)


@given(BITS)
def test_entropy_and_shares_are_those_of_the_columns(bits):
    shares = ours.ones_shares(np.packbits(bits, axis=1), bits.shape[1])
    assert shares.tolist() == bits.mean(axis=0).tolist()
    want = [twin.entropy(bits[:, j].tolist()) for j in range(bits.shape[1])]
    np.testing.assert_allclose(ours.bit_entropy(shares), want, atol=1e-12)


@given(BITS)
@example(~np.eye(25, 4, dtype=np.bool_))  # six equal correlations, whose mean may round up
def test_correlation_is_pearsons(bits):
    got = ours.bit_correlation(np.packbits(bits, axis=1), bits.shape[1])
    want = twin.correlations(bits) or [0.0]
    assert got.mean == pytest.approx(np.mean(want), abs=1e-9)
    assert got.largest == pytest.approx(max(want), abs=1e-9)
    assert 0 <= got.mean <= got.largest <= 1


def test_blocks_change_nothing(small_blocks):
    bits = np.random.default_rng(0).random((50, 37)) < 0.4
    bits[:, 5] = True
    got = ours.bit_correlation(np.packbits(bits, axis=1), 37)
    want = twin.correlations(bits)
    assert got.mean == pytest.approx(np.mean(want), abs=1e-12)
    assert got.largest == pytest.approx(max(want), abs=1e-12)
    vectors = np.random.default_rng(1).normal(size=(50, 37)).astype(np.float32) + 3
    assert ours.effective_dimension(vectors) == pytest.approx(twin.participation(vectors))


def test_the_same_bit_twice_has_correlation_1():
    bits = np.array([[0, 0, 1], [1, 1, 0], [0, 0, 1], [1, 1, 1]], np.bool_)
    assert ours.bit_correlation(np.packbits(bits, axis=1), 3).largest == 1.0


@given(BITS)
def test_buckets_are_those_of_a_counter(bits):
    codes = np.packbits(bits, axis=1)
    counts = Counter(row.tobytes() for row in codes)
    assert ours.code_buckets(codes) == (len(counts), max(counts.values()))


def test_the_effective_dimension_of_known_shapes():
    square = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], np.float32)
    assert ours.effective_dimension(square) == 2.0
    assert ours.effective_dimension(square * [1, 0] + np.float32(7)) == 1.0
    assert ours.effective_dimension(np.ones((3, 4), np.float32)) == 0.0

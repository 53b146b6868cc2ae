"""The loops over codes: every level gives the distances of the slow twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from reference import codes as twin

from bitsense import _core

LEVELS = _core.levels()


def random_codes(rng, n, width):
    return rng.integers(0, 256, (n, width), dtype=np.uint8)


@pytest.mark.parametrize("width", range(1, 70))
def test_every_width_at_every_level(width):
    rng = np.random.default_rng(width)
    codes, queries = random_codes(rng, 130, width), random_codes(rng, 17, width)
    expected = twin.hamming(queries, codes)
    ids, distances = twin.nearest(expected, 7)
    for level in LEVELS:
        found = _core.hamming_distances(queries, codes, 8 * width, 1, level)
        assert np.array_equal(found, expected), level
        for part in (1, 2, 5, 17):  # rows are compared directly, or laid in planes
            got = _core.hamming_search(codes, queries[:part], 8 * width, 7, None, 1, level)
            assert np.array_equal(got[0], ids[:part]), (level, part)
            assert np.array_equal(got[1], distances[:part]), (level, part)


@pytest.mark.parametrize("width", [8, 16, 31, 32, 33, 40, 64, 96, 128, 250])
def test_the_extremes_do_not_overflow(level, width):
    codes = np.repeat(np.array([[0], [255]], np.uint8), width, axis=1)
    codes = np.repeat(codes, 65, axis=0)
    queries = np.repeat(codes[:1], 9, axis=0)
    for part in (1, 9):
        for k in (1, 130):
            ids, distances = _core.hamming_search(
                codes, queries[:part], 8 * width, k, None, 1, level
            )
            assert np.array_equal(ids, np.repeat([np.arange(k)], part, axis=0))
            expected = np.repeat([0, 8 * width], 65)[:k]
            assert np.array_equal(distances, np.repeat([expected], part, axis=0))
        offsets, _, found = _core.hamming_range_search(
            codes, queries[:part], 8 * width, 8 * width - 1, None, 1, level
        )
        assert np.diff(offsets).tolist() == [65] * part
        assert not found.any()


def test_the_longest_code(level):
    bits = 65535
    codes = np.zeros((3, 8192), np.uint8)
    codes[1] = 255
    codes[1, -1] = 254
    assert _core.hamming_distances(codes[:1], codes, bits, 1, level).tolist() == [[0, bits, 0]]
    for part in (1, 5):
        queries = np.repeat(codes[1:2], part, axis=0)
        ids, distances = _core.hamming_search(codes, queries, bits, 3, None, 1, level)
        assert ids.tolist() == [[1, 0, 2]] * part
        assert distances.tolist() == [[0, bits, bits]] * part


@pytest.mark.parametrize("rows", [0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 129])
def test_tiles_that_are_not_full(level, rows):
    rng = np.random.default_rng(rows)
    for width in (3, 8):
        codes, queries = random_codes(rng, rows, width), random_codes(rng, 6, width)
        ids, distances = twin.nearest(twin.hamming(queries, codes), 10)
        for part in (1, 6):
            got = _core.hamming_search(codes, queries[:part], 8 * width, 10, None, 1, level)
            assert np.array_equal(got[0], ids[:part])
            assert np.array_equal(got[1], distances[:part])


@given(st.data())
def test_hamming_is_a_metric(data):
    width = data.draw(st.integers(1, 40))
    codes = data.draw(hnp.arrays(np.uint8, (3, width)))
    for level in LEVELS:
        d = _core.hamming_distances(codes, codes, 8 * width, 1, level).astype(int)
        assert (np.diag(d) == 0).all()
        assert (d == d.T).all()
        assert d[0, 2] <= d[0, 1] + d[1, 2]
        assert (d[0, 1] == 0) == bool((codes[0] == codes[1]).all())
        assert d[0, 1] == int.from_bytes(codes[0] ^ codes[1], "big").bit_count()


def test_reading_gives_the_exclusive_or_of_the_words():
    data = random_codes(np.random.default_rng(0), 1, 8 * 1001)[0]
    assert _core.read_words(data) == int(np.bitwise_xor.reduce(data.view(np.uint64)))


def test_the_core_checks_shapes_itself():
    codes = np.zeros((2, 2), np.uint8)
    with pytest.raises(ValueError) as caught:
        _core.hamming_search(codes, codes, 20, 1)
    assert str(caught.value) == "`codes` must have 3 bytes per row for 20 bits, got 2"
    with pytest.raises(ValueError) as caught:
        _core.hamming_search(codes, codes, 16, 1, np.ones(3, np.uint64))
    assert str(caught.value) == "`bitmap` must have 1 words, got 3"
    with pytest.raises(ValueError) as caught:
        _core.hamming_distances(codes[:, :0], codes[:, :0], 0)
    assert str(caught.value) == "`bits` must be 1 to 65535, got 0"
    with pytest.raises(TypeError):
        _core.hamming_search(codes.astype(np.int8), codes, 16, 1)

"""The engine's searches of real vectors, by storage, metric and level, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from bitsense import _core
from bitsense._bitmaps import pack_mask

METRICS = [_core.Metric.cosine, _core.Metric.ip, _core.Metric.l2]


def stored(rng, rows, dim, dtype):
    """Return padded rows as they are stored, their scales, and their values."""
    values = np.zeros((rows, -(-dim // 16) * 16), np.float32)
    values[:, :dim] = rng.standard_normal((rows, dim))
    values[5] = values[6] = values[7]
    values[9] = 0
    if dtype != np.int8:
        data = values.astype(dtype)
        return data, None, data[:, :dim].astype(np.float64)
    scales = (np.abs(values).max(axis=1) / 127).astype(np.float32)
    data = np.rint(values / np.where(scales > 0, scales, 1)[:, None]).astype(np.int8)
    return data, scales, data[:, :dim] * scales[:, None].astype(np.float64)


def distances(queries, values, metric):
    queries = queries.astype(np.float64)
    if metric == _core.Metric.l2:
        return ((queries[:, None] - values[None]) ** 2).sum(axis=2)
    products = queries @ values.T
    if metric == _core.Metric.ip:
        return -products
    lengths = np.linalg.norm(queries, axis=1)[:, None] * np.linalg.norm(values, axis=1)
    return np.where(lengths > 0, 1 - products / np.where(lengths > 0, lengths, 1), 1)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int8])
@pytest.mark.parametrize("dim", [1, 4, 100, 130])
def test_exact_searches_equal_their_twin(dim, dtype, metric, level):
    rng = np.random.default_rng(dim)
    data, scales, values = stored(rng, 700, dim, dtype)
    queries = rng.standard_normal((40, dim)).astype(np.float32)
    queries[3] = 0
    queries[4] = values[6]
    squares = _core.squared_lengths(data, dim, scales, 2)
    np.testing.assert_allclose(squares, (values**2).sum(axis=1), rtol=1e-6)
    exact = distances(queries, values, metric)
    for mask in (None, rng.random(700) < 0.6, rng.random(700) < 0.05):
        bitmap = None if mask is None else pack_mask(mask)
        allowed = exact if mask is None else np.where(mask, exact, np.inf)
        right = np.sort(allowed, axis=1)[:, :10]
        for asked in (1, 3, 40):
            ids, found = _core.real_search(
                data, dim, scales, squares, queries[:asked], metric, 10, bitmap, None, 2, level
            )
            np.testing.assert_allclose(found, right[:asked], rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(np.take_along_axis(exact[:asked], ids, 1), found, 1e-5, 1e-6)
            assert mask is None or mask[ids].all()
        radius = float(right[:, 5].mean()) + 1e-5
        offsets, rows, near = _core.real_range_search(
            data, dim, scales, squares, queries, metric, radius, bitmap, None, 2, level
        )
        assert abs(offsets[-1] - np.count_nonzero(allowed <= radius)) <= 1
        assert (near <= np.float32(radius)).all()
        assert mask is None or mask[rows].all()


def _few_lengths(rng, values):
    values *= 10.0 ** rng.integers(-3, 3, len(values))[:, None]


def _one_large_number(rng, values):
    values[:, 7] += 300 * rng.standard_normal(len(values))


def _near_each_other(rng, values):
    values[:] = values[0] + 1e-4 * values  # products of bytes leave all of them open


def _hardly_numbers(rng, values):
    values *= np.float32(1e-15)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    "shape", [_few_lengths, _one_large_number, _near_each_other, _hardly_numbers]
)
def test_rows_that_bytes_say_little_of_are_found_too(shape, metric, level):
    rng = np.random.default_rng(1)
    dim, rows = 40, 9_000  # more panels than are tried before bytes are given up
    data, _, values = stored(rng, rows, dim, np.float32)
    shape(rng, data[:, :dim])
    values = data[:, :dim].astype(np.float64)
    queries = data[:12, :dim] + data[12:24, :dim] / 2
    squares = _core.squared_lengths(data, dim, None)
    exact = distances(queries, values, metric)
    ids, found = _core.real_search(
        data, dim, None, squares, queries, metric, 10, None, None, 2, level
    )
    alone = [
        _core.real_search(data, dim, None, squares, queries[i : i + 1], metric, 10)
        for i in range(12)
    ]
    assert np.array_equal(ids, np.concatenate([each[0] for each in alone]))
    assert np.array_equal(found, np.concatenate([each[1] for each in alone]))
    right = np.sort(exact, axis=1)[:, :10]
    np.testing.assert_allclose(found, right, rtol=1e-4, atol=1e-6 * np.abs(right).max())


@pytest.mark.parametrize("metric", METRICS)
def test_levels_threads_and_batches_change_no_bit(metric):
    rng = np.random.default_rng(0)
    data, _, _ = stored(rng, 3000, 50, np.float32)
    queries = rng.standard_normal((30, 50)).astype(np.float32)
    squares = _core.squared_lengths(data, 50, None)
    centroids = _core.train_centroids(data, 50, None, squares, metric, 2, threads=2)
    planes = np.zeros((47, 13, 64), np.uint8)
    _core.encode_rows(data, 50, None, squares, metric, centroids, 0, planes, 2)
    seen = set()
    for level in _core.levels():
        for threads in (1, 3):
            flat = _core.real_search(
                data, 50, None, squares, queries, metric, 10, None, None, threads, level
            )
            ones = [
                _core.real_search(data, 50, None, squares, queries[i : i + 1], metric, 10)
                for i in range(30)
            ]
            assert np.array_equal(flat[0], np.concatenate([each[0] for each in ones]))
            assert np.array_equal(flat[1], np.concatenate([each[1] for each in ones]))
            short = _core.quantized_search(
                data, 50, None, squares, centroids, planes, queries, metric, 10, 60, None, None,
                threads, level,
            )  # fmt: skip
            seen.add((*(part.tobytes() for part in flat), *(part.tobytes() for part in short)))
    assert len(seen) == 1


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("width", [1, 2, 3])
def test_short_codes_choose_the_shortlist_that_their_costs_do(metric, width, level):
    rng = np.random.default_rng(1)
    centers = rng.standard_normal((30, 11))
    values = centers[rng.integers(0, 30, 2000)] + 0.4 * rng.standard_normal((2000, 11))
    data = np.zeros((2000, 16), np.float32)
    data[:, :11] = values
    squares = _core.squared_lengths(data, 11, None)
    centroids = _core.train_centroids(data, 11, None, squares, metric, width, 500, 5)
    parts = -(-11 // width)
    planes = np.zeros((32, -(-parts // 2), 64), np.uint8)
    _core.encode_rows(data, 11, None, squares, metric, centroids, 0, planes, 2)
    codes = planes.transpose(0, 2, 1).reshape(2048, -1)[:2000]
    nibbles = np.stack([codes & 15, codes >> 4], axis=2).reshape(2000, -1)[:, :parts]
    prepared = data[:, :11]
    if metric == _core.Metric.cosine:
        prepared = prepared / np.sqrt(squares)[:, None]
    padded = np.zeros((2000, parts * width), np.float32)
    padded[:, :11] = prepared
    apart = ((padded.reshape(2000, parts, 1, width) - centroids[None]) ** 2).sum(axis=3)
    chosen = np.take_along_axis(apart, nibbles[:, :, None].astype(np.int64), 2)[:, :, 0]
    np.testing.assert_allclose(chosen, apart.min(axis=2), atol=1e-5)
    queries = (centers[:20] + 0.4 * rng.standard_normal((20, 11))).astype(np.float32)
    ids, found = _core.quantized_search(
        data, 11, None, squares, centroids, planes, queries, metric, 10, 100, None, None, 1, level
    )
    exact = distances(queries, data[:, :11].astype(np.float64), metric)
    np.testing.assert_allclose(np.take_along_axis(exact, ids, 1), found, 1e-5, 1e-5)
    right = np.sort(exact, axis=1)[:, 9:10]
    assert (found <= right + 1e-5).mean() > (0.9 if width < 3 else 0.7)

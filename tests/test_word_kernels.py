"""The inner loops of word models, at every level, against NumPy in double precision."""

from __future__ import annotations

import numpy as np
import pytest
from reference.word_training import sigmoid

from bitsense import _core

LEVELS = _core.levels()


def matrices(rows, columns, n, seed=0):
    rng = np.random.default_rng(seed)
    return (
        rng.normal(size=(rows, n)).astype(np.float32),
        rng.normal(size=(columns, n)).astype(np.float32),
    )


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("n", [8, 16, 104, 112, 304])
def test_pair_dots_are_all_dot_products(level, half, n):
    for rows in (1, 2, 3, 4, 5, 7, 10, 12, 13, 25):
        for columns in range(1, 19):
            a, b = matrices(rows, columns, n)
            z = _core.kernel_pair_dots(level, a, b, half=half)
            assert np.allclose(z, a.astype(float) @ b.T.astype(float), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("half", [False, True])
def test_own_dots_stand_behind_those_of_the_columns(level, half):
    for rows in (1, 2, 3, 4, 5, 8, 9, 17):
        own, _ = matrices(rows, 1, 104, seed=1)
        for columns in range(1, 19):
            a, b = matrices(rows, columns, 104)
            z = _core.kernel_pair_dots(level, a, b, own, half)
            assert np.array_equal(z[:, :-1], _core.kernel_pair_dots(level, a, b, half=half))
            owns = np.diag(_core.kernel_pair_dots(level, a, own, half=half))
            assert np.array_equal(z[:, -1], owns)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("n", [8, 16, 104, 304])
def test_pair_dots_are_the_sums_of_those_of_both_halves(level, n):
    second = np.arange(n) % 8 >= 4
    for rows in (1, 2, 3, 8, 9, 17):
        for columns in range(1, 19):
            a, b = matrices(rows, columns, n)
            halves = [
                _core.kernel_pair_dots(level, a[:, some].copy(), b[:, some].copy(), half=True)
                for some in (~second, second)
            ]
            assert np.array_equal(_core.kernel_pair_dots(level, a, b), sum(halves))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("half", [False, True])
def test_pair_dots_add_four_lanes_of_each_half(level, half):
    """In order, then the tree; products that are exact, so that fusing does not matter."""
    rng = np.random.default_rng(3)
    a = rng.integers(-(2**11), 2**11, (5, 104)).astype(np.float32)
    b = (rng.integers(-(2**11), 2**11, (7, 104)) * 2.0 ** rng.integers(-9, 9, 104)).astype(
        np.float32
    )
    lanes = np.zeros((5, 7, 4 if half else 8), np.float32)
    for x in range(0, 104, lanes.shape[2]):
        some = slice(x, x + lanes.shape[2])
        lanes += a[:, None, some] * b[None, :, some]
    sums = [
        (some[..., 0] + some[..., 2]) + (some[..., 1] + some[..., 3])
        for some in np.split(lanes, lanes.shape[2] // 4, axis=2)
    ]
    assert np.array_equal(_core.kernel_pair_dots(level, a, b, half=half), sum(sums))


def pulled(a, b, columns, own_of, g, move_out):
    """What pair_pull makes of it, in double precision, one row after another."""
    a, b, g = (x.astype(float) for x in (a, b, g))
    pull = g[:, -1:] * b[own_of] + g[:, :-1] @ b[:columns]
    if move_out:
        b[:columns] += g[:, :-1].T @ a
        for row, own, factor in zip(a, own_of, g[:, -1], strict=True):
            b[own] += factor * row
    return pull, b


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("move_out", [True, False])
def test_pair_pull_replaces_rows_by_what_pulls_them(level, move_out):
    rng = np.random.default_rng(1)
    for rows in (1, 4, 6, 8, 10):
        for columns in (1, 2, 5, 6, 7, 8, 9, 12, 13, 30):
            a, b = matrices(rows, columns + 8, 48)
            g = rng.normal(size=(rows, columns + 1)).astype(np.float32)
            # Own rows are among the columns, behind them, and some are equal; or all are distinct.
            own_of = rng.integers(0, columns + 8, rows)
            if rows <= 8 and columns % 2:
                own_of = columns + rng.permutation(8)[:rows]
            results = _core.kernel_pair_pull(level, a, b, columns, own_of.tolist(), g, move_out)
            for result, expected in zip(
                results, pulled(a, b, columns, own_of, g, move_out), strict=True
            ):
                assert np.allclose(result, expected, rtol=1e-4, atol=1e-4)


def windows_of(tokens, reach, rng):
    """Return windows around some of the tokens, as the plan of a training has them."""
    windows = []
    for at in range(tokens):
        if rng.random() < 0.2:
            continue
        first = max(0, at - int(rng.integers(0, reach + 1)))
        last = min(tokens, at + 1 + int(rng.integers(0, reach + 1)))
        if last - first > 1:
            windows.append((first, last, at, float(np.float32(rng.random()))))
    return windows


def held(window):
    """Return the tokens that a window holds."""
    first, last, at, _ = window
    return [token for token in range(first, last) if token != at]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("n", [16, 48, 112, 128, 144, 304])
@pytest.mark.parametrize("reach", [1, 5, 8, 40])
def test_mixes(level, n, reach):
    """In the order of the tokens and of their windows; words come again."""
    rng = np.random.default_rng(reach)
    ids = rng.integers(0, 6, 60)
    windows = windows_of(len(ids), reach, rng)
    rows, table = matrices(len(windows), 6, n)
    begin = 3
    expected = table.astype(float)
    for i, window in enumerate(windows):
        for token in held(window):
            if token >= begin:
                expected[ids[token]] += window[3] * rows[i].astype(float)
    mixed = _core.kernel_mixes(level, rows, windows, reach, table, ids.tolist(), begin)
    assert np.allclose(mixed, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("n", [16, 48, 112, 128, 144, 304])
@pytest.mark.parametrize("reach", [1, 5, 8, 40])
def test_means(level, n, reach):
    rng = np.random.default_rng(reach)
    table, _ = matrices(9, 1, n)
    ids = rng.integers(0, 9, 100)
    windows = windows_of(len(ids), reach, rng)
    windows.append((2, 30, 2**32 - 1, 0.5))  # without a centre
    expected = [w[3] * table[ids[held(w)]].astype(float).sum(axis=0) for w in windows]
    assert np.allclose(_core.kernel_means(level, table, ids.tolist(), windows), expected, atol=1e-4)


@pytest.mark.parametrize("windows", [[(2, 3, 2, 1.0)], [(3, 2, 5, 1.0)], [(0, 11, 5, 1.0)]])
def test_windows_hold_tokens_that_are_there(windows):
    table, _ = matrices(9, 1, 16)
    with pytest.raises(ValueError, match="`windows` must"):
        _core.kernel_means("baseline", table, [*range(9), 0], windows)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("move_in", "move_out"), [(True, True), (True, False), (False, True)])
def test_pair_update_moves_both_sides_from_their_old_values(level, move_in, move_out):
    for rows in (1, 3, 10):
        for columns in (1, 2, 5, 6, 7, 8, 9, 12, 13, 30):
            a, b = matrices(rows, columns, 48)
            g = np.random.default_rng(1).normal(size=(rows, columns)).astype(np.float32)
            new_a, new_b = _core.kernel_pair_update(level, a, b, g, move_in, move_out)
            wide = [x.astype(float) for x in (a, b, g)]
            expected_a = wide[0] + (wide[2] @ wide[1] if move_in else 0)
            expected_b = wide[1] + (wide[2].T @ wide[0] if move_out else 0)
            assert np.allclose(new_a, expected_a, rtol=1e-4, atol=1e-4)
            assert np.allclose(new_b, expected_b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("level", LEVELS)
def test_sampling_gradient_and_loss(level):
    rng = np.random.default_rng(0)
    z = np.concatenate([rng.normal(scale=5, size=60), [-100, -60, 60, 100]]).astype(np.float32)
    weight = rng.integers(0, 4, 64).astype(np.float32)
    label = np.where(rng.random(64) < 0.3, weight, 0).astype(np.float32)
    g, loss = _core.kernel_sampling_gradient(level, z, weight, label, 0.25)
    x = z.astype(float)
    assert np.allclose(g, 0.25 * (label - weight * sigmoid(x)), rtol=1e-6, atol=5e-7)
    assert np.isclose(loss, (weight * np.logaddexp(0, x) - label * x).sum(), rtol=1e-5)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("small", [False, True])
def test_the_logistic_function_of_sampling_is_right_everywhere(level, small):
    ends = [0.0, -0.0, 1e-30, 14.9999, 15.0, 16.0, 1e4, 1e30]  # of its pieces, and beyond
    z = np.concatenate([np.linspace(-20, 20, 2**14 - 16), ends, np.negative(ends)])
    z = z.astype(np.float32)
    for part in (z[:-16], z[-16:]):
        ones = np.ones_like(part)
        g, loss = _core.kernel_sampling_gradient(level, part, ones, 0 * ones, -1.0, small)
        x = part.astype(float)
        with np.errstate(over="ignore"):
            assert np.abs(g - sigmoid(x)).max() < 5e-7
        assert np.isclose(loss, np.logaddexp(0, x).sum(), rtol=1e-5)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("size", [16, 48, 3200])  # the last: more factors than one product holds
def test_sampling_gradient_and_loss_of_small_weights(level, size):
    rng = np.random.default_rng(size)
    z = rng.normal(scale=3, size=size).astype(np.float32)
    z[: size // 4] = 0  # the smallest factors, a half
    weight = rng.integers(0, 4, size).astype(np.float32)
    weight[: size // 4] = 3
    label = np.where(rng.random(size) < 0.3, weight, 0).astype(np.float32)
    small, loss = _core.kernel_sampling_gradient(level, z, weight, label, 0.25, small=True)
    general, other_loss = _core.kernel_sampling_gradient(level, z, weight, label, 0.25)
    assert np.array_equal(small, general)
    exact = (weight * np.logaddexp(0, z.astype(float)) - label * z.astype(float)).sum()
    assert np.isclose(loss, exact, rtol=1e-5)
    assert np.isclose(other_loss, exact, rtol=1e-5)

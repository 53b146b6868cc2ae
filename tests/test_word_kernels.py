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
@pytest.mark.parametrize("n", [16, 112, 304])
def test_pair_dots_are_all_dot_products(level, n):
    for rows in (1, 2, 3, 4, 5, 7, 10):
        for columns in range(1, 15):
            a, b = matrices(rows, columns, n)
            z = _core.kernel_pair_dots(level, a, b)
            assert np.allclose(z, a.astype(float) @ b.T.astype(float), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("level", LEVELS)
def test_pair_dots_have_the_bits_of_the_kernel_of_dots(level):
    a, b = matrices(6, 13, 112)
    z = _core.kernel_pair_dots(level, a, b)
    assert [_core.kernel_dots(level, row, b).tolist() for row in a] == z.tolist()


@pytest.mark.parametrize("level", LEVELS)
def test_row_dots_are_the_diagonal_of_pair_dots(level):
    for rows in (1, 3, 4, 5, 9, 17):
        a, b = matrices(rows, rows, 112)
        assert np.array_equal(
            _core.kernel_row_dots(level, a, b), np.diag(_core.kernel_pair_dots(level, a, b))
        )


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("n", [16, 32, 112, 304])
def test_halved_dots_are_the_sums_of_those_of_both_halves(level, n):
    middle = n // 32 * 16
    for rows in (1, 2, 3, 8, 9, 17):
        for columns in range(1, 14):
            a, b = matrices(rows, columns, n)
            halves = [
                _core.kernel_pair_dots(level, a[:, part].copy(), b[:, part].copy())
                for part in (slice(0, middle), slice(middle, n))
                if part.start < part.stop
            ]
            z = _core.kernel_pair_dots(level, a, b, halved=True)
            assert np.array_equal(z, sum(halves))
            least = min(rows, columns)
            diagonal = _core.kernel_row_dots(level, a[:least], b[:least], halved=True)
            assert np.array_equal(diagonal, np.diag(z))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("move_out", [True, False])
def test_pair_pull_leaves_its_inputs_and_adds_to_the_pull(level, move_out):
    for rows in (1, 4, 10):
        for columns in (1, 5, 6, 7, 13, 30):
            a, b = matrices(rows, columns, 48)
            rng = np.random.default_rng(1)
            g = rng.normal(size=(rows, columns)).astype(np.float32)
            start = rng.normal(size=a.shape).astype(np.float32)
            pull, new_b = _core.kernel_pair_pull(level, a, b, g, start, move_out)
            wide = [x.astype(float) for x in (a, b, g)]
            expected_b = wide[1] + (wide[2].T @ wide[0] if move_out else 0)
            assert np.allclose(pull, start + wide[2] @ wide[1], rtol=1e-4, atol=1e-4)
            assert np.allclose(new_b, expected_b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("n", [16, 64, 112])
def test_mix_and_scaled(level, n):
    rows, out = matrices(7, 1, n)
    weight = np.random.default_rng(2).normal(size=7).astype(np.float32)
    mixed = _core.kernel_mix(level, rows, weight, out[0])
    assert np.allclose(mixed, out[0] + weight.astype(float) @ rows, rtol=1e-4, atol=1e-5)
    assert np.array_equal(_core.kernel_scaled(level, 0.3, rows[0]), np.float32(0.3) * rows[0])


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("move_in", "move_out"), [(True, True), (True, False), (False, True)])
def test_pair_update_moves_both_sides_from_their_old_values(level, move_in, move_out):
    for rows in (1, 3, 10):
        for columns in (1, 2, 5, 6, 7, 12, 13, 30):
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
    x = np.clip(z.astype(float), -60, 60)
    assert np.allclose(g, 0.25 * (label - weight * sigmoid(x)), rtol=1e-5, atol=1e-7)
    assert np.isclose(loss, (weight * np.logaddexp(0, x) - label * x).sum(), rtol=1e-5)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("size", [16, 48, 3200])  # the last: more factors than one product holds
def test_plain_sampling_gradient_and_loss(level, size):
    rng = np.random.default_rng(size)
    z = rng.normal(scale=3, size=size).astype(np.float32)
    z[: size // 4] = 0  # the largest factor, two
    weight = (rng.random(size) < 0.8).astype(np.float32)
    label = np.where(rng.random(size) < 0.3, weight, 0).astype(np.float32)
    label[weight == 0] = 0
    plain, loss = _core.kernel_sampling_gradient(level, z, weight, label, 0.25, plain=True)
    general, other_loss = _core.kernel_sampling_gradient(level, z, weight, label, 0.25)
    assert np.array_equal(plain, general)
    exact = (weight * np.logaddexp(0, z.astype(float)) - label * z.astype(float)).sum()
    assert np.isclose(loss, exact, rtol=1e-5)
    assert np.isclose(other_loss, exact, rtol=1e-5)


@pytest.mark.parametrize("level", LEVELS)
def test_mean(level):
    rows, _ = matrices(9, 1, 64)
    assert np.allclose(_core.kernel_mean(level, rows), rows.astype(float).mean(axis=0), atol=1e-6)

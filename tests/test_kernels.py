"""Every inner loop against NumPy, at every level, and the levels against each other."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitsense import _core

TILE = 16
FUSED = [level for level in _core.levels() if level != "baseline"]


def floats(rng, *shape, scale=1.0):
    return (scale * rng.standard_normal(shape)).astype(np.float32)


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 6, 7, 12, 13, 25])
@pytest.mark.parametrize("n", [16, 32, 48, 64, 80, 112, 304])
def test_multiply_equals_numpy(level, rows, n):
    rng = np.random.default_rng(rows * n)
    for terms in (0, 1, 2, 17):
        a, b, start = floats(rng, rows, terms), floats(rng, terms, n), floats(rng, rows, n)
        expected = a.astype(np.float64) @ b
        tolerance = 1e-6 * (1 + np.abs(a).astype(np.float64) @ np.abs(b))
        assert (np.abs(_core.kernel_multiply(level, a, b) - expected) <= tolerance).all()
        started = _core.kernel_multiply(level, a, b, start)
        assert (np.abs(started - expected - start) <= tolerance + 1e-6 * np.abs(start)).all()


@pytest.mark.parametrize("rows", [1, 2, 6, 13])
@pytest.mark.parametrize("n", [16, 48, 304])
def test_rounded_products_are_added_one_by_one(level, rows, n):
    rng = np.random.default_rng(rows * n)
    for terms in (0, 1, 2, 17):
        a, b, start = floats(rng, rows, terms), floats(rng, terms, n), floats(rng, rows, n)
        for begin in (np.zeros_like(start), start):
            expected = begin.copy()
            for k in range(terms):
                expected += a[:, k : k + 1] * b[k]
            made = _core.kernel_multiply(level, a, b, begin, rounded=True)
            assert made.tobytes() == expected.tobytes()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 8, 11])
@pytest.mark.parametrize("n", [16, 48, 128, 304])
def test_dots_equal_numpy(level, count, n):
    rng = np.random.default_rng(count * n)
    h, u = floats(rng, n), floats(rng, count, n)
    expected = u.astype(np.float64) @ h
    assert np.abs(_core.kernel_dots(level, h, u) - expected).max(initial=0) < 1e-4


def test_a_dot_does_not_depend_on_its_neighbours(level):
    rng = np.random.default_rng(0)
    h, u = floats(rng, 112), floats(rng, 7, 112)
    whole = _core.kernel_dots(level, h, u)
    single = np.concatenate([_core.kernel_dots(level, h, u[i : i + 1]) for i in range(7)])
    assert whole.tobytes() == single.tobytes()


def test_a_row_of_a_product_does_not_depend_on_its_neighbours(level):
    rng = np.random.default_rng(0)
    a, b = floats(rng, 25, 31), floats(rng, 31, 80)
    whole = _core.kernel_multiply(level, a, b)
    for i in range(25):
        assert _core.kernel_multiply(level, a[i : i + 1], b).tobytes() == whole[i].tobytes()


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0, 1e4])
def test_exp_and_logistic_equal_numpy(level, scale):
    x = floats(np.random.default_rng(1), 4096, scale=scale)
    clipped = np.clip(x.astype(np.float64), -60, 60)
    assert np.allclose(_core.kernel_exp(level, x), np.exp(clipped), rtol=4e-7, atol=0)
    expected = 1 / (1 + np.exp(-clipped))
    assert np.allclose(_core.kernel_logistic(level, x), expected, rtol=1e-6, atol=0)


@given(rows=st.integers(0, 40), seed=st.integers(0, 1000), scale=st.sampled_from([0.1, 3.0, 50.0]))
def test_tiles_equal_numpy(rows, seed, scale):
    rng = np.random.default_rng(seed)
    tile, shift = floats(rng, rows, TILE, scale=scale), floats(rng, rows)
    weight, factor = np.abs(floats(rng, rows)), np.abs(floats(rng, TILE))
    z = np.clip(tile.astype(np.float64) + shift[:, None], -60, 60)
    for level in _core.levels():
        exps, sums = _core.kernel_exp_tile(level, tile, shift)
        assert np.allclose(exps, np.exp(z), rtol=2e-5, atol=0)
        assert np.allclose(sums, np.exp(z).sum(axis=0), rtol=2e-5, atol=0)
        pulls, sums = _core.kernel_logistic_tile(level, tile, shift, weight, factor)
        expected = weight[:, None] * factor / (1 + np.exp(-z))
        assert np.allclose(pulls, expected, rtol=2e-5, atol=1e-30)
        expected = (weight[:, None] * np.logaddexp(0, z)).sum(axis=0)
        assert np.allclose(sums, expected, rtol=1e-4, atol=1e-6)


def test_adagrad_equals_numpy(level):
    rng = np.random.default_rng(2)
    w, g, squares = floats(rng, 128), floats(rng, 128), np.abs(floats(rng, 128)) + 0.1
    new_w, new_squares = _core.kernel_adagrad(level, w, squares, g, 0.05)
    expected = squares + g.astype(np.float64) ** 2
    assert np.allclose(new_squares, expected, rtol=1e-6)
    assert np.allclose(new_w, w - 0.05 * g / np.sqrt(expected), rtol=1e-5, atol=1e-7)


def test_adagrad_divides_by_roots_of_any_size(level):
    squares = np.logspace(-29, 36, 16 * 4000).astype(np.float32)
    g = np.sqrt(squares, dtype=np.float32)  # the squares double
    w, new_squares = _core.kernel_adagrad(level, np.zeros_like(g), squares, g, 1.0)
    expected = -g.astype(np.float64) / np.sqrt(new_squares.astype(np.float64))
    assert np.abs(w / expected - 1).max() < 4e-7


@pytest.mark.parametrize("terms", [0, 1, 2, 7])
@pytest.mark.parametrize("n", [16, 48, 128, 144, 304])
def test_a_descent_equals_numpy(level, terms, n):
    rng = np.random.default_rng(terms * n)
    w, start, factors = floats(rng, n), floats(rng, n), floats(rng, terms)
    rows = floats(rng, terms, n)
    gradient = factors.astype(np.float64) @ rows
    for begin, expected in ((None, gradient), (start, start + gradient)):
        moved = _core.kernel_descend(level, w, factors, rows, begin, brake=0.25, rate=0.5)
        assert np.allclose(moved, w - 0.125 * expected, rtol=1e-5, atol=1e-5)
    # The gradient by itself has the bits of the product that other optimizers start from.
    alone = _core.kernel_descend(level, np.zeros(n, np.float32), factors, rows, start, rate=-1.0)
    product = _core.kernel_multiply(level, factors[None], rows, start[None])
    assert alone.tobytes() == product[0].tobytes()


@pytest.mark.skipif(len(FUSED) < 2, reason="needs two levels with fused multiply-add")
def test_levels_with_fused_multiply_add_give_the_same_bits():
    rng = np.random.default_rng(3)
    a, b, u = floats(rng, 25, 31), floats(rng, 31, 112), floats(rng, 9, 112)
    tile, shift = floats(rng, 20, TILE, scale=5.0), floats(rng, 20)
    weight, factor = np.abs(floats(rng, 20)), np.abs(floats(rng, TILE))
    results = set()
    for level in FUSED:
        arrays = [
            _core.kernel_multiply(level, a, b),
            _core.kernel_dots(level, b[0], u),
            _core.kernel_exp(level, b[1]),
            _core.kernel_logistic(level, b[2]),
            *_core.kernel_exp_tile(level, tile, shift),
            *_core.kernel_logistic_tile(level, tile, shift, weight, factor),
            *_core.kernel_adagrad(level, b[0], np.abs(b[1]) + 1, b[2], 0.1),
            _core.kernel_descend(level, b[0], a[0], b, b[1], brake=0.7, rate=0.3),
        ]
        results.add(b"".join(array.tobytes() for array in arrays))
    assert len(results) == 1


def test_the_environment_can_lower_the_level():
    code = "from bitsense import _core; print(_core.level())"
    for level in _core.levels():
        environment = {**os.environ, "BITSENSE_LEVEL": level}
        run = [sys.executable, "-c", code]
        output = subprocess.run(run, env=environment, capture_output=True, text=True, check=True)
        assert output.stdout.strip() == level


def test_an_unknown_level_is_refused():
    names = ", ".join(_core.levels())
    message = rf"level \(BITSENSE_LEVEL\) must be one of {names} on this machine, got sse9"
    with pytest.raises(ValueError, match=message):
        _core.kernel_exp("sse9", np.zeros(16, np.float32))


def runs_in_python(text: bytes, digits: bool) -> list[tuple[int, int]]:
    """Return where the runs of word bytes begin and end, a byte at a time."""

    def belongs(byte: int) -> bool:
        char = chr(byte)
        return byte >= 0x80 or char.isalpha() or (digits and char.isdigit())

    places = [i for i in range(len(text)) if belongs(text[i])]
    starts = [i for i in places if i == 0 or not belongs(text[i - 1])]
    ends = [i + 1 for i in places if i + 1 == len(text) or not belongs(text[i + 1])]
    return list(zip(starts, ends, strict=True))


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("digits", [False, True])
def test_every_byte_has_its_class(level, lower, digits):
    text = bytes(range(256)) + bytes(byte for i in range(256) for byte in (i, 32))
    runs, folded = _core.kernel_find_runs(level, text, 0, lower, digits)
    assert runs == runs_in_python(text, digits)
    assert folded == (text.lower() if lower else text)  # of bytes: ASCII only


@given(
    text=st.one_of(
        st.binary(max_size=300),
        st.lists(st.sampled_from([b"a", b"Z", b"9", b" ", b"\xc3\xa9", b"abcdefghij"])).map(
            b"".join
        ),
        st.integers(0, 200).map(lambda n: b"a" * n),
    ),
    behind=st.binary(max_size=80),
    lower=st.booleans(),
    digits=st.booleans(),
)
def test_runs_are_those_of_plain_python_whatever_lies_behind(text, behind, lower, digits):
    expected = runs_in_python(text, digits), text.lower() if lower else text
    for level in _core.levels():
        found = _core.kernel_find_runs(level, text + behind, len(behind), lower, digits)
        assert found == expected


def test_a_whole_chunk_of_words_of_one_letter(level):
    text = b"a " * 4096
    runs, _ = _core.kernel_find_runs(level, text, 0, True, True)
    assert runs == [(2 * i, 2 * i + 1) for i in range(4096)]
    assert _core.kernel_find_runs(level, b"a" * 8192, 0, True, True)[0] == [(0, 8192)]
    with pytest.raises(ValueError, match="`text` must have `behind` to 8192 bytes more, got 8193"):
        _core.kernel_find_runs(level, b"a" * 8193, 0, True, True)

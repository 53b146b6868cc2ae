"""The alias table: its probabilities are those of the weights, and so are its draws."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bitsense._core import AliasTable

WEIGHTS = st.lists(
    st.one_of(st.just(0.0), st.floats(1e-9, 1e12), st.integers(1, 1000).map(float)),
    min_size=1,
    max_size=200,
).filter(any)


@given(weights=WEIGHTS)
def test_probabilities_are_those_of_the_weights(weights: list[float]) -> None:
    weights = np.array(weights)
    table = AliasTable(weights)
    found = table.probabilities()
    # Each column rounds to a multiple of 1 / (n 2^32); an item may be the alias of n columns.
    np.testing.assert_allclose(found, weights / weights.sum(), rtol=1e-9, atol=2.0**-31)
    assert found.sum() == pytest.approx(1.0, abs=1e-12)
    assert not found[weights == 0].any()
    assert [table.probability(i) for i in range(len(weights))] == pytest.approx(found)


def test_small_powers_of_two_are_exact() -> None:
    weights = np.array([1.0, 1.0, 2.0, 4.0, 0.0, 8.0, 16.0, 0.0])
    assert AliasTable(weights).probabilities() == pytest.approx(weights / 32, abs=2.0**-34)


def test_draws_follow_the_weights() -> None:
    weights = np.arange(1, 301, dtype=float)[::-1] ** 0.75
    weights[[5, 77]] = 0
    drawn = np.bincount(AliasTable(weights).sample(300_000, 7), minlength=300)
    assert not drawn[[5, 77]].any()
    some = weights > 0
    expected = weights[some] / weights.sum() * 300_000
    assert stats.chisquare(drawn[some], expected).pvalue > 0.001


def test_draws_are_a_function_of_the_seed() -> None:
    table = AliasTable(np.array([3.0, 1.0, 2.0]))
    assert (table.sample(1000, 1) == table.sample(1000, 1)).all()
    assert (table.sample(1000, 1) != table.sample(1000, 2)).any()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([], "`weights` must not be empty"),
        ([0.0, 0.0], "`weights` must not all be zero, got 2 zeros"),
        ([1.0, -2.0], "`weights` must be finite and not negative, got -2 at 1"),
        ([np.nan], "`weights` must be finite and not negative, got nan at 0"),
        ([np.inf, 1.0], "`weights` must be finite and not negative, got inf at 0"),
        ([1e308, 1e308], "`weights` must have a finite sum, got inf"),
    ],
)
def test_weights_that_are_no_distribution_are_refused(weights: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        AliasTable(np.array(weights, dtype=float))


def test_an_item_out_of_range_is_an_index_error() -> None:
    with pytest.raises(IndexError, match=r"^no such item$"):
        AliasTable(np.ones(3)).probability(3)

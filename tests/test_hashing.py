"""Binarisers and the base of the estimators."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from reference import codes as twin

from bitsense.codes import pack_signs, unpack_bits
from bitsense.errors import NotFittedError
from bitsense.hashing import ITQ, RandomHyperplanes, SignBinarizer, principal_directions
from bitsense.search import hamming_distances

ALL = [SignBinarizer(), RandomHyperplanes(100, center=True), RandomHyperplanes(9), ITQ(24)]
GOLDEN_NORMALS = [[0.48983899, 1.01765549, -1.25873995], [-0.09063144, 0.80325782, 2.38365245]]
each = pytest.mark.parametrize("binarizer", ALL, ids=repr)


@pytest.fixture(scope="module")
def vectors():
    """Correlated vectors off the origin, shape (900, 37)."""
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(37, 37)) * np.linspace(2.0, 0.1, 37)[:, None]
    return (rng.normal(size=(900, 37)) @ mixing + 1.0).astype(np.float32)


@each
def test_codes_have_the_contract_and_the_length(binarizer, vectors):
    codes = binarizer.fit(vectors).transform(vectors)
    bits = binarizer.bits_
    assert codes.dtype == np.uint8
    assert codes.shape == (900, (bits + 7) // 8)
    assert np.array_equal(pack_signs(binarizer.project(vectors)), codes)
    assert np.array_equal(np.packbits(unpack_bits(codes, bits), axis=1), codes)


@each
def test_a_row_has_the_same_code_in_any_batch_and_on_any_threads(binarizer, vectors):
    binarizer.fit(vectors)
    whole = binarizer.project(vectors)
    for rows in (slice(0, 1), slice(3, 10), slice(60, 130), slice(899, None)):
        assert np.array_equal(binarizer.project(vectors[rows]), whole[rows])
    assert np.array_equal(binarizer.project(vectors[::-1]), whole[::-1])
    if "threads" in binarizer.get_params():
        binarizer.set_params(threads=3)
        assert np.array_equal(binarizer.project(vectors), whole)
        binarizer.set_params(threads=None)


@pytest.mark.parametrize("bits", [1, 15, 16, 17, 64])
def test_projection_equals_its_twin_bit_for_bit(vectors, bits):
    model = RandomHyperplanes(bits, center=True).fit(vectors)
    expected = twin.project(vectors, model.mean_, model.directions_)
    assert np.array_equal(model.project(vectors), expected)


@each
def test_the_same_seed_gives_the_same_codes(binarizer, vectors):
    again = type(binarizer)(**binarizer.get_params())
    assert np.array_equal(again.fit_transform(vectors), binarizer.fit_transform(vectors))


def test_another_seed_gives_other_hyperplanes(vectors):
    a, b = (RandomHyperplanes(64, seed=seed).fit(vectors).directions_ for seed in (0, 1))
    assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.1


def test_hyperplanes_are_standard_normal_and_never_change():
    directions = RandomHyperplanes(256, seed=7).fit(np.zeros((1, 200))).directions_
    assert abs(directions.mean()) < 0.02
    assert abs(directions.std() - 1) < 0.02
    assert abs((directions**4).mean() - 3) < 0.1
    first = RandomHyperplanes(3).fit(np.zeros((1, 2))).directions_
    np.testing.assert_allclose(first, GOLDEN_NORMALS, rtol=1e-6)


def test_hyperplane_distance_is_proportional_to_the_angle():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 50, 30))
    cosines = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    expected = np.arccos(cosines) / np.pi
    bits = 8192
    model = RandomHyperplanes(bits, seed=2).fit(a)
    found = np.diag(hamming_distances(model.transform(a), model.transform(b))) / bits
    deviation = np.sqrt(expected * (1 - expected) / bits)
    assert (np.abs(found - expected) < 4.5 * deviation).all()


def test_signs_are_balanced_only_after_centring(vectors):
    shifted = vectors + 100
    assert unpack_bits(SignBinarizer(center=False).fit_transform(shifted), 37).all()
    shares = unpack_bits(SignBinarizer().fit_transform(shifted), 37).mean(axis=0)
    assert (np.abs(shares - 0.5) < 0.1).all()


def test_itq_lowers_the_quantization_error_in_every_turn(vectors):
    scaled = vectors / vectors.std()
    model = ITQ(24, iterations=30).fit(scaled)
    errors = model.quantization_errors_
    assert errors.shape == (31,)
    assert (np.diff(errors) <= 1e-9 * errors[0]).all()
    assert errors[-1] < 0.99 * errors[0]
    values = model.project(scaled)
    corners = np.where(values > 0, 1.0, -1.0)
    np.testing.assert_allclose(errors[-1], ((corners - values) ** 2).sum(1).mean(), rtol=1e-4)


def test_itq_finds_a_rotation(vectors):
    model = ITQ(24).fit(vectors)
    identity = np.eye(24)
    np.testing.assert_allclose(model.rotation_ @ model.rotation_.T, identity, atol=1e-12)
    np.testing.assert_allclose(model.directions_.T @ model.directions_, identity, atol=1e-6)


def test_itq_balances_the_variances_that_pca_leaves_unequal(vectors):
    values = ITQ(24).fit(vectors).project(vectors)
    principal = (vectors - vectors.mean(0)) @ principal_directions(
        vectors.astype(np.float64) - vectors.mean(0), 24
    )
    assert values.var(0).max() / values.var(0).min() < 0.2 * principal.var(0).max() / (
        principal.var(0).min()
    )
    assert (np.abs(unpack_bits(ITQ(24).fit_transform(vectors), 24).mean(0) - 0.5) < 0.15).all()


def test_principal_directions_have_fixed_signs_and_descending_variance(vectors):
    centred = vectors.astype(np.float64) - vectors.mean(0, dtype=np.float64)
    directions = principal_directions(centred, 37)
    assert (directions[np.abs(directions).argmax(0), np.arange(37)] > 0).all()
    variances = (centred @ directions).var(0)
    assert (np.diff(variances) < 0).all()
    np.testing.assert_allclose(variances.sum(), centred.var(0).sum())


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: ITQ(38).fit(x), ValueError, "`bits` must be at most 37, got 38"),
        (lambda x: ITQ(0).fit(x), ValueError, "`bits` must be at least 1, got 0"),
        (lambda x: ITQ(8, seed=-1).fit(x), ValueError, "`seed` must be at least 0, got -1"),
        (
            lambda x: SignBinarizer(center=1).fit(x),
            TypeError,
            "`center` must be True or False, got 1",
        ),
        (
            lambda x: SignBinarizer().fit(x[:0]),
            ValueError,
            "`vectors` must have at least one row and one column, got (0, 37)",
        ),
        (
            lambda x: SignBinarizer().fit(x).transform(x[:, 1:]),
            ValueError,
            "`vectors` must have 37 columns, got 36",
        ),
        (
            lambda x: SignBinarizer().fit(x).transform([[np.nan] * 37]),
            ValueError,
            "`vectors` must be finite in float32, row 0 is not",
        ),
        (
            lambda x: ITQ(8).transform(x),
            NotFittedError,
            "this ITQ is not fitted yet; call `fit` first",
        ),
        (
            lambda x: ITQ(n_bits=8),
            TypeError,
            "ITQ got an unknown parameter `n_bits`; did you mean `bits`?",
        ),
        (
            lambda x: ITQ(max_iter=8),
            TypeError,
            "ITQ got an unknown parameter `max_iter`; did you mean `iterations`?",
        ),
        (
            lambda x: ITQ(random_state=8),
            TypeError,
            "ITQ got an unknown parameter `random_state`; did you mean `seed`?",
        ),
        (
            lambda x: ITQ(itterations=8),
            TypeError,
            "ITQ got an unknown parameter `itterations`; did you mean `iterations`?",
        ),
        (
            lambda x: ITQ(zzz=8),
            TypeError,
            "ITQ got an unknown parameter `zzz`; it has bits, iterations, seed, threads",
        ),
        (
            lambda x: ITQ(8).set_params(seed=3, workers=8),
            ValueError,
            "ITQ got an unknown parameter `workers`; did you mean `threads`?",
        ),
    ],
)
def test_wrong_input_is_refused_by_name(call, error, message, vectors):
    with pytest.raises(error) as caught:
        call(vectors)
    assert str(caught.value) == message


def test_a_refused_set_params_sets_nothing():
    model = ITQ(8)
    with pytest.raises(ValueError):
        model.set_params(seed=3, workers=8)
    assert model.seed == 0


def test_repr_shows_what_differs_from_the_defaults():
    assert repr(ITQ()) == "ITQ()"
    assert repr(ITQ(32, seed=5)) == "ITQ(bits=32, seed=5)"


def test_the_signature_is_the_written_one():
    parameters = inspect.signature(ITQ).parameters
    assert list(parameters) == ["bits", "iterations", "seed", "threads"]


@each
def test_scikit_learn_clones_and_pipes(binarizer, vectors):
    base = pytest.importorskip("sklearn.base")
    pipeline = pytest.importorskip("sklearn.pipeline")
    validation = pytest.importorskip("sklearn.utils.validation")
    binarizer.fit(vectors)
    copy = base.clone(binarizer)
    assert copy.get_params() == binarizer.get_params()
    assert not copy.__sklearn_is_fitted__()
    piped = pipeline.make_pipeline(copy).fit(vectors)
    assert np.array_equal(piped.transform(vectors), binarizer.transform(vectors))
    validation.check_is_fitted(binarizer)
    assert copy.__sklearn_tags__().input_tags.two_d_array


def test_nested_parameters_reach_the_inner_estimator():
    pipeline = pytest.importorskip("sklearn.pipeline")
    piped = pipeline.Pipeline([("itq", ITQ(8))])
    assert piped.set_params(itq__bits=16).get_params()["itq__bits"] == 16

"""The estimators among scikit-learn's tools: clones, pipelines, grids, frames."""

from __future__ import annotations

import numpy as np
import pytest
from reference.topics import planted

from bitsense import (
    ITQ,
    BinaryParagraphVector,
    NotFittedError,
    ParagraphVector,
    RandomHyperplanes,
    RealBinaryParagraphVector,
    SignBinarizer,
    Tokenizer,
    unpack_bits,
)

pytest.importorskip("sklearn", minversion="1.6")

from sklearn import exceptions
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import BernoulliNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

TEXTS, TOPICS = planted(topics=4, documents=20)
SMALL = {"epochs": 5, "subsample": 0.0}
MODELS = [
    ParagraphVector(24, **SMALL),
    BinaryParagraphVector(24, **SMALL),
    RealBinaryParagraphVector(24, 24, **SMALL),
    BinaryParagraphVector(24, mode="dm", context=2, word_dim=8, **SMALL),
    ParagraphVector(24, mode="encoder", neighbors=2, **SMALL),
    BinaryParagraphVector(24, mode="encoder", neighbors=2, **SMALL),
    RealBinaryParagraphVector(24, 16, mode="encoder", neighbors=0, **SMALL),
]
ALL = [*MODELS, SignBinarizer(), RandomHyperplanes(24), ITQ(8)]
each = pytest.mark.parametrize("estimator", ALL, ids=repr)
each_model = pytest.mark.parametrize("estimator", MODELS, ids=repr)


def data_of(estimator):
    if isinstance(estimator, ParagraphVector | BinaryParagraphVector | RealBinaryParagraphVector):
        return TEXTS
    return np.random.default_rng(0).normal(size=(80, 24)).astype(np.float32)


@each
def test_a_clone_is_unfitted_and_learns_the_same(estimator):
    fitted = clone(estimator).fit(data_of(estimator))
    copied = clone(fitted)
    assert copied.get_params() == estimator.get_params()
    with pytest.raises(exceptions.NotFittedError):
        check_is_fitted(copied)
    check_is_fitted(fitted)
    data = data_of(estimator)
    assert np.array_equal(copied.fit_transform(data), fitted.transform(data))


@each_model
def test_parameters_that_are_objects_are_cloned(estimator):
    tokenizer = Tokenizer(ngrams=2)
    model = clone(estimator).set_params(tokenizer=tokenizer, progress=print)
    copied = clone(model)
    assert copied.tokenizer == tokenizer
    assert copied.tokenizer is not tokenizer
    assert copied.progress is print


@each
def test_not_fitted_is_what_scikit_learn_means(estimator):
    with pytest.raises((ValueError, AttributeError)) as caught:
        clone(estimator).transform(data_of(estimator))
    assert isinstance(caught.value, NotFittedError)
    assert issubclass(NotFittedError, exceptions.NotFittedError.__bases__)


@each
def test_tags_say_what_fit_takes(estimator):
    tags = get_tags(estimator)
    takes_text = data_of(estimator) is TEXTS
    assert tags.input_tags.string is takes_text
    assert tags.input_tags.two_d_array is not takes_text
    assert tags.transformer_tags is not None
    assert not tags.target_tags.required


def test_vectors_feed_a_classifier():
    pipeline = make_pipeline(MODELS[0], LogisticRegression())
    assert cross_val_score(pipeline, TEXTS, TOPICS, cv=4).mean() > 0.95
    assert "ParagraphVector" in repr(pipeline)


def test_bits_feed_a_classifier():
    # Of the package and not of this file, which the other processes could not import.
    bits = FunctionTransformer(unpack_bits, kw_args={"bits": 24})
    pipeline = Pipeline([("codes", MODELS[1]), ("bits", bits), ("bayes", BernoulliNB())])
    assert cross_val_score(pipeline, TEXTS, TOPICS, cv=4, n_jobs=2).mean() > 0.9


def test_vectors_are_binarised_in_a_pipeline():
    pipeline = make_pipeline(MODELS[0], ITQ(16)).fit(TEXTS)
    assert pipeline.transform(TEXTS).shape == (80, 2)
    assert pipeline.get_feature_names_out().tolist() == ["itq0", "itq1"]


def test_a_union_stands_vectors_beside_codes():
    union = FeatureUnion([("real", MODELS[0]), ("binary", MODELS[1])]).fit(TEXTS)
    assert union.transform(TEXTS[:5]).shape == (5, 27)
    assert len(union.get_feature_names_out()) == 27


def loss(model, documents, y=None):
    return -model.losses_[-1]


def test_a_grid_is_searched_by_a_callable_score():
    grid = GridSearchCV(
        BinaryParagraphVector(**SMALL), {"bits": [8, 32], "tokenizer": [None, Tokenizer(ngrams=2)]},
        scoring=loss, cv=2,
    ).fit(TEXTS)  # fmt: skip
    assert set(grid.best_params_) == {"bits", "tokenizer"}
    assert np.isfinite(grid.cv_results_["mean_test_score"]).all()
    assert grid.best_estimator_.transform(TEXTS).shape[1] == grid.best_params_["bits"] // 8


def test_parameters_are_searched_inside_a_pipeline():
    pipeline = Pipeline([("vectors", MODELS[0]), ("classes", LogisticRegression())])
    grid = GridSearchCV(pipeline, {"vectors__dim": [4, 24], "vectors__epochs": [1, 5]}, cv=2)
    assert grid.fit(TEXTS, TOPICS).best_score_ > 0.9
    with pytest.raises(ValueError, match="did you mean `dim`"):
        pipeline.set_params(vectors__vector_size=3)


def test_the_default_output_may_be_asked_for():
    pipeline = make_pipeline(MODELS[0], SignBinarizer()).set_output(transform="default")
    assert isinstance(pipeline.fit_transform(TEXTS), np.ndarray)
    model = clone(MODELS[0])
    assert model.set_output(transform=None) is model
    with pytest.raises(ValueError, match=r"^`transform` must be one of 'default', 'pandas', 'po"):
        model.set_output(transform="arrow")


@pytest.mark.parametrize("frames", ["pandas", "polars"])
@each
def test_frames_come_out_on_request(estimator, frames):
    library = pytest.importorskip(frames)
    fitted = clone(estimator).fit(data_of(estimator)).set_output(transform=frames)
    data = data_of(estimator)
    frame = fitted.transform(data)
    assert isinstance(frame, library.DataFrame)
    assert list(frame.columns) == list(fitted.get_feature_names_out())
    expected = clone(estimator).fit_transform(data)
    assert np.array_equal(frame.to_numpy(), expected)
    assert isinstance(clone(fitted).fit_transform(data), library.DataFrame)
    assert np.array_equal(fitted.set_output(transform="default").transform(data), expected)


@each_model
def test_a_pandas_column_keeps_its_index(estimator):
    pandas = pytest.importorskip("pandas")
    column = pandas.Series(TEXTS, index=[f"text {i}" for i in range(len(TEXTS))])
    model = clone(estimator).fit(column).set_output(transform="pandas")
    frame, coverage = model.transform(column, return_coverage=True)
    assert frame.index.equals(column.index)
    assert (coverage == 1.0).all()
    with pytest.raises(TypeError, match=r"^`documents` must be one column of strings, got a Data"):
        model.transform(column.to_frame("text"))

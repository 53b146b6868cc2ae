"""Documents that are added to a fitted model: nothing else of it changes."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.small_models import MODELS, SMALL, TEXTS, each_model, weights
from reference.topics import planted

from bitsense import (
    BinaryParagraphVector,
    FormatError,
    NotFittedError,
    ParagraphVector,
    files,
    load,
)

MORE = planted(topics=4, documents=5, seed=2)[0]
FITTED = {cls: cls(20, **SMALL).fit(TEXTS) for cls in MODELS}


def fitted(cls):
    return pickle.loads(pickle.dumps(FITTED[cls]))


@each_model
def test_it_returns_what_transform_returns_and_keeps_the_vectors(cls):
    model, before = fitted(cls), FITTED[cls]
    got = model.extend(MORE, threads=1)
    assert np.array_equal(got, before.transform(MORE))
    values = before.transform(MORE)
    if cls is not ParagraphVector:
        values = getattr(before, "vectors", before.preactivations)(MORE)
    assert np.array_equal(model.document_vectors_[40:], values)
    assert np.array_equal(model.document_vectors_[:40], before.document_vectors_)
    assert (model.n_documents_, model.n_extended_) == (60, 20)
    assert (before.n_documents_, before.n_extended_) == (40, 0)
    assert repr(model).endswith(" words, fitted to 40 documents, extended by 20>")


@each_model
def test_words_and_answers_stay_the_same_bytes(cls):
    model, before = fitted(cls), FITTED[cls]
    model.extend(["new words and topic0word1"])
    assert model.vocabulary_ == before.vocabulary_
    assert model.word_vectors_.tobytes() == before.word_vectors_.tobytes()
    assert model.transform(TEXTS).tobytes() == before.transform(TEXTS).tobytes()
    assert model.losses_ == before.losses_


@each_model
@settings(max_examples=20)
@given(cut=st.integers(0, len(MORE)), other=st.integers(0, len(MORE)))
def test_it_does_not_matter_how_many_calls_add_them(cls, cut, other):
    cut, other = sorted((cut, other))
    whole, parts = fitted(cls), fitted(cls)
    got = whole.extend(MORE)
    each = [parts.extend(part) for part in (MORE[:cut], MORE[cut:other], MORE[other:])]
    assert np.array_equal(got, np.concatenate(each))
    assert weights(whole) == weights(parts)
    assert (whole.n_documents_, whole.n_extended_) == (parts.n_documents_, parts.n_extended_)


@each_model
def test_files_and_pickles_hold_the_added_documents(cls, tmp_path):
    model = fitted(cls)
    model.extend(MORE)
    model.save(tmp_path / "with", documents=True)
    model.save(tmp_path / "without")
    for twin in (load(tmp_path / "with"), pickle.loads(pickle.dumps(model)), copy.copy(model)):
        assert weights(twin) == weights(model)
        assert (twin.n_documents_, twin.n_extended_) == (60, 20)
    assert load(tmp_path / "without").n_extended_ == 20
    loaded = load(tmp_path / "with")
    loaded.extend(MORE[:3])
    model.extend(MORE[:3])
    assert weights(loaded) == weights(model)
    assert not loaded.document_vectors_.flags.writeable
    assert model.fit(TEXTS).n_extended_ == 0


@each_model
def test_a_model_that_was_not_extended_has_the_file_that_it_had(cls, tmp_path):
    FITTED[cls].save(tmp_path / "m")
    header, _ = files.read_file(tmp_path / "m")
    assert not {"extended", "certificate"} & header.keys()


@pytest.mark.parametrize("extended", [-1, 60, 2**70, "20", True, None])
def test_a_corrupt_number_is_refused(extended, tmp_path):
    model = fitted(BinaryParagraphVector)
    model.extend(MORE)
    model.save(tmp_path / "m")
    header, arrays = files.read_file(tmp_path / "m")
    files.write_file(tmp_path / "bad", "model", {**header, "extended": extended}, arrays)
    with pytest.raises(FormatError, match="bad: corrupt: 'extended' of the header must be "):
        load(tmp_path / "bad")


@each_model
def test_a_model_without_its_documents_says_so(cls, tmp_path):
    FITTED[cls].save(tmp_path / "m")
    loaded = load(tmp_path / "m")
    with pytest.raises(ValueError) as caught:
        loaded.extend(MORE)
    assert str(caught.value) == (
        "the file of this model holds no `document_vectors_` to extend; save it with documents=True"
    )
    with pytest.raises(NotFittedError):
        cls().extend(MORE)


@each_model
def test_what_fails_leaves_the_model_as_it_was(cls, monkeypatch):
    model = fitted(cls)
    before = dict(vars(model))
    for bad, kind in ((3, TypeError), ([3], TypeError), ("no file", ValueError)):
        with pytest.raises(kind):
            model.extend(bad)
    with pytest.raises(ValueError, match="`threads` must be at most 1024, got 4000"):
        model.extend(MORE, threads=4000)
    for on_unknown in ("error", "nan"):
        model.set_params(on_unknown=on_unknown)
        with pytest.raises(ValueError, match=r"^`documents`\[1\] has no known word among its 1 "):
            model.extend([MORE[0], "unknown"])
    model.set_params(on_unknown="zero")

    def interrupted(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(model), "_infer", interrupted)
        with pytest.raises(KeyboardInterrupt):
            model.extend(MORE)
    assert vars(model) == before


@each_model
def test_unknown_documents_get_zeros_and_none_add_nothing(cls):
    model = fitted(cls)
    assert not model.extend(["unknown"]).any()
    assert not model.document_vectors_[-1].any()
    assert model.extend([]).shape == (0, model.transform([]).shape[1])
    assert model.n_documents_ == 41


@each_model
def test_lists_of_tokens_and_callables_work(cls):
    want = fitted(cls).extend(MORE)
    tokens = [text.split() for text in MORE]
    lists = cls(20, tokenizer=None, **SMALL).fit([text.split() for text in TEXTS])
    assert np.array_equal(lists.extend(tokens), want)
    called = cls(20, tokenizer=str.split, **SMALL).fit(TEXTS)
    assert np.array_equal(called.extend(iter(MORE)), want)


def test_set_output_holds_for_it_too():
    pandas = pytest.importorskip("pandas")
    model = fitted(ParagraphVector).set_output(transform="pandas")
    frame = model.extend(pandas.Series(MORE[:2], index=["a", "b"]))
    assert list(frame.index) == ["a", "b"]


def test_the_report_and_the_certificate_go_on(tmp_path):
    model = fitted(BinaryParagraphVector)
    certificate = model.certificate(MORE, bits=8, k=3)
    model.extend(MORE)
    assert model.report().documents == 60
    assert model.certificate_ is certificate

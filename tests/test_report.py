"""What `report` says, and when it cannot."""

from __future__ import annotations

import json

import numpy as np
import pytest
from reference import certificate as twin
from reference.small_models import MODELS, SMALL, TEXTS, each_model

from bitsense import BinaryParagraphVector, NotFittedError, ParagraphVector, load
from bitsense.reports import bit_report, vector_report


@pytest.fixture(scope="module", params=MODELS, ids=lambda cls: cls.__name__)
def model(request):
    """A small fitted model that no test changes."""
    return request.param(20, **SMALL).fit(TEXTS)


def test_it_is_about_the_trained_vectors_by_default(model):
    report = model.report()
    vectors = model.document_vectors_
    norms = np.linalg.norm(vectors.astype(float), axis=1)
    assert (report.model, report.source, report.unknown) == (type(model).__name__, "training", 0)
    assert report.documents == len(TEXTS)
    assert report.words == len(model.vocabulary_)
    assert report.losses == tuple(model.losses_)
    assert report.partial is False
    assert report.vectors.dim == 20
    assert report.vectors.smallest_norm == pytest.approx(norms.min())
    assert report.vectors.mean_norm == pytest.approx(norms.mean())
    assert report.vectors.largest_norm == pytest.approx(norms.max())
    assert report.vectors.effective_dimension == pytest.approx(twin.participation(vectors))
    assert (report.bits is None) == isinstance(model, ParagraphVector)


def test_the_bits_of_given_documents_are_those_of_their_codes():
    model = BinaryParagraphVector(20, **SMALL).fit(TEXTS)
    documents = [*TEXTS[:9], "of words unknown", TEXTS[0]]
    report = model.report(documents, threads=1)
    bits = np.unpackbits(model.transform([*documents[:9], TEXTS[0]]), axis=1, count=20)
    assert (report.source, report.documents, report.unknown) == ("given", 10, 1)
    assert report.bits.ones == pytest.approx(bits.mean(axis=0).tolist())
    assert report.bits.entropy == pytest.approx([twin.entropy(c.tolist()) for c in bits.T])
    assert report.bits.largest_correlation == pytest.approx(max(twin.correlations(bits)))
    assert report.bits.mean_correlation == pytest.approx(np.mean(twin.correlations(bits)))
    assert report.bits.distinct == len({row.tobytes() for row in bits})
    assert report.bits.largest_bucket >= 2


def test_dead_and_saturated_bits_are_named():
    values = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32)
    values[:, 1] = -1  # never a one
    values[:, 2] = np.where(np.arange(200) < 1, -1, 1)  # one zero in 200
    values[:, 4] *= 100  # far out on both sides
    values[:, 5] = np.where(np.arange(200) < 100, 4.61, -0.5)  # half of them: not more than half
    report = bit_report(values)
    assert report.dead == (1, 2)
    assert report.saturated == (4,)
    assert report.saturated_shares[5] == 0.5
    s = 1 / (1 + np.exp(-values.astype(float)))
    assert report.saturated_shares == pytest.approx((s * (1 - s) < 0.01).mean(axis=0).tolist())
    assert report.entropy[1] == 0.0
    alike = bit_report(np.full((4, 3), 9e37, np.float32))
    assert (alike.dead, alike.distinct, alike.largest_bucket) == ((0, 1, 2), 1, 4)
    assert (alike.mean_correlation, alike.largest_correlation) == (0.0, 0.0)


def test_vectors_without_spread_have_no_dimension():
    report = vector_report(np.zeros((3, 4), np.float32))
    assert (report.largest_norm, report.effective_dimension) == (0.0, 0.0)


def test_it_is_text_and_json(model):
    report = model.report()
    assert json.loads(json.dumps(report.as_dict())) == report.as_dict()
    lines = str(report).splitlines()
    names = [line.split()[0] for line in lines]
    assert names[:5] == ["model", "loss", "documents", "norms", "dimension"]
    assert names[5:] == (
        ["ones", "entropy", "dead", "saturated", "correlation", "codes"] if report.bits else []
    )
    assert lines[2] == "documents    40, training"
    assert lines[1].endswith(" in 3 epochs")


def test_long_lists_of_bits_are_cut():
    model = BinaryParagraphVector(20, **SMALL).fit(TEXTS)
    report = model.report([TEXTS[0]] * 3)
    assert len(report.bits.dead) == 20
    line = next(line for line in str(report).splitlines() if line.startswith("dead bits"))
    assert line == "dead bits    20 of 20: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ..."


def test_a_model_without_its_documents_says_so(model, tmp_path):
    model.save(tmp_path / "m")
    loaded = load(tmp_path / "m")
    with pytest.raises(ValueError) as caught:
        loaded.report()
    assert str(caught.value) == (
        "`documents` must be given: the file of this model holds no `document_vectors_`; save it "
        "with documents=True"
    )
    assert loaded.report(TEXTS) == model.report(TEXTS)


@each_model
def test_wrong_documents_are_refused(cls):
    with pytest.raises(NotFittedError):
        cls(20).report()
    model = cls(20, **SMALL).fit(TEXTS)
    for documents in ([], ["of words unknown"]):
        with pytest.raises(ValueError) as caught:
            model.report(documents)
        assert str(caught.value) == "`documents` must hold at least 1 with a known word, got 0"
    with pytest.raises(ValueError, match=r"^`threads` must be at least 1, got 0$"):
        model.report(TEXTS, threads=0)
    model.set_params(on_unknown="error")
    with pytest.raises(ValueError, match=r"^`documents`\[1\] has no known word among its 1 "):
        model.report([TEXTS[0], "unknown"])
    model.set_params(on_unknown="nan")
    assert model.report([TEXTS[0], "unknown"]).unknown == 1


@each_model
def test_lists_of_tokens_and_callables_work(cls):
    tokens = [text.split() for text in TEXTS]
    whole = cls(20, **SMALL).fit(TEXTS).report(TEXTS)
    assert cls(20, tokenizer=None, **SMALL).fit(tokens).report(tokens) == whole
    assert cls(20, tokenizer=str.split, **SMALL).fit(TEXTS).report(TEXTS) == whole

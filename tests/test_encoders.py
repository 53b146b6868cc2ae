"""The mode "encoder" of the paragraph vectors, as its users meet it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from reference import encoders
from reference.small_models import (
    CODED,
    ENCODERS,
    MODELS,
    SMALL,
    TEXTS,
    each_encoder,
    make,
    weights,
)
from reference.topics import cosine_distances, nearest_share, planted

from bitsense import (
    BinaryParagraphVector,
    ParagraphVector,
    RealBinaryParagraphVector,
    Tokenizer,
    _core,
    build_corpus,
    hamming_distances,
    load,
)

NEW, NEW_TOPICS = planted(topics=4, documents=10, seed=3)


@pytest.fixture(scope="module", params=ENCODERS)
def model(request):
    """A small fitted model that no test changes."""
    return make(request.param).fit(TEXTS)


def real_values(model, documents):
    for name in ("vectors", "preactivations", "transform"):
        if hasattr(model, name):
            return getattr(model, name)(documents)
    raise AssertionError


# What comes out


def test_a_vector_is_the_sum_of_the_rows_of_the_words(model):
    vocabulary = model.vocabulary_
    corpus = build_corpus(TEXTS, tokenizer=Tokenizer(), min_count=1)[1]
    documents = encoders.split(corpus.ids, corpus.offsets)
    idf = encoders.inverse_frequencies(documents, len(vocabulary))
    assert model._idf == pytest.approx(idf, rel=1e-6)
    rows = model.context_vectors_.astype(np.float64)
    expected = [encoders.encode(document, idf, rows) for document in documents]
    assert np.abs(real_values(model, TEXTS) - expected).max() < 1e-4
    assert np.array_equal(model.document_vectors_, real_values(model, TEXTS))


def test_the_order_of_words_does_not_matter(model):
    turned = [" ".join(reversed(text.split())) for text in TEXTS]
    assert np.array_equal(model.transform(turned), model.transform(TEXTS))


def test_the_steps_of_an_inference_and_what_else_is_not_used_change_nothing():
    for cls in MODELS:
        own = {"mode": "encoder", "neighbors": 2, **SMALL}
        one = cls(20, **own, **({"bits": 8} if cls is MODELS[2] else {})).fit(TEXTS)
        other = one.__class__(**one.get_params()).set_params(
            infer_epochs=3, window=3, subsample=0.01
        )
        if cls is not RealBinaryParagraphVector:
            other.set_params(context=9, word_dim=5)
        assert weights(other.fit(TEXTS)) == weights(one)


@pytest.mark.parametrize("cls", MODELS)
def test_none_leaves_epochs_and_objective_to_the_mode(cls, tmp_path):
    for mode, epochs in [("dbow", 10), ("encoder", 20)]:
        model = cls(mode=mode, neighbors=0, min_count=1).fit(TEXTS)
        assert len(model.losses_) == epochs
        assert model.get_params()["epochs"] is model.get_params()["objective"] is None
        negative = mode == "dbow" and cls is ParagraphVector
        objective = _core.Objective
        expected = objective.negative_sampling if negative else objective.sampled_softmax
        assert model._infer_options().objective == expected
        model.save(tmp_path / "model")
        loaded = load(tmp_path / "model")
        assert loaded.get_params() == model.get_params()
        assert np.array_equal(loaded.transform(TEXTS), model.transform(TEXTS))


def test_codes_are_an_itq_of_the_real_vectors():
    model = make("real-binary encoder").fit(TEXTS)
    assert model.projection_.shape == (8, 20)
    centred = model.vectors(TEXTS) - model.document_vectors_.mean(axis=0)
    values = centred @ model.projection_.T
    assert np.abs(model.preactivations(TEXTS) - values).max() < 1e-4
    assert np.abs(model.projection_ @ model.projection_.T - np.eye(8)).max() < 1e-5
    assert np.array_equal(model.transform(TEXTS), np.packbits(values > 0, axis=1))
    real = make("encoder, neighbours").fit(TEXTS)  # the real vectors do not know of the codes
    assert np.array_equal(real.document_vectors_, model.document_vectors_)


def test_documents_without_words_are_zeros_and_do_not_move_the_rotation():
    model = make("real-binary encoder", neighbors=0).fit([*TEXTS, *[""] * 40])
    assert not model.document_vectors_[40:].any()
    assert model._offset == pytest.approx(model.document_vectors_[:40].mean(axis=0), abs=1e-6)
    assert not model.preactivations(["unheard", ""]).any()
    assert not model.transform(["unheard", ""]).any()
    nan = pickle.loads(pickle.dumps(model)).set_params(on_unknown="nan")
    assert np.isnan(nan.preactivations(["unheard"])).all()
    assert model.extend(["unheard"]).tolist() == [[0]]


# Parameters


WRONG = [  # class, parameters, the whole message
    (RealBinaryParagraphVector, {"mode": "encoder", "dim": 20, "bits": 21},
     "`bits` must be at most `dim`, 20, in mode 'encoder', got 21"),
    (ParagraphVector, {"neighbors": -1}, "`neighbors` must be at least 0, got -1"),
    (BinaryParagraphVector, {"neighbors": 4097}, "`neighbors` must be at most 4096, got 4097"),
    (RealBinaryParagraphVector, {"neighbors": 1.0}, "`neighbors` must be an integer, got 1.0"),
    (ParagraphVector, {"neighbors": None}, "`neighbors` must be an integer, got None"),
    (ParagraphVector, {"neighbor_weight": -0.5}, "`neighbor_weight` must be at least 0, got -0.5"),
    (BinaryParagraphVector, {"neighbor_weight": 1001},
     "`neighbor_weight` must be at most 1000, got 1001"),
    (RealBinaryParagraphVector, {"neighbor_weight": float("nan")},
     "`neighbor_weight` must be finite, got nan"),
    (ParagraphVector, {"neighbor_weight": "half"},
     "`neighbor_weight` must be a number, got 'half'"),
]  # fmt: skip


@pytest.mark.parametrize(("cls", "parameters", "message"), WRONG)
def test_a_value_out_of_range_is_refused_by_name(cls, parameters, message):
    with pytest.raises((ValueError, TypeError)) as caught:
        cls(**parameters).fit(TEXTS)
    assert str(caught.value) == message


# What is learned


def distances(model, texts):
    answer = model.transform(texts)
    if isinstance(model, CODED):
        return hamming_distances(answer, answer)
    return cosine_distances(answer)


@each_encoder
def test_neighbours_do_not_hurt_where_topics_are_planted(name):
    texts, topics = planted(topics=6, documents=30, words=120, length=(12, 25), seed=5)
    new, new_topics = planted(topics=6, documents=30, words=120, length=(12, 25), seed=6)
    options = {"negatives": 128, "min_count": 2, "epochs": 20, "batch": 16}
    shares = []
    for neighbors in (0, 8):
        model = make(name, 32, neighbors=neighbors, **options).fit(texts)
        shares.append(
            nearest_share(distances(model, texts), topics)
            + nearest_share(distances(model, new), new_topics)
        )
    assert shares[1] > 1.85
    assert shares[1] >= shares[0] - 0.03


# Beside the training


@each_encoder
def test_reports_certificates_and_extensions_know_encoders(name, tmp_path):
    model = make(name).fit(TEXTS)
    report = model.report()
    coded = isinstance(model, CODED)
    assert (report.bits is not None) == coded
    if coded:
        bits = 8 if name == "real-binary encoder" else 20
        assert report.bits.bits == bits
        codes = np.unpackbits(model.transform(TEXTS), axis=1, count=bits)
        assert report.bits.ones == pytest.approx(codes.mean(axis=0).tolist())
    assert report.vectors.dim == 20
    certificate = model.certificate(NEW, bits=8, k=3)
    assert model.certificate_ is certificate
    assert all(row.bits >= 8 for row in certificate.rows)
    before = model.transform(NEW)
    added = model.extend(NEW)
    assert np.array_equal(added, before)
    assert np.array_equal(model.transform(NEW), before)
    assert (model.n_documents_, model.n_extended_) == (80, 40)
    assert np.array_equal(model.document_vectors_[40:], real_values(model, NEW))
    model.save(tmp_path / "model", documents=True)
    loaded = load(tmp_path / "model")
    assert loaded.certificate_ == certificate
    assert loaded.n_extended_ == 40
    assert np.array_equal(loaded.extend(NEW), before)

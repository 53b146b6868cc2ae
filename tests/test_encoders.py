"""The mode "encoder" of the paragraph vectors, as its users meet it."""

from __future__ import annotations

import itertools
import pickle
import signal
import subprocess
import sys
import textwrap
import time

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
    each_model,
    environment,
    long_corpus,
    make,
    weights,
)
from reference.topics import cosine_distances, nearest_share, planted

from bitsense import (
    BinaryParagraphVector,
    FormatError,
    ParagraphVector,
    RealBinaryParagraphVector,
    Tokenizer,
    _core,
    _training,
    build_corpus,
    files,
    hamming_distances,
    load,
    verify,
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


# Two trainings


def test_neighbours_are_those_of_the_first_training(monkeypatch):
    seen = {}

    def train(*arguments):
        seen.setdefault("calls", []).append(arguments)
        return engine(*arguments)

    engine = _core.train
    monkeypatch.setattr(_core, "train", train)
    first = make("encoder", 20).fit(TEXTS)
    model = make("encoder, neighbours", 20, neighbor_weight=0.25).fit(TEXTS)
    (*_, none, _), (*_, again, _), (*_, near, weight) = seen["calls"]
    assert none is None is again
    assert weight == 0.25
    assert np.array_equal(near, encoders.nearest(first.document_vectors_, 3))
    assert weights(model) != weights(first)
    assert len(model.losses_) == 3


@pytest.mark.parametrize("options", [{"neighbors": 0}, {"neighbor_weight": 0}])
@each_model
def test_without_neighbours_there_is_one_training(cls, options, monkeypatch):
    calls = []
    monkeypatch.setattr(_core, "train", lambda *a, engine=_core.train: calls.append(1) or engine(*a))
    cls(30, mode="encoder", **SMALL, **options).fit(TEXTS)
    assert len(calls) == 1
    cls(30, mode="dbow", **SMALL).fit(TEXTS)
    assert len(calls) == 2


@each_model
def test_fewer_documents_than_neighbours_are_enough(cls):
    for n in (1, 2, 5):
        model = cls(30, mode="encoder", neighbors=4096, **SMALL).fit(TEXTS[:n])
        assert np.isfinite(model.document_vectors_).all()


@each_encoder
def test_progress_over_all_trainings_rises_to_the_end(name):
    seen = []
    model = make(name, 64, epochs=60, progress=seen.append).fit(long_corpus())
    parts = 2 if model.neighbors else 1
    assert len(seen) > 2
    for before, after in itertools.pairwise(seen):
        assert before.fraction <= after.fraction
        assert before.epoch <= after.epoch
        assert before.words <= after.words
    words = 60 * model.vocabulary_.counts.sum()
    for each in seen:
        assert 0 < each.epoch <= each.epochs == 60 * parts
        assert each.words <= parts * words
        assert (each.fraction > 0.5) <= (each.words > 0.49 * parts * words)
    end = seen[-1]
    assert (end.epoch, end.fraction, end.loss) == (60 * parts, 1.0, model.losses_[-1])
    assert end.words == parts * words


def test_a_first_training_too_short_to_be_reported_counts(monkeypatch):
    seen = []

    def train(*arguments):
        watch = arguments[7]
        if arguments[8] is not None:  # the second
            watch(0, 0.25, 100, 1.0)
        return engine(*arguments)

    engine = _core.train
    monkeypatch.setattr(_core, "train", train)
    model = make("encoder, neighbours", progress=seen.append).fit(TEXTS)
    words = 3 * int(model.vocabulary_.counts.sum())
    assert [(p.epoch, p.epochs, p.fraction, p.words) for p in seen] == [
        (4, 6, 0.625, words + 100),
        (6, 6, 1.0, 2 * words),
    ]


def check_partial(model, tmp_path):
    assert model.partial_ is True
    assert "stopped in epoch" in repr(model)
    answer = model.transform(TEXTS)
    assert model.document_vectors_.shape[0] == model.n_documents_
    model.save(tmp_path / "partial", documents=True)
    loaded = load(tmp_path / "partial")
    assert loaded.partial_ is True
    assert np.array_equal(loaded.transform(TEXTS), answer)
    assert np.array_equal(loaded.document_vectors_, model.document_vectors_)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).transform(TEXTS), answer)
    assert model.report().partial is True


@pytest.mark.parametrize("deterministic", [True, False])
@pytest.mark.parametrize("after", [0.05, 0.55])
@each_model
def test_ctrl_c_in_either_training_leaves_a_model_that_can_be_used(
    cls, after, deterministic, tmp_path
):
    def stop(progress):
        if progress.fraction > after:
            signal.raise_signal(signal.SIGINT)

    model = cls(
        64, mode="encoder", neighbors=5, epochs=60, min_count=1, negatives=64, progress=stop,
        threads=2, deterministic=deterministic,
    )  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        model.fit(long_corpus())
    if after > 0.5:  # the first training is complete, and it is the one that is kept
        assert len(model.losses_) == 60
    else:
        assert 1 <= len(model.losses_) <= 60
    check_partial(model, tmp_path)


def interrupted_once(function, seen):
    def call(*arguments, **options):
        seen.append(1)
        if len(seen) == 1:
            raise KeyboardInterrupt
        return function(*arguments, **options)

    return call


@pytest.mark.parametrize("place", ["infer", "nearest_documents", "svd"])
def test_ctrl_c_between_the_trainings_leaves_a_model_that_can_be_used(
    place, tmp_path, monkeypatch
):
    owner = {"infer": _core, "nearest_documents": _training, "svd": np.linalg}[place]
    seen = []
    monkeypatch.setattr(owner, place, interrupted_once(getattr(owner, place), seen))
    model = make("real-binary encoder")
    with pytest.raises(KeyboardInterrupt):
        model.fit(TEXTS)
    assert seen
    check_partial(model, tmp_path)
    assert np.isfinite(model.projection_).all()


STOPPED = """
    import sys
    import bitsense
    from reference.topics import planted

    cls = getattr(bitsense, sys.argv[1])
    texts = planted(topics=6, documents=100)[0]
    model = cls(64, mode="encoder", epochs=1_000_000, min_count=1)
    print("ready", flush=True)
    try:
        model.fit(texts)
    except KeyboardInterrupt:
        print(model.partial_, len(model.transform(texts)), flush=True)
"""


@each_model
def test_a_signal_stops_the_engine_within_a_second(cls):
    command = [sys.executable, "-c", textwrap.dedent(STOPPED), cls.__name__]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as child:
        try:
            assert child.stdout.readline() == "ready\n"
            time.sleep(0.7)
            child.send_signal(signal.SIGINT)
            started = time.perf_counter()
            answer = child.stdout.readline()
            seconds = time.perf_counter() - started
        finally:
            child.kill()
    assert answer == "True 600\n"
    assert seconds < 1.5  # and a transform of all documents is in it


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


# Files


def edit(name, change):
    def damage(header, arrays):
        arrays[name] = change(np.array(arrays[name]))
        if arrays[name] is None:
            del arrays[name]

    return damage


def put(value, *place):
    def change(array):
        array[place] = value
        return array

    return change


def parameter(name, value):
    return lambda header, arrays: header["parameters"].__setitem__(name, value)


BAD = {
    "mode of documents": parameter("mode", "dbow"),
    "neighbors negative": parameter("neighbors", -1),
    "neighbors null": parameter("neighbors", None),
    "weight infinite": parameter("neighbor_weight", float(10**9)),
    "dim fewer": parameter("dim", 19),
    "bits more than dim": parameter("bits", 21),
    "idf missing": edit("idf", lambda a: None),
    "idf short": edit("idf", lambda a: a[:-1]),
    "idf double": edit("idf", lambda a: a.astype(np.float64)),
    "idf of two dimensions": edit("idf", lambda a: a[:, None]),
    "idf zero": edit("idf", put(0.0, 1)),
    "idf negative": edit("idf", put(-1.0, 1)),
    "idf NaN": edit("idf", put(np.nan, 0)),
    "idf infinite": edit("idf", put(np.inf, 0)),
    "context missing": edit("context", lambda a: None),
    "context short": edit("context", lambda a: a[:-1]),
    "context padding": edit("context", put(1.0, 0, 31)),
    "context NaN": edit("context", put(np.nan, 0, 0)),
    "offset short": edit("offset", lambda a: a[:-1]),
    "offset long": edit("offset", lambda a: np.append(a, np.float32(0))),
    "offset double": edit("offset", lambda a: a.astype(np.float64)),
    "offset of two dimensions": edit("offset", lambda a: a[None]),
    "offset NaN": edit("offset", put(np.nan, 0)),
    "offset infinite": edit("offset", put(-np.inf, 3)),
    "projection missing": edit("projection", lambda a: None),
    "projection short": edit("projection", lambda a: a[:-1]),
    "projection padding": edit("projection", put(1.0, 0, 20)),
    "projection infinite": edit("projection", put(np.inf, 0, 0)),
}


@pytest.fixture(scope="module")
def contents():
    return make("real-binary encoder").fit(TEXTS).__getstate__()["contents"]


@pytest.mark.parametrize("damage", BAD)
def test_a_well_formed_file_of_nonsense_is_refused(damage, contents, tmp_path):
    header, arrays = files.read_bytes(contents, "model")
    BAD[damage](header, arrays)
    files.write_file(tmp_path / "bad", "model", header, arrays)
    for use in (load, verify, RealBinaryParagraphVector.load):
        with pytest.raises(FormatError):
            use(tmp_path / "bad")


def test_a_file_without_an_offset_has_none(contents, tmp_path):
    header, arrays = files.read_bytes(contents, "model")
    del arrays["offset"]
    files.write_file(tmp_path / "model", "model", header, arrays)
    loaded = load(tmp_path / "model")
    values = loaded.vectors(TEXTS) @ loaded.projection_.T
    assert np.abs(loaded.preactivations(TEXTS) - values).max() < 1e-4


@pytest.mark.parametrize("cls", MODELS)
def test_a_file_from_before_there_were_encoders_is_read(cls, tmp_path):
    model = cls(20, **SMALL, objective="softmax").fit(TEXTS)
    header, arrays = files.read_bytes(model.__getstate__()["contents"], "model")
    assert not {"idf", "offset"} & arrays.keys()
    for name in ("neighbors", "neighbor_weight"):
        del header["parameters"][name]
    files.write_file(tmp_path / "old", "model", header, arrays)
    loaded = load(tmp_path / "old")
    assert loaded.get_params() == model.get_params()
    assert np.array_equal(loaded.transform(TEXTS), model.transform(TEXTS))


def test_binary_encoders_have_no_projection():
    model = BinaryParagraphVector(20, mode="encoder", neighbors=0, **SMALL).fit(TEXTS)
    assert model.context_vectors_.shape == (len(model.vocabulary_), 20)
    assert model.word_vectors_.shape == (len(model.vocabulary_), 20)
    assert not hasattr(model, "projection_")

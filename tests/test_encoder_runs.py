"""The two trainings of an encoder: neighbours, progress, Ctrl-C in either and between them."""

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
    SMALL,
    TEXTS,
    each_encoder,
    each_model,
    environment,
    long_corpus,
    make,
    weights,
)

from bitsense import (
    _core,
    _training,
    load,
)

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
    monkeypatch.setattr(
        _core, "train", lambda *a, engine=_core.train: calls.append(1) or engine(*a)
    )
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
    assert seen  # the end at least, however fast the machine is
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
        # On a busy machine it would be long enough for reports of its own.
        return engine(*arguments[:7], None, *arguments[8:])

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
        64, mode="encoder", neighbors=5, epochs=150, min_count=1, negatives=64, progress=stop,
        threads=2, deterministic=deterministic,
    )  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        model.fit(long_corpus())
    if after > 0.5:  # the first training is complete, and it is the one that is kept
        assert len(model.losses_) == 150
    else:
        assert 1 <= len(model.losses_) <= 150
    check_partial(model, tmp_path)


def interrupted_once(function, seen):
    def call(*arguments, **options):
        seen.append(1)
        if len(seen) == 1:
            raise KeyboardInterrupt
        return function(*arguments, **options)

    return call


@pytest.mark.parametrize("place", ["infer", "nearest_documents", "svd"])
def test_ctrl_c_between_the_trainings_leaves_a_model_that_can_be_used(place, tmp_path, monkeypatch):
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

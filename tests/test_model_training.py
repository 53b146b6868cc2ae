"""What a training reports, how it stops, what runs beside it, and what it learns."""

from __future__ import annotations

import itertools
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from reference.interruptions import StopError, stop
from reference.small_models import (
    CODED,
    ENCODERS,
    MAKERS,
    SMALL,
    TEXTS,
    each_maker,
    each_model,
    environment,
    long_corpus,
    make,
)
from reference.topics import cosine_distances, nearest_share, planted, planted_mixtures
from reference.training import Twin

from bitsense import (
    BinaryParagraphVector,
    ParagraphVector,
    Tokenizer,
    _core,
    build_corpus,
    hamming_distances,
    load,
)


@pytest.fixture(scope="module", params=MAKERS)
def model(request):
    """A small fitted model that no test changes."""
    return make(request.param).fit(TEXTS)


# Progress and stopping


@pytest.mark.slow
@each_model
def test_progress_is_reported_and_rises_to_the_end(cls):
    seen = []
    model = cls(64, epochs=60, min_count=1, subsample=0.0, progress=seen.append)
    model.fit(long_corpus())
    assert len(seen) > 2
    for before, after in itertools.pairwise(seen):
        assert before.fraction <= after.fraction
        assert before.epoch <= after.epoch
        assert before.words <= after.words
    assert all(0 < p.epoch <= p.epochs == 60 and np.isfinite(p.loss) for p in seen)
    end = seen[-1]
    assert (end.epoch, end.fraction, end.loss) == (60, 1.0, model.losses_[-1])
    assert end.words == 60 * model.vocabulary_.counts.sum()


@each_model
def test_a_short_training_is_reported_once_at_the_end(cls):
    seen = []
    cls(8, **SMALL, progress=seen.append).fit(TEXTS)
    assert [p.fraction for p in seen][-1] == 1.0


@pytest.mark.parametrize("deterministic", [True, False])
@each_model
def test_raising_from_progress_leaves_a_model_that_can_be_used(cls, deterministic, tmp_path):
    model = cls(
        32, epochs=100_000, min_count=1, subsample=0.0, progress=stop, threads=2,
        deterministic=deterministic,
    )  # fmt: skip
    with pytest.raises(StopError, match="enough after") as caught:
        model.fit(long_corpus())
    assert caught.traceback[-1].name == "stop"
    assert model.partial_ is True
    assert 1 <= len(model.losses_) < 100_000
    assert f"stopped in epoch {len(model.losses_)}>" in repr(model)
    answer = model.transform(TEXTS)
    model.save(tmp_path / "partial")
    loaded = load(tmp_path / "partial")
    assert loaded.partial_ is True
    assert np.array_equal(loaded.transform(TEXTS), answer)
    assert pickle.loads(pickle.dumps(model)).progress is None


def test_the_callable_is_in_no_file_and_no_pickle(tmp_path):
    model = BinaryParagraphVector(8, **SMALL, progress=lambda progress: None).fit(TEXTS)
    assert pickle.loads(pickle.dumps(model)).progress is None
    assert pickle.loads(pickle.dumps(BinaryParagraphVector(progress=print))).progress is None
    model.save(tmp_path / "model")
    assert load(tmp_path / "model").get_params()["progress"] is None


def test_a_bar_is_drawn_on_standard_error_if_asked_for(capfd):
    ParagraphVector(8, **SMALL, progress=True).fit(TEXTS)
    assert "100%" in capfd.readouterr().err
    for quiet in (False, None):
        ParagraphVector(8, **SMALL, progress=quiet).fit(TEXTS)
        captured = capfd.readouterr()
        assert captured.err == captured.out == ""


STOPPED = """
    import sys, time
    import bitsense
    from reference.topics import planted

    use, name = sys.argv[1:]
    cls = getattr(bitsense, name)
    texts = planted(topics=6, documents=100)[0]
    options = dict(min_count=1, subsample=0.0)
    if use == "fit":
        model = cls(64, epochs=1_000_000, **options)
        call = lambda: model.fit(texts)
    else:
        model = cls(64, epochs=1, infer_epochs=1000, **options).fit(texts)
        call = lambda: model.transform(texts * 500)
    print("ready", flush=True)
    try:
        call()
    except KeyboardInterrupt:
        model.set_params(infer_epochs=5)
        print(model.partial_, len(model.transform(texts)), repr(model), flush=True)
"""


@pytest.mark.parametrize("use", ["fit", "transform"])
@each_model
def test_ctrl_c_stops_within_a_second(cls, use):
    command = [sys.executable, "-c", textwrap.dedent(STOPPED), use, cls.__name__]
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
    assert answer.startswith("True 600 <" if use == "fit" else "False 600 <")
    assert seconds < 1.5  # and a transform of all documents is in it


# Long documents


@pytest.mark.slow
@each_model
def test_a_very_long_document_trains_and_is_inferred(cls):
    rng = np.random.default_rng(0)
    long = " ".join(map("w{}".format, rng.integers(0, 5000, 300_000)))
    model = cls(16, epochs=1, negatives=4).fit([long, "w1 w2 w3 w1 w2 w3"])
    assert model.transform([long], return_coverage=True)[1] == [1.0]
    assert np.isfinite(model.word_vectors_).all()


# Threads of Python


@pytest.mark.slow
@pytest.mark.parametrize("use", ["fit", "transform"])
@each_model
def test_python_runs_on_while_the_engine_works(cls, use):
    texts = long_corpus()
    model = cls(64, epochs=150, min_count=1, subsample=0.0, threads=1)
    if use == "transform":
        model.set_params(epochs=1).fit(texts)
        model.set_params(infer_epochs=1000)
    worker = threading.Thread(target=getattr(model, use), args=(texts,))
    longest, turns = 0.0, 0
    worker.start()
    started = last = time.perf_counter()
    while worker.is_alive():
        time.sleep(0.001)
        now = time.perf_counter()
        longest, last, turns = max(longest, now - last), now, turns + 1
    assert last - started > 0.1  # or the test shows nothing
    assert longest < 0.5 * (last - started)
    assert turns > 20


def test_concurrent_calls_give_each_its_answer(model):
    parts = [TEXTS[i : i + 7] for i in range(0, len(TEXTS), 7)] * 6
    expected = [model.transform(part).tobytes() for part in parts]
    with ThreadPoolExecutor(6) as pool:
        got = [answer.tobytes() for answer in pool.map(model.transform, parts)]
    assert got == expected


# What is learned


def distances_of(model, texts):
    answer = model.transform(texts)
    if isinstance(model, CODED):
        return hamming_distances(answer, answer)
    return cosine_distances(answer)


@pytest.mark.parametrize("objective", ["softmax", "negative-sampling"])
@each_maker
def test_losses_are_the_mean_per_target_of_the_twin(name, objective):
    one = {"neighbors": 0} if name in ENCODERS else {}  # of two trainings, the first
    model = make(name, 12, objective=objective, threads=2, learning_rate=0.1, **one).fit(TEXTS)
    vocabulary, corpus = build_corpus(TEXTS, tokenizer=Tokenizer(), min_count=1)
    data = corpus.ids, corpus.offsets, vocabulary.counts
    recipe = model._recipe
    mode, shape = model._modes[model.mode], model._shape(recipe)
    options = model._train_options(recipe)
    options.epochs = 0
    start = _core.train(mode.model, *data, shape, model._init_options(recipe), options)
    options.epochs = 3
    widths = shape.dim, shape.hidden(mode.model), None, shape.word_dim, shape.dim
    hidden, output, bias, context, projection = (
        table.astype(np.float64)[..., :width] if len(table) else None
        for table, width in zip(start[:5], widths, strict=True)
    )
    slow = Twin(
        mode.model, objective, model.optimizer or mode.optimizer, 8, 0.1, mode.document_rate,
        vocabulary.counts,
        hidden, output, bias, context, projection, mode.context_rate, mode.projection_rate,
        options.round_words,
    )  # fmt: skip
    losses, targets = np.zeros(3), np.zeros(3)
    for plan in _core.plans(*data, options, bags=mode.encoder):
        losses[plan["epoch"]] += slow.step(plan)
        targets[plan["epoch"]] += slow.weights(plan).sum()
    if not mode.encoder:
        assert targets.tolist() == [corpus.n_tokens] * 3
    assert model.losses_ == pytest.approx((losses / targets).tolist(), rel=1e-3)


NEGATIVES = {"softmax": 64, "negative-sampling": 5}


@pytest.mark.parametrize("objective", NEGATIVES)
@each_maker
def test_planted_topics_are_found(name, objective):
    cls, own = MAKERS[name]
    texts, topics = planted(topics=6, documents=40)
    new, new_topics = planted(topics=6, documents=10, seed=1)
    options = {"objective": objective, "negatives": NEGATIVES[objective], "subsample": 0.0}
    model = cls(32, **own, **options).fit(texts)
    assert model.losses_[-1] < 0.9 * model.losses_[0]
    assert nearest_share(distances_of(model, texts), topics) > 0.98
    assert nearest_share(distances_of(model, new), new_topics) > 0.95


@pytest.mark.parametrize("objective", ["softmax", "negative-sampling"])
@each_model
def test_mixtures_of_topics_are_told_apart(cls, objective):
    texts, member = planted_mixtures()
    options = {"objective": objective, "negatives": NEGATIVES[objective], "epochs": 20}
    model = cls(64, subsample=0.0, **options).fit(texts)
    shared = (member.astype(int) @ member.T) / np.minimum.outer(member.sum(1), member.sum(1))
    distances = distances_of(model, texts).astype(np.float64)
    np.fill_diagonal(distances, np.inf)
    nearest = shared[np.arange(len(texts)), distances.argmin(axis=1)].mean()
    np.fill_diagonal(shared, np.nan)
    chance = np.nanmean(shared)
    assert nearest > 0.9 > 1.5 * chance


@each_model
def test_racing_threads_learn_too(cls):
    texts, topics = planted(topics=4, documents=30)
    options = {"negatives": 16, "subsample": 0.0, "epochs": 10, "batch": 8}
    model = cls(32, deterministic=False, threads=3, **options).fit(texts)
    calm = cls(32, **options).fit(texts)
    assert model.losses_[-1] == pytest.approx(calm.losses_[-1], rel=0.2)
    assert nearest_share(distances_of(model, texts), topics) > 0.9

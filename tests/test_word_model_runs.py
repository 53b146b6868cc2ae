"""Trainings of words that are watched, stopped, or run away; copies and tokenisers."""

from __future__ import annotations

import copy
import pickle
import signal
import subprocess
import sys
import textwrap
import time

import joblib
import numpy as np
import pytest
from reference.interruptions import StopError, stop
from reference.small_models import environment, long_corpus
from reference.small_word_models import MAKERS, TEXTS, each_maker, learned

from bitsense import DisambiguatedSkipGram, Tokenizer, Word2Vec, load

COPIES = {
    "pickle": lambda e: pickle.loads(pickle.dumps(e)),
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
}


@pytest.mark.parametrize("way", COPIES)
@each_maker
def test_copies_have_the_parameters_and_what_was_learned(make, way):
    unfitted = COPIES[way](make())
    assert unfitted.get_params() == make().get_params()
    assert not unfitted.__sklearn_is_fitted__()
    model = make(threads=1, progress=False).fit(TEXTS)
    twin = COPIES[way](model)
    assert twin.get_params() == {**model.get_params(), "progress": None}
    assert learned(twin) == learned(model)
    assert learned(twin.fit(TEXTS)) == learned(model)


@each_maker
def test_joblib_stores_models(make, tmp_path):
    model = make().fit(TEXTS)
    joblib.dump(model, tmp_path / "model")
    assert learned(joblib.load(tmp_path / "model")) == learned(model)


class Derived(Word2Vec):
    """At the top of the module, where pickle finds it."""


def test_subclasses_pickle():
    model = Derived(8, min_count=1).fit(TEXTS)
    twin = pickle.loads(pickle.dumps(model))
    assert type(twin) is Derived
    assert learned(twin) == learned(model)


@each_maker
def test_parameters_changed_after_fit_do_not_reach_the_model(make, tmp_path):
    model = make().fit(TEXTS)
    expected, params = learned(model), model.get_params()
    changed = pickle.loads(pickle.dumps(model)).set_params(
        dim=7, window=1, negatives=1, min_count=40, seed=9, subsample=1.0, epochs=50,
        learning_rate=1.0, tokenizer=Tokenizer(lowercase=False),
    )  # fmt: skip
    if isinstance(changed, DisambiguatedSkipGram):
        changed.set_params(senses=2, prune=1.0, gate_window=1)
    else:
        changed.set_params(mode="cbow", subwords=(1, 1), buckets=3, freeze="input")
    assert learned(changed) == expected
    changed.save(tmp_path / "changed")
    loaded = load(tmp_path / "changed")
    assert loaded.get_params() == {**params, "threads": None}
    assert learned(loaded) == expected
    again = pickle.loads(pickle.dumps(changed))
    assert again.get_params() == changed.get_params()
    assert learned(again) == expected


# Tokenisers


def split(text):
    return text.split()


def test_a_callable_cuts_texts_and_no_file_holds_it(tmp_path):
    texts = ["Red-Wine and White-Wine", "White-Wine with fish"] * 5
    model = Word2Vec(8, min_count=1, tokenizer=split).fit(texts)
    assert "Red-Wine" in model.wv
    model.save(tmp_path / "model")
    assert b"split" not in (tmp_path / "model").read_bytes()
    bare = load(tmp_path / "model")
    assert learned(bare) == learned(model)
    with pytest.raises(ValueError, match=r"^the model was trained with a tokeniser of its user's"):
        bare.fit(texts)
    whole = Word2Vec.load(tmp_path / "model", tokenizer=split)
    assert whole.get_params() == model.get_params()
    assert learned(whole.fit(texts)) == learned(model)
    assert pickle.loads(pickle.dumps(model)).tokenizer is split
    with pytest.raises(TypeError, match=r"^`tokenizer` must be a callable, got str$"):
        Word2Vec.load(tmp_path / "model", tokenizer="words")
    Word2Vec(8, min_count=1).fit(texts).save(tmp_path / "own")
    with pytest.raises(ValueError, match=r"^`tokenizer` must be None: the file holds that of the"):
        Word2Vec.load(tmp_path / "own", tokenizer=split)


def test_the_options_of_a_tokeniser_travel_with_the_model(tmp_path):
    tokenizer = Tokenizer(ngrams=2, stop_words=["and"])
    model = DisambiguatedSkipGram(8, min_count=1, tokenizer=tokenizer)
    model.fit(["red wine and white wine", "white wine with fish"] * 5)
    assert "white wine" in model.vocabulary_
    assert "and" not in model.vocabulary_
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert loaded.tokenizer == loaded.tokenizer_ == tokenizer


# Watching and stopping


@each_maker
def test_progress_is_reported_and_rises_to_the_end(make):
    seen = []
    model = make(epochs=100, progress=seen.append).fit(TEXTS)
    fractions = [p.fraction for p in seen]
    assert fractions == sorted(fractions)
    end = seen[-1]
    assert (end.epoch, end.epochs, end.fraction) == (100, 100, 1.0)
    assert end.loss == model.losses_[-1]
    assert end.words == 100 * model.vocabulary_.counts.sum()


@each_maker
def test_raising_from_progress_leaves_a_model_that_can_be_used(make, tmp_path):
    model = make(epochs=100_000, learning_rate=0.01, progress=stop, threads=2)
    with pytest.raises(StopError, match="enough after") as caught:
        model.fit(long_corpus())
    assert caught.traceback[-1].name == "stop"
    assert model.partial_ is True
    assert 1 <= len(model.losses_) < 100_000
    assert f"stopped in epoch {len(model.losses_)}>" in repr(model)
    assert np.isfinite(model.wv.vectors).all()
    model.save(tmp_path / "partial")
    loaded = load(tmp_path / "partial")
    assert loaded.partial_ is True
    assert learned(loaded) == learned(model)
    assert pickle.loads(pickle.dumps(model)).progress is None


STOPPED = """
    import sys
    import bitsense
    from reference.topics import planted

    texts = planted(topics=6, documents=100)[0]
    model = getattr(bitsense, sys.argv[1])(epochs=1_000_000, min_count=1, learning_rate=0.001)
    print("ready", flush=True)
    try:
        model.fit(texts)
    except KeyboardInterrupt:
        print(model.partial_, model.wv.dim, repr(model), flush=True)
"""


@pytest.mark.parametrize("name", ["Word2Vec", "DisambiguatedSkipGram"])
def test_ctrl_c_stops_within_a_second_and_keeps_the_model(name):
    command = [sys.executable, "-c", textwrap.dedent(STOPPED), name]
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
    assert answer.startswith(f"True 100 <{name}(")
    assert seconds < 1.5


# Weights that run away


@pytest.mark.parametrize("rate", [30.0, 1000.0])
@each_maker
def test_weights_that_grow_without_bound_are_refused(make, rate):
    model = make().fit(TEXTS)
    before = learned(model)
    with pytest.raises(ValueError) as caught:
        model.set_params(learning_rate=rate, epochs=20).fit(TEXTS)
    assert str(caught.value) == (
        f"`learning_rate`={rate:g} made the weights infinite; a smaller one is needed"
    )
    assert learned(model) == before
    assert model.partial_ is False


def test_an_interrupted_training_without_a_finite_weight_keeps_nothing():
    def stop(progress):
        if progress.epoch > 20:
            raise KeyboardInterrupt

    model = MAKERS["skip-gram"]().fit(TEXTS)
    before = learned(model)
    model.set_params(learning_rate=1000.0, epochs=100_000, progress=stop)
    with pytest.raises(KeyboardInterrupt):
        model.fit(TEXTS)
    assert learned(model) == before

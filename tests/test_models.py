"""Paragraph vectors as their users meet them: documents in, vectors, codes and files out."""

from __future__ import annotations

import hashlib
import itertools
import os
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
from reference.topics import planted, planted_mixtures
from reference.training import Twin

from bitsense import (
    BinaryParagraphVector,
    Codes,
    FormatError,
    ParagraphVector,
    Tokenizer,
    _core,
    build_corpus,
    files,
    hamming_distances,
    load,
    verify,
)

MODELS = [ParagraphVector, BinaryParagraphVector]
SMALL = {"epochs": 3, "negatives": 8, "batch": 8, "min_count": 1, "subsample": 0.0}
TEXTS, TOPICS = planted(topics=4, documents=10)
each_model = pytest.mark.parametrize("cls", MODELS)


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def weights(model):
    return b"".join(a.tobytes() for a in (model.document_vectors_, model.word_vectors_))


@pytest.fixture(scope="module", params=MODELS, ids=lambda cls: cls.__name__)
def model(request):
    """A small fitted model that no test changes."""
    return request.param(20, **SMALL).fit(TEXTS)


def make_like(model, **changes):
    return type(model)(**{**model.get_params(), **changes})


# What comes out


def test_what_a_model_has_learned_is_there_and_read_only(model):
    n, dim, words = len(TEXTS), 20, len(model.vocabulary_)
    assert model.document_vectors_.shape == (n, dim)
    assert model.word_vectors_.shape == (words, dim)
    assert model.n_documents_ == n
    assert model.partial_ is False
    assert len(model.losses_) == 3
    for array in (model.document_vectors_, model.word_vectors_):
        assert array.dtype == np.float32
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1.0
    assert not np.shares_memory(model.transform(TEXTS), model.document_vectors_)


def test_the_shapes_and_types_of_vectors_codes_and_coverage():
    real = ParagraphVector(20, **SMALL).fit(TEXTS)
    vectors, coverage = real.transform(TEXTS[:7], return_coverage=True)
    assert (vectors.shape, vectors.dtype) == ((7, 20), np.float32)
    assert (coverage.shape, coverage.dtype) == ((7,), np.float64)
    binary = BinaryParagraphVector(20, **SMALL).fit(TEXTS)
    codes, coverage = binary.transform(TEXTS[:7], return_coverage=True)
    assert (codes.shape, codes.dtype) == ((7, 3), np.uint8)
    values, again = binary.preactivations(TEXTS[:7], return_coverage=True)
    assert np.array_equal(codes, np.packbits(values > 0, axis=1))
    assert np.array_equal(coverage, again)
    assert not (codes[:, -1] & 0b1111).any()
    assert Codes(codes, bits=20).bits == 20


def test_coverage_is_the_share_of_known_tokens(model):
    known = TEXTS[0].split()[:3]
    documents = [[*known, "unheard"], ["unheard"], [], known, [*known, *known]]
    coverage = model.transform(documents, return_coverage=True)[1]
    assert coverage.tolist() == [0.75, 0.0, 0.0, 1.0, 1.0]


def test_the_repr_of_a_fitted_model_says_what_it_knows():
    model = BinaryParagraphVector(16, min_count=1).fit(["red wine", "red car"])
    assert repr(model) == (
        "<BinaryParagraphVector(bits=16, min_count=1): 3 words, fitted to 2 documents>"
    )


# The same text, the same bytes


def test_a_text_has_the_same_bytes_in_any_company(model):
    whole = model.transform(TEXTS)
    order = np.random.default_rng(0).permutation(len(TEXTS))
    assert np.array_equal(model.transform([TEXTS[i] for i in order]), whole[order])
    assert np.array_equal(np.concatenate([model.transform([text]) for text in TEXTS]), whole)
    assert np.array_equal(model.transform(TEXTS + TEXTS), np.concatenate([whole, whole]))
    assert np.array_equal(model.transform(iter(TEXTS)), whole)
    assert np.array_equal(model.transform(np.array(TEXTS)), whole)
    lists = [Tokenizer()(text) for text in TEXTS]
    assert np.array_equal(model.transform(lists), whole)
    for _ in range(3):
        assert np.array_equal(model.transform(TEXTS), whole)


def test_codes_are_the_same_when_made_in_parts(monkeypatch):
    model = BinaryParagraphVector(20, **SMALL).fit(TEXTS)
    documents = [*TEXTS[:10], "", "unheard", *TEXTS[10:17]]
    whole = model.transform(documents)
    monkeypatch.setattr("bitsense.models._CHUNK", 4)
    assert np.array_equal(model.transform(documents), whole)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_text_has_the_same_bytes_at_any_number_of_threads(model, threads):
    many = make_like(model, threads=threads).fit(TEXTS)
    assert weights(many) == weights(model)
    assert many.losses_ == model.losses_
    assert np.array_equal(many.transform(TEXTS), model.transform(TEXTS))


def test_a_text_has_the_same_bytes_in_a_new_process(model, tmp_path):
    model.save(tmp_path / "model")
    (tmp_path / "pickle").write_bytes(pickle.dumps(model))
    script = """
        import hashlib, pickle, sys, bitsense
        texts = sys.stdin.read().splitlines()
        with open(sys.argv[2], "rb") as file:
            models = [bitsense.load(sys.argv[1]), pickle.load(file)]
        for model in models:
            print(hashlib.sha256(model.transform(texts).tobytes()).hexdigest())
    """
    output = run_python(script, tmp_path / "model", tmp_path / "pickle", text="\n".join(TEXTS))
    assert output.split() == [digest(model.transform(TEXTS))] * 2


def run_python(script, *arguments, text=""):
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, check=True, env=environment()
    )
    return done.stdout


def environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@each_model
def test_racing_threads_learn_too(cls):
    texts, topics = planted(topics=4, documents=30)
    options = {"negatives": 16, "subsample": 0.0, "epochs": 10, "batch": 8}
    model = cls(32, deterministic=False, threads=3, **options).fit(texts)
    calm = cls(32, **options).fit(texts)
    assert model.losses_[-1] == pytest.approx(calm.losses_[-1], rel=0.2)
    assert nearest_share(model, texts, topics) > 0.9


def test_parameters_changed_after_fit_do_not_reach_the_model(model, tmp_path):
    expected = model.transform(TEXTS)
    changed = pickle.loads(pickle.dumps(model)).set_params(
        objective="negative-sampling", negatives=3, learning_rate=1.0, window=1, seed=9,
        tokenizer=Tokenizer(lowercase=False), min_count=40, **{model._width: 7},
    )  # fmt: skip
    assert np.array_equal(changed.transform(TEXTS), expected)
    assert len(changed.get_feature_names_out()) == expected.shape[1]
    changed.save(tmp_path / "changed")
    loaded = load(tmp_path / "changed")
    assert loaded.get_params() == model.get_params()
    assert np.array_equal(loaded.transform(TEXTS), expected)
    again = pickle.loads(pickle.dumps(changed))
    assert again.get_params() == changed.get_params()
    assert np.array_equal(again.transform(TEXTS), expected)


def test_what_belongs_to_a_call_is_read_by_each_call(model, tmp_path):
    changed = pickle.loads(pickle.dumps(model)).set_params(infer_epochs=1, on_unknown="error")
    assert not np.array_equal(changed.transform(TEXTS), model.transform(TEXTS))
    changed.save(tmp_path / "changed")
    loaded = load(tmp_path / "changed")
    assert np.array_equal(loaded.transform(TEXTS), changed.transform(TEXTS))
    assert loaded.get_params()["on_unknown"] == "error"
    with pytest.raises(ValueError, match=r"^`infer_epochs` must be at least 1, got 0$"):
        changed.set_params(infer_epochs=0).transform(TEXTS)
    with pytest.raises(ValueError, match=r"^`on_unknown` must be one of"):
        changed.set_params(infer_epochs=1, on_unknown="?").save(tmp_path / "changed")


# Unknown words and odd corpora

UNKNOWN = ["unheard words", "", TEXTS[0]]


def test_an_unknown_document_is_zero_by_default(model):
    answer = model.transform(UNKNOWN)
    assert not answer[:2].any()
    assert np.array_equal(answer[2], model.transform([TEXTS[0]])[0])


def test_an_unknown_document_can_be_an_error(model):
    strict = pickle.loads(pickle.dumps(model)).set_params(on_unknown="error")
    with pytest.raises(ValueError) as caught:
        strict.transform([TEXTS[0], *UNKNOWN])
    assert str(caught.value) == (
        "`documents`[1] has no known word among its 2 (2 of 4 documents have none); "
        "`on_unknown` is 'error'"
    )
    assert np.array_equal(strict.transform(TEXTS), model.transform(TEXTS))


def test_an_unknown_document_can_be_nan():
    real = ParagraphVector(20, **SMALL, on_unknown="nan").fit(TEXTS)
    binary = BinaryParagraphVector(20, **SMALL, on_unknown="nan").fit(TEXTS)
    for vectors in (real.transform(UNKNOWN), binary.preactivations(UNKNOWN)):
        assert np.isnan(vectors[:2]).all()
        assert np.isfinite(vectors[2]).all()
    with pytest.raises(ValueError) as caught:
        binary.transform(UNKNOWN)
    assert str(caught.value) == (
        "`documents`[0] has no known word among its 2 (2 of 3 documents have none); a code cannot "
        "be NaN as `on_unknown` asks: use 'zero', or `preactivations`"
    )
    assert np.isfinite(real.transform(TEXTS)).all()


CORPORA = {
    "one document": ["red wine and white wine"],
    "one word": ["wine"],
    "one word many times": ["wine wine wine"] * 5,
    "empty documents among others": ["", "red wine", "", "white wine", ""],
    "the same document": ["red wine"] * 30,
    "lists of tokens": [["red", "wine"], [], ["white", "wine"]],
}


@pytest.mark.parametrize("objective", ["softmax", "negative-sampling"])
@pytest.mark.parametrize("corpus", CORPORA)
@each_model
def test_the_smallest_corpora_train(cls, corpus, objective):
    documents = CORPORA[corpus]
    model = cls(8, min_count=1, subsample=0.0, objective=objective).fit(documents)
    assert model.n_documents_ == len(documents)
    assert len(model.losses_) == model.epochs
    assert np.isfinite(model.losses_).all()
    assert np.isfinite(model.word_vectors_).all()
    assert len(model.transform(documents)) == len(documents)
    for text in set(map(str, documents)):
        rows = [i for i, document in enumerate(documents) if str(document) == text]
        assert len({model.transform(documents)[i].tobytes() for i in rows}) == 1


@each_model
def test_an_epoch_that_thinning_leaves_empty_has_the_loss_zero(cls):
    model = cls(8, min_count=1, subsample=1e-9, epochs=4).fit(["wine wine"])
    assert model.losses_ == [0.0] * 4
    assert np.isfinite(model.transform(["wine"])).all()


@each_model
def test_a_very_long_document_trains_and_is_inferred(cls):
    rng = np.random.default_rng(0)
    long = " ".join(map("w{}".format, rng.integers(0, 5000, 1_000_000)))
    model = cls(16, epochs=1, negatives=4).fit([long, "w1 w2 w3 w1 w2 w3"])
    assert model.transform([long], return_coverage=True)[1] == [1.0]
    assert np.isfinite(model.word_vectors_).all()


@each_model
def test_a_corpus_without_words_is_refused_with_numbers(cls):
    with pytest.raises(ValueError) as caught:
        cls(min_count=50).fit(["red wine", "white wine"])
    assert str(caught.value) == (
        "`min_count`=50 removed all 3 types of 4 tokens; the most frequent occurs 2 times"
    )
    with pytest.raises(ValueError, match=r"^`documents` must hold at least 1 document, got 0$"):
        cls().fit([])
    with pytest.raises(ValueError, match="the 2 `documents` must hold at least 1 token, got 0"):
        cls().fit(["", "..."])


@each_model
def test_a_generator_is_read_once(cls):
    fitted = cls(20, **SMALL).fit(text for text in TEXTS)
    assert weights(fitted) == weights(cls(20, **SMALL).fit(TEXTS))
    both = cls(20, **SMALL).fit_transform(text for text in TEXTS)
    assert np.array_equal(both, fitted.transform(TEXTS))
    spent = iter(TEXTS)
    fitted.transform(spent)
    for use in (fitted.fit, fitted.transform, fitted.fit_transform):
        with pytest.raises(ValueError, match="a generator that was read before is empty"):
            use(spent)


@each_model
def test_a_bare_string_and_a_table_are_refused(cls):
    model = cls(20, **SMALL).fit(TEXTS)
    for use in (model.fit, model.transform, model.fit_transform):
        with pytest.raises(ValueError, match=r"got the single string 'red wine'.*pass \[text\]"):
            use("red wine")
        with pytest.raises(TypeError, match=r"^`documents` must be one column of strings, got a T"):
            use(Table())
        with pytest.raises(TypeError, match=r"^`documents`\[1\] must be a string or a list"):
            use(["red", None])


class Table:
    """Like a data frame: iterating over it gives the names of its columns."""

    columns = ("text",)

    def __iter__(self):
        return iter(self.columns)


@pytest.mark.parametrize("error", [None, KeyboardInterrupt()])
@each_model
def test_weights_that_grow_without_bound_are_refused(cls, error, monkeypatch):
    model = cls(20, **SMALL).fit(TEXTS)
    before = weights(model)

    def train(*arguments):
        hidden, output, bias, losses, _ = engine(*arguments)
        output[3, 5] = np.inf
        return hidden, output, bias, losses, error

    engine = _core.train
    monkeypatch.setattr(_core, "train", train)
    with pytest.raises((ValueError, KeyboardInterrupt)) as caught:
        model.set_params(learning_rate=123.0).fit(TEXTS[:20])
    if error is None:
        assert str(caught.value) == (
            "`learning_rate`=123 made the weights infinite; a smaller one is needed"
        )
    else:
        assert caught.value is error
    assert weights(model) == before
    assert model.n_documents_ == len(TEXTS)


# Tokenisers


def split(text):
    return text.split()


def test_a_callable_cuts_texts_and_no_file_holds_it(tmp_path):
    texts = ["Red-Wine and White-Wine", "White-Wine with fish"] * 5
    model = BinaryParagraphVector(16, min_count=1, tokenizer=split).fit(texts)
    assert "Red-Wine" in model.vocabulary_
    expected = model.transform(texts)
    model.save(tmp_path / "model")
    assert b"split" not in (tmp_path / "model").read_bytes()

    bare = load(tmp_path / "model")
    message = (
        "the model was trained with a tokeniser of its user's, which files do not hold: pass it "
        "to the `load` of its class as `tokenizer`"
    )
    for use in (bare.transform, bare.fit):
        with pytest.raises(ValueError) as caught:
            use(texts)
        assert str(caught.value) == message
    assert np.array_equal(bare.transform([split(text) for text in texts]), expected)

    whole = BinaryParagraphVector.load(tmp_path / "model", tokenizer=split)
    assert whole.get_params() == model.get_params()
    assert np.array_equal(whole.transform(texts), expected)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).transform(texts), expected)
    assert pickle.loads(pickle.dumps(model)).tokenizer is split


def test_a_tokeniser_beside_that_of_the_file_is_refused(model, tmp_path):
    model.save(tmp_path / "model")
    with pytest.raises(ValueError, match=r"^`tokenizer` must be None: the file holds that of"):
        type(model).load(tmp_path / "model", tokenizer=split)
    with pytest.raises(TypeError, match=r"^`tokenizer` must be a callable, got str$"):
        type(model).load(tmp_path / "model", tokenizer="words")


@each_model
def test_ngrams_are_targets(cls, tmp_path):
    tokenizer = Tokenizer(ngrams=2, stop_words=["and"])
    texts = ["red wine and white wine", "white wine with fish"] * 5
    model = cls(8, min_count=1, tokenizer=tokenizer).fit(texts)
    assert "white wine" in model.vocabulary_
    assert "and" not in model.vocabulary_
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert loaded.tokenizer == loaded.tokenizer_ == tokenizer
    assert np.array_equal(loaded.transform(texts), model.transform(texts))
    lists = [["red", "wine", "white", "wine"], ["white", "wine", "with", "fish"]] * 5
    assert np.array_equal(model.transform(lists), model.transform(texts))


# Progress and stopping


def long_corpus():
    return planted(topics=6, documents=100, length=(100, 120))[0]


@each_model
def test_progress_is_reported_and_rises_to_the_end(cls):
    seen = []
    model = cls(64, epochs=150, min_count=1, subsample=0.0, progress=seen.append)
    model.fit(long_corpus())
    assert len(seen) > 2
    for before, after in itertools.pairwise(seen):
        assert before.fraction <= after.fraction
        assert before.epoch <= after.epoch
        assert before.words <= after.words
    assert all(0 < p.epoch <= p.epochs == 150 and np.isfinite(p.loss) for p in seen)
    end = seen[-1]
    assert (end.epoch, end.fraction, end.loss) == (150, 1.0, model.losses_[-1])
    assert end.words == 150 * model.vocabulary_.counts.sum()


@each_model
def test_a_short_training_is_reported_once_at_the_end(cls):
    seen = []
    cls(8, **SMALL, progress=seen.append).fit(TEXTS)
    assert [p.fraction for p in seen][-1] == 1.0


class StopError(Exception):
    pass


@pytest.mark.parametrize("deterministic", [True, False])
@each_model
def test_raising_from_progress_leaves_a_model_that_can_be_used(cls, deterministic, tmp_path):
    def stop(progress):
        raise StopError(f"enough after {progress.fraction:.0%}")

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


# Threads of Python


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


@pytest.mark.parametrize("objective", ["softmax", "negative-sampling"])
@each_model
def test_losses_are_the_mean_per_target_of_the_twin(cls, objective):
    model = cls(12, objective=objective, threads=2, learning_rate=0.1, **SMALL).fit(TEXTS)
    vocabulary, corpus = build_corpus(TEXTS, tokenizer=Tokenizer(), min_count=1)
    data = corpus.ids, corpus.offsets, vocabulary.counts
    options = model._train_options(model._recipe)
    options.epochs = 0
    start = _core.train(model._model, *data, 12, model._init_options(), options)
    options.epochs = 3
    hidden, output, bias = (array.astype(np.float64) for array in start[:3])
    slow = Twin(
        model._model, objective, model.optimizer, 8, 0.1, model._document_rate, vocabulary.counts,
        hidden, output, bias,
    )  # fmt: skip
    losses, targets = np.zeros(3), np.zeros(3)
    for plan in _core.plans(*data, options):
        losses[plan["epoch"]] += slow.step(plan)
        targets[plan["epoch"]] += len(plan["targets"])
    assert targets.tolist() == [corpus.n_tokens] * 3
    assert model.losses_ == pytest.approx((losses / targets).tolist(), rel=1e-3)


def nearest_share(model, texts, topics):
    """The share of documents whose nearest other document has their topic."""
    if isinstance(model, BinaryParagraphVector):
        distances = hamming_distances(model.transform(texts), model.transform(texts)).astype(float)
    else:
        vectors = model.transform(texts)
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        distances = 1 - vectors @ vectors.T
    np.fill_diagonal(distances, np.inf)
    return float(np.mean(topics[distances.argmin(axis=1)] == topics))


NEGATIVES = {"softmax": 64, "negative-sampling": 5}


@pytest.mark.parametrize("objective", NEGATIVES)
@each_model
def test_planted_topics_are_found(cls, objective):
    texts, topics = planted(topics=6, documents=40)
    new, new_topics = planted(topics=6, documents=10, seed=1)
    model = cls(32, objective=objective, negatives=NEGATIVES[objective], subsample=0.0).fit(texts)
    assert model.losses_[-1] < 0.9 * model.losses_[0]
    assert nearest_share(model, texts, topics) > 0.98
    assert nearest_share(model, new, new_topics) > 0.95


@pytest.mark.parametrize("objective", ["softmax", "negative-sampling"])
@each_model
def test_mixtures_of_topics_are_told_apart(cls, objective):
    texts, member = planted_mixtures()
    options = {"objective": objective, "negatives": NEGATIVES[objective], "epochs": 20}
    model = cls(64, subsample=0.0, **options).fit(texts)
    shared = (member.astype(int) @ member.T) / np.minimum.outer(member.sum(1), member.sum(1))
    if cls is BinaryParagraphVector:
        distances = hamming_distances(model.transform(texts), model.transform(texts)).astype(float)
    else:
        vectors = model.transform(texts)
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        distances = 1 - vectors @ vectors.T
    np.fill_diagonal(distances, np.inf)
    nearest = shared[np.arange(len(texts)), distances.argmin(axis=1)].mean()
    np.fill_diagonal(shared, np.nan)
    chance = np.nanmean(shared)
    assert nearest > 0.9 > 1.5 * chance


# Files


def test_a_file_gives_the_model_back(model, tmp_path):
    path = tmp_path / "model.bitsense"
    model.save(path)
    for loaded in (load(path), type(model).load(path)):
        assert type(loaded) is type(model)
        assert loaded.get_params() == model.get_params()
        assert loaded.vocabulary_ == model.vocabulary_
        assert loaded.losses_ == model.losses_
        assert loaded.partial_ == model.partial_
        assert loaded.n_documents_ == model.n_documents_
        assert np.array_equal(loaded.word_vectors_, model.word_vectors_)
        assert np.array_equal(loaded.transform(TEXTS), model.transform(TEXTS))
        with pytest.raises(AttributeError, match="save it with documents=True"):
            loaded.document_vectors_  # noqa: B018
        loaded.save(tmp_path / "again")
        assert (tmp_path / "again").read_bytes() == path.read_bytes()
    assert verify(path)["kind"] == "model"


def test_documents_are_saved_on_request(model, tmp_path):
    model.save(tmp_path / "without")
    model.save(tmp_path / "with", documents=True)
    loaded = load(tmp_path / "with")
    assert np.array_equal(loaded.document_vectors_, model.document_vectors_)
    assert (tmp_path / "without").stat().st_size < (tmp_path / "with").stat().st_size
    with pytest.raises(TypeError, match=r"^`documents` must be True or False, got 'yes'$"):
        model.save(tmp_path / "with", documents="yes")


def test_the_wrong_class_and_the_wrong_kind_are_refused(tmp_path):
    ParagraphVector(8, **SMALL).fit(TEXTS).save(tmp_path / "real")
    with pytest.raises(FormatError, match="real: holds a ParagraphVector, not a BinaryParagraphV"):
        BinaryParagraphVector.load(tmp_path / "real")
    Codes(np.zeros((2, 1), np.uint8)).save(tmp_path / "codes")
    with pytest.raises(FormatError, match="codes: holds a Codes, not a ParagraphVector"):
        ParagraphVector.load(tmp_path / "codes")
    with pytest.raises(FileNotFoundError):
        ParagraphVector.load(tmp_path / "nothing")


def edited(**changes):
    """Return a change of a dictionary in the header, by the path of its keys joined with __."""

    def edit(header, arrays):
        for path, value in changes.items():
            *heads, name = path.split("__")
            place = header
            for head in heads:
                place = place[head]
            if value is KeyError:
                del place[name]
            else:
                place[name] = value

    return edit


def replaced(name, change):
    def edit(header, arrays):
        arrays[name] = change(np.array(arrays[name]))
        if arrays[name] is None:
            del arrays[name]

    return edit


def put(value, *place):
    def change(array):
        array[place] = value
        return array

    return change


BAD = {
    "class unknown": edited(**{"class": "Word2Vec"}),
    "class missing": edited(**{"class": KeyError}),
    "class no string": edited(**{"class": 3}),
    "parameters missing": edited(parameters=KeyError),
    "parameters a list": edited(parameters=[]),
    "a parameter unknown": edited(parameters__vectors=3),
    "a parameter of no file": edited(parameters__progress=True),
    "threads in a file": edited(parameters__threads=2),
    "a tokeniser as a parameter": edited(parameters__tokenizer=None),
    "width zero": edited(parameters__bits=0),
    "width negative": edited(parameters__bits=-8),
    "width huge": edited(parameters__bits=2**70),
    "width a float": edited(parameters__bits=20.0),
    "width of another stride": edited(parameters__bits=33),
    "width within the padding": edited(parameters__bits=19),
    "max_vocabulary a string": edited(parameters__max_vocabulary="all"),
    "objective unknown": edited(parameters__objective="hinge"),
    "objective null": edited(parameters__objective=None),
    "mode unknown": edited(parameters__mode="dm"),
    "epochs zero": edited(parameters__epochs=0),
    "negatives a bool": edited(parameters__negatives=True),
    "seed negative": edited(parameters__seed=-1),
    "inference missing": edited(inference=KeyError),
    "inference without noise": edited(inference__noise=KeyError),
    "inference noise zero": edited(inference__noise=0),
    "inference noise huge": edited(inference__noise=2**40),
    "inference rate null": edited(inference__learning_rate=None),
    "inference rate negative": edited(inference__learning_rate=-0.1),
    "tokenizer missing": edited(tokenizer=KeyError),
    "tokenizer a string": edited(tokenizer="bitsense.text"),
    "tokenizer empty": edited(tokenizer={}),
    "tokenizer of newer rules": edited(tokenizer__rules=99),
    "tokenizer ngrams": edited(tokenizer__ngrams=7),
    "tokenizer stop words": edited(tokenizer__stop_words=[1]),
    "losses missing": edited(losses=KeyError),
    "losses too many": edited(losses=[1.0] * 4),
    "losses strings": edited(losses=["1.0"]),
    "losses bools": edited(losses=[True]),
    "partial a number": edited(partial=1),
    "documents negative": edited(documents=-1),
    "documents zero": edited(documents=0),
    "documents fewer": edited(documents=39),
    "documents a bool": edited(documents=True),
    "level a number": edited(level=2),
    "words missing": replaced("words", lambda a: None),
    "words not UTF-8": replaced("words", put(255, 0)),
    "words of another type": replaced("words", lambda a: a.view(np.int8)),
    "word offsets fall": replaced("word_offsets", put(10**6, 1)),
    "word offsets short": replaced("word_offsets", lambda a: a[:-1]),
    "word counts signed": replaced("word_counts", lambda a: a.astype(np.int64) * -1),
    "word counts short": replaced("word_counts", lambda a: a[:-1]),
    "output missing": replaced("output", lambda a: None),
    "output short": replaced("output", lambda a: a[:-1]),
    "output narrow": replaced("output", lambda a: np.ascontiguousarray(a[:, :20])),
    "output flat": replaced("output", lambda a: a.ravel()),
    "output double": replaced("output", lambda a: a.astype(np.float64)),
    "output NaN": replaced("output", put(np.nan, 3, 3)),
    "output infinite": replaced("output", put(-np.inf, 0, 0)),
    "output padding": replaced("output", put(1.0, 2, 20)),
    "bias short": replaced("bias", lambda a: a[:-1]),
    "bias NaN": replaced("bias", put(np.nan, 0)),
    "documents short": replaced("documents", lambda a: a[:-1]),
    "documents NaN": replaced("documents", put(np.nan, 0, 0)),
    "documents padding": replaced("documents", put(1.0, 0, 31)),
}


@pytest.fixture(scope="module")
def model_bytes():
    model = BinaryParagraphVector(20, **SMALL).fit(TEXTS)
    return pickle.loads(pickle.dumps(model)).__getstate__()["contents"]


@pytest.mark.parametrize("damage", BAD)
def test_a_well_formed_file_of_nonsense_is_refused(damage, model_bytes, tmp_path):
    header, arrays = files.read_bytes(model_bytes, "model")
    BAD[damage](header, arrays)
    files.write_file(tmp_path / "bad", "model", header, arrays)
    for use in (load, verify, BinaryParagraphVector.load):
        with pytest.raises(FormatError):
            use(tmp_path / "bad")


def test_a_model_without_words_is_refused(model_bytes, tmp_path):
    header, arrays = files.read_bytes(model_bytes, "model")
    arrays["words"] = arrays["words"][:0]
    arrays["word_offsets"] = np.zeros(1, np.uint64)
    for name in ("word_counts", "output", "bias"):
        arrays[name] = arrays[name][:0]
    files.write_file(tmp_path / "bad", "model", header, arrays)
    with pytest.raises(FormatError, match="bad: corrupt"):
        load(tmp_path / "bad")

"""What both word models promise, whatever they learn."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from reference.small_word_models import (
    CLASSES,
    MAKERS,
    TEXTS,
    each_class,
    each_maker,
    learned,
)
from sklearn.base import clone

from bitsense import DisambiguatedSkipGram, NotFittedError, Tokenizer, Word2Vec, load

# Parameters


@each_class
def test_the_constructor_only_stores(cls):
    marks = {name: object() for name in inspect.signature(cls).parameters}
    estimator = cls(**marks)
    assert vars(estimator) == marks
    assert estimator.get_params(deep=False) == marks


@each_class
def test_defaults_are_immutable(cls):
    for parameter in inspect.signature(cls).parameters.values():
        assert isinstance(parameter.default, (int, float, str, bool, type(None)))


@each_maker
def test_scikit_learn_clones_the_parameters_and_nothing_else(make):
    model = make().fit(TEXTS)
    twin = clone(model)
    assert type(twin) is type(model)
    assert twin.get_params() == model.get_params()
    assert not twin.__sklearn_is_fitted__()
    assert learned(twin.fit(TEXTS)) == learned(model)


@each_class
def test_set_params_sets_all_or_none(cls):
    estimator = cls()
    assert estimator.set_params(dim=7, window=2) is estimator
    assert (estimator.dim, estimator.window) == (7, 2)
    with pytest.raises(ValueError, match="got an unknown parameter `xyzzy`; it has dim, "):
        estimator.set_params(dim=8, xyzzy=1)
    with pytest.raises(ValueError, match=r"^`dim` has no parameters of its own to set `dim__x`$"):
        estimator.set_params(dim__x=1)
    assert estimator.dim == 7


@each_maker
def test_the_repr_is_the_constructor_call(make):
    estimator = make(threads=1)
    assert eval(repr(estimator)).get_params() == estimator.get_params()


def test_the_repr_of_a_fitted_model_says_what_it_knows():
    model = Word2Vec(8, min_count=1, threads=1).fit(["red wine", "red car"])
    assert repr(model) == (
        "<Word2Vec(dim=8, min_count=1, threads=1): 3 words, fitted to 2 documents>"
    )


SPELLINGS = {
    # gensim
    "vector_size": "dim", "size": "dim", "sg": "mode", "alpha": "learning_rate", "iter": "epochs",
    "negative": "negatives", "sample": "subsample", "workers": "threads", "callbacks": "progress",
    "max_vocab_size": "max_vocabulary", "max_final_vocab": "max_vocabulary",
    # fastText
    "ws": "window", "minCount": "min_count", "neg": "negatives", "t": "subsample", "bucket":
    "buckets", "lr": "learning_rate", "epoch": "epochs", "thread": "threads", "model": "mode",
    # scikit-learn and slips
    "n_components": "dim", "random_state": "seed", "n_jobs": "threads", "windw": "window",
    "n_senses": "senses",
}  # fmt: skip


@pytest.mark.parametrize("theirs", SPELLINGS)
def test_names_of_other_libraries_are_answered_with_ours(theirs):
    ours = SPELLINGS[theirs]
    cls = DisambiguatedSkipGram if ours == "senses" else Word2Vec
    message = f"{cls.__name__} got an unknown parameter `{theirs}`; did you mean `{ours}`?"
    with pytest.raises(TypeError) as caught:
        cls(**{theirs: 1})
    assert str(caught.value) == message
    with pytest.raises(ValueError) as caught:
        cls().set_params(**{theirs: 1})
    assert str(caught.value) == message


MOST = 2**64 - 1
BOTH = [  # name, value, the whole message
    ("dim", 0, "`dim` must be at least 1, got 0"),
    ("dim", 65536, "`dim` must be at most 65535, got 65536"),
    ("dim", 2.5, "`dim` must be an integer, got 2.5"),
    ("window", 0, "`window` must be at least 1, got 0"),
    ("window", 4097, "`window` must be at most 4096, got 4097"),
    ("window", True, "`window` must be an integer, got True"),
    ("negatives", 0, "`negatives` must be at least 1, got 0"),
    ("negatives", 65537, "`negatives` must be at most 65536, got 65537"),
    ("negatives", 21846, "`window` times `negatives` must be at most 65,536, got 65,538"),
    ("min_count", 0, "`min_count` must be at least 1, got 0"),
    ("min_count", MOST + 1, f"`min_count` must be at most {MOST}, got {MOST + 1}"),
    ("max_vocabulary", 0, "`max_vocabulary` must be at least 1, got 0"),
    ("max_vocabulary", 2**32, f"`max_vocabulary` must be at most {2**32 - 1}, got {2**32}"),
    ("max_vocabulary", "all", "`max_vocabulary` must be an integer, got 'all'"),
    ("subsample", -0.1, "`subsample` must be at least 0, got -0.1"),
    ("subsample", 1.5, "`subsample` must be at most 1, got 1.5"),
    ("subsample", float("nan"), "`subsample` must be finite, got nan"),
    ("subsample", "1e-4", "`subsample` must be a number, got '1e-4'"),
    ("epochs", 0, "`epochs` must be at least 1, got 0"),
    ("epochs", 10**7, "`epochs` must be at most 1000000, got 10000000"),
    ("learning_rate", 0, "`learning_rate` must be more than 0, got 0"),
    ("learning_rate", 2000.0, "`learning_rate` must be at most 1000, got 2000.0"),
    ("learning_rate", float("inf"), "`learning_rate` must be finite, got inf"),
    ("tokenizer", "words", "`tokenizer` must be a Tokenizer, a callable or None, got str"),
    ("deterministic", 1, "`deterministic` must be True or False, got 1"),
    ("threads", 0, "`threads` must be at least 1, got 0"),
    ("threads", 1025, "`threads` must be at most 1024, got 1025"),
    ("seed", -1, "`seed` must be at least 0, got -1"),
    ("seed", MOST + 1, f"`seed` must be at most {MOST}, got {MOST + 1}"),
    ("seed", None, "`seed` must be an integer, got None"),
    ("progress", 1, "`progress` must be None, True, False or a callable, got 1"),
]
WORDS = [
    ("mode", "sg", "`mode` must be one of 'skip-gram', 'cbow', got 'sg'"),
    ("mode", None, "`mode` must be one of 'skip-gram', 'cbow', got None"),
    ("subwords", 3, "`subwords` must be None or a pair (shortest, longest), got 3"),
    ("subwords", (3,), "`subwords` must be None or a pair (shortest, longest), got (3,)"),
    ("subwords", (0, 3), "`subwords[0]` must be at least 1, got 0"),
    ("subwords", (4, 3), "`subwords[1]` must be at least 4, got 3"),
    ("subwords", (3, 256), "`subwords[1]` must be at most 255, got 256"),
    ("subwords", (3, "6"), "`subwords[1]` must be an integer, got '6'"),
    ("buckets", 0, "`buckets` must be at least 1, got 0"),
    ("buckets", 2**31, f"`buckets` must be at most {2**31 - 1}, got {2**31}"),
    ("freeze", "both", "`freeze` must be one of 'input', 'output', got 'both'"),
]
SENSES = [
    ("senses", 0, "`senses` must be at least 1, got 0"),
    ("senses", 65, "`senses` must be at most 64, got 65"),
    ("gate_window", 0, "`gate_window` must be at least 1, got 0"),
    ("gate_window", 4097, "`gate_window` must be at most 4096, got 4097"),
    ("min_count_senses", 0, "`min_count_senses` must be at least 1, got 0"),
    ("min_count_senses", 1.0, "`min_count_senses` must be an integer, got 1.0"),
    ("gate_rate", -0.1, "`gate_rate` must be at least 0, got -0.1"),
    ("gate_rate", 1001, "`gate_rate` must be at most 1000, got 1001"),
    ("shared_until", -0.1, "`shared_until` must be at least 0, got -0.1"),
    ("shared_until", 1.0, "`shared_until` must be at most 0.99, got 1.0"),
    ("entropy_cost", -11, "`entropy_cost` must be at least -10, got -11"),
    ("entropy_cost", 11, "`entropy_cost` must be at most 10, got 11"),
    ("temperature", 0.0, "`temperature` must be at least 0.05, got 0.0"),
    ("temperature", 1.5, "`temperature` must be at most 1, got 1.5"),
    ("prune", -0.1, "`prune` must be at least 0, got -0.1"),
    ("prune", 1.1, "`prune` must be at most 1, got 1.1"),
]
WRONG = [(cls, *each) for cls in CLASSES for each in BOTH]
WRONG += [(Word2Vec, *each) for each in WORDS]
WRONG += [(DisambiguatedSkipGram, *each) for each in SENSES]


@pytest.mark.parametrize(("cls", "name", "value", "message"), WRONG)
def test_a_value_out_of_range_is_refused_and_changes_nothing(cls, name, value, message):
    model = MAKERS["skip-gram" if cls is Word2Vec else "senses"]().fit(TEXTS[:10])
    before, attributes = learned(model), set(vars(model))
    good = model.get_params()[name]
    with pytest.raises((ValueError, TypeError)) as caught:
        model.set_params(**{name: value}).fit(TEXTS)
    assert str(caught.value) == message
    model.set_params(**{name: good})
    assert set(vars(model)) == attributes
    assert learned(model) == before


@each_class
def test_every_parameter_has_its_refusals(cls):
    tested = {name for each, name, *_ in WRONG if each is cls}
    assert tested == set(inspect.signature(cls).parameters)


@pytest.mark.parametrize("seed", [0, 2**63, 2**64 - 1, np.uint64(2**64 - 1), np.int8(3)])
@each_maker
def test_seeds_go_up_to_64_bits(make, seed):
    assert learned(make(seed=seed).fit(TEXTS)) == learned(make(seed=int(seed)).fit(TEXTS))
    assert learned(make(seed=1).fit(TEXTS)) != learned(make(seed=seed).fit(TEXTS))


def test_numpy_scalars_are_numbers_and_can_be_saved(tmp_path):
    plain = MAKERS["senses"](seed=3).fit(TEXTS)
    model = DisambiguatedSkipGram(
        np.int16(20), senses=np.uint8(3), min_count_senses=np.int64(20), epochs=np.uint8(2),
        window=np.int32(3), min_count=np.uint64(1), subsample=np.float32(0.0),
        learning_rate=np.float64(0.025), seed=np.uint32(3), deterministic=np.True_,
    ).fit(TEXTS)  # fmt: skip
    assert learned(model) == learned(plain)
    model.save(tmp_path / "model")
    assert load(tmp_path / "model").get_params() == {**plain.get_params(), "threads": None}


# Fitting


@each_maker
def test_fit_returns_the_estimator_and_leaves_the_parameters(make):
    estimator = make()
    before = estimator.get_params()
    assert estimator.fit(TEXTS) is estimator
    assert estimator.get_params() == before
    assert estimator.n_documents_ == len(TEXTS)
    assert estimator.partial_ is False
    assert learned(estimator.fit(TEXTS, None)) == learned(make().fit(TEXTS, y=TEXTS))


@each_maker
def test_fit_again_equals_a_fresh_fit(make):
    model = make().fit(TEXTS[:9])
    learned(model)  # and what was made of the first fit is not kept
    assert learned(model.fit(TEXTS)) == learned(make().fit(TEXTS))


@each_class
def test_nothing_works_before_fit(cls, tmp_path):
    model = cls()
    message = f"^this {cls.__name__} is not fitted yet; call `fit` first$"
    uses = [lambda: model.wv, lambda: model.output_vectors_, lambda: model.save(tmp_path / "m")]
    if cls is DisambiguatedSkipGram:
        uses += [
            lambda: model.all_senses_,
            lambda: model.disambiguate(["a"], 0),
            lambda: model.disambiguate([["a"]], [0]),
            lambda: model.sense_probabilities([["a"]], [0]),
        ]
    else:
        uses.append(lambda: cls().fit(TEXTS, start=model))
    for use in uses:
        with pytest.raises(NotFittedError, match=message):
            use()
    for name in ("vocabulary_", "losses_", "wv", "output_vectors_", "all_senses_"):
        assert not hasattr(model, name)


@each_maker
def test_what_a_model_has_learned_is_there_and_read_only(make):
    model = make(epochs=6).fit(TEXTS)
    words = len(model.vocabulary_)
    assert model.output_vectors_.shape == (words, 20)
    assert len(model.losses_) == 6
    assert model.losses_[-1] < model.losses_[0]
    assert all(type(loss) is float for loss in model.losses_)
    assert model.wv is model.wv
    assert model.wv.vectors.shape[1] == 20
    for array in (model.output_vectors_, model.wv.vectors):
        assert array.dtype == np.float32
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1.0


@pytest.mark.parametrize("threads", [1, 2, 5, None])
@each_maker
def test_threads_change_no_byte(make, monkeypatch, threads):
    expected = learned(make(threads=3).fit(TEXTS))
    assert learned(make(threads=threads).fit(TEXTS)) == expected
    monkeypatch.setenv("BITSENSE_THREADS", "4")
    assert learned(make(threads=None).fit(TEXTS)) == expected


@each_maker
def test_racing_threads_learn_too(make):
    racing = make(epochs=20, deterministic=False, threads=3).fit(TEXTS)
    untrained = np.log(2) * (1 + racing.negatives)
    assert racing.losses_[-1] < 0.75 * untrained


@each_maker
def test_texts_lists_and_generators_are_the_same_documents(make):
    expected = learned(make().fit(TEXTS))
    assert learned(make().fit(text for text in TEXTS)) == expected
    assert learned(make().fit([Tokenizer()(text) for text in TEXTS])) == expected
    assert learned(make().fit(np.array(TEXTS))) == expected


@each_class
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
    spent = iter(TEXTS)
    list(spent)
    with pytest.raises(ValueError, match="a generator that was read before is empty"):
        cls().fit(spent)
    with pytest.raises(ValueError, match=r"got the single string 'red wine'.*pass \[text\]"):
        cls().fit("red wine")
    with pytest.raises(TypeError, match=r"^`documents`\[1\] must be a string or a list"):
        cls().fit(["red", None])


CORPORA = {
    "one word": ["wine"],
    "one word many times": ["wine wine wine"] * 5,
    "documents of one word": ["red", "wine", "fish"],
    "empty documents among others": ["", "red wine", "", "white wine", ""],
    "lists of tokens": [["red", "wine"], [], ["white", "wine"]],
}


@pytest.mark.parametrize("corpus", CORPORA)
@each_maker
def test_the_smallest_corpora_train(make, corpus):
    model = make(subsample=1e-9, min_count_senses=1) if "senses" in make().get_params() else make()
    model.fit(CORPORA[corpus])
    assert model.n_documents_ == len(CORPORA[corpus])
    assert len(model.losses_) == 2
    assert np.isfinite(model.losses_).all()
    assert np.isfinite(model.wv.vectors).all()
    assert model.wv.vectors.any()
    assert {key.split("#")[0] for key in model.wv.index_to_key} == set(model.vocabulary_)


def test_max_vocabulary_keeps_the_most_frequent_words():
    whole = MAKERS["cbow"]().fit(TEXTS)
    small = MAKERS["cbow"](max_vocabulary=7).fit(TEXTS)
    assert list(small.vocabulary_) == list(whole.vocabulary_)[:7] == small.wv.index_to_key
    assert small.output_vectors_.shape == (7, 20)

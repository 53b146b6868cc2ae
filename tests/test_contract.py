"""What every estimator promises, whatever it learns."""

from __future__ import annotations

import copy
import inspect
import pickle

import joblib
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
)

TEXTS = planted(topics=3, documents=8)[0]
VECTORS = np.random.default_rng(0).normal(size=(50, 24)).astype(np.float32)

SMALL = {"epochs": 2, "negatives": 8, "batch": 8, "min_count": 1, "subsample": 0.0}
MAKERS = {
    "ParagraphVector": lambda: ParagraphVector(dim=20, **SMALL),
    "BinaryParagraphVector": lambda: BinaryParagraphVector(bits=20, **SMALL),
    "PV-DM, mean": lambda: ParagraphVector(20, mode="dm-mean", context=2, **SMALL),
    "PV-DM, side by side": lambda: ParagraphVector(20, mode="dm-concat", word_dim=4, **SMALL),
    "Binary PV-DM": lambda: BinaryParagraphVector(20, mode="dm", word_dim=4, **SMALL),
    "RealBinaryParagraphVector": lambda: RealBinaryParagraphVector(dim=24, bits=20, **SMALL),
    "ParagraphVector, encoder": lambda: ParagraphVector(20, mode="encoder", **SMALL),
    "BinaryParagraphVector, encoder": lambda: BinaryParagraphVector(20, mode="encoder", **SMALL),
    "RealBinaryParagraphVector, encoder": lambda: RealBinaryParagraphVector(
        24, 20, mode="encoder", neighbors=2, **SMALL
    ),
    "SignBinarizer": lambda: SignBinarizer(),
    "RandomHyperplanes": lambda: RandomHyperplanes(bits=20, center=True),
    "ITQ": lambda: ITQ(bits=20, iterations=3),
}
MODELS = [ParagraphVector, BinaryParagraphVector, RealBinaryParagraphVector]


def data_of(estimator):
    return TEXTS if isinstance(estimator, tuple(MODELS)) else VECTORS


def answer(estimator):
    return estimator.transform(data_of(estimator)).tobytes()


@pytest.fixture(params=MAKERS)
def make(request):
    return MAKERS[request.param]


@pytest.fixture
def fitted(make):
    estimator = make()
    return estimator.fit(data_of(estimator))


def test_the_constructor_only_stores(make):
    cls = type(make())
    names = list(inspect.signature(cls).parameters)
    marks = {name: object() for name in names}
    estimator = cls(**marks)
    assert vars(estimator) == marks
    assert estimator.get_params(deep=False) == marks


def test_defaults_are_immutable(make):
    for parameter in inspect.signature(type(make())).parameters.values():
        assert isinstance(parameter.default, (int, float, str, bool, type(None)))


def test_fit_returns_the_estimator_and_leaves_the_parameters(make):
    estimator = make()
    before = estimator.get_params()
    assert estimator.fit(data_of(estimator)) is estimator
    assert estimator.get_params() == before


def test_fit_again_equals_a_fresh_fit(make):
    estimator, fresh = make(), make()
    data = data_of(estimator)
    estimator.fit(data[:20]).fit(data)
    assert answer(estimator) == answer(fresh.fit(data))


def test_fit_transform_equals_fit_then_transform(make):
    estimator = make()
    data = data_of(estimator)
    assert estimator.fit_transform(data).tobytes() == answer(make().fit(data))


def test_nothing_works_before_fit(make):
    estimator = make()
    message = f"this {type(estimator).__name__} is not fitted yet; call `fit` first"
    for use in ("transform", "project", "preactivations", "vectors", "save"):
        if hasattr(estimator, use):
            with pytest.raises(NotFittedError, match=f"^{message}$"):
                getattr(estimator, use)(data_of(estimator))
    with pytest.raises(NotFittedError, match=f"^{message}$"):
        estimator.get_feature_names_out()


def test_learned_attributes_are_absent_before_fit(make):
    names = [name for name in dir(make()) if name.endswith("_") and not name.startswith("_")]
    for name in names:
        assert not hasattr(make(), name)


def test_set_params_sets_all_or_none(make):
    estimator = make()
    name = next(iter(estimator.get_params()))
    assert estimator.set_params(**{name: 7}) is estimator
    assert getattr(estimator, name) == 7
    with pytest.raises(ValueError, match="got an unknown parameter `nonsense`; it has "):
        estimator.set_params(**{name: 8, "nonsense": 1})
    with pytest.raises(ValueError, match=f"^`{name}` has no parameters of its own to set "):
        estimator.set_params(**{f"{name}__x": 1})
    assert getattr(estimator, name) == 7


def test_the_repr_is_the_constructor_call(make):
    estimator = make()
    made = eval(repr(estimator))
    assert made.get_params() == estimator.get_params()


COPIES = {
    "pickle": lambda e: pickle.loads(pickle.dumps(e)),
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
}


@pytest.mark.parametrize("way", COPIES)
def test_copies_have_the_parameters_and_the_answers(make, fitted, way):
    unfitted = COPIES[way](make())
    assert unfitted.get_params() == make().get_params()
    assert not unfitted.__sklearn_is_fitted__()
    twin = COPIES[way](fitted)
    assert twin.get_params() == fitted.get_params()
    assert answer(twin) == answer(fitted)
    assert answer(twin.fit(data_of(twin))) == answer(fitted)


def test_joblib_stores_and_runs_estimators(fitted, tmp_path):
    joblib.dump(fitted, tmp_path / "estimator")
    assert answer(joblib.load(tmp_path / "estimator")) == answer(fitted)


def test_subclasses_pickle(fitted):
    assert isinstance(pickle.loads(pickle.dumps(Derived().fit(TEXTS))), Derived)


class Derived(BinaryParagraphVector):
    """At the top of the module, where pickle finds it."""


@pytest.mark.parametrize("seed", [0, 1, 2**63, 2**64 - 1, np.uint64(2**64 - 1), np.int8(3)])
@pytest.mark.parametrize("name", [name for name in MAKERS if name != "SignBinarizer"])
def test_seeds_go_up_to_64_bits(name, seed):
    estimator = MAKERS[name]()
    estimator.set_params(seed=seed).fit(data_of(estimator))
    first = answer(estimator)
    assert answer(estimator.set_params(seed=int(seed)).fit(data_of(estimator))) == first


def test_a_failed_fit_leaves_the_estimator_as_it_was(make):
    for name in make().get_params():
        if name in ("center", "tokenizer", "progress"):
            continue
        estimator = make()
        estimator.fit(data_of(estimator))
        before, state = answer(estimator), dict(vars(estimator))
        good = estimator.get_params()[name]
        estimator.set_params(**{name: -1})
        with pytest.raises((ValueError, TypeError), match=f"^`{name}` must be "):
            estimator.fit(data_of(estimator)[:10])
        estimator.set_params(**{name: good})
        assert vars(estimator).keys() == state.keys()
        assert answer(estimator) == before
        fresh = make().set_params(**{name: -1})
        with pytest.raises((ValueError, TypeError)):
            fresh.fit(data_of(fresh))
        assert not fresh.__sklearn_is_fitted__()


def test_a_fit_on_nothing_leaves_the_estimator_as_it_was(fitted):
    before = answer(fitted)
    empty = [] if data_of(fitted) is TEXTS else VECTORS[:0]
    with pytest.raises(ValueError, match="at least "):
        fitted.fit(empty)
    assert answer(fitted) == before


@pytest.mark.parametrize("threads", [1, 2, 5, None])
def test_threads_change_nothing(make, monkeypatch, threads):
    estimator = make()
    expected = answer(estimator.fit(data_of(estimator)))
    if "threads" in estimator.get_params():
        estimator = make().set_params(threads=threads)
    assert answer(estimator.fit(data_of(estimator))) == expected
    monkeypatch.setenv("BITSENSE_THREADS", "3")
    assert answer(make().fit(data_of(estimator))) == expected


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        ("many", ValueError, "BITSENSE_THREADS must be an integer, got 'many'"),
        ("0", ValueError, "`BITSENSE_THREADS` must be at least 1, got 0"),
    ],
)
def test_a_wrong_number_of_threads_in_the_environment_is_named(monkeypatch, value, kind, message):
    monkeypatch.setenv("BITSENSE_THREADS", value)
    with pytest.raises(kind) as caught:
        MAKERS["BinaryParagraphVector"]().fit(TEXTS)
    assert str(caught.value) == message
    assert MAKERS["BinaryParagraphVector"]().set_params(threads=1).fit(TEXTS)


def test_an_empty_batch_gives_an_empty_answer(fitted):
    whole = fitted.transform(data_of(fitted))
    none = fitted.transform([] if data_of(fitted) is TEXTS else VECTORS[:0])
    assert none.shape == (0, whole.shape[1])
    assert none.dtype == whole.dtype


def test_feature_names_fit_the_columns(fitted):
    names = fitted.get_feature_names_out()
    assert len(names) == len(set(names)) == fitted.transform(data_of(fitted)).shape[1]
    assert names[1] == f"{type(fitted).__name__.lower()}1"


SPELLINGS = {
    # gensim
    "vector_size": "dim", "negative": "negatives", "sample": "subsample", "workers": "threads",
    "alpha": "learning_rate", "iter": "epochs", "size": "dim", "max_vocab_size": "max_vocabulary",
    "max_final_vocab": "max_vocabulary", "dm": "mode", "hs": "objective", "callbacks": "progress",
    # fastText
    "ws": "window", "minCount": "min_count", "neg": "negatives", "t": "subsample", "lr":
    "learning_rate", "epoch": "epochs", "thread": "threads", "loss": "objective",
    "wordNgrams": "tokenizer",
    # scikit-learn and others
    "n_components": "dim", "max_iter": "epochs", "random_state": "seed", "n_jobs": "threads",
    "max_features": "max_vocabulary", "min_df": "min_count", "ngram_range": "tokenizer",
    "batch_size": "batch", "learning_rat": "learning_rate", "verbose": "progress",
}  # fmt: skip


@pytest.mark.parametrize("theirs", SPELLINGS)
@pytest.mark.parametrize("cls", MODELS)
def test_names_of_other_libraries_are_answered_with_ours(cls, theirs):
    ours = SPELLINGS[theirs]
    if ours == "dim":
        both = cls is RealBinaryParagraphVector and theirs == "n_components"
        ours = "bits" if both else cls._width
    message = f"{cls.__name__} got an unknown parameter `{theirs}`; did you mean `{ours}`?"
    with pytest.raises(TypeError) as caught:
        cls(**{theirs: 1})
    assert str(caught.value) == message
    with pytest.raises(ValueError) as caught:
        cls().set_params(**{theirs: 1})
    assert str(caught.value) == message


def test_names_of_faiss_are_answered_with_ours():
    with pytest.raises(TypeError, match="did you mean `bits`"):
        ITQ(nbits=3)
    with pytest.raises(TypeError, match="did you mean `iterations`"):
        ITQ(n_iter=3)


NUMBERS = [  # name, value, the whole message
    ("window", 0, "must be at least 1, got 0"),
    ("window", 4097, "must be at most 4096, got 4097"),
    ("window", 2.0, "must be an integer, got 2.0"),
    ("window", True, "must be an integer, got True"),
    ("min_count", 0, "must be at least 1, got 0"),
    ("min_count", 2**64, f"must be at most {2**64 - 1}, got {2**64}"),
    ("max_vocabulary", 0, "must be at least 1, got 0"),
    ("max_vocabulary", "all", "must be an integer, got 'all'"),
    ("negatives", 0, "must be at least 1, got 0"),
    ("negatives", 65537, "must be at most 65536, got 65537"),
    ("subsample", -0.1, "must be at least 0, got -0.1"),
    ("subsample", 1.5, "must be at most 1, got 1.5"),
    ("subsample", "1e-3", "must be a number, got '1e-3'"),
    ("subsample", float("nan"), "must be finite, got nan"),
    ("epochs", 0, "must be at least 1, got 0"),
    ("epochs", 10**7, "must be at most 1000000, got 10000000"),
    ("learning_rate", 0.0, "must be more than 0, got 0.0"),
    ("learning_rate", float("inf"), "must be finite, got inf"),
    ("learning_rate", 10**400, "must be finite, got " + str(10**400)),
    ("learning_rate", 1j, "must be a number, got 1j"),
    ("learning_rate", np.True_, "must be a number, got np.True_"),
    ("learning_rate", 2000, "must be at most 1000, got 2000"),
    ("dropout", 1.0, "must be at most 0.99, got 1.0"),
    ("batch", 0, "must be at least 1, got 0"),
    ("infer_epochs", 0, "must be at least 1, got 0"),
    ("seed", -1, "must be at least 0, got -1"),
    ("seed", 2**64, f"must be at most {2**64 - 1}, got {2**64}"),
    ("seed", None, "must be an integer, got None"),
    ("threads", 0, "must be at least 1, got 0"),
    ("threads", 1025, "must be at most 1024, got 1025"),
    ("threads", "all", "must be an integer, got 'all'"),
    ("deterministic", "no", "must be True or False, got 'no'"),
    ("deterministic", 1, "must be True or False, got 1"),
    ("objective", "hs", "must be one of 'softmax', 'negative-sampling', got 'hs'"),
    ("optimizer", "adam", "must be one of 'adagrad', 'sgd', got 'adam'"),
    ("on_unknown", None, "must be one of 'zero', 'error', 'nan', got None"),
    ("progress", 1, "must be None, True, False or a callable, got 1"),
    ("tokenizer", "words", "must be a Tokenizer, a callable or None, got str"),
]


@pytest.mark.parametrize(("name", "value", "message"), NUMBERS)
@pytest.mark.parametrize("cls", MODELS)
def test_a_value_out_of_range_is_refused_by_name(cls, name, value, message):
    with pytest.raises((ValueError, TypeError)) as caught:
        cls(**{name: value}).fit(TEXTS)
    assert str(caught.value) == f"`{name}` {message}"


CONTEXTS = [  # class, parameters, the whole message
    (ParagraphVector, {"mode": "dm"},
     "`mode` must be one of 'dbow', 'dm-mean', 'dm-concat', 'encoder', got 'dm'"),
    (BinaryParagraphVector, {"mode": "dm-mean"},
     "`mode` must be one of 'dbow', 'dm', 'encoder', got 'dm-mean'"),
    (RealBinaryParagraphVector, {"mode": "dm"},
     "`mode` must be one of 'dbow', 'encoder', got 'dm'"),
    (RealBinaryParagraphVector, {"bits": 0}, "`bits` must be at least 1, got 0"),
    (ParagraphVector, {"context": 0}, "`context` must be at least 1, got 0"),
    (ParagraphVector, {"context": 1025}, "`context` must be at most 1024, got 1025"),
    (BinaryParagraphVector, {"word_dim": 0}, "`word_dim` must be at least 1, got 0"),
    (BinaryParagraphVector, {"word_dim": 2.0}, "`word_dim` must be an integer, got 2.0"),
    (BinaryParagraphVector, {"round_words": "no"}, "`round_words` must be True or False, got 'no'"),
    (ParagraphVector, {"dim": 8, "mode": "dm-mean", "word_dim": 9},
     "`word_dim` must be None or `dim`, 8, in mode 'dm-mean', got 9"),
    (ParagraphVector, {"dim": 6, "mode": "dm-concat", "word_dim": 60_000, "context": 10},
     "`dim` plus 2 * `context` * `word_dim` must be at most 1,048,576, got 1,200,006"),
    (BinaryParagraphVector, {"bits": 8, "mode": "dm", "batch": 65536, "window": 100},
     "`batch` times `window` times `context` must be at most 4,194,304, got 32,768,000"),
]  # fmt: skip


@pytest.mark.parametrize(("cls", "parameters", "message"), CONTEXTS)
def test_what_only_some_models_have_is_refused_by_name(cls, parameters, message):
    with pytest.raises((ValueError, TypeError)) as caught:
        cls(**parameters).fit(TEXTS)
    assert str(caught.value) == message


def test_a_mean_takes_the_components_of_a_document_by_name():
    named = ParagraphVector(20, mode="dm-mean", word_dim=20, **SMALL).fit(TEXTS)
    assert answer(named) == answer(ParagraphVector(20, mode="dm-mean", **SMALL).fit(TEXTS))


@pytest.mark.parametrize("cls", MODELS)
def test_the_width_is_refused_by_its_name(cls):
    for value, message in [(0, "must be at least 1, got 0"), (65536, "must be at most 65535, got")]:
        with pytest.raises(ValueError, match=f"^`{cls._width}` {message}"):
            cls(value).fit(TEXTS)


def test_the_noise_of_a_block_is_bounded():
    message = "`negatives` times `window` must be at most 4,194,304, got 8,388,608"
    with pytest.raises(ValueError, match=f"^{message}$"):
        ParagraphVector(negatives=8192, window=1024).fit(TEXTS)


def test_numpy_scalars_are_numbers(tmp_path):
    plain = BinaryParagraphVector(20, **SMALL, learning_rate=0.5, seed=3, objective="softmax").fit(
        TEXTS
    )
    model = BinaryParagraphVector(
        np.int16(20),
        epochs=np.uint8(2),
        negatives=np.int64(8),
        batch=np.int32(8),
        min_count=np.uint64(1),
        subsample=np.float32(0.0),
        learning_rate=np.float16(0.5),
        seed=np.uint32(3),
        deterministic=np.True_,
        objective=np.str_("softmax"),
    ).fit(TEXTS)
    assert answer(model) == answer(plain)
    model.save(tmp_path / "m")
    assert BinaryParagraphVector.load(tmp_path / "m").get_params() == plain.get_params()

"""Paragraph vectors as their users meet them: documents in, vectors and codes out."""

from __future__ import annotations

import hashlib
import pickle
from typing import NamedTuple

import numpy as np
import pytest
from reference.small_models import (
    CODED,
    MAKERS,
    SMALL,
    TEXTS,
    each_maker,
    each_model,
    make,
    run_python,
    weights,
)

from bitsense import (
    BinaryParagraphVector,
    Codes,
    ParagraphVector,
    RealBinaryParagraphVector,
    Tokenizer,
    _core,
    load,
)


def digest(array):
    return hashlib.sha256(array.tobytes()).hexdigest()  # of a matrix in C order


@pytest.fixture(scope="module", params=MAKERS)
def model(request):
    """A small fitted model that no test changes."""
    return make(request.param).fit(TEXTS)


def make_like(model, **changes):
    return type(model)(**{**model.get_params(), **changes})


# What comes out


def test_what_a_model_has_learned_is_there_and_read_only(model):
    n, dim, words = len(TEXTS), 20, len(model.vocabulary_)
    assert model.document_vectors_.shape == (model.n_documents_, dim) == (n, dim)
    assert len(model.word_vectors_) == words
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


@pytest.mark.parametrize("cls", CODED)
def test_codes_are_the_same_when_made_in_parts(cls, monkeypatch):
    model = cls(20, **SMALL).fit(TEXTS)
    documents = [*TEXTS[:10], "", "unheard", *TEXTS[10:17]]
    whole = model.transform(documents)
    monkeypatch.setattr("bitsense._coded_vectors._CHUNK", 4)
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
    assert np.array_equal(changed.transform(TEXTS), model.transform(TEXTS)) != (model._idf is None)
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
    both = RealBinaryParagraphVector(30, 20, **SMALL, on_unknown="nan").fit(TEXTS)
    for vectors in (
        real.transform(UNKNOWN),
        binary.preactivations(UNKNOWN),
        both.vectors(UNKNOWN),
        both.preactivations(UNKNOWN),
    ):
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
@each_maker
def test_the_smallest_corpora_train(name, corpus, objective):
    documents = CORPORA[corpus]
    model = make(name, 8, epochs=10, objective=objective).fit(documents)
    assert model.n_documents_ == len(documents)
    assert len(model.losses_) == model.epochs
    assert np.isfinite(model.losses_).all()
    assert np.isfinite(model.word_vectors_).all()
    assert len(model.transform(documents)) == len(documents)
    for text in set(map(str, documents)):
        rows = [i for i, document in enumerate(documents) if str(document) == text]
        assert len({model.transform(documents)[i].tobytes() for i in rows}) == 1


@each_model
def test_thinning_leaves_something_of_the_smallest_corpus(cls):
    model = cls(8, min_count=1, subsample=1e-9, epochs=4).fit(["wine wine"])
    assert len(model.losses_) == 4
    assert np.isfinite(model.losses_).all()
    assert np.isfinite(model.transform(["wine"])).all()


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


@each_model
def test_a_document_of_gensim_is_answered_with_what_to_pass(cls):
    with pytest.raises(TypeError) as caught:
        cls().fit([TaggedDocument(["red", "wine"], [0])])
    assert str(caught.value) == (
        "`documents`[0] must be a string or a list of strings, got a TaggedDocument; pass its "
        "`words` alone, documents are known by place"
    )


class TaggedDocument(NamedTuple):
    """As gensim has it."""

    words: list
    tags: list


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
        *tables, losses, _ = engine(*arguments)
        tables[1][3, 5] = np.inf
        return *tables, losses, error

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

"""Models as files: they come back whole, or they are refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from reference.small_models import (
    MAKERS,
    SMALL,
    TEXTS,
    make,
)

from bitsense import (
    BinaryParagraphVector,
    Codes,
    FormatError,
    ParagraphVector,
    files,
    load,
    verify,
)


@pytest.fixture(scope="module", params=MAKERS)
def model(request):
    """A small fitted model that no test changes."""
    return make(request.param).fit(TEXTS)


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
    "objective a list": edited(parameters__objective=[]),
    "epochs negative": edited(parameters__epochs=-1),
    "mode unknown": edited(parameters__mode="dm-mean"),
    "mode with a context": edited(parameters__mode="dm"),
    "context zero": edited(parameters__context=0),
    "round_words a number": edited(parameters__round_words=1),
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


BAD_CONTEXT = {
    "mode without a context": edited(parameters__mode="dbow"),
    "context of another width": edited(parameters__context=3),
    "word_dim of another width": edited(parameters__word_dim=30),
    "word_dim within the padding": edited(parameters__word_dim=8),
    "word_dim null": edited(parameters__word_dim=None),
    "context missing": replaced("context", lambda a: None),
    "context short": replaced("context", lambda a: a[:-1]),
    "context narrow": replaced("context", lambda a: np.ascontiguousarray(a[:, :9])),
    "context double": replaced("context", lambda a: a.astype(np.float64)),
    "context NaN": replaced("context", put(np.nan, 1, 1)),
    "context padding": replaced("context", put(1.0, 1, 9)),
}
BAD_PROJECTION = {
    "bits fewer": edited(parameters__bits=11),
    "bits zero": edited(parameters__bits=0),
    "bits missing": edited(parameters__bits=KeyError),
    "dim of another stride": edited(parameters__dim=33),
    "mode with a context": edited(parameters__mode="dm"),
    "projection missing": replaced("projection", lambda a: None),
    "projection short": replaced("projection", lambda a: a[:-1]),
    "projection infinite": replaced("projection", put(np.inf, 0, 0)),
    "projection padding": replaced("projection", put(1.0, 0, 21)),
}


@pytest.mark.parametrize(
    ("name", "damage"),
    [("binary dm", damage) for damage in BAD_CONTEXT]
    + [("RealBinaryParagraphVector", damage) for damage in BAD_PROJECTION],
)
def test_tables_that_do_not_fit_the_parameters_are_refused(name, damage, tmp_path):
    options = {} if name == "binary dm" else {"bits": 12}
    model = make(name, **options).fit(TEXTS)
    header, arrays = files.read_bytes(model.__getstate__()["contents"], "model")
    (BAD_CONTEXT if name == "binary dm" else BAD_PROJECTION)[damage](header, arrays)
    files.write_file(tmp_path / "bad", "model", header, arrays)
    for use in (load, verify, type(model).load):
        with pytest.raises(FormatError):
            use(tmp_path / "bad")


def test_a_file_from_before_there_were_contexts_is_read(tmp_path):
    for name in ("ParagraphVector", "BinaryParagraphVector"):
        model = make(name).fit(TEXTS)
        header, arrays = files.read_bytes(model.__getstate__()["contents"], "model")
        for parameter in ("context", "word_dim", "round_words"):
            header["parameters"].pop(parameter, None)
        files.write_file(tmp_path / "old", "model", header, arrays)
        loaded = load(tmp_path / "old")
        assert loaded.get_params() == model.get_params()
        assert np.array_equal(loaded.transform(TEXTS), model.transform(TEXTS))


def test_a_model_without_words_is_refused(model_bytes, tmp_path):
    header, arrays = files.read_bytes(model_bytes, "model")
    arrays["words"] = arrays["words"][:0]
    arrays["word_offsets"] = np.zeros(1, np.uint64)
    for name in ("word_counts", "output", "bias"):
        arrays[name] = arrays[name][:0]
    files.write_file(tmp_path / "bad", "model", header, arrays)
    with pytest.raises(FormatError, match="bad: corrupt"):
        load(tmp_path / "bad")

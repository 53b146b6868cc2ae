"""Word models as files: they come back whole, or they are refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from reference.small_word_models import MAKERS, TEXTS, each_maker, learned

from bitsense import (
    Codes,
    DisambiguatedSkipGram,
    FormatError,
    Word2Vec,
    files,
    load,
    verify,
)


@each_maker
def test_a_file_gives_the_model_back(make, tmp_path):
    model, path = make().fit(TEXTS), tmp_path / "model.bitsense"
    model.save(path)
    for loaded in (load(path), type(model).load(path)):
        assert type(loaded) is type(model)
        assert loaded.get_params() == {**model.get_params(), "threads": None}
        assert repr(loaded) == repr(model).replace("threads=1, ", "").replace(", threads=1", "")
        assert loaded.vocabulary_ == model.vocabulary_
        assert loaded.losses_ == model.losses_
        assert loaded.partial_ == model.partial_
        assert loaded.n_documents_ == model.n_documents_
        assert learned(loaded) == learned(model)
        loaded.save(tmp_path / "again")
        assert (tmp_path / "again").read_bytes() == path.read_bytes()
        assert learned(loaded.fit(TEXTS)) == learned(model)
    assert verify(path)["kind"] == "model"


@each_maker
def test_tables_stay_in_the_mapped_file(make, tmp_path):
    model = make().fit(TEXTS)
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    (tmp_path / "model").unlink()  # what is mapped stays
    for table in loaded._arrays.values():
        base = table
        while isinstance(base, np.ndarray) and base.base is not None:
            base = base.base
        assert not isinstance(base, np.ndarray)
        assert not table.flags.writeable
    assert learned(loaded) == learned(model)


def test_without_subwords_the_vectors_are_the_table_itself(tmp_path):
    model = MAKERS["cbow"]().fit(TEXTS)
    model.save(tmp_path / "model")
    for each in (model, load(tmp_path / "model")):
        assert np.shares_memory(each.wv.vectors, each._arrays["input"])
        assert np.shares_memory(each.output_vectors_, each._arrays["output"])


@pytest.fixture(scope="module")
def contents():
    """The bytes of a file of each kind of model, by name."""
    made = {}
    for name, make in MAKERS.items():
        model = make(senses=2) if name == "senses" else make()
        made[name] = pickle.loads(pickle.dumps(model.fit(TEXTS))).__getstate__()["contents"]
    return made


def refused(model, edit, contents, path, match=None):
    """Edit a well-formed file and check that nothing reads it."""
    header, arrays = files.read_bytes(contents[model], "model")
    edit(header, arrays)
    files.write_file(path, "model", header, arrays)
    cls = DisambiguatedSkipGram if model == "senses" else Word2Vec
    for use in (load, verify, cls.load):
        with pytest.raises(FormatError, match=match):
            use(path)


def edited(**changes):
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


HEADERS = {
    "class unknown": edited(**{"class": "GloVe"}),
    "class missing": edited(**{"class": KeyError}),
    "class no string": edited(**{"class": 3}),
    "class without a model": edited(**{"class": "WordModel"}),
    "class of another family": edited(**{"class": "ParagraphVector"}),
    "parameters missing": edited(parameters=KeyError),
    "parameters a list": edited(parameters=[]),
    "a parameter unknown": edited(parameters__vector_size=3),
    "a parameter of no file": edited(parameters__progress=True),
    "threads in a file": edited(parameters__threads=2),
    "a tokeniser as a parameter": edited(parameters__tokenizer=None),
    "dim zero": edited(parameters__dim=0),
    "dim huge": edited(parameters__dim=2**70),
    "dim a float": edited(parameters__dim=20.0),
    "dim of another stride": edited(parameters__dim=33),
    "dim within the padding": edited(parameters__dim=19),
    "window null": edited(parameters__window=None),
    "epochs fewer than losses": edited(parameters__epochs=1),
    "negatives a bool": edited(parameters__negatives=True),
    "seed negative": edited(parameters__seed=-1),
    "max_vocabulary a string": edited(parameters__max_vocabulary="all"),
    "tokenizer missing": edited(tokenizer=KeyError),
    "tokenizer empty": edited(tokenizer={}),
    "losses strings": edited(losses=["1.0"]),
    "partial a number": edited(partial=1),
    "documents zero": edited(documents=0),
    "level missing": edited(level=KeyError),
    "words missing": replaced("words", lambda a: None),
    "words none": replaced("words", lambda a: a[:0]),
    "word offsets short": replaced("word_offsets", lambda a: a[:-1]),
    "word counts short": replaced("word_counts", lambda a: a[:-1]),
    "output missing": replaced("output", lambda a: None),
    "output short": replaced("output", lambda a: a[:-1]),
    "output narrow": replaced("output", lambda a: np.ascontiguousarray(a[:, :20])),
    "output double": replaced("output", lambda a: a.astype(np.float64)),
    "output NaN": replaced("output", put(np.nan, 3, 3)),
    "output padding": replaced("output", put(1.0, 2, 20)),
}
WORDS = {
    "mode unknown": edited(parameters__mode="dm"),
    "freeze unknown": edited(parameters__freeze="all"),
    "subwords a number": edited(parameters__subwords=3),
    "subwords turned round": edited(parameters__subwords=[4, 3]),
    "subwords from nowhere": edited(parameters__subwords=[3, 4], parameters__buckets=9),
    "senses of another class": edited(parameters__senses=2),
    "input missing": replaced("input", lambda a: None),
    "input short": replaced("input", lambda a: a[:-1]),
    "input flat": replaced("input", lambda a: a.ravel()),
    "input infinite": replaced("input", put(np.inf, 0, 0)),
    "input padding": replaced("input", put(-1.0, 39, 31)),
}
SUBWORDS = {
    "subwords gone": edited(parameters__subwords=None),
    "buckets fewer": edited(parameters__buckets=499),
    "buckets more": edited(parameters__buckets=2**31 - 1),
    "a bucket NaN": replaced("input", put(np.nan, -1, 0)),
}
WRONG_SENSES = "the model's senses do not fit its words"
WRONG_PRIORS = "the model's priors are no falling probabilities"
SENSES = {  # every word has two senses
    "senses fewer": (edited(parameters__senses=1), WRONG_SENSES),
    "senses too many": (edited(parameters__senses=65), "`senses` must be at most 64, got 65"),
    "prune above 1": (edited(parameters__prune=1.1), "`prune` must be at most 1, got 1.1"),
    "offsets missing": (replaced("sense_offsets", lambda a: None), "is missing"),
    "offsets signed": (replaced("sense_offsets", lambda a: a.astype(np.int64)), "must be of uint6"),
    "offsets short": (replaced("sense_offsets", lambda a: a[:-1]), "must have the shape"),
    "offsets from 1": (replaced("sense_offsets", put(1, 0)), WRONG_SENSES),
    "a word of no sense": (replaced("sense_offsets", put(0, 1)), WRONG_SENSES),
    "a word of three": (replaced("sense_offsets", put(3, 1)), WRONG_SENSES),
    "offsets huge": (replaced("sense_offsets", put(2**64 - 1, -1)), WRONG_SENSES),
    "offsets past the end": (replaced("sense_offsets", put(41, -1)), None),
    "senses short": (replaced("senses", lambda a: a[:-1]), "must have the shape"),
    "senses NaN": (replaced("senses", put(np.nan, 1, 1)), "weights are not finite"),
    "senses padding": (replaced("senses", put(1.0, 1, 20)), "padding"),
    "gate missing": (replaced("gate", lambda a: None), "'gate' is missing"),
    "gate infinite": (replaced("gate", put(-np.inf, 1, 1)), "weights are not finite"),
    "gate padding": (replaced("gate", put(1.0, 1, 31)), "padding"),
    "gate bias short": (replaced("gate_bias", lambda a: a[:-1]), "must have the shape"),
    "gate bias NaN": (replaced("gate_bias", put(np.nan, 5)), "weights are not finite"),
    "priors short": (replaced("priors", lambda a: a[:-1]), "must have the shape"),
    "priors single": (replaced("priors", lambda a: a.astype(np.float32)), "must be of float64"),
    "priors NaN": (replaced("priors", put(np.nan, 2)), WRONG_PRIORS),
    "priors rise": (replaced("priors", put([0.25, 0.75], slice(0, 2))), WRONG_PRIORS),
    "priors above 1": (replaced("priors", put([1.5, -0.5], slice(0, 2))), WRONG_PRIORS),
    "priors below 1": (replaced("priors", put([0.5, 0.25], slice(0, 2))), WRONG_PRIORS),
}


@pytest.mark.parametrize("damage", HEADERS)
@pytest.mark.parametrize("model", ["skip-gram", "senses"])
def test_a_well_formed_file_of_nonsense_is_refused(model, damage, contents, tmp_path):
    refused(model, HEADERS[damage], contents, tmp_path / "bad")


@pytest.mark.parametrize("damage", WORDS)
def test_word_vectors_that_do_not_fit_are_refused(damage, contents, tmp_path):
    refused("cbow", WORDS[damage], contents, tmp_path / "bad")


@pytest.mark.parametrize("damage", SUBWORDS)
def test_subwords_that_do_not_fit_are_refused(damage, contents, tmp_path):
    refused("subwords", SUBWORDS[damage], contents, tmp_path / "bad")


@pytest.mark.parametrize("damage", SENSES)
def test_senses_that_do_not_fit_are_refused_with_the_reason(damage, contents, tmp_path):
    edit, match = SENSES[damage]
    refused("senses", edit, contents, tmp_path / "bad", match)


@each_maker
def test_cut_and_changed_files_are_refused(make, tmp_path):
    path = tmp_path / "model"
    make().fit(TEXTS[:5]).save(path)
    whole = path.read_bytes()
    for size in (*range(0, 200, 23), len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(FormatError):
            load(path)
    for place in range(40, len(whole), len(whole) // 40):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            verify(path)
        except FormatError:
            continue
        raise AssertionError(f"byte {place} was changed and nothing was said")


def test_the_wrong_class_and_the_wrong_kind_are_refused(tmp_path):
    MAKERS["cbow"]().fit(TEXTS).save(tmp_path / "words")
    with pytest.raises(FormatError, match="words: holds a Word2Vec, not a DisambiguatedSkipGram"):
        DisambiguatedSkipGram.load(tmp_path / "words")
    Codes(np.zeros((2, 1), np.uint8)).save(tmp_path / "codes")
    with pytest.raises(FormatError, match="codes: holds a Codes, not a Word2Vec"):
        Word2Vec.load(tmp_path / "codes")
    with pytest.raises(FileNotFoundError):
        Word2Vec.load(tmp_path / "nothing")

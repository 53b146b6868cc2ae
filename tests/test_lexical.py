"""BM25: answers against the formula, adding, ids, masks, files, and what it refuses."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from reference import bm25 as twin

from bitsense import (
    BM25Index,
    FormatError,
    NotFittedError,
    Tokenizer,
    _file_kinds,
    files,
    info,
    load,
    verify,
)
from bitsense._bm25_file import bm25_bytes

TOKENS = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "été", "x7"]), max_size=8)
DOCUMENTS = st.lists(TOKENS, min_size=1, max_size=12)
WORDS = st.sampled_from(["a", "b", "c", "d", "e", "new"])
QUERIES = st.lists(st.lists(WORDS, max_size=6), max_size=4)
TEXTS = ["red wine", "white wine and fish", "a fast red car", "", "fish and fish"]


def texts(lists):
    return [" ".join(tokens) for tokens in lists]


def same(found, expected):
    assert np.array_equal(found[0], expected[0])
    assert np.array_equal(found[1], expected[1])
    assert found[1].dtype == np.float32


@given(
    DOCUMENTS,
    QUERIES,
    st.integers(1, 15),
    st.sampled_from([(1.2, 0.75), (0, 0.5), (2.5, 0), (0.9, 1)]),
    st.data(),
)
def test_any_search_equals_its_twin(documents, queries, k, parameters, data):
    mask = data.draw(st.none() | hnp.arrays(np.bool_, len(documents)))
    index = BM25Index(*parameters).fit(texts(documents))
    found = index.search(texts(queries), k, mask=mask, threads=data.draw(st.integers(1, 3)))
    same(found, twin.search(queries, documents, k, *parameters, mask))


@given(st.lists(DOCUMENTS, min_size=1, max_size=5), QUERIES)
def test_adding_gives_the_index_of_one_fit(parts, queries):
    index = BM25Index().fit(texts(parts[0]))
    for part in parts[1:]:
        assert index.add(texts(part)) is index
    documents = [tokens for part in parts for tokens in part]
    assert len(index) == len(documents)
    same(index.search(texts(queries), 99), twin.search(queries, documents, 99))
    counts = dict(zip(index.vocabulary, index.vocabulary.counts.tolist(), strict=True))
    flat = [token for tokens in documents for token in tokens]
    assert counts == {token: flat.count(token) for token in flat}


@given(DOCUMENTS, QUERIES, st.sampled_from([None, "int", "str"]))
def test_files_hold_all_of_it(documents, queries, kind):
    ids = None
    if kind is not None:
        ids = [i * 7 if kind == "int" else f"d{i}" for i in range(len(documents))]
    index = BM25Index(0.9, 0.4, Tokenizer(ngrams=2)).fit(texts(documents), ids)
    want = index.search(texts(queries), 5)
    loaded = files.load_bytes(bm25_bytes(index))
    assert (loaded.k1, loaded.b, loaded.tokenizer) == (0.9, 0.4, index.tokenizer)
    same(loaded.search(texts(queries), 5), want)
    assert bm25_bytes(loaded) == bm25_bytes(index)


def test_ids_are_answered_with():
    index = BM25Index().fit(TEXTS[:3], ["x", "y", "z"])
    ids, _ = index.search(["red", "fish"], 1)
    assert ids.tolist() == [["x"], ["y"]]
    index.add(TEXTS[3:], ["v", "w"])
    assert index.search(["fish"], 2)[0].tolist() == [["w", "y"]]
    assert index.ids.tolist() == ["x", "y", "z", "v", "w"]
    numbered = BM25Index().add(TEXTS, range(10, 15))
    assert numbered.search([["fish"]], 1)[0].tolist() == [[14]]


def test_threads_and_batches_change_nothing():
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(300)]
    documents = [" ".join(rng.choice(words, rng.integers(1, 60))) for _ in range(700)]
    queries = [" ".join(rng.choice(words, 5)) for _ in range(40)]
    index = BM25Index().fit(documents)
    once = index.search(queries, 20, threads=1)
    for threads in (2, 5):
        same(index.search(queries, 20, threads=threads), once)
    for i in (0, 39):
        same(index.search([queries[i]], 20), (once[0][i : i + 1], once[1][i : i + 1]))


def test_documents_without_a_word_of_the_query_come_last_by_row():
    index = BM25Index().fit(TEXTS)
    ids, scores = index.search(["car", "nothing known", ""], 10)
    assert ids.tolist() == [[2, 0, 1, 3, 4], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]]
    assert (scores[0] > 0).tolist() == [True, False, False, False, False]
    assert not scores[1:].any()
    ids, _ = index.search(["car"], 10, mask=[False, True, False, True, False])
    assert ids.tolist() == [[1, 3]]
    assert index.search(["car"], 10, mask=[False] * 5)[0].shape == (1, 0)
    assert index.search([], 10)[0].shape == (0, 5)
    empty = BM25Index().fit(["", "!"])
    assert empty.search(["x"])[0].tolist() == [[0, 1]]
    empty.add(["x"])
    assert empty.search(["x"])[0].tolist() == [[2, 0, 1]]


def test_save_load_copy(tmp_path):
    path = tmp_path / "index.bitsense"
    index = BM25Index().fit(TEXTS, ["a", "b", "c", "d", "e"])
    index.save(path)
    assert info(path)["kind"] == verify(path)["kind"] == "bm25"
    want = index.search(TEXTS, 3)
    copies = pickle.loads(pickle.dumps(index)), copy.deepcopy(index)
    for other in (load(path), BM25Index.load(path), *copies):
        same(other.search(TEXTS, 3), want)
        other.add(["more"], ["f"])
    assert repr(index) == "<BM25Index: 5 documents, 8 terms>"
    unfitted = copy.deepcopy(BM25Index(2, 0.5))
    assert repr(unfitted) == "<BM25Index: not fitted, k1=2, b=0.5>"
    assert len(unfitted) == 0


def test_another_kind_is_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(_file_kinds._loaders, "thing", lambda header, arrays: 7)
    files.write_file(tmp_path / "x", "thing", {}, {})
    with pytest.raises(FormatError) as error:
        BM25Index.load(tmp_path / "x")
    assert str(error.value) == f"{tmp_path / 'x'}: holds a int, not a BM25Index"


@pytest.mark.parametrize(
    "change",
    [
        lambda h, a: h.update(k1=-1.0),
        lambda h, a: h.update(b=2.0),
        lambda h, a: h.update(ids="int"),
        lambda h, a: h.update(ids="other"),
        lambda h, a: h.update(tokenizer={}),
        lambda h, a: a.pop("rows"),
        lambda h, a: a.update(lengths=a["lengths"][:2]),
        lambda h, a: a.update(words=a["words"][:-1]),
        lambda h, a: a.update(word_counts=a["word_counts"][1:]),
        lambda h, a: a.update(offsets=np.append(a["offsets"], a["offsets"][-1:])),
        lambda h, a: a.update(offsets=a["offsets"][:0]),
        lambda h, a: a.update(offsets=a["offsets"][::-1].copy()),
        lambda h, a: a["rows"].fill(0),
        lambda h, a: a["rows"].fill(99),
        lambda h, a: a["counts"].fill(0),
        lambda h, a: a.update(counts=a["counts"][1:]),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(change):
    header, arrays = files.read_bytes(bm25_bytes(BM25Index().fit(TEXTS)))
    arrays = {name: array.copy() for name, array in arrays.items()}
    assert len(files.load_bytes(files.write_bytes("bm25", header, arrays))) == len(TEXTS)
    change(header, arrays)
    with pytest.raises(FormatError):
        files.load_bytes(files.write_bytes("bm25", header, arrays))


def fitted(ids=None):
    return BM25Index().fit(TEXTS, ids)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: BM25Index(-1), ValueError, "`k1` must be at least 0, got -1"),
        (lambda: BM25Index(b=1.5), ValueError, "`b` must be at most 1, got 1.5"),
        (
            lambda: BM25Index(tokenizer=3),
            TypeError,
            "`tokenizer` must be a Tokenizer or a callable, got int",
        ),
        (
            lambda: BM25Index().search(["x"]),
            NotFittedError,
            "this BM25Index has no documents yet: call `fit` first",
        ),
        (lambda: fitted().search("x"), TypeError, "`texts` must be a list of texts, got str"),
        (lambda: BM25Index().fit("x"), TypeError, "`texts` must be a list of texts, got str"),
        (lambda: BM25Index().fit([]), ValueError, "`texts` must hold at least 1 text, got 0"),
        (lambda: fitted([1]), ValueError, "`ids` must have 5 items, got 1"),
        (lambda: fitted([1, 2, 3, 4, 1]), ValueError, "`ids` must be distinct, got 1 twice"),
        (
            lambda: fitted().add(["x"], [1]),
            ValueError,
            "`ids` must be given for all documents or for none; these have none",
        ),
        (
            lambda: fitted("abcde").add(["x"]),
            ValueError,
            "`ids` must be given for all documents or for none; these have ids",
        ),
        (
            lambda: fitted("abcde").add(["x"], ["a"]),
            ValueError,
            "`ids` must be distinct, got 'a' twice",
        ),
        (
            lambda: fitted("abcde").add(["x"], [1]),
            TypeError,
            "`ids` must be all int or all str, got int, str",
        ),
        (lambda: fitted().search(["x"], 0), ValueError, "`k` must be at least 1, got 0"),
        (
            lambda: fitted().search(["x"], mask=[True]),
            ValueError,
            "`mask` must have shape (5,), got (1,)",
        ),
        (
            lambda: bm25_bytes(BM25Index(tokenizer=str.split).fit(["a b"])),
            TypeError,
            "`tokenizer` must be a Tokenizer for the index to be saved: a file holds no callable",
        ),
    ],
)
def test_wrong_arguments_give_one_clear_sentence(call, kind, message):
    with pytest.raises(kind) as error:
        call()
    assert str(error.value) == message


def test_a_bad_text_is_named_and_changes_nothing():
    index = fitted()
    for add in (index.add, index.fit, index.search):
        with pytest.raises(TypeError, match=r"`texts`"):
            add(["x", 3])
    assert len(index) == 5
    assert index.search(["car"], 1)[0].tolist() == [[2]]


def test_a_callable_cuts_texts():
    index = BM25Index(tokenizer=str.split).fit(["A-b c", "c d"])
    assert list(index.vocabulary) == ["c", "A-b", "d"]
    assert index.search(["A-b"], 1)[0].tolist() == [[0]]

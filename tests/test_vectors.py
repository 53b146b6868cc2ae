"""Vectors with keys: exact neighbours in any batch, filters, analogies, files."""

from __future__ import annotations

import copy
import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import vectors as slow

from bitsense import Codes, FormatError, WordVectors, files, load, verify
from bitsense import _vector_search as search
from bitsense._subwords import Subwords

RNG = np.random.default_rng(7)


def words(n):
    return [f"w{row}" for row in range(n)]


def tied(n, dim, seed=0):
    """Vectors of few different values: many are equal, some are zero."""
    return np.random.default_rng(seed).integers(-1, 2, (n, dim)).astype(np.float32)


@pytest.fixture(scope="module")
def wv():
    matrix = RNG.normal(size=(600, 12)).astype(np.float32)
    matrix[5] = 0
    matrix[40:80] = matrix[3]
    return WordVectors(words(600), matrix, counts=np.arange(600)[::-1])


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 70), st.integers(0, 99))
def test_neighbors_equal_the_slow_twin_and_ties_go_to_the_smaller_row(n, dim, k, seed):
    wv = WordVectors(words(n), tied(n, dim, seed))
    mask = np.random.default_rng(seed).random(n) < 0.6
    ids, similarities = wv.neighbors(np.arange(n), k=k, filter=mask)
    for row in range(n):
        allowed = [each for each in range(n) if mask[each] and each != row]
        wanted = slow.neighbors(wv.unit_vectors, wv.unit_vectors[row], allowed, k)
        assert list(zip(ids[row][: len(wanted)], similarities[row], strict=False)) == wanted
        assert (ids[row][len(wanted) :] == -1).all()
        assert np.isnan(similarities[row][len(wanted) :]).all()


def test_a_batch_answers_as_one_by_one(wv, monkeypatch):
    queries = RNG.normal(size=(50, 12)).astype(np.float32)
    together = wv.neighbors(queries, k=20)
    for step in (1, 7):
        parts = [wv.neighbors(queries[i : i + step], k=20) for i in range(0, 50, step)]
        for whole, pieces in zip(together, zip(*parts, strict=True), strict=True):
            assert np.array_equal(whole, np.concatenate(pieces))
    monkeypatch.setattr(search, "_CELLS", 1300)
    for whole, again in zip(together, wv.neighbors(queries, k=20), strict=True):
        assert np.array_equal(whole, again)


def test_many_rows_are_searched_by_runs():
    matrix = RNG.normal(size=(20_000, 6)).astype(np.float32)
    wv = WordVectors(words(20_000), matrix)
    ids, similarities = wv.neighbors(np.array([17]), k=25)
    exact = search.cosines(wv.unit_vectors, np.arange(20_000), wv.unit_vectors[17])
    order = [row for row in np.lexsort((np.arange(20_000), -exact)) if row != 17][:25]
    assert ids[0].tolist() == order
    assert np.array_equal(similarities[0], exact[order])


def test_zero_vectors_are_similar_to_nothing(wv):
    assert wv.similarity("w5", "w5") == 0
    assert not wv.unit_vectors[5].any()
    assert wv.most_similar("w5", k=3) == [("w0", 0.0), ("w1", 0.0), ("w2", 0.0)]
    assert wv.most_similar(np.zeros(12, np.float32), k=1) == [("w0", 0.0)]
    assert wv.most_similar("w1", "w1", k=1) == [("w0", 0.0)]


def test_most_similar_takes_keys_vectors_and_weights(wv):
    best = wv.most_similar("w9", k=4)
    assert best == wv.most_similar(["w9"], k=4) == wv.most_similar([("w9", 2.5)], k=4)
    assert wv.most_similar(wv["w9"], k=1) == [("w9", 1.0)]
    assert [s for _, s in best] == wv.similarities(["w9"] * 4, [k for k, _ in best]).tolist()
    units = wv.unit_vectors.astype(np.float64)
    query = slow.unit(units[1] + 0.5 * units[2] - units[4])
    allowed = [row for row in range(600) if row not in (1, 2, 4)]
    wanted = slow.neighbors(wv.unit_vectors, query, allowed, 10)
    got = wv.most_similar(["w1", ("w2", 0.5)], "w4")
    assert got == [(f"w{row}", float(score)) for row, score in wanted]
    assert got == wv.most_similar(["w1", (wv["w2"], 0.5)], ["w4"], exclude=["w2"])


def test_candidates_can_be_restricted(wv):
    everything = wv.most_similar("w9", k=599)
    assert len(everything) == 599

    def only(passes, k):
        return [pair for pair in everything if passes(int(pair[0][1:]))][:k]

    assert wv.most_similar("w9", k=3, restrict_to=100) == only(lambda row: row < 100, 3)
    assert wv.most_similar("w9", k=3, restrict_to=10**9) == everything[:3]
    few = ["w400", "w3", "w9", "w77"]
    assert wv.most_similar("w9", restrict_to=few) == only(lambda row: row in (400, 3, 77), 9)
    odd = np.arange(600) % 2 == 1
    for passes in (odd, lambda key: int(key[1:]) % 2 == 1):
        assert wv.most_similar("w9", k=7, filter=passes) == only(lambda row: row % 2, 7)
        got = wv.most_similar("w9", k=7, restrict_to=50, exclude=["w7", "none"], filter=passes)
        assert got == only(lambda row: row % 2 and row < 50 and row != 7, 7)
    assert wv.most_similar("w9", filter=np.zeros(600, bool)) == []


@pytest.mark.parametrize("method", ["3cosadd", "3cosmul"])
@given(seed=st.integers(0, 50))
def test_analogies_and_ranks_equal_the_slow_twin(method, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 40))
    wv = WordVectors(words(n), tied(n, int(rng.integers(1, 6)), seed))
    questions = rng.integers(0, n, (20, 4))
    ids, scores = wv.analogies(questions[:, :3], k=5, method=method)
    ranks = wv.analogy_ranks(questions, method=method)
    for row, (a, b, c, d) in enumerate(questions):
        every = slow.ordered(slow.analogy_scores(wv.unit_vectors, a, b, c, method), n)
        found = [pair for pair in zip(ids[row], scores[row], strict=True) if pair[0] >= 0]
        assert found == every[:5]
        order = [each for each, _ in every]
        assert ranks[row] == (order.index(d) + 1 if d in order else 0)


@pytest.mark.parametrize("method", ["3cosadd", "3cosmul"])
def test_ranks_agree_with_answers_in_blocks_and_under_restriction(wv, method, monkeypatch):
    questions = RNG.integers(0, 600, (300, 4))
    ranks = wv.analogy_ranks(questions, method=method)
    ids, _ = wv.analogies(questions[:, :3], k=600, method=method)
    for rank, row, question in zip(ranks, ids, questions, strict=True):
        place = np.flatnonzero(row == question[3])
        assert rank == (place[0] + 1 if place.size else 0)
    from bitsense import _vector_analogies as module

    for name, value in (("_QUESTIONS", 70), ("_CELLS", 999), ("_WORD_CELLS", 5000)):
        monkeypatch.setattr(module, name, value)
    assert np.array_equal(ranks, wv.analogy_ranks(questions, method=method))
    small = wv.analogy_ranks(questions, method=method, restrict_to=90)
    few = wv.analogy_ranks(questions, method=method, restrict_to=words(90))
    assert np.array_equal(small, few)
    assert ((small > 0) == ((ranks > 0) & (questions[:, 3] < 90))).all()


def test_a_planted_analogy_is_found():
    table = {"man": [1, 0, 0], "woman": [1, 1, 0], "king": [1, 0, 1], "queen": [1, 1, 1]}
    wv = WordVectors(list(table), list(table.values()))
    for method in ("3cosadd", "3cosmul"):
        assert wv.analogy("man", "woman", "king", method=method)[0][0] == "queen"
        assert wv.analogy_ranks([tuple(table)], method=method).tolist() == [1]
    assert WordVectors(list("abc"), [[1, 0], [1, 0.1], [0, 1]]).doesnt_match(["a", "b", "c"]) == "c"


def test_vectors_are_not_copied_and_not_writable():
    padded = np.zeros((3, 16), np.float32)
    padded[:, :5] = 1
    wv = WordVectors(list("abc"), padded[:, :5])
    assert np.shares_memory(wv.vectors, padded)
    assert padded.flags.writeable
    for array in (wv.vectors, wv["a"], wv.unit_vectors):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(TypeError):
        wv.key_to_index["d"] = 3
    assert wv.index_to_key == list("abc") == list(wv)
    assert dict(wv.key_to_index) == {"a": 0, "b": 1, "c": 2}
    assert repr(wv) == "<WordVectors: 3 keys of 5 dimensions>"
    assert wv[["c", "a"]].shape == (2, 5)
    assert wv[[]].shape == (0, 5)


def test_unknown_keys_say_what_is_near(wv):
    few = WordVectors(["bank", "river", "Berlin"], np.eye(3))
    with pytest.raises(KeyError) as caught:
        few["bnak"]
    assert str(caught.value) == "'bnak' is not among the 3 keys; near ones: 'bank'"
    assert str(pickle.loads(pickle.dumps(caught.value))).count("near ones") == 1
    with pytest.raises(KeyError, match="near ones: 'Berlin'"):
        few.similarity("berlin", "bank")
    with pytest.raises(KeyError, match="'x' is not among the 3 keys; 2 of 3 are unknown"):
        few[["bank", "x", "y"]]
    assert few.get("x") is None
    assert few.get("x", 3) == 3
    with pytest.raises(KeyError):
        few.most_similar("bank", restrict_to=["none"])


def test_subwords_compose_unknown_words():
    table = RNG.normal(size=(50, 4)).astype(np.float32)
    wv = WordVectors(["water"], np.ones((1, 4)), subwords=Subwords(2, 3, 50, table))
    composed = table[wv.subwords.ids("waters")].astype(np.float64).mean(axis=0)
    assert np.array_equal(wv["waters"], composed.astype(np.float32))
    assert np.array_equal(wv[["water", "waters"]], [wv["water"], wv["waters"]])
    assert "waters" not in wv
    assert wv.most_similar("waters")[0][0] == "water"
    assert np.array_equal(pickle.loads(pickle.dumps(wv))["waters"], wv["waters"])


PAIR = WordVectors(["a", "b"], np.eye(2))
BAD = [
    (lambda: WordVectors(["a", "a"], np.eye(2)), ValueError,
     "`keys` must be distinct, got 'a' twice"),
    (lambda: WordVectors(["a", ""], np.eye(2)), ValueError,
     "`keys` must not be empty, number 1 is"),
    (lambda: WordVectors(["a", 1], np.eye(2)), TypeError,
     "`keys` must be strings, got 1"),
    (lambda: WordVectors(["\ud800"], [[1]]), ValueError,
     "`keys` must be valid Unicode, got '\\ud800'"),
    (lambda: WordVectors(list("ab"), np.eye(3)), ValueError,
     "`vectors` must have 2 rows, one for each key, got 3"),
    (lambda: WordVectors(["a"], [[np.nan]]), ValueError,
     "`vectors` must be finite in float32, row 0 is not"),
    (lambda: WordVectors(["a"], [[1]], counts=[-1]), ValueError,
     "`counts` must not be negative, got -1"),
    (lambda: WordVectors(["a"], [[1]], subwords=3), TypeError,
     "`subwords` must have a method `vector`, got 3"),
    (lambda: PAIR.most_similar(), ValueError,
     "`positive` and `negative` must name at least one key or vector"),
    (lambda: PAIR.most_similar("a", filter=[1, 0]), TypeError,
     "`filter` must be a callable or a bool array, got dtype int64"),
    (lambda: PAIR.most_similar("a", restrict_to=0), ValueError,
     "`restrict_to` must be at least 1, got 0"),
    (lambda: PAIR.neighbors(np.array([2])), IndexError,
     "`queries` must be rows from 0 to 1, got 2"),
    (lambda: PAIR.neighbors("a"), TypeError,
     "`queries` must be a list of keys, got one string: 'a'"),
    (lambda: PAIR.analogy("a", "b", "a", method="x"), ValueError,
     "`method` must be one of '3cosadd', '3cosmul', got 'x'"),
    (lambda: PAIR.analogy_ranks(np.zeros((1, 3), int)), ValueError,
     "`questions` must have the shape (n, 4), got (1, 3)"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), BAD)
def test_wrong_arguments_are_named(call, kind, message):
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        call()


def test_files_and_pickles_give_the_same_back(wv, tmp_path):
    table = Subwords(1, 2, 9, RNG.normal(size=(9, 12)))
    for each in (wv, WordVectors(wv.index_to_key, wv.vectors, subwords=table)):
        each.save(tmp_path / "file")
        assert verify(tmp_path / "file")["kind"] == "vectors"
        for got in (
            load(tmp_path / "file"),
            WordVectors.load(tmp_path / "file"),
            copy.deepcopy(each),
        ):
            assert type(got) is WordVectors
            assert got.index_to_key == each.index_to_key
            assert np.array_equal(got.vectors, each.vectors)
            assert (got.counts is None) == (each.counts is None)
            assert each.counts is None or np.array_equal(got.counts, each.counts)
            assert repr(got.subwords) == repr(each.subwords)
            got.save(tmp_path / "again")
            assert (tmp_path / "again").read_bytes() == (tmp_path / "file").read_bytes()
    Codes(np.zeros((2, 1), np.uint8)).save(tmp_path / "codes")
    with pytest.raises(FormatError, match="codes: holds a Codes, not a WordVectors"):
        WordVectors.load(tmp_path / "codes")


WRONG = {
    "class": lambda h, a: h.update({"class": "Vectors"}),
    "no class": lambda h, a: h.pop("class"),
    "subwords": lambda h, a: h.update(subwords=3),
    "subword sizes": lambda h, a: h["subwords"].update(min_n=3),
    "bucket count": lambda h, a: h["subwords"].update(buckets=10),
    "no buckets": lambda h, a: a.pop("buckets"),
    "bucket width": lambda h, a: a.update(buckets=a["buckets"][:, :2].copy()),
    "keys twice": lambda h, a: a.update(files.pack_strings("keys", ["a", "a", "c"])),
    "key empty": lambda h, a: a.update(files.pack_strings("keys", ["a", "", "c"])),
    "keys few": lambda h, a: a.update(files.pack_strings("keys", ["a"])),
    "no keys": lambda h, a: a.pop("keys"),
    "not UTF-8": lambda h, a: a.update(keys=a["keys"] | 128),
    "NaN": lambda h, a: a.update(vectors=a["vectors"] * np.float32(np.nan)),
    "double": lambda h, a: a.update(vectors=a["vectors"].astype(np.float64)),
    "flat": lambda h, a: a.update(vectors=a["vectors"].ravel()),
    "counts": lambda h, a: a.update(counts=a["counts"][:1]),
    "signed counts": lambda h, a: a.update(counts=a["counts"].astype(np.int64)),
}


@pytest.mark.parametrize("damage", WRONG)
def test_a_well_formed_file_of_nonsense_is_refused(damage, tmp_path):
    wv = WordVectors(
        list("abc"), np.eye(3), counts=[3, 2, 1], subwords=Subwords(1, 2, 9, np.ones((9, 3)))
    )
    wv.save(tmp_path / "good")
    header, arrays = files.read_file(tmp_path / "good")
    WRONG[damage](header, arrays)
    files.write_file(tmp_path / "bad", "vectors", header, arrays)
    with pytest.raises(FormatError, match="bad: corrupt"):
        load(tmp_path / "bad")

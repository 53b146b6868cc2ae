"""faiss and usearch: the same distances as ours, and the same codes back."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from bridging import clustered_codes, needed, random_codes, run_recipe

from bitsense import Codes, HammingIndex, bridges, hamming_distances

MAKERS = pytest.mark.parametrize("make", [random_codes, clustered_codes])


@pytest.fixture
def faiss():
    return needed("faiss")


@pytest.fixture
def usearch():
    return needed("usearch.index")


@MAKERS
@pytest.mark.parametrize("bits", [8, 64, 136, 256])
def test_faiss_gives_equal_distances(faiss, make, bits):
    codes, queries = make(1000, bits), make(20, bits, seed=1)
    index = bridges.to_faiss(codes)
    assert type(index) is faiss.IndexBinaryFlat
    distances, rows = index.search(queries.data, 50)
    assert np.array_equal(distances, HammingIndex(codes).search(queries, k=50)[1])
    every = hamming_distances(queries, codes)
    assert np.array_equal(np.take_along_axis(every, rows, axis=1), distances)


@MAKERS
def test_faiss_answers_with_ids(faiss, make):
    codes = make(300, 64, ids=np.arange(300) * 7 - 500)
    index = bridges.to_faiss(codes)
    distances, ids = index.search(codes.data[:9], 20)
    ours, equal = HammingIndex(codes).search(codes[:9], k=20)
    assert np.array_equal(distances, equal)
    for got, want, distance in zip(ids, ours, distances, strict=True):
        inner = distance < distance[-1]  # those at the last distance may be others
        assert set(got[inner]) == set(want[inner])


@pytest.mark.parametrize("ids", [None, [5, -3, 2**62]])
def test_codes_come_back_from_faiss(faiss, ids):
    codes = random_codes(3, 64, ids=ids)
    assert bridges.from_faiss(bridges.to_faiss(codes)) == codes
    assert bridges.from_faiss(bridges.to_faiss(codes.data)).ids is None


def test_other_maps_and_empty_indexes_of_faiss_are_read(faiss):
    codes = random_codes(4, 16, ids=[4, 3, 2, 1])
    index = faiss.IndexBinaryIDMap2(faiss.IndexBinaryFlat(16))
    index.add_with_ids(codes.data, codes.ids)
    assert bridges.from_faiss(index) == codes
    empty = bridges.from_faiss(faiss.IndexBinaryFlat(24))
    assert (len(empty), empty.bits) == (0, 24)
    assert bridges.to_faiss(empty).ntotal == 0


def test_what_faiss_cannot_hold_is_refused(faiss):
    with pytest.raises(ValueError) as caught:
        bridges.to_faiss(random_codes(3, 100))
    assert str(caught.value) == "`codes` must have a multiple of 8 bits for faiss, got 100"
    with pytest.raises(ValueError) as caught:
        bridges.to_faiss(random_codes(2, 8, ids=["a", "b"]))
    assert str(caught.value) == "`ids` must be int for faiss, got str"
    with pytest.raises(TypeError, match=r"^`index` must be an IndexBinaryFlat, or .*, got int$"):
        bridges.from_faiss(3)
    with pytest.raises(TypeError, match=r"got IndexBinaryHNSW$"):
        bridges.from_faiss(faiss.IndexBinaryHNSW(64, 8))


@MAKERS
@pytest.mark.parametrize("bits", [8, 64, 100, 256])
def test_usearch_gives_equal_distances(usearch, make, bits):
    codes, queries = make(800, bits), make(20, bits, seed=1)
    index = bridges.to_usearch(codes, threads=1)
    found = index.search(queries.data, 30, exact=True)
    assert np.array_equal(found.distances, HammingIndex(codes).search(queries, k=30)[1])
    found = index.search(queries.data, 10)  # approximate, but what it says is right
    every = hamming_distances(queries, codes)
    rows = found.keys.astype(np.int64)
    assert np.array_equal(np.take_along_axis(every, rows, axis=1), found.distances)


@pytest.mark.parametrize("bits", [8, 64, 100])
def test_codes_come_back_from_usearch(usearch, bits):
    codes = random_codes(50, bits)
    back = bridges.from_usearch(bridges.to_usearch(codes))
    assert np.array_equal(back.data, codes.data)
    assert back.bits == bits
    assert back.ids.tolist() == list(range(50))
    named = random_codes(3, bits, ids=[30, 10, 2**62])
    assert bridges.from_usearch(bridges.to_usearch(named)) == named[[1, 0, 2]]


def test_options_reach_usearch_and_empty_codes_pass(usearch):
    empty = Codes(np.empty((0, 2), np.uint8), 12)
    index = bridges.to_usearch(empty, connectivity=7)
    assert (len(index), index.connectivity) == (0, 7)
    back = bridges.from_usearch(index)
    assert (len(back), back.bits) == (0, 12)


def test_what_usearch_cannot_hold_is_refused(usearch):
    with pytest.raises(ValueError) as caught:
        bridges.to_usearch(random_codes(2, 8, ids=[4, -1]))
    assert str(caught.value) == "`ids` must not be negative for usearch, got -1"
    with pytest.raises(ValueError, match=r"^`ids` must be int for usearch, got str$"):
        bridges.to_usearch(random_codes(2, 8, ids=["a", "b"]))
    with pytest.raises(TypeError, match=r"^`index` must be a usearch Index of dtype 'b1', got 3$"):
        bridges.from_usearch(3)
    with pytest.raises(TypeError, match="of dtype 'b1'"):
        bridges.from_usearch(usearch.Index(ndim=8, metric="cos", dtype="f32"))
    several = usearch.Index(ndim=8, metric="hamming", dtype="b1", multi=True)
    with pytest.raises(ValueError, match=r"^`index` must have one code for a key, got one made"):
        bridges.from_usearch(several)
    index = usearch.Index(ndim=12, metric="hamming", dtype="b1")
    index.add(np.array([1], np.uint64), np.full((1, 2), 255, np.uint8))
    with pytest.raises(ValueError, match=r"^`data` must have zero padding bits after bit 12$"):
        bridges.from_usearch(index)
    index = usearch.Index(ndim=8, metric="hamming", dtype="b1")
    index.add(np.array([2**63 + 5], np.uint64), np.zeros((1, 1), np.uint8))
    with pytest.raises(ValueError, match=r"^`index` must have keys of 63 bits, got 9223372036"):
        bridges.from_usearch(index)


@pytest.mark.parametrize(
    ("module", "call", "package"),
    [
        ("faiss", lambda: bridges.to_faiss(random_codes(1, 8)), "faiss-cpu"),
        ("faiss", lambda: bridges.from_faiss(None), "faiss-cpu"),
        ("usearch", lambda: bridges.to_usearch(random_codes(1, 8)), "usearch"),
        ("usearch", lambda: bridges.from_usearch(None), "usearch"),
    ],
)
def test_a_missing_package_is_named(monkeypatch, module, call, package):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, f"{module}.index", raising=False)
    with pytest.raises(ImportError) as caught:
        call()
    assert str(caught.value) == (
        f"this needs {package}, which is not installed: pip install 'bitsense[bridges]'"
    )


def test_the_recipes_run(faiss, usearch):
    names = run_recipe("faiss and usearch")
    assert names["back"] == names["codes"]
    assert np.array_equal(names["distances"], names["same"])

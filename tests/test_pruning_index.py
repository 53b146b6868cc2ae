"""A HammingIndex of kind "auto": when it builds lists, and its answers."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from bitsense import HammingIndex, _core, load
from bitsense._inverted_lists import CodeLists
from bitsense._structures import Tables

ROWS = 6000


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr("bitsense._hamming_index._LISTS_FROM", 2000)
    monkeypatch.setattr("bitsense._merge.FEW_ROWS", 50)
    monkeypatch.setattr("bitsense._inverted_lists._MANY_CODES", 3000)


@pytest.fixture
def codes():
    rng = np.random.default_rng(1)
    centers = rng.integers(0, 2, (20, 128), np.uint8)
    bits = centers[rng.integers(0, 20, ROWS)] ^ (rng.random((ROWS, 128)) < 0.1)
    return np.packbits(bits, axis=1)


def structure(index):
    return index._store.snapshot.structure


def same(index, flat, queries, k=10, **filters):
    for one, other in zip(
        index.search(queries, k, **filters), flat.search(queries, k, **filters), strict=True
    ):
        assert np.array_equal(one, other)
    for one, other in zip(
        index.range_search(queries, 20, **filters),
        flat.range_search(queries, 20, **filters),
        strict=True,
    ):
        assert np.array_equal(one, other)


def test_lists_are_built_when_scans_have_cost_as_much(codes):
    index = HammingIndex(codes)
    needed = CodeLists.cost(ROWS) // ROWS
    index.search(codes[: needed - 1])
    assert structure(index) is None
    index.search(codes[:1])
    assert isinstance(structure(index), CodeLists)
    assert len(structure(index).centers) == 47
    flat = HammingIndex(codes, kind="flat")
    flat.search(np.tile(codes, (2, 1)))
    assert structure(flat) is None
    same(index, flat, codes[::100] ^ np.uint8(3))


def test_build_builds_them_at_once_and_a_small_index_has_none(codes):
    index = HammingIndex(codes)
    index.build()
    assert isinstance(structure(index), CodeLists)
    small = HammingIndex(codes[:1000])
    for _ in range(3):
        small.search(codes)
    assert structure(small) is None


@pytest.mark.parametrize("ids", ["numbers", "strings", "shuffled"])
def test_answers_are_those_of_a_scan_through_all_changes(codes, ids):
    rng = np.random.default_rng(2)
    names = {
        "numbers": None,
        "strings": [f"n{i:05}" for i in rng.permutation(ROWS)],
        "shuffled": rng.permutation(10**6)[:ROWS],
    }[ids]
    year = np.arange(ROWS) % 10
    both = [
        HammingIndex(codes, kind=kind, ids=names, attributes={"year": year})
        for kind in ("auto", "flat")
    ]
    index, flat = both
    index.build()
    queries = codes[rng.integers(0, ROWS, 40)] ^ np.uint8(1)
    for where in (None, "year == 3", "year > 3"):
        same(index, flat, queries, where=where)
        same(index, flat, queries[:2], where=where)
    same(index, flat, queries[:3], k=ROWS + 5)
    mask = np.zeros(ROWS, np.bool_)
    mask[rng.integers(0, ROWS, 70)] = True
    same(index, flat, queries, k=60, mask=mask)
    more = [None if names is None else f"m{i}" for i in range(500)]
    for each in both:
        added = more if ids == "strings" else None
        each.add(codes[:500] ^ np.uint8(8), added, {"year": year[:500]})
        each.remove(each.ids[np.arange(100) * 7])
        each.update(each.ids[1000:1010], codes[:10])
    assert structure(index).rows == ROWS  # the rest is scanned
    for where in (None, "year == 3"):
        same(index, flat, queries, where=where)
    pairs = [list(zip(*map(np.ndarray.tolist, p), strict=True)) for p in index.self_join(6)]
    assert pairs == [list(zip(*map(np.ndarray.tolist, p), strict=True)) for p in flat.self_join(6)]
    assert np.array_equal(index.clusters(12), flat.clusters(12))


def test_what_was_added_is_listed_when_it_has_been_scanned_often(codes):
    index = HammingIndex(codes[:4000])
    index.build()
    centers = structure(index).centers
    index.add(codes[4000:])
    index.search(codes[:50])
    assert structure(index).rows == 4000
    for _ in range(CodeLists.cost(ROWS) // 2000 // 500 + 1):
        index.search(codes[:500])
    assert structure(index).rows == ROWS
    assert np.array_equal(structure(index).centers, centers)
    same(index, HammingIndex(codes, kind="flat"), codes[::60])


def test_codes_without_structure_are_scanned():
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 256, (ROWS, 32), np.uint8)
    index = HammingIndex(codes)
    index.build()
    assert structure(index) is None
    index.search(codes[:2000])
    assert index._scanned == 0  # it is not tried again
    index.add(rng.integers(0, 256, (ROWS, 32), np.uint8))
    index.search(codes[:50])
    assert index._scanned > 0  # until there are twice as many


def test_tables_give_way_to_lists_and_lists_answer_ranges(codes, monkeypatch):
    monkeypatch.setattr("bitsense._hamming_index._TABLES_FROM", 2000)
    index = HammingIndex(codes)
    index.range_search(codes[:3], 5)
    assert isinstance(structure(index), Tables)
    index.build()
    assert isinstance(structure(index), CodeLists)
    same(index, HammingIndex(codes, kind="flat"), codes[:30])
    assert isinstance(structure(index), CodeLists)


def test_a_file_keeps_the_lists(codes, tmp_path):
    index = HammingIndex(codes)
    index.build()
    index.save(tmp_path / "codes")
    again = load(tmp_path / "codes")
    assert isinstance(structure(again), CodeLists)
    same(again, HammingIndex(codes, kind="flat"), codes[::100])
    index.add(codes[:100])
    index.append(tmp_path / "codes")
    same(load(tmp_path / "codes"), index, codes[::100])


def test_searches_in_many_threads_build_once(codes, monkeypatch):
    built = []
    real = CodeLists.pruning.__func__

    def counted(cls, *arguments):
        built.append(1)
        return real(cls, *arguments)

    monkeypatch.setattr(CodeLists, "pruning", classmethod(counted))
    index = HammingIndex(codes)
    wanted = HammingIndex(codes, kind="flat").search(codes[:200], 5)
    wrong = []

    def search():
        for _ in range(5):
            found = index.search(codes[:200], 5)
            if not np.array_equal(found[0], wanted[0]):
                wrong.append(found)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not wrong
    assert len(built) == 1


def test_an_interrupted_build_leaves_the_index_usable(codes, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(_core, "cluster_codes", interrupted)
    index = HammingIndex(codes)
    with pytest.raises(KeyboardInterrupt):
        index.search(codes)
    monkeypatch.undo()
    same(index, HammingIndex(codes, kind="flat"), codes[::100])


def test_equal_distances_go_by_id_among_what_was_added_too():
    rng = np.random.default_rng(4)
    codes = rng.integers(0, 4, (3000, 2), np.uint8)  # sixteen different ones
    names = [f"n{i:05}" for i in rng.permutation(3000)]
    index, flat = (
        HammingIndex(codes[:2500], kind=kind, ids=names[:2500]) for kind in ("auto", "flat")
    )
    index.build()
    for each in (index, flat):
        each.add(codes[2500:], names[2500:])
    assert structure(index).rows == 2500
    same(index, flat, codes[:50])
    for k in (1, 30, 400):
        same(index, flat, codes[:9], k=k)

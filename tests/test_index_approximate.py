"""Indexes that find most of the nearest: recall, filters, threads, changes while they are asked."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from bitsense import CosineIndex, HammingIndex, _index_base, load, pack_signs

APPROXIMATE = {
    "codes": lambda items, **more: HammingIndex(items, kind="graph", **more),
    "lists": lambda items, **more: HammingIndex(items, kind="ivf", **more),
    "graph": lambda items, **more: CosineIndex(items, kind="graph", **more),
    "quantized": lambda items, **more: CosineIndex(items, kind="quantized", **more),
    "l2": lambda items, **more: CosineIndex(items, kind="graph", metric="l2", **more),
    "ip": lambda items, **more: CosineIndex(items, kind="quantized", metric="ip", **more),
    "halves": lambda items, **more: CosineIndex(items, kind="graph", dtype="float16", **more),
    "bytes": lambda items, **more: CosineIndex(items, kind="quantized", dtype="int8", **more),
}


CODES = ("codes", "lists")


def exact(index, items):
    if isinstance(index, HammingIndex):
        return HammingIndex(items, kind="flat", ids=index.ids)
    return CosineIndex(items, kind="flat", ids=index.ids, metric=index.metric, dtype=index.dtype)


def planted(rng, n):
    centers = rng.standard_normal((40, 32))
    return (centers[rng.integers(0, 40, n)] + 0.7 * rng.standard_normal((n, 32))).astype(np.float32)


def recall(found, right):
    """Return the share of answers that are as near as the right ones; ties count as right."""
    return float((found[1] <= right[1][:, -1:]).mean())


@pytest.mark.parametrize("shift", [0, 16])
def test_what_a_graph_reads_begins_with_a_cache_line(shift, monkeypatch, tmp_path):
    monkeypatch.setattr(_index_base, "_MOST_BEHIND", 100)  # so that the graphs grow
    memory = np.random.default_rng(0).integers(0, 256, 5000 * 16 + 128, np.uint8)
    first = -memory.ctypes.data % 64 + shift
    codes = memory[first : first + 5000 * 16].reshape(5000, 16)
    index = HammingIndex(codes, kind="graph")
    assert np.shares_memory(index._store.snapshot.columns["codes"], codes) == (shift == 0)
    vectors = CosineIndex(codes.astype(np.float32), kind="graph")
    for change in (
        lambda each: None,
        lambda each: each.add(codes[:4000]),
        lambda each: each.remove(each.ids[:4990]),  # more than half: the others are copied
    ):
        for each in (index, vectors):
            change(each)
            structure = each._store.snapshot.structure
            assert structure.rows == each._store.snapshot.rows
            assert structure.neighbors.ctypes.data % 64 == 0
        assert index._store.snapshot.columns["codes"].ctypes.data % 64 == 0
        assert vectors._store.snapshot.structure.records.ctypes.data % 64 == 0
    index.save(tmp_path / "index")
    index.add(codes[:10])
    index.append(tmp_path / "index")
    index = load(tmp_path / "index")
    assert index._store.snapshot.columns["codes"].ctypes.data % 64 == 0
    assert index.search(codes[4999:], k=1)[0].tolist() == [[4999]]


@pytest.mark.parametrize("name", list(APPROXIMATE))
def test_approximate_kinds_find_most_and_keep_k_under_filters(name, tmp_path):
    rng = np.random.default_rng(1)
    vectors = planted(rng, 7000)
    items = pack_signs(vectors) if name in CODES else vectors
    queries, items = items[:50], items[50:]
    order = rng.permutation(len(items))
    index = APPROXIMATE[name](items, ids=order, attributes={"part": order % 10})
    assert index._store.snapshot.structure is not None
    index.add(items[:100], np.arange(100) + 10_000, {"part": np.zeros(100, int)})
    index.remove(np.arange(0, 6000, 7).tolist())
    index.update([1, 2, 10_001], items[500:503])
    living = index.codes.data if name in CODES else index.vectors
    twin = exact(index, living)
    path = tmp_path / "index"
    index.save(path)
    loaded = load(path)
    for where, mask in [
        (None, None),
        ("part < 5", index.ids % 10 < 5),
        ("part == 3", index.ids % 10 == 3),
    ]:
        if mask is not None:
            mask[index.ids >= 10_000] = where == "part < 5"
            mask[index.ids == 10_001] = where == "part < 5"
        found = index.search(queries, 10, where=where, ef=128)
        right = twin.search(queries, 10, mask=mask)
        assert found[0].shape == (50, 10)
        if mask is not None:
            assert set(found[0].ravel().tolist()) <= set(index.ids[mask].tolist())
        assert recall(found, right) > 0.93
        again = loaded.search(queries, 10, where=where, ef=128)
        assert np.array_equal(again[0], index.search(queries, 10, where=where, ef=128)[0])
    one = index.search(queries, 10, threads=1)
    two = index.search(queries, 10, threads=2)
    assert np.array_equal(one[0], two[0])
    assert np.array_equal(one[1], two[1])
    assert index.search(queries[:2], 8000)[0].shape == (2, len(index))


@pytest.mark.parametrize("name", ["codes", "lists", "graph", "quantized"])
def test_a_build_is_the_same_at_any_number_of_threads(name, tmp_path):
    rng = np.random.default_rng(2)
    items = planted(rng, 3000)
    items = pack_signs(items) if name in CODES else items
    for threads in (1, 3):
        APPROXIMATE[name](items, threads=threads).save(tmp_path / str(threads))
    assert (tmp_path / "1").read_bytes() == (tmp_path / "3").read_bytes()


def test_searches_may_run_while_items_come_and_go():
    rng = np.random.default_rng(4)
    items = planted(rng, 4000)
    index = CosineIndex(items[:2000], kind="graph")
    wrong, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            ids, distances = index.search(items[:5], 5, threads=1)
            if ids.shape != (5, 5) or (np.diff(distances, axis=1) < 0).any():
                wrong.append(ids)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for each in threads:
        each.start()
    for start in range(2000, 4000, 100):
        index.add(items[start : start + 100])
        index.remove(np.arange(start - 1000, start - 950).tolist())
    stop.set()
    for each in threads:
        each.join()
    assert not wrong
    assert len(index) == 4000 - 20 * 50


def test_what_a_graph_does_not_measure_is_not_among_the_nearest(monkeypatch):
    rng = np.random.default_rng(9)
    items = planted(rng, 5000)
    index = CosineIndex(items[100:], kind="graph")
    some = [index.search(items[:100], k, ef=200) for k in (1, 10, 40)]
    monkeypatch.setattr("bitsense._vector_graph._MEASURED_MORE", 200)
    for k, (ids, distances) in zip((1, 10, 40), some, strict=True):
        every = index.search(items[:100], k, ef=200)
        assert np.array_equal(ids, every[0])
        assert np.array_equal(distances, every[1])

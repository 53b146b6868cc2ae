"""Inverted lists of codes beside their NumPy twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import codes as codes_twin
from reference import inverted_lists as twin

from bitsense import FormatError, HammingIndex, _core, load


def planted(rng, n, width, flips=0.08):
    """Return packed codes around 30 others."""
    centers = rng.integers(0, 2, (30, 8 * width), np.uint8)
    bits = centers[rng.integers(0, 30, n)] ^ (rng.random((n, 8 * width)) < flips)
    return np.packbits(bits, axis=1)


def built(codes, lists, sample=10**6, iterations=4, threads=1):
    """Return what `lists_search` begins with, of codes of whole bytes."""
    bits = 8 * codes.shape[1]
    centers = _core.cluster_codes(codes, bits, lists, sample, iterations, threads)
    labels, apart = (each[:, 0].copy() for each in _core.hamming_search(centers, codes, bits, 1))
    starts, rows = _core.inverted_lists(labels, apart, lists)
    return centers, starts, rows, *_core.lay_lists(codes, centers, starts, rows, bits)


def bitmap_of(mask):
    """Return a mask as the engine takes it."""
    return np.packbits(np.pad(mask, (0, -len(mask) % 64)), bitorder="little").view(np.uint64)


@pytest.mark.parametrize("bits", [8, 37, 64, 256])
@pytest.mark.parametrize("sample", [40, 300, 10**6])
def test_centers_are_those_of_the_twin(bits, sample):
    rng = np.random.default_rng(bits)
    codes = np.packbits(np.unpackbits(planted(rng, 700, 32), axis=1)[:, :bits], axis=1)
    made = [_core.cluster_codes(codes, bits, 41, sample, 4, threads) for threads in (1, 3)]
    assert np.array_equal(*made)
    assert np.array_equal(made[0], twin.centers(codes, bits, 41, sample, 4))


def test_a_center_that_loses_its_codes_stays():
    codes = np.array([[0], [0], [255], [255]], np.uint8)  # two centers begin as one code
    made = _core.cluster_codes(codes, 8, 3, 4, 2)
    assert made.tolist() == twin.centers(codes, 8, 3, 4, 2).tolist() == [[0], [0], [255]]


@pytest.mark.parametrize("width", [1, 5, 8, 16, 32, 40])
@pytest.mark.parametrize("share", [None, 0.4, 0.01])
def test_answers_are_those_of_the_twin(width, share, level):
    rng = np.random.default_rng(width)
    codes, queries = planted(rng, 1500, width), planted(rng, 70, width)
    lists = built(codes, 33)
    mask = None if share is None else rng.random(1500) < share
    words = None if mask is None else bitmap_of(mask)
    ranks = rng.permutation(1500).astype(np.uint32)
    for k, probes in ((1, 1), (10, 3), (7, 8), (5, 100)):
        wanted = twin.search(*lists[:3], codes, queries, k, probes, mask, ranks)
        for threads in (1, 3):
            found = _core.lists_search(
                lists, queries, 8 * width, k, probes, words, ranks, threads, level
            )
            assert np.array_equal(found[0], wanted[0])
            assert np.array_equal(found[1], wanted[1])
        alone = _core.lists_search(lists, queries[9:10], 8 * width, k, probes, words, ranks)
        assert np.array_equal(alone[0], wanted[0][9:10])


def test_lists_are_laid_as_the_twin_lays_them():
    rng = np.random.default_rng(3)
    codes = planted(rng, 3000, 7)
    centers, starts, rows, planes, radii, spread = built(codes, 20)
    assert sorted(rows.tolist()) == list(range(3000))
    wanted = twin.laid(codes, centers, starts, rows)
    assert np.array_equal(planes, wanted[0])
    assert np.array_equal(radii, wanted[1])
    assert np.array_equal(spread, twin.spread(codes, centers))
    for i in range(20):
        own = rows[starts[i] : starts[i + 1]].astype(np.int64)
        apart = codes_twin.hamming(centers[i : i + 1], codes[own])[0]
        assert np.array_equal(np.lexsort((own, -apart)), np.arange(len(own)))


@pytest.mark.parametrize("width", [1, 5, 8, 16, 32, 40, 100])
@pytest.mark.parametrize("share", [None, 0.4, 0.01])
def test_exact_answers_are_those_of_a_scan(width, share, level):
    rng = np.random.default_rng(width)
    codes = planted(rng, 4000, width)
    queries = np.concatenate([planted(rng, 30, width), codes[:40]])
    lists, bits = built(codes, 33), 8 * width
    mask = np.ones(4000, np.bool_) if share is None else rng.random(4000) < share
    words = None if share is None else bitmap_of(mask)
    ranks = rng.permutation(4000).astype(np.uint32)
    apart = np.where(mask, codes_twin.hamming(queries, codes), 10**6)
    for k in (1, 10, int(mask.sum())):
        order = np.lexsort((np.broadcast_to(ranks, apart.shape), apart), axis=1)[:, :k]
        for threads in (1, 3):
            found = _core.lists_search(lists, queries, bits, k, None, words, ranks, threads, level)
            assert np.array_equal(found[0], ranks[order])
            assert np.array_equal(found[1], np.take_along_axis(apart, order, 1))
        alone = _core.lists_search(lists, queries[9:10], bits, k, None, words, ranks, 1, level)
        assert np.array_equal(alone[0], ranks[order[9:10]])
    for radius in (0, bits // 10, bits // 3):
        wanted = _core.hamming_range_search(codes, queries, bits, radius, words, ranks=ranks)
        for threads in (1, 3):
            found = _core.lists_range_search(
                lists, queries, bits, radius, words, ranks, threads, level
            )
            for one, other in zip(found, wanted, strict=True):
                assert np.array_equal(one, other)


def test_one_query_on_many_threads_shares_the_lists(monkeypatch):
    rng = np.random.default_rng(4)
    codes = planted(rng, 200_000, 8, flips=0.2)
    lists = built(codes, 40, sample=4000)
    for queries in (codes[:1], codes[:3] ^ np.uint8(5)):
        wanted = _core.hamming_search(codes, queries, 64, 30)
        found = _core.lists_search(lists, queries, 64, 30, None, None, None, 3)
        assert np.array_equal(found[0], wanted[0])
        assert np.array_equal(found[1], wanted[1])
        wanted = _core.hamming_range_search(codes, queries, 64, 9)
        found = _core.lists_range_search(lists, queries, 64, 9, None, None, 3)
        assert all(map(np.array_equal, found, wanted))


@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 60), st.integers(1, 40))
def test_no_code_is_passed_over_that_is_near(seed, lists, k, bits):
    rng = np.random.default_rng(seed)
    codes = np.packbits(rng.random((300, bits)) < rng.random(bits), axis=1)
    centers = np.packbits(rng.random((lists, bits)) < 0.5, axis=1)
    labels = rng.integers(0, lists, 300)  # any center, not the nearest
    apart = codes_twin.hamming(centers, codes)[labels, np.arange(300)].astype(np.int32)
    starts, rows = _core.inverted_lists(labels, apart, lists)
    laid = _core.lay_lists(codes, centers, starts, rows, bits)
    found = _core.lists_search((centers, starts, rows, *laid), codes[:9], bits, k, None)
    wanted = _core.hamming_search(codes, codes[:9], bits, k)
    assert np.array_equal(found[0], wanted[0])
    assert np.array_equal(found[1], wanted[1])


def test_the_share_that_is_scanned_is_measured():
    rng = np.random.default_rng(5)
    near, far = planted(rng, 8000, 16), rng.integers(0, 256, (8000, 16), np.uint8)
    shares = [_core.lists_scanned_share(built(x, 60), x, 128, 10) for x in (near, far)]
    assert shares[0] < 0.3
    assert shares[1] > 0.9
    lists = built(near, 60)
    queries = near[np.arange(64) * 8000 // 64]
    limits = np.sort(codes_twin.hamming(queries, near), axis=1)[:, 10] + 1
    apart = codes_twin.hamming(queries, lists[0])
    tiles = [twin.wanted_tiles(lists[1], lists[4], apart[q], limits[q]) for q in range(64)]
    total = sum(-(-int(size) // 64) for size in np.diff(lists[1].astype(np.int64)))
    assert shares[0] == pytest.approx(sum(tiles) / (64 * total), rel=1e-12)


def test_more_lists_are_looked_at_where_few_hold_what_passes():
    rng = np.random.default_rng(5)
    codes = planted(rng, 2000, 16)
    index = HammingIndex(codes, kind="ivf", lists=64, attributes={"x": np.arange(2000) % 7})
    query = codes[:1]
    far = np.argsort(codes_twin.hamming(query, codes)[0], kind="stable")[1000:]
    mask = np.zeros(2000, np.bool_)
    mask[far] = True
    ids, _ = index.search(query, 900, mask=mask, probes=1)
    assert ids.shape == (1, 900)
    assert set(ids[0].tolist()) <= set(far.tolist())
    assert index.search(query, 5000, probes=1)[0].shape == (1, 2000)
    assert index.search(query, 300, where="x == 3", probes=1)[0].shape == (1, 286)


def test_more_probes_find_more_and_all_find_everything():
    rng = np.random.default_rng(6)
    codes = planted(rng, 6000, 16, flips=0.3)
    queries, codes = codes[:100], codes[100:]
    index = HammingIndex(codes, kind="ivf")
    right = HammingIndex(codes, kind="flat").search(queries, 10)
    recalls = [
        float((index.search(queries, 10, probes=probes)[1] <= right[1][:, -1:]).mean())
        for probes in (1, 4, 16, 10_000)
    ]
    assert recalls == sorted(recalls)
    assert recalls[0] < 0.9 < recalls[2]
    found = index.search(queries, 10, probes=10_000)
    assert np.array_equal(found[0], right[0])
    assert np.array_equal(found[1], right[1])
    one, two = (index.search(queries, 10, threads=threads) for threads in (1, 2))
    assert np.array_equal(one[0], two[0])


def test_lists_follow_what_is_added(monkeypatch):
    monkeypatch.setattr("bitsense._index_base._MOST_BEHIND", 100)
    rng = np.random.default_rng(7)
    codes = planted(rng, 9000, 8)
    index = HammingIndex(codes[:1000], kind="ivf")
    first = index._store.snapshot.structure
    assert len(first.centers) == 38
    index.add(codes[1000:3000])
    grown = index._store.snapshot.structure
    assert grown.rows == 3000
    assert np.array_equal(grown.centers, first.centers)  # not too few yet
    index.add(codes[3000:])
    learned = index._store.snapshot.structure
    assert learned.rows == 9000
    assert len(learned.centers) == 116
    laid = twin.laid(codes, learned.centers, learned.starts, learned.listed)
    assert np.array_equal(learned.planes, laid[0])


@pytest.mark.parametrize(
    ("starts", "rows", "message"),
    [
        ([0, 2, 3], [0, 1, 2], None),
        ([0, 2, 2, 3], [1, 2, 0], None),
        ([1, 2, 3], [0, 1, 2], "`starts` must go from 0 to 3, got 1 to 3"),
        ([0, 2, 4], [0, 1, 2], "`starts` must go from 0 to 3, got 0 to 4"),
        ([0, 3, 1, 3], [0, 1, 2], "`starts` must ascend, got 1 behind 3"),
        ([0, 2, 3], [1, 0, 2], "farthest from the center first in each list, list 0 does not"),
        ([0, 2, 3], [0, 1, 1], "`rows` must hold each row below 3 once, got 1 at 2"),
        ([0, 2, 3], [0, 1, 3], "`rows` must hold each row below 3 once, got 3 at 2"),
        ([0, 2, 3], [0, 1, 2, 3], "`rows` must have at most 3 items, got 4"),
    ],
)
def test_lists_that_are_not_of_the_rows_are_refused(starts, rows, message):
    codes, centers = np.array([[7], [3], [1]], np.uint8), np.zeros((len(starts) - 1, 1), np.uint8)
    arrays = np.array(starts, np.uint32), np.array(rows, np.uint32)
    if message is None:
        codes[:] = 1
        planes, radii, spread = _core.lay_lists(codes, centers, *arrays, 8)
        assert spread.tolist() == [3 * len(centers)] * 9
        assert planes.shape == (len(centers), 1, 64)
        assert radii.tolist() == [int(n > 0) for n in np.diff(arrays[0])]
        return
    with pytest.raises(ValueError, match=message):
        _core.lay_lists(codes, centers, *arrays, 8)


def test_a_file_of_other_lists_is_refused(tmp_path):
    rng = np.random.default_rng(8)
    codes = planted(rng, 1500, 8)
    index = HammingIndex(codes, kind="ivf")
    index.save(tmp_path / "right")
    again = load(tmp_path / "right")
    assert np.array_equal(again.search(codes[:20], 5)[0], index.search(codes[:20], 5)[0])
    made = index._store.snapshot.structure
    for name, change in {
        "planes": lambda a: a ^ np.uint8(1),
        "radii": lambda a: a + np.uint16(1),
        "spread": lambda a: a + np.uint32(1),
        "listed": lambda a: a[::-1].copy(),
        "starts": lambda a: a[:-1].copy(),
        "centers": lambda a: a[:, :-1].copy(),
    }.items():
        index._store.publish(made._replace(**{name: change(getattr(made, name))}))
        index.save(tmp_path / "wrong")
        with pytest.raises(FormatError, match="corrupt"):
            load(tmp_path / "wrong")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lists": 0}, "`lists` must be at least 1, got 0"),
        ({"lists": 1.5}, "`lists` must be an integer"),
        ({"kind": "ivff"}, "`kind` must be"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        HammingIndex(bits=64, **options)


def test_wrong_probes_are_named():
    index = HammingIndex(planted(np.random.default_rng(0), 1200, 8), kind="ivf")
    for wrong in (0, -1, "3", True):
        with pytest.raises((TypeError, ValueError), match="`probes` must be"):
            index.search(index.codes.data[:1], probes=wrong)

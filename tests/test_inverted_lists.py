"""Inverted lists of codes beside their NumPy twin."""

from __future__ import annotations

import numpy as np
import pytest
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
    labels = _core.hamming_search(centers, codes, bits, 1)[0][:, 0].copy()
    starts, rows = _core.inverted_lists(labels, lists)
    return centers, starts, rows, codes[rows]


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
    words = None
    if mask is not None:
        words = np.packbits(np.pad(mask, (0, -1500 % 64)), bitorder="little").view(np.uint64)
    ranks = rng.permutation(1500).astype(np.uint32)
    for k, probes in ((1, 1), (10, 3), (7, 8), (5, 100)):
        wanted = twin.search(*lists, queries, k, probes, mask, ranks)
        for threads in (1, 3):
            found = _core.lists_search(
                *lists, queries, 8 * width, k, probes, words, ranks, threads, level
            )
            assert np.array_equal(found[0], wanted[0])
            assert np.array_equal(found[1], wanted[1])
        alone = _core.lists_search(*lists, queries[9:10], 8 * width, k, probes, words, ranks)
        assert np.array_equal(alone[0], wanted[0][9:10])
    if share is None:
        every = _core.lists_search(*lists, queries, 8 * width, 10, 33)
        right = codes_twin.nearest(codes_twin.hamming(queries, codes), 10)
        assert np.array_equal(every[0], right[0])
        assert np.array_equal(every[1], right[1])


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
    assert np.array_equal(learned.copies, codes[learned.listed])


@pytest.mark.parametrize(
    ("starts", "rows", "message"),
    [
        ([0, 2, 3], [0, 1, 2], None),
        ([0, 2, 2, 3], [1, 2, 0], None),
        ([1, 2, 3], [0, 1, 2], "`starts` must go from 0 to 3, got 1 to 3"),
        ([0, 2, 4], [0, 1, 2], "`starts` must go from 0 to 3, got 0 to 4"),
        ([0, 3, 1, 3], [0, 1, 2], "`starts` must ascend, got 1 behind 3"),
        ([0, 2, 3], [1, 0, 2], "once, ascending in each list, got 0 at 1"),
        ([0, 2, 3], [0, 1, 1], "once, ascending in each list, got 1 at 2"),
        ([0, 2, 3], [0, 1, 3], "`rows` must hold each row below 3 once.*got 3 at 2"),
    ],
)
def test_lists_that_are_not_of_the_rows_are_refused(starts, rows, message):
    arrays = np.array(starts, np.uint32), np.array(rows, np.uint32)
    if message is None:
        return _core.lists_check(*arrays)
    with pytest.raises(ValueError, match=message):
        _core.lists_check(*arrays)
    return None


def test_a_file_of_other_lists_is_refused(tmp_path):
    rng = np.random.default_rng(8)
    codes = planted(rng, 1500, 8)
    index = HammingIndex(codes, kind="ivf")
    index.save(tmp_path / "right")
    again = load(tmp_path / "right")
    assert np.array_equal(again.search(codes[:20], 5)[0], index.search(codes[:20], 5)[0])
    made = index._store.snapshot.structure
    for name, change in {
        "copies": lambda a: a ^ np.uint8(1),
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

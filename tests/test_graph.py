"""Graphs of neighbours: kernels, building, walks, filters, copies, files that lie."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from reference import codes as codes_twin
from reference import graphs as twin

from bitsense import _core
from bitsense._bitmaps import pack_mask

LEVELS = _core.levels()


def planted(n, bits, seed=0, centres=40, noise=0.12):
    """Return packed codes around a few centres."""
    rng = np.random.default_rng(seed)
    middle = np.random.default_rng(99).random((centres, bits)) < 0.5
    values = middle[rng.integers(0, centres, n)] ^ (rng.random((n, bits)) < noise)
    return np.packbits(values, axis=1)


def unit_rows(n, dim, seed=0):
    rng = np.random.default_rng(seed)
    basis = np.random.default_rng(98).standard_normal((12, dim))
    rows = rng.standard_normal((n, 12)) @ basis + 0.3 * rng.standard_normal((n, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def packed(mask):
    return None if mask is None else pack_mask(mask)


def found_part(graph, codes, queries, bits, ef, mask=None, k=10):
    rows, distances = _core.graph_search_codes(*graph, codes, queries, bits, k, ef, packed(mask))
    exact = codes_twin.hamming(queries, codes)
    assert np.array_equal(np.take_along_axis(exact, rows, axis=1), distances)
    order = np.lexsort((rows, distances), axis=1)
    assert np.array_equal(order, np.broadcast_to(np.arange(rows.shape[1]), order.shape))
    if mask is not None:
        assert mask[rows].all()
    return twin.recall(distances, codes_twin.nearest(exact, k, mask)[1])


# kernels


@pytest.mark.parametrize("width", [*range(1, 34), 64, 65, 128, 500])
def test_distances_to_a_list_of_rows(level, width):
    rng = np.random.default_rng(width)
    codes = rng.integers(0, 256, (50, width), np.uint8)
    rows = rng.integers(0, 50, 23).astype(np.uint32)
    found = _core.kernel_code_distances(level, codes[7], codes, rows)
    assert np.array_equal(found, codes_twin.hamming(codes[7:8], codes[rows])[0])


@pytest.mark.parametrize("stride", [32, 64, 96, 128, 800, 65536])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 9, 23])
def test_byte_dots_are_exact(level, stride, count):
    rng = np.random.default_rng(stride)
    items = rng.integers(-128, 128, (10, stride)).astype(np.int8)
    items[0], items[1] = 127, -128
    query = rng.choice([-127, 127], stride).astype(np.int8)
    query[: stride // 2] = 127
    rows = np.concatenate([[0, 1], rng.integers(0, 10, 30)]).astype(np.uint32)[:count]
    found = _core.kernel_byte_dots(level, query, items, rows)
    assert np.array_equal(found, items[rows].astype(np.int64) @ query.astype(np.int64))


@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=40),
        elements=st.floats(-1e6, 1e6, width=32, allow_subnormal=False),
    )
)
def test_records_are_those_of_the_twin(vectors):
    dim = vectors.shape[1]
    records = _core.quantise_rows(vectors)
    assert records.shape == (len(vectors), (dim + 8 + 31) // 32 * 32)
    values, scales, norms = twin.records(vectors)
    assert np.array_equal(records[:, -8:-4].copy().view(np.float32)[:, 0], scales)
    assert np.allclose(records[:, -4:].copy().view(np.float32)[:, 0], norms, rtol=1e-6)
    usable = scales > 1e-30
    assert np.array_equal(records[usable, :dim], values[usable])
    assert not records[:, dim:-8].any()
    assert np.array_equal(_core.quantise_rows(vectors, 3), records)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_records_of_what_is_not_finite(value):
    vectors = np.zeros((3, 4), np.float32)
    vectors[1, 2] = value
    with pytest.raises(ValueError) as caught:
        _core.quantise_rows(vectors)
    assert str(caught.value) == f"`vectors` must be finite, got {value}"


# building


def test_a_graph_depends_on_neither_threads_nor_level():
    codes, records = planted(3000, 72), _core.quantise_rows(unit_rows(2000, 30))
    codes[500:600] = codes[400:500]
    first = _core.graph_build_codes(codes, 72, 16, 40)
    second = _core.graph_build_bytes(records, True, 16, 40)
    asked = _core.graph_search_codes(*first, codes, codes[:70], 72, 10, 30)
    scored = _core.graph_search_bytes(*second, records, records[:70], True, 10, 30)
    for level in LEVELS:
        for threads in (1, 2, 3):
            run = {"threads": threads, "level": level}
            assert same(_core.graph_build_codes(codes, 72, 16, 40, **run), first)
            assert same(_core.graph_build_bytes(records, True, 16, 40, **run), second)
            got = _core.graph_search_codes(*first, codes, codes[:70], 72, 10, 30, **run)
            assert same(got, asked)
            got = _core.graph_search_bytes(*second, records, records[:70], True, 10, 30, **run)
            assert same(got, scored)
    assert not same(_core.graph_build_codes(codes, 72, 16, 40, seed=1), first)


def test_every_list_is_one_of_nearest_first_and_relative_neighbours():
    codes = planted(400, 64, noise=0.2)
    neighbors, entries, copies = _core.graph_build_codes(codes, 64, 12, 400)
    assert len(copies) == 0
    exact = codes_twin.hamming(codes, codes).astype(np.float32)
    for row, listed in enumerate(neighbors):
        near = listed[listed != twin.NO_ROW]
        assert len(set(near.tolist()) | {row}) == len(near) + 1
        assert (np.diff(exact[row, near]) >= 0).all()
    assert twin.reached(neighbors, entries).all()


@pytest.mark.parametrize("alpha", [1.0, 1.3])
def test_the_rule_of_relative_neighbours(alpha):
    codes = planted(9, 64, noise=0.3, seed=3)
    neighbors = _core.graph_build_codes(codes, 64, 8, 100, alpha)[0]
    # The row inserted last has met all others, and was too late for edges back but from them.
    exact = codes_twin.hamming(codes, codes).astype(np.float32)
    agreed = 0
    for row in range(9):
        others = sorted((exact[row, i], i) for i in range(9) if i != row)
        rows = [i for _, i in others]
        kept = twin.kept([d for d, _ in others], exact[np.ix_(rows, rows)], alpha, 8)
        agreed += {rows[i] for i in kept} <= set(neighbors[row].tolist())
    assert agreed >= 1


@pytest.mark.parametrize("n", [0, 1, 2, 3, 33])
def test_few_rows(level, n):
    codes, vectors = planted(n, 40, noise=0.5), unit_rows(n, 5)
    records = _core.quantise_rows(vectors)
    graph = _core.graph_build_codes(codes, 40, level=level)
    assert graph[0].shape == (n, 32)
    _core.graph_check(*graph)
    asked = planted(3, 40, seed=5)
    rows, distances = _core.graph_search_codes(*graph, codes, asked, 40, 10, 1, level=level)
    expected = codes_twin.nearest(codes_twin.hamming(asked, codes), 10)
    assert np.array_equal(distances, expected[1])
    assert np.array_equal(rows, expected[0])
    graph = _core.graph_build_bytes(records, False, level=level)
    rows, _ = _core.graph_search_bytes(*graph, records, records, False, 10, 1, level=level)
    assert rows.shape == (n, min(n, 10))


# search


@pytest.mark.parametrize(("bits", "noise", "least"), [(256, 0.15, 0.97), (64, 0.1, 0.97)])
def test_recall_on_planted_clusters(bits, noise, least):
    codes, queries = planted(6000, bits, noise=noise), planted(100, bits, seed=1, noise=noise)
    graph = _core.graph_build_codes(codes, bits)
    assert found_part(graph, codes, queries, bits, 100) >= least
    assert twin.reached(*graph[:2]).sum() == len(codes) - (graph[2] != twin.NO_ROW).sum()


def test_recall_on_random_codes():
    rng = np.random.default_rng(0)
    codes, queries = rng.integers(0, 256, (2, 3000, 8), np.uint8)
    graph = _core.graph_build_codes(codes, 64)
    assert found_part(graph, codes, queries[:200], 64, 200) > 0.85
    assert found_part(graph, codes, queries[:200], 64, 3000) == 1.0


@pytest.mark.parametrize("euclidean", [False, True])
def test_recall_of_records(euclidean):
    vectors, queries = unit_rows(5000, 40), unit_rows(200, 40, seed=2)
    if euclidean:
        vectors *= np.linspace(0.5, 2, len(vectors), dtype=np.float32)[:, None]
    records, asked = _core.quantise_rows(vectors), _core.quantise_rows(queries)
    graph = _core.graph_build_bytes(records, euclidean)
    rows, distances = _core.graph_search_bytes(*graph, records, asked, euclidean, 50, 100)
    exact = -queries @ vectors.T
    if euclidean:
        exact = 2 * exact + (vectors**2).sum(axis=1)
    assert np.allclose(np.take_along_axis(exact, rows, axis=1), distances, atol=0.05)
    best = np.argsort(exact, axis=1)[:, :10]
    hits = [len(set(a) & set(b)) for a, b in zip(best.tolist(), rows.tolist(), strict=True)]
    assert np.mean(hits) / 10 > 0.97


def test_more_wanted_than_there_is(level):
    codes = planted(300, 100)
    graph = _core.graph_build_codes(codes, 100, level=level)
    mask = np.arange(300) % 100 == 7
    exact = codes_twin.hamming(codes[:5], codes)
    for chosen, k in ((None, 300), (None, 1000), (mask, 3), (mask, 10)):
        found = _core.graph_search_codes(
            *graph, codes, codes[:5], 100, k, 1, packed(chosen), level=level
        )
        assert same(found, codes_twin.nearest(exact, k, chosen))
    found = _core.graph_search_codes(*graph, codes, codes[:5], 100, 5, 9, np.zeros(5, np.uint64))
    assert found[0].shape == found[1].shape == (5, 0)


@pytest.mark.parametrize("copies", [3000, 10])
def test_copies_do_not_hide_others(copies):
    codes = planted(6000, 128, noise=0.15)
    codes[1000 : 1000 + copies] = codes[0]
    codes[5000:5200] = codes[1]
    queries = np.concatenate([planted(100, 128, seed=7, noise=0.15), codes[:2]])
    graph = _core.graph_build_codes(codes, 128)
    assert found_part(graph, codes, queries, 128, 100) > 0.95
    rows, distances = _core.graph_search_codes(*graph, codes, codes[:1], 128, 8, 10)
    assert rows[0].tolist() == [0, *range(1000, 1007)]
    assert not distances.any()
    walked = twin.reached(*graph[:2])
    follows = graph[2][graph[2] != twin.NO_ROW]
    assert not walked[follows].any()
    assert walked.sum() + len(follows) == len(codes)
    mask = np.random.default_rng(1).random(6000) < 0.1
    assert found_part(graph, codes, queries, 128, 100, mask) > 0.95


def test_nothing_but_copies():
    codes = np.full((10_000, 16), 37, np.uint8)
    graph = _core.graph_build_codes(codes, 128)
    rows, _ = _core.graph_search_codes(*graph, codes, codes[:2], 128, 20, 1)
    assert rows.tolist() == [list(range(20))] * 2


@pytest.mark.parametrize("share", [0.5, 0.1])
@pytest.mark.parametrize("kind", ["random", "near"])
def test_filters_inside_the_walk(share, kind):
    vectors, queries = unit_rows(8000, 32), unit_rows(100, 32, seed=3)
    codes, asked = np.packbits(vectors > 0, axis=1), np.packbits(queries > 0, axis=1)
    rng = np.random.default_rng(4)
    value = rng.random(8000) if kind == "random" else vectors @ rng.standard_normal(32)
    mask = value >= np.quantile(value, 1 - share)
    graph = _core.graph_build_codes(codes, 32)
    assert found_part(graph, codes, asked, 32, 100, mask) >= 0.95


@pytest.mark.parametrize("first", [0, 1, 500])
def test_extending(level, first):
    codes, queries = planted(2000, 96), planted(100, 96, seed=8)
    codes[1500:1600] = codes[:100]
    old = _core.graph_build_codes(codes[:first], 96, 24, level=level)
    graph = _core.graph_extend_codes(*old, codes, 96, level=level)
    assert graph[0].shape == (2000, 24)
    _core.graph_check(*graph)
    assert same(_core.graph_extend_codes(*old, codes, 96, threads=3), graph)
    assert found_part(graph, codes, queries, 96, 80) > 0.95
    records = _core.quantise_rows(unit_rows(600, 20))
    old = _core.graph_build_bytes(records[:300], True, 24)
    graph = _core.graph_extend_bytes(*old, records, True)
    assert twin.reached(*graph[:2]).all()


@given(
    hnp.arrays(np.uint8, st.tuples(st.integers(1, 80), st.just(2)), elements=st.integers(0, 7)),
    st.integers(1, 90),
    st.integers(2, 6),
    st.data(),
)
def test_k_rows_come_out_whenever_there_are_k(codes, k, degree, draw):
    mask = draw.draw(hnp.arrays(np.bool_, len(codes)))
    graph = _core.graph_build_codes(codes, 16, degree, 5)
    _core.graph_check(*graph)
    for chosen in (None, mask):
        passing = len(codes) if chosen is None else int(mask.sum())
        rows, distances = _core.graph_search_codes(
            *graph, codes, codes[:3], 16, k, 1, packed(chosen)
        )
        assert rows.shape == (len(codes[:3]), min(k, passing))
        assert all(len(set(row)) == len(row) for row in rows.tolist())
        if k >= passing:
            exact = codes_twin.hamming(codes[:3], codes)
            assert same((rows, distances), codes_twin.nearest(exact, k, chosen))


# what is refused


def test_arrays_that_lead_nowhere_are_refused():
    codes = planted(50, 64)
    codes[49] = codes[3]
    neighbors, entries, copies = _core.graph_build_codes(codes, 64, 8)
    for array, place, value, message in (
        (neighbors, (3, 2), 50, "`neighbors` must hold rows below 50, got 50"),
        (entries, 0, twin.NO_ROW, "`entries` must hold rows below 50, got 4294967295"),
        (copies, 7, 7, "`copies` must hold, at 7, a row of 8 to 50, got 7"),
        (copies, 7, 50, "`copies` must hold, at 7, a row of 8 to 50, got 50"),
    ):
        before = array[place]
        array[place] = value
        with pytest.raises(ValueError) as caught:
            _core.graph_check(neighbors, entries, copies)
        assert str(caught.value) == message
        array[place] = before
    _core.graph_check(neighbors, entries, copies)
    neighbors[:] = twin.NO_ROW  # useless, but safe: everything is compared
    found = _core.graph_search_codes(neighbors, entries[:0], copies, codes, codes[:4], 64, 10, 5)
    assert same(found, codes_twin.nearest(codes_twin.hamming(codes[:4], codes), 10))


def test_the_core_checks_shapes_itself():
    codes = planted(50, 64)
    graph = _core.graph_build_codes(codes, 64, 8)
    records = _core.quantise_rows(unit_rows(50, 10))
    with pytest.raises(ValueError) as caught:
        _core.graph_search_codes(*graph, codes[:40], codes[:2], 64, 3, 9)
    assert str(caught.value) == "`neighbors` must have 40 rows, got 50"
    with pytest.raises(ValueError) as caught:
        _core.graph_search_bytes(*graph, records, _core.quantise_rows(unit_rows(2, 40)), True, 3, 9)
    assert str(caught.value) == "`queries` must have 32 columns, got 64"
    with pytest.raises(ValueError) as caught:
        _core.graph_build_codes(codes, 64, 1)
    assert str(caught.value) == "`degree` must be 2 to 512, got 1"
    with pytest.raises(ValueError) as caught:
        _core.graph_build_bytes(records[:, :31].copy(), True)
    assert str(caught.value) == (
        "`records` must have a multiple of 32 columns, at most 65536, got 31"
    )

"""Graphs of real vectors: principal axes, inner products, and what is measured exactly."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from reference.vectors import spread

from bitsense import CosineIndex, FormatError, _core, load
from bitsense._principal_axes import PrincipalAxes


def structure(index):
    return index._store.snapshot.structure


def recall(found, right):
    return float((found[1] <= right[1][:, -1:]).mean())


@pytest.mark.parametrize(("n", "mean"), [(2000, 50.0), (9000, 0.0)])
def test_axes_are_those_of_most_variance(n, mean):
    rows = spread(np.random.default_rng(1), n, 200, 20, 0.96, mean)
    made = PrincipalAxes.learned(rows, centred=True)
    assert made.kept == 24
    assert np.abs(made.axes.T.astype(np.float64) @ made.axes - np.eye(24)).max() < 1e-6
    apart = rows - rows.mean(axis=0)
    held = ((apart @ made.axes) ** 2).sum() / (apart**2).sum()
    best = np.linalg.svd(apart, full_matrices=False)[1] ** 2
    assert held > 0.99 * best[:24].sum() / best.sum()
    compared = made.compared(rows, 1)
    expected = np.zeros_like(compared)
    for x in range(200):  # each product is rounded, then added
        expected += (rows[:, x : x + 1] - made.mean[x]) * made.axes[x]
    assert compared.tobytes() == expected.tobytes()
    made.check(200)
    again = PrincipalAxes.learned(rows, centred=False)
    assert np.array_equal(again.axes, made.axes)
    assert not again.mean.any()


@pytest.mark.slow
def test_axes_of_more_dimensions_than_rows_to_learn_from():
    rows = spread(np.random.default_rng(2), 2000, 1500, 50, 0.99)
    made = PrincipalAxes.learned(rows, centred=True)
    assert made.kept == 56
    assert np.abs(made.axes.T.astype(np.float64) @ made.axes - np.eye(56)).max() < 1e-6


def test_axes_hold_what_the_others_show():
    """They are learned from some rows and judged by others, about the mean of the first."""
    rng = np.random.default_rng(14)
    rows = spread(rng, 1500, 60, 10, 0.95, mean=4.0)
    counts = [4, 8, 12, 20, 40]
    for share, count in ((0.2, 4), (0.9, 12), (0.94, 12), (0.97, 40), (0.9999, 0)):
        mean, axes = _core.principal_axes(rows, rows, counts, share)
        assert axes.shape == (60, count)
        np.testing.assert_allclose(mean, rows.mean(axis=0), rtol=1e-5, atol=1e-6)
    strange = rng.standard_normal((1500, 60)).astype(np.float32)
    assert _core.principal_axes(rows, strange, counts, 0.9)[1].shape == (60, 0)
    best = np.linalg.svd(rows - rows.mean(axis=0))[2][:12].T
    axes = _core.principal_axes(rows, rows, counts, 0.94)[1]
    assert np.linalg.svd(best.T @ axes)[1][:10].min() > 0.999  # the ten that stand out
    flat = rows @ np.diag([1.0] * 6 + [0.0] * 54).astype(np.float32)  # fewer than are asked for
    axes = _core.principal_axes(flat, flat, [20], 0.9)[1]
    assert np.abs(axes.T @ axes - np.eye(20)).max() < 1e-6
    with pytest.raises(ValueError, match="`counts` must ascend from 1 to 60, got 61"):
        _core.principal_axes(rows, rows, [3, 61], 0.9)


def test_axes_are_the_same_at_any_number_of_threads_and_level():
    code = (
        "import numpy as np; from bitsense import _core;"
        "rows = np.random.default_rng(0).standard_normal((700, 90)).astype(np.float32);"
        "rows *= np.linspace(2, 0, 90, dtype=np.float32);"
        "made = [_core.principal_axes(rows, rows, [24, 56], 0.9, threads) for threads in (1, 3)];"
        "assert all(a.tobytes() == b.tobytes() for a, b in zip(*made));"
        "print(made[0][1].shape, hash(made[0][1].tobytes()))"
    )
    seen = set()
    for each in _core.levels():
        environment = {**os.environ, "BITSENSE_LEVEL": each, "PYTHONHASHSEED": "0"}
        run = [sys.executable, "-c", code]
        done = subprocess.run(run, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.startswith("(90, 56)")
        seen.add(done.stdout)
    assert len(seen) == 1


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(lambda rng: spread(rng, 1999, 200, 20, 0.96), id="few rows"),
        pytest.param(lambda rng: spread(rng, 3000, 200, 200, 1.0), id="all directions alike"),
        pytest.param(lambda rng: spread(rng, 3000, 20, 2, 1.0), id="short anyway"),
        pytest.param(lambda _: np.zeros((3000, 200), np.float32), id="zeros"),
        pytest.param(lambda _: np.full((3000, 200), 3e18, np.float32), id="large and the same"),
        pytest.param(lambda rng: rng.standard_normal((2000, 1100)), id="noise of many dimensions"),
    ],
)
def test_no_axes_where_they_do_not_pay(rows):
    rows = rows(np.random.default_rng(3)).astype(np.float32)
    made = PrincipalAxes.learned(rows, centred=True)
    assert made.kept == 0
    made.check(rows.shape[1])
    assert made.compared(rows, 1) is rows
    assert made.hold(rows, rows).all()


@pytest.mark.parametrize("metric", ["cosine", "l2", "ip"])
@pytest.mark.parametrize("scale", [1e-15, 1.0, 1e15])
def test_axes_find_what_all_numbers_find(metric, scale):
    rng = np.random.default_rng(4)
    items = spread(rng, 2600, 200, 12, 0.97, mean=2.0) * np.float32(scale)
    queries, items = items[:100], items[100:]
    index = CosineIndex(items, kind="graph", metric=metric)
    assert structure(index).principal.kept == 24
    assert structure(index).records.shape == (2500, 32)
    right = CosineIndex(items, kind="flat", metric=metric).search(queries)
    found = index.search(queries, ef=100)
    assert recall(found, right) > 0.97
    assert np.array_equal(found[1][found[0] == right[0]], right[1][found[0] == right[0]])
    one = [index.search(queries[i : i + 1], ef=100) for i in range(100)]
    assert np.array_equal(np.concatenate([each[0] for each in one]), found[0])


def test_queries_off_the_axes_are_measured_on(tmp_path):
    """They are told apart one by one, so an answer does not depend on the other queries."""
    rng = np.random.default_rng(5)
    items = spread(rng, 2500, 200, 12, 0.96)
    index = CosineIndex(items, kind="graph", metric="ip")
    flat = CosineIndex(items, kind="flat", metric="ip")
    strange = rng.standard_normal((100, 200)).astype(np.float32)
    both = np.concatenate([items[:50], strange])
    principal = structure(index).principal
    trusted = principal.hold(both, principal.compared(both, 1))
    assert trusted[:50].mean() > 0.9
    assert not trusted[50:].any()
    found, right = index.search(both, ef=1000), flat.search(both)
    assert recall((found[0][50:], found[1][50:]), (right[0][50:], right[1][50:])) > 0.7
    for some in (slice(0, 50), slice(50, 150), slice(40, 60)):
        part = index.search(both[some], ef=1000)
        assert np.array_equal(part[0], found[0][some])
        assert np.array_equal(part[1], found[1][some])


@pytest.mark.slow
def test_axes_are_learned_again_when_they_no_longer_suit(monkeypatch):
    monkeypatch.setattr("bitsense._index_base._MOST_BEHIND", 100)
    rng = np.random.default_rng(6)
    items = spread(rng, 6000, 200, 20, 0.96)
    index = CosineIndex(items[:1500], kind="graph")
    assert structure(index).principal.kept == 0
    index.add(items[1500:3000])
    first = structure(index)
    assert first.principal.kept == 24
    index.add(items[3000:])
    grown = structure(index)
    assert grown.rows == 6000
    assert np.array_equal(grown.axes, first.axes)
    assert np.array_equal(grown.records[:3000], first.records)
    strange = rng.standard_normal((6000, 200)).astype(np.float32)
    index.add(strange)
    assert structure(index).rows == 12000
    assert not np.array_equal(structure(index).axes, first.axes)
    right = CosineIndex(index.vectors, kind="flat").search(items[:50])
    assert recall(index.search(items[:50]), right) > 0.95


# Inner products


def unlike(rng, n, dim=24):
    """Return rows of which one in fifty is long, like words of which few are frequent."""
    rows = rng.standard_normal((n, dim)).astype(np.float32)
    rows[::50] *= 5
    return rows


@pytest.mark.parametrize("dim", [24, 300])
def test_products_with_rows_of_unlike_lengths_are_found(dim, monkeypatch):
    monkeypatch.setattr("bitsense._index_base._MOST_BEHIND", 100)
    rng = np.random.default_rng(7)
    rows = unlike(rng, 4200) @ (rng.standard_normal((24, dim)).astype(np.float32) / 5)
    queries, items = rows[:200], rows[200:]
    whole = CosineIndex(items, kind="graph", metric="ip")
    grown = CosineIndex(items[:2500], kind="graph", metric="ip")
    grown.add(items[2500:])
    right = CosineIndex(items, kind="flat", metric="ip").search(queries)
    short = np.arange(len(items)) % 50 != 0
    for index in (whole, grown):
        assert not structure(index).by_distance
        assert recall(index.search(queries, ef=50), right) > 0.95
        masked = index.search(queries, ef=100, mask=short)  # those that few products lead to
        assert masked[0].shape == (200, 10)
        best = CosineIndex(items, kind="flat", metric="ip").search(queries, mask=short)
        assert recall(masked, best) > 0.9


def test_products_of_rows_of_one_length_are_distances():
    rng = np.random.default_rng(8)
    rows = spread(rng, 2500, 32, 12, 0.9, mean=1.0)
    rows *= 7 / np.linalg.norm(rows, axis=1, keepdims=True)
    queries, items = rows[:100], rows[100:]
    index = CosineIndex(items, kind="graph", metric="ip")
    assert structure(index).by_distance
    right = CosineIndex(items, kind="flat", metric="ip").search(queries)
    for scale in (1e-4, 1.0, 1e4):  # of a query: it changes no order
        found = index.search(queries * np.float32(scale), ef=100)
        assert np.mean(found[0] == right[0]) > 0.95
    index.add(rows[:1] * np.float32(3))
    assert index.search(queries[:1], 1)[0].tolist() == [[2400]]


def test_a_graph_turns_to_products_when_lengths_differ(monkeypatch):
    monkeypatch.setattr("bitsense._index_base._MOST_BEHIND", 100)
    rng = np.random.default_rng(9)
    rows = unlike(rng, 3000)
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    index = CosineIndex(units[:1500], kind="graph", metric="ip")
    assert structure(index).by_distance
    index.add(rows[1500:])
    assert not structure(index).by_distance
    right = CosineIndex(index.vectors, kind="flat", metric="ip").search(rows[:100])
    assert recall(index.search(rows[:100], ef=60), right) > 0.95


# Files


def test_a_file_of_other_axes_is_refused(tmp_path):
    items = spread(np.random.default_rng(10), 3000, 200, 20, 0.96)
    index = CosineIndex(items, kind="graph")
    index.save(tmp_path / "right")
    again = load(tmp_path / "right")
    assert np.array_equal(again.search(items[:20], 5)[0], index.search(items[:20], 5)[0])
    made = structure(index)
    nothing = {"mean": np.empty(0, np.float32), "axes": np.empty((0, 0), np.float32)}
    for changed in (
        {"axes": made.axes * np.float32(1.5)},
        {"axes": made.axes[:, :-1].copy()},
        {"axes": made.axes[:-1].copy()},
        {"axes": made.axes.astype(np.float64)},
        {"axes": np.full_like(made.axes, np.nan)},
        {"axes": nothing["axes"]},
        {"mean": made.mean + np.float32(1)},
        {"mean": made.mean[:-1].copy()},
        {"mean": nothing["mean"]},
        nothing,
        {"nearness": np.array([0], np.uint8)},
        {"nearness": np.array([2], np.uint8)},
        {"nearness": np.empty(0, np.uint8)},
    ):
        index._store.publish(made._replace(**changed))
        index.save(tmp_path / "wrong")
        with pytest.raises(FormatError, match="corrupt"):
            load(tmp_path / "wrong")


def test_a_build_is_the_same_at_any_number_of_threads_and_level(tmp_path, level):
    rows = unlike(np.random.default_rng(11), 2500)
    records = _core.quantise_rows(rows)
    right = _core.graph_build_bytes(records, False, 16, 40)
    for threads in (1, 3):
        made = _core.graph_build_bytes(records, False, 16, 40, threads=threads, level=level)
        assert all(np.array_equal(a, b) for a, b in zip(made, right, strict=True))
    for threads in (1, 2, 5):
        items = spread(np.random.default_rng(12), 2500, 200, 20, 0.96)
        CosineIndex(items, kind="graph", threads=threads).save(tmp_path / str(threads))
    assert len({(tmp_path / str(threads)).read_bytes() for threads in (1, 2, 5)}) == 1

"""Sketches of real vectors: exact answers stay what they are, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from reference.vectors import spread

from bitsense import CosineIndex, FormatError, _core, load
from bitsense._sketches import Sketches

METRICS = ("cosine", "ip", "l2")


def structure(index):
    return index._store.snapshot.structure


def without(index):
    """Return the same index with no sketches."""
    twin = CosineIndex(dim=index.dim, metric=index.metric, kind="flat", dtype=index.dtype)
    twin._store = type(index._store).of(
        index._store.snapshot.columns, index._store.snapshot.ids, index._store.snapshot.alive, None
    )
    assert structure(twin) is None
    return twin


def assert_same(one, other):
    for a, b in zip(one, other, strict=True):
        assert a.dtype == b.dtype
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize(
    ("metric", "dtype"),
    [
        ("cosine", "float32"),
        ("ip", "float32"),
        ("l2", "float32"),
        ("cosine", "float16"),
        ("l2", "int8"),
    ],
)
def test_answers_are_those_without_sketches(metric, dtype):
    rng = np.random.default_rng(1)
    items = spread(rng, 6037, 120, 16, 0.95, mean=1.5)
    items[40:60] = items[40]  # ties go by id
    items[100] = 0
    items[200] *= 50
    index = CosineIndex(items, kind="flat", metric=metric, dtype=dtype)
    assert structure(index).principal.kept == 24
    assert structure(index).rows == 6037
    index.remove(np.arange(0, 300, 3).tolist())
    plain = without(index)
    queries = np.concatenate(
        [
            spread(rng, 30, 120, 16, 0.95, mean=1.5),
            items[[40, 41, 200]],
            rng.standard_normal((5, 120)).astype(np.float32),  # off the axes
            np.zeros((1, 120), np.float32),
            1e-30 * items[:2],
            1e12 * items[:2],
        ]
    )
    masks = [None, rng.random(len(index)) < 0.5, rng.random(len(index)) < 0.1]
    for mask in masks:
        for k in (1, 10, 500):
            for threads in (1, 3):
                got = index.search(queries, k, mask=mask, threads=threads)
                assert_same(got, plain.search(queries, k, mask=mask, threads=threads))
        for some in (slice(0, 1), slice(3, 5), slice(36, 43)):
            got = index.search(queries[some], mask=mask)
            assert_same(got, plain.search(queries[some], mask=mask))
        reach = float(np.quantile(plain.search(queries[:30], 40)[1], 0.7))
        got = index.range_search(queries, reach, mask=mask)
        assert got[0][-1] > 100
        assert_same(got, plain.range_search(queries, reach, mask=mask))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e14])
@pytest.mark.parametrize("mean", [0.0, 100.0])
def test_answers_at_every_scale(metric, scale, mean):
    rng = np.random.default_rng(2)
    rows = spread(rng, 5600, 150, 20, 0.97, mean) * np.float32(scale)
    queries, items = rows[:50], rows[50:]
    index = CosineIndex(items, kind="flat", metric=metric)
    assert structure(index).principal.kept
    assert_same(index.search(queries), without(index).search(queries))


def test_answers_where_lengths_are_very_unlike():
    rng = np.random.default_rng(3)
    rows = spread(rng, 6000, 150, 20, 0.97)
    rows *= np.exp(4 * rng.standard_normal((6000, 1))).astype(np.float32)
    for metric in METRICS:
        index = CosineIndex(rows[100:], kind="flat", metric=metric)
        assert_same(index.search(rows[:100]), without(index).search(rows[:100]))


def test_every_level_gives_the_same(level):
    rng = np.random.default_rng(4)
    rows = spread(rng, 5200, 100, 12, 0.95)
    index = CosineIndex(rows[100:], kind="flat", metric="l2")
    stored, metric = index._stored(index._store.snapshot), _core.Metric.l2
    sketches = structure(index).arguments()
    assert sketches is not None
    for batch in (1, 3, 4, 100):
        asked = rows[:batch]
        right = index.search(asked)
        got = _core.real_search(*stored, asked, metric, 10, level=level, sketches=sketches)
        assert_same(got, right)


def test_sketches_bound_scores():
    """The twin: what bytes leave out of a product is within the lengths that are stored."""
    rng = np.random.default_rng(5)
    rows = spread(rng, 5000, 100, 12, 0.95, mean=3.0)
    made = structure(CosineIndex(rows, kind="flat", metric="l2"))
    axes, mean = made.axes.astype(np.float64), made.mean.astype(np.float64)
    kept = axes.shape[1]
    quads = made.bytes.reshape(-1, kept // 4, 64, 4).transpose(0, 2, 1, 3).reshape(-1, kept)
    values = quads[:5000].astype(np.float64) - 64
    step, own, length, inside, outside = made.terms.transpose(1, 0, 2).reshape(5, -1)[:, :5000]
    assert values.min() >= -63
    assert values.max() <= 63
    apart = rows.astype(np.float64) - mean
    along = apart @ axes
    assert (np.linalg.norm(along - step[:, None] * values, axis=1) <= inside).all()
    assert (np.linalg.norm(apart - along @ axes.T, axis=1) <= outside).all()
    assert (np.linalg.norm(along, axis=1) <= length).all()
    assert np.allclose(own, -0.5 * (apart**2).sum(axis=1), rtol=1e-6)
    assert inside.mean() < 0.02 * length.mean()  # and they are not far above
    assert outside.mean() < 1.1 * np.linalg.norm(apart - along @ axes.T, axis=1).mean()


def test_most_rows_are_passed_over():
    """What is not open is not read: rows changed behind its back do not change the answer."""
    rng = np.random.default_rng(6)
    rows = spread(rng, 20_000, 120, 16, 0.97)
    index = CosineIndex(rows[100:], kind="flat", metric="l2")
    snapshot = index._store.snapshot
    right = index.search(rows[:100])
    stored, sketches = index._stored(snapshot), structure(index).arguments()
    far = np.ones(len(index), np.bool_)
    far[np.unique(index.search(rows[:100], 2000)[0])] = False
    assert far.sum() > 300  # these are among the nearest of no query
    data = stored.data.copy()
    data[far] = 0
    changed = stored._replace(data=data)
    got = _core.real_search(*changed, rows[:100], _core.Metric.l2, 10, sketches=sketches)
    assert_same(got, right)


def test_sketches_follow_what_is_added(monkeypatch):
    monkeypatch.setattr("bitsense._index_base._MOST_BEHIND", 100)
    rng = np.random.default_rng(7)
    rows = spread(rng, 9000, 100, 12, 0.95)
    index = CosineIndex(rows[:4990], kind="flat")
    assert structure(index) is None
    index.add(rows[4990:6001])
    first = structure(index)
    assert (first.rows, first.principal.kept) == (6001, 24)
    index.add(rows[6001:6050])
    assert structure(index) is first  # these few are scanned
    assert_same(index.search(rows[:40]), without(index).search(rows[:40]))
    index.add(rows[6050:])
    grown = structure(index)
    assert grown.rows == 9000
    assert np.array_equal(grown.axes, first.axes)
    whole = grown._replace(bytes=np.zeros_like(grown.bytes), terms=np.zeros_like(grown.terms))
    stored = index._stored(index._store.snapshot)
    _core.sketch_rows(*stored, _core.Metric.cosine, *grown[:2], 0, whole.bytes, whole.terms, 2)
    assert np.array_equal(whole.bytes, grown.bytes)
    assert np.array_equal(whole.terms, grown.terms)
    assert_same(index.search(rows[:40]), without(index).search(rows[:40]))
    index.add(rng.standard_normal((9000, 100)).astype(np.float32))
    assert structure(index).rows == 18_000
    assert not np.array_equal(structure(index).axes, first.axes)
    assert_same(index.search(rows[:40]), without(index).search(rows[:40]))
    index.remove(np.arange(9000, 18_000).tolist())
    assert_same(index.search(rows[:40]), without(index).search(rows[:40]))


def test_kind_auto_goes_from_sketches_to_a_graph(monkeypatch):
    monkeypatch.setattr("bitsense._cosine_index._AUTO_GRAPH", 8000)
    rng = np.random.default_rng(8)
    rows = spread(rng, 12_000, 60, 12, 0.95)
    index = CosineIndex(rows[:6000])
    assert type(structure(index)) is Sketches
    index.add(rows[6000:9000])
    assert type(structure(index)).__name__ == "VectorGraph"
    index.add(rows[9000:])
    assert type(structure(index)).__name__ == "VectorGraph"


def test_a_file_of_other_sketches_is_refused(tmp_path):
    rows = spread(np.random.default_rng(9), 5100, 80, 12, 0.95)
    index = CosineIndex(rows, kind="flat", metric="l2")
    index.save(tmp_path / "right")
    again = load(tmp_path / "right")
    assert type(structure(again)) is Sketches
    assert_same(again.search(rows[:20]), index.search(rows[:20]))
    again.add(rows[:7])
    again.append(tmp_path / "right")
    assert len(load(tmp_path / "right")) == 5107
    made = structure(index)
    nothing = {"mean": np.empty(0, np.float32), "axes": np.empty((0, 0), np.float32)}
    lower = made.terms.copy()
    lower[3, 3] *= np.float32(0.9)
    for changed in (
        {"bytes": made.bytes ^ np.uint8(1)},
        {"bytes": made.bytes[:-1].copy()},
        {"bytes": made.bytes.astype(np.int8)},
        {"terms": lower},
        {"terms": made.terms[:, :4].copy()},
        {"axes": made.axes * np.float32(1.001)},
        {"axes": made.axes[:, :-1].copy()},
        {"axes": made.axes[:, :-2].copy()},
        {"mean": made.mean + np.float32(1e-3)},
        {"covered": np.array([5099])},
        {"covered": np.array([5101])},
        {"covered": np.array([-1])},
        {"covered": np.array([1, 2])},
        nothing,
    ):
        index._store.publish(made._replace(**changed))
        index.save(tmp_path / "wrong")
        with pytest.raises(FormatError, match="corrupt"):
            load(tmp_path / "wrong")


def test_builds_are_the_same_at_any_number_of_threads(tmp_path):
    rows = spread(np.random.default_rng(10), 5500, 80, 12, 0.95)
    for threads in (1, 2, 5):
        CosineIndex(rows, kind="flat", threads=threads).save(tmp_path / str(threads))
    assert len({(tmp_path / str(threads)).read_bytes() for threads in (1, 2, 5)}) == 1


def test_wrong_arrays_are_named():
    rows = spread(np.random.default_rng(11), 5000, 80, 12, 0.95)
    index = CosineIndex(rows, kind="flat", metric="l2")
    stored = index._stored(index._store.snapshot)
    mean, axes, data, terms, covered = structure(index).arguments()
    for wrong, message in (
        ((mean[:-1].copy(), axes, data, terms, covered), "must have 80 rows, got 79 and 80"),
        ((mean, axes[:, :3].copy(), data, terms, covered), "a multiple of 4 columns"),
        ((mean, axes, data[:-1].copy(), terms, covered), "`bytes` must be 79 x 1536"),
        ((mean, axes, data, terms[:, :, :63].copy(), covered), "`terms` 79 x 5 x 64"),
        ((mean, axes, data, terms, 5001), "at most 5000 rows, got 5001"),
    ):
        with pytest.raises(ValueError, match=message):
            _core.real_search(*stored, rows[:2], _core.Metric.l2, 3, sketches=wrong)

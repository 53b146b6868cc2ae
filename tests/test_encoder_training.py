"""Encoders against the slow twin: weights, plans of whole documents, neighbours, both ways."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import encoders
from reference import training as twin
from reference.small_trainings import (
    ENCODERS,
    OBJECTIVES,
    bytes_of,
    corpus,
    doubles,
    infer,
    plans,
    train,
)

from bitsense import _core
from bitsense._training import nearest_documents

each_encoder = pytest.mark.parametrize("model", ENCODERS)
word_lists = st.lists(st.lists(st.integers(0, 9), max_size=80), min_size=1, max_size=12)


def packed(documents, words=10):
    """Return lists of ids as the engine takes them."""
    ids = np.array(list(itertools.chain(*documents)), np.uint32)
    offsets = np.cumsum([0, *map(len, documents)]).astype(np.uint64)
    counts = np.maximum(np.bincount(ids, minlength=words), 1).astype(np.uint64)
    return ids, offsets, counts


def neighbors_of(documents, each=3, seed=0):
    return np.random.default_rng(seed).integers(0, documents, (documents, each)).astype(np.uint32)


# Weights


@given(documents=word_lists)
def test_the_inverse_frequencies_equal_the_twin(documents):
    ids, offsets, _ = packed(documents)
    got = _core.inverse_frequencies(ids, offsets, 12)
    assert got.dtype == np.float32
    assert got == pytest.approx(encoders.inverse_frequencies(documents, 12), rel=1e-6)
    assert (got > 0).all()


def test_ids_beyond_the_words_are_refused():
    ids, offsets, _ = packed([[3, 4]])
    with pytest.raises(ValueError, match=r"^`ids` must be below the number of words, 4, got 4$"):
        _core.inverse_frequencies(ids, offsets, 4)


@given(documents=word_lists, batch=st.integers(1, 5), workers=st.integers(1, 3))
def test_plans_hold_whole_documents_with_the_weights_of_the_twin(documents, batch, workers):
    data = packed(documents)
    idf = encoders.inverse_frequencies(documents, 10)
    y = encoders.targets_of(documents, idf)
    seen = Counter()
    for worker in range(workers):
        own = _core.TrainOptions()
        own.batch, own.epochs = batch, 2
        for plan in _core.plans(*data, own, worker, workers, bags=True):
            assert 0 < len(plan["documents"]) <= batch
            assert plan["document_runs"].tolist() == list(range(len(plan["documents"]) + 1))
            assert len(plan["context"]) == 0
            for run, document in enumerate(plan["documents"]):
                seen[plan["epoch"], int(document)] += 1
                here = plan["target_run"] == run
                x = encoders.inputs_of(documents[document], idf)
                assert plan["targets"][here].tolist() == list(x)
                assert plan["target_input"][here] == pytest.approx(list(x.values()), rel=1e-5)
                weights = plan["target_weight"][here]
                assert weights == pytest.approx(list(y[document].values()), rel=1e-5)
                assert (plan["target_input"][here] ** 2).sum() == pytest.approx(1.0, rel=1e-5)
    filled = [d for d, words in enumerate(documents) if words]
    assert seen == Counter(itertools.product((0, 1), filled))


@given(documents=word_lists, each=st.integers(1, 4), seed=st.integers(0, 50))
def test_plans_hold_the_words_of_one_neighbour_as_targets_alone(documents, each, seed):
    data = packed(documents)
    near = neighbors_of(len(documents), each, seed)
    y = encoders.targets_of(documents, encoders.inverse_frequencies(documents, 10))
    values = {"seed": seed, "batch": 4}
    without = plans("pv-encoder", data, **values)
    with_some = plans("pv-encoder", data, near, 0.25, **values)
    assert len(without) == len(with_some)
    for bare, plan in zip(without, with_some, strict=True):
        for name in ("documents", "noise", "progress"):
            assert np.array_equal(bare[name], plan[name])
        for run, document in enumerate(plan["documents"]):
            old = bare["target_run"] == run
            new, own = plan["target_run"] == run, old.sum()
            for name in ("targets", "target_weight", "target_input"):
                assert np.array_equal(plan[name][new][:own], bare[name][old])
            assert not plan["target_input"][new][own:].any()
            found = dict(zip(plan["targets"][new][own:], plan["target_weight"][new][own:],
                             strict=True))  # fmt: skip
            candidates = [y[other] for other in near[document]]
            assert any(
                found == pytest.approx({word: 0.25 * value for word, value in own_y.items()})
                for own_y in candidates
            )


def test_every_neighbour_has_its_turn_and_their_order_is_of_each_epoch():
    documents = [[d % 10, d // 10] for d in range(100)]
    near = neighbors_of(100, 5)
    drawn = {}
    for plan in plans("pv-encoder", packed(documents), near, 1.0, epochs=200):
        for run, document in enumerate(plan["documents"]):
            here = (plan["target_run"] == run) & (plan["target_input"] == 0)
            drawn.setdefault(int(document), []).append(tuple(plan["targets"][here]))
    for document, words in drawn.items():
        expected = Counter(tuple(sorted(set(documents[d]))) for d in near[document])
        found = Counter(words)
        assert found.keys() == expected.keys()
        for own, times in expected.items():
            assert abs(found[own] - 40 * times) < 5 * np.sqrt(40 * times)


@pytest.mark.parametrize(
    ("near", "message"),
    [
        (np.zeros((3, 2), np.uint32), "`neighbors` must have 40 rows, got 3"),
        (np.full((40, 2), 40, np.uint32), "`neighbors` must be below 40, got 40"),
        (np.zeros(40, np.uint32), "`neighbors` must have 2 dimensions, got 1"),
    ],
)
def test_neighbours_that_do_not_fit_the_documents_are_refused(near, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        train("pv-encoder", corpus(), neighbors=near, neighbor_weight=1.0)


# Both ways


@each_encoder
def test_the_twin_has_the_gradient_of_its_sum(model):
    # Without the rounding, whose gradient is by definition that of the sigmoid alone.
    rng = np.random.default_rng(0)
    x, rows, g = rng.random(5), rng.normal(size=(5, 6)), rng.normal(size=6)
    got, step = encoders.send_back(model, g, x, rows), 1e-6
    for place in np.ndindex(rows.shape):
        values = []
        for shift in (step, -step):
            moved = rows.copy()
            moved[place] += shift
            values.append(g @ encoders.compose(model, x, moved, soft=True))
        assert got[place] == pytest.approx((values[0] - values[1]) / (2 * step), abs=1e-8)


@pytest.mark.parametrize("objective", OBJECTIVES)
@each_encoder
def test_training_with_neighbours_equals_the_twin(model, objective, level):
    data = corpus(seed=5, words=25)
    near = neighbors_of(40)
    values = {
        "objective": OBJECTIVES[objective], "learning_rate": 0.05, "context_rate": 2.0, "batch": 7,
    }  # fmt: skip
    start = train(model, data, level=level, **{**values, "epochs": 0})
    result = train(model, data, level=level, neighbors=near, neighbor_weight=0.5, **values)
    hidden, output, bias, context, _ = doubles(model, start)
    assert hidden is None
    slow = twin.Twin(
        model, objective, "adagrad", 6, 0.05, 1.0, data[2], None, output, bias, context,
        context_rate=2.0,
    )  # fmt: skip
    losses, weights = np.zeros(2), np.zeros(2)
    for plan in plans(model, data, near, 0.5, **values):
        losses[plan["epoch"]] += slow.step(plan)
        weights[plan["epoch"]] += slow.weights(plan).sum()
    _, output, bias, context, _ = doubles(model, result)
    assert np.abs(output - slow.output).max() < 2e-4
    assert np.abs(bias - slow.bias).max() < 2e-4
    assert np.abs(context - slow.context).max() < 2e-4
    assert result[5] == pytest.approx((losses / weights).tolist(), rel=1e-5)


@each_encoder
def test_the_bytes_with_neighbours_do_not_depend_on_the_number_of_threads(model, level):
    data = corpus(seed=1, documents=150)
    values = {
        "batch": 40, "dropout": 0.2, "neighbors": neighbors_of(150), "neighbor_weight": 0.5,
    }  # fmt: skip
    one = train(model, data, level=level, **values, threads=1)
    assert bytes_of(one) != bytes_of(train(model, data, level=level, batch=40, dropout=0.2))
    for threads in (2, 3, 5):
        many = train(model, data, level=level, **values, threads=threads)
        assert bytes_of(many) == bytes_of(one)
        assert many[5] == one[5]


@each_encoder
def test_racing_threads_learn_as_well_with_neighbours(model):
    data = corpus(seed=3, documents=300)
    values = {"epochs": 5, "neighbors": neighbors_of(300), "neighbor_weight": 0.5}
    calm = train(model, data, **values)
    racing = train(model, data, **values, deterministic=False, threads=3)
    assert racing[5][-1] == pytest.approx(calm[5][-1], rel=0.05)


@settings(max_examples=30)
@given(documents=word_lists, seed=st.integers(0, 20))
def test_a_document_is_the_sum_of_the_twin_in_any_company_and_order(documents, seed):
    rng = np.random.default_rng(seed)
    data = packed(documents)
    trained = train("pv-encoder", data)
    idf = _core.inverse_frequencies(*data[:2], 10)
    options = _core.InferOptions()
    whole = infer("pv-encoder", data, trained, options)
    context = doubles("pv-encoder", trained)[3]
    for row, document in zip(whole, documents, strict=True):
        shuffled = packed([rng.permutation(document).astype(int).tolist()])
        alone = infer("pv-encoder", shuffled, trained, options, idf=idf)
        assert alone.tobytes() == row.tobytes()
        expected = encoders.encode(document, idf.astype(np.float64), context)
        assert np.abs(row - expected).max() < 1e-5
        assert document or not row.any()


def test_inverse_frequencies_must_be_given():
    data = corpus()
    trained = train("pv-encoder", data, epochs=1)
    for idf in (None, np.ones(3, np.float32), np.ones((60, 1), np.float32)):
        with pytest.raises(ValueError, match=r"^`idf` must have a value per word, 60$"):
            _core.infer(
                "pv-encoder", *data, *trained[1:5], idf, _core.Shape(20, word_dim=20),
                _core.InferOptions(),
            )  # fmt: skip


# Neighbours


def near_ones(documents, dim, seed=0):
    """Vectors of which no two are as near to a third as rounding errors are large."""
    return np.random.default_rng(seed).normal(size=(documents, dim)).astype(np.float32)


@pytest.mark.parametrize(("documents", "k"), [(2, 1), (9, 8), (40, 2), (150, 10), (21, 20)])
def test_the_nearest_documents_are_those_of_brute_force_where_all_are_on_the_shortlist(
    documents, k
):
    vectors = near_ones(documents, 24)
    got = nearest_documents(vectors, k, 2)
    assert (got.dtype, got.shape) == (np.uint32, (documents, k))
    if 20 * k >= documents:
        assert np.array_equal(got, encoders.nearest(vectors, k))
    else:
        assert np.mean(got[:, 0] == encoders.nearest(vectors, k)[:, 0]) > 0.9


@pytest.mark.parametrize(("copies", "k"), [(30, 3), (30, 29), (12, 11), (5, 20)])
def test_equal_documents_are_neighbours_and_none_is_its_own(copies, k):
    vectors = np.repeat(near_ones(2 if copies == 30 else 5, 20), copies, axis=0)
    n = len(vectors)
    k = min(k, n - 1)
    got = nearest_documents(vectors, k, 2)
    for row, own in enumerate(got):
        assert len(set(own.tolist())) == k
        assert row not in own
        equals = [other for other in own if other // copies == row // copies]
        assert len(equals) == min(k, copies - 1)


@given(seed=st.integers(0, 30), documents=st.integers(2, 12), zeros=st.integers(0, 12))
def test_documents_without_words_neither_hide_nor_repeat_neighbours(seed, documents, zeros):
    vectors = near_ones(documents, 8, seed)
    vectors[:zeros] = 0.0
    for k in (1, documents - 1):
        got = nearest_documents(vectors, k, 1)
        for row, own in enumerate(got):
            assert len({row, *own.tolist()}) == k + 1


def test_the_number_of_threads_and_the_slices_change_no_neighbour(monkeypatch):
    vectors = near_ones(300, 24)
    expected = nearest_documents(vectors, 4, 1)
    assert np.array_equal(nearest_documents(vectors, 4, 5), expected)
    monkeypatch.setattr("bitsense._training._SLICE", 7)
    assert np.array_equal(nearest_documents(vectors, 4, 2), expected)

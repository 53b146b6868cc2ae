"""Plans, steps, training and inference against the slow twin in tests/reference/training.py."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import training as twin

from bitsense import _core

MODELS = ["pv-dbow", "binary-pv-dbow"]
OBJECTIVES = {
    "softmax": _core.Objective.sampled_softmax,
    "negative-sampling": _core.Objective.negative_sampling,
}
OPTIMIZERS = {"adagrad": _core.Optimizer.adagrad, "sgd": _core.Optimizer.sgd}


def corpus(seed=0, documents=40, words=60, longest=50):
    """Random documents whose words follow a steep distribution, as ids, offsets and counts."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, longest, documents)
    p = 1.0 / np.arange(1, words + 1)
    ids = rng.choice(words, size=lengths.sum(), p=p / p.sum()).astype(np.uint32)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.uint64)
    counts = np.maximum(np.bincount(ids, minlength=words), 1).astype(np.uint64)
    return ids, offsets, counts


def options(**values):
    result = _core.TrainOptions()
    for name, value in {"epochs": 2, "batch": 8, "run": 4, "negatives": 6, **values}.items():
        setattr(result, name, value)
    return result


def train(model, data, dim=20, level=None, watch=None, **values):
    init = _core.InitOptions()
    init.scale = 0.1
    init.bias_power = 0.5
    return _core.train(model, *data, dim, init, options(**values), watch, level)


def bytes_of(result):
    return b"".join(array.tobytes() for array in result[:3])


# Plans


@given(
    seed=st.integers(0, 100),
    batch=st.integers(1, 20),
    run=st.integers(1, 9),
    workers=st.integers(1, 3),
)
def test_plans_visit_every_word_once_an_epoch(seed, batch, run, workers):
    data = corpus(seed)
    ids, offsets = data[:2]
    visited = {}
    for worker in range(workers):
        for plan in _core.plans(*data, options(batch=batch, run=run, seed=seed), worker, workers):
            assert 0 < len(plan["documents"]) <= batch
            assert len(set(plan["documents"])) == len(plan["documents"])
            assert max(Counter(plan["target_run"]).values()) <= run
            for target, place in zip(plan["targets"], plan["target_run"], strict=True):
                key = (plan["epoch"], int(plan["documents"][place]))
                visited.setdefault(key, []).append(int(target))
    for epoch in range(2):
        for d in range(len(offsets) - 1):
            expected = ids[int(offsets[d]) : int(offsets[d + 1])].tolist()
            assert visited.get((epoch, d), []) == expected


@given(seed=st.integers(0, 100), negatives=st.integers(1, 30))
def test_plans_know_who_moves_each_row(seed, negatives):
    data = corpus(seed, words=12)
    for plan in _core.plans(*data, options(negatives=negatives, seed=seed)):
        noise, rows, targets = plan["noise"], plan["rows"], plan["targets"]
        assert plan["noise_times"].sum() == negatives
        assert len(set(rows)) == len(rows)
        assert rows[: len(noise)].tolist() == noise.tolist()
        assert set(rows) == set(noise) | set(targets)
        for i, row in enumerate(rows):
            entries = plan["entries"][plan["row_entries"][i] : plan["row_entries"][i + 1]]
            assert entries.tolist() == np.flatnonzero(targets == row).tolist()
        for target, place in zip(targets, plan["target_noise"], strict=True):
            assert (place == twin.UNSEEN) == (target not in noise)
            assert place == twin.UNSEEN or noise[place] == target


def test_documents_come_in_a_new_order_each_epoch():
    data = corpus(documents=200)
    orders = {0: [], 1: []}
    for plan in _core.plans(*data, options(batch=1, run=1000)):
        orders[plan["epoch"]] += plan["documents"].tolist()
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1] != sorted(orders[1])


def test_noise_follows_the_counts_to_the_power_of_three_quarters():
    data = corpus(documents=400)
    drawn = np.zeros(len(data[2]))
    for plan in _core.plans(*data, options(negatives=64, epochs=20)):
        np.add.at(drawn, plan["noise"], plan["noise_times"])
    expected = twin.noise_probabilities(data[2]) * drawn.sum()
    chi_square = ((drawn - expected) ** 2 / expected).sum()
    assert chi_square < len(drawn) + 5 * np.sqrt(2 * len(drawn))


@pytest.mark.parametrize("words", [30, 300])
def test_subsampling_keeps_the_published_share_of_words_above_the_mean_frequency(words):
    data = ids, _, counts = corpus(documents=3000, words=words)
    kept = np.zeros(len(counts))
    for plan in _core.plans(*data, options(subsample=0.01, epochs=4)):
        np.add.at(kept, plan["targets"], 1)
    ratio = max(0.01, 1 / words) * counts.sum() / counts
    share = np.minimum(1.0, np.sqrt(ratio) + ratio)
    expected = 4 * np.bincount(ids, minlength=len(counts)) * share
    assert np.abs(kept - expected).max() < 5 * np.sqrt(expected.max())


# The objectives


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_twin_has_the_gradient_of_its_loss(objective):
    rng = np.random.default_rng(0)
    z, times, q = rng.normal(size=7), rng.integers(1, 4, 6).astype(float), rng.random(7)
    q /= q.sum()
    draws, negatives, step = times.sum(), 5, 1e-6

    def loss(z):
        if objective == "softmax":
            return twin.softmax_loss(z[0], z[1:], times, q[0], q[1:], draws)
        return twin.sampling_loss(z[0], z[1:], times, negatives, draws)

    _, g_target, g_noise = twin.target_gradients(
        objective, z[0], z[1:], times, q[0], q[1:], draws, negatives
    )
    for i, g in enumerate([g_target, *g_noise]):
        shifted = z.copy()
        shifted[i] += step
        above = loss(shifted)
        shifted[i] -= 2 * step
        assert g == pytest.approx((above - loss(shifted)) / (2 * step), abs=1e-8)


# Whole trainings


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("model", MODELS)
def test_training_equals_the_twin(model, objective, optimizer, level):
    data = corpus(seed=5, words=25)
    rate, document_rate = 0.05, 2.0
    values = {
        "objective": OBJECTIVES[objective],
        "optimizer": OPTIMIZERS[optimizer],
        "learning_rate": rate,
        "document_rate": document_rate,
        "batch": 20,
    }
    start = train(model, data, level=level, **{**values, "epochs": 0})
    result = train(model, data, level=level, **values)
    hidden, output, bias = (a.astype(np.float64) for a in start[:3])
    slow = twin.Twin(
        model, objective, optimizer, 6, rate, document_rate, data[2], hidden, output, bias
    )
    losses = np.zeros(2)
    targets = np.zeros(2)
    for plan in _core.plans(*data, options(**values)):
        losses[plan["epoch"]] += slow.step(plan)
        targets[plan["epoch"]] += len(plan["targets"])
    for got, expected in zip(result[:3], (slow.hidden, slow.output, slow.bias), strict=True):
        assert np.abs(got - expected).max() < 2e-4
    assert result[3] == pytest.approx((losses / targets).tolist(), rel=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_the_bytes_do_not_depend_on_the_number_of_threads(model, level):
    data = corpus(seed=1, documents=150)
    values = {"batch": 40, "dropout": 0.2, "subsample": 0.01, "learning_rate": 0.05}
    one = train(model, data, level=level, **values, threads=1)
    for threads in (2, 3, 8):
        many = train(model, data, level=level, **values, threads=threads)
        assert bytes_of(many) == bytes_of(one)
        assert many[3] == one[3]


@pytest.mark.parametrize("model", MODELS)
def test_levels_with_fused_multiply_add_train_to_the_same_bytes(model):
    data = corpus(seed=1)
    fused = [level for level in _core.levels() if level != "baseline"]
    assert len({bytes_of(train(model, data, level=level)) for level in fused}) <= 1


def test_the_seed_changes_the_result():
    data = corpus()
    assert bytes_of(train(MODELS[0], data, seed=1)) != bytes_of(train(MODELS[0], data, seed=2))


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("model", MODELS)
def test_racing_threads_learn_as_well(model, threads):
    data = corpus(seed=3, documents=300)
    values = {"epochs": 5, "learning_rate": 0.05}
    calm = train(model, data, **values)
    racing = train(model, data, **values, deterministic=False, threads=threads)
    assert racing[3][-1] == pytest.approx(calm[3][-1], rel=0.05)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("model", MODELS)
def test_the_loss_falls(model, objective):
    data = corpus(documents=100)
    losses = train(model, data, epochs=10, learning_rate=0.1, objective=OBJECTIVES[objective])[3]
    assert len(losses) == 10
    assert losses[-1] < losses[0]


def test_padding_stays_zero():
    hidden, output = train(MODELS[1], corpus(), dim=20, dropout=0.1)[:2]
    assert hidden.shape[1] == output.shape[1] == 32
    assert not hidden[:, 20:].any()
    assert not output[:, 20:].any()


def test_what_the_watch_raises_stops_training_and_leaves_the_parameters():
    data = corpus(documents=3000, longest=200)

    def watch(epoch, fraction, words, loss):
        raise KeyboardInterrupt

    result = train(MODELS[0], data, epochs=10_000, watch=watch, threads=2)
    assert isinstance(result[4], KeyboardInterrupt)
    assert np.isfinite(result[0]).all()
    assert result[1].any()
    assert 1 <= len(result[3]) < 10_000


# Inference


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("model", MODELS)
def test_inference_equals_the_twin(model, objective, level):
    data = corpus(seed=2, words=25)
    _, output, bias, *_ = train(
        model, data, objective=OBJECTIVES[objective], epochs=5, learning_rate=0.1
    )
    infer_options = _core.InferOptions()
    infer_options.objective = OBJECTIVES[objective]
    infer_options.negatives = 6
    infer_options.noise = 40
    infer_options.iterations = 8
    infer_options.learning_rate = 0.1
    got = _core.infer(model, *data, output, bias, 20, infer_options, level)
    ids, offsets, counts = data
    for d in range(12):
        expected = twin.infer(
            model,
            objective,
            output[:, :20].astype(np.float64),
            bias.astype(np.float64),
            counts,
            ids[int(offsets[d]) : int(offsets[d + 1])],
            noise=40,
            iterations=8,
            rate=0.1,
            negatives=6,
        )
        assert np.abs(got[d] - expected).max() < 2e-4


@pytest.mark.parametrize("model", MODELS)
def test_inference_gives_a_document_the_same_bytes_in_any_company(model, level):
    data = ids, offsets, counts = corpus(seed=2, documents=50)
    _, output, bias, *_ = train(model, data)
    infer_options = _core.InferOptions()
    infer_options.threads = 3
    whole = _core.infer(model, *data, output, bias, 20, infer_options, level)
    infer_options.threads = 1
    rng = np.random.default_rng(0)
    for d in range(0, 50, 7):
        words = ids[int(offsets[d]) : int(offsets[d + 1])]
        words = rng.permutation(words)
        alone = np.array([0, len(words)], np.uint64)
        got = _core.infer(model, words, alone, counts, output, bias, 20, infer_options, level)
        assert got.tobytes() == whole[d].tobytes()


def test_ids_beyond_the_vocabulary_are_refused():
    ids, offsets, counts = corpus()
    ids[3] = len(counts)
    message = f"`ids` must be below the number of words, {len(counts)}, got {len(counts)}"
    with pytest.raises(ValueError, match=message):
        train(MODELS[0], (ids, offsets, counts))
    with pytest.raises(ValueError, match="`offsets` must run from 0 to the number of ids"):
        train(MODELS[0], (ids[:-1], offsets, counts))

"""Plans, steps, training and inference against the slow twin in tests/reference/training.py."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import compositions
from reference import training as twin

from bitsense import _core

MODELS = compositions.MODELS
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


WIDTH = 3  # words on each side of a target


def options(model="pv-dbow", **values):
    result = _core.TrainOptions()
    result.context = WIDTH if model in compositions.DM else 0
    for name, value in {"epochs": 2, "batch": 8, "run": 4, "negatives": 6, **values}.items():
        setattr(result, name, value)
    return result


def shape(model, dim=20):
    if model == "real-binary-pv-dbow":
        return _core.Shape(dim, bits=9)
    if model in compositions.DM:
        return _core.Shape(dim, WIDTH, dim if model == "pv-dm-mean" else 7)
    return _core.Shape(dim)


def train(model, data, dim=20, level=None, watch=None, **values):
    init = _core.InitOptions()
    init.scale = init.context_scale = 0.1
    init.bias_power = 0.5
    train_options = options(model, **values)
    return _core.train(model, *data, shape(model, dim), init, train_options, watch, level)


def infer(model, data, trained, infer_options, level=None):
    return _core.infer(model, *data, *trained[1:5], shape(model), infer_options, level)


def doubles(model, trained):
    """Return the tables of a training without their padding, None where the model has not one."""
    own = shape(model)
    widths = own.dim, own.hidden(model), None, own.word_dim, own.dim
    return [
        (table if width is None else table[:, :width]).astype(np.float64) if len(table) else None
        for table, width in zip(trained[:5], widths, strict=True)
    ]


def bytes_of(result):
    return b"".join(array.tobytes() for array in result[:5])


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


@given(seed=st.integers(0, 100), batch=st.integers(1, 12), subsample=st.sampled_from([0.0, 0.05]))
def test_plans_know_the_raw_neighbours_of_each_target(seed, batch, subsample):
    data = ids, offsets, _ = corpus(seed, documents=15)
    at = {}
    for plan in _core.plans(*data, options("pv-dm-mean", batch=batch, subsample=subsample)):
        around = plan["context"].reshape(-1, 2 * WIDTH)
        assert plan["target_run"].tolist() == list(range(len(plan["targets"])))
        starts = plan["document_runs"]
        assert starts[-1] == len(plan["documents"]) == len(around)
        for first, last in itertools.pairwise(starts):
            assert len(set(plan["documents"][first:last])) == 1
        assert len(starts) - 1 == len(set(plan["documents"]))
        for document, target, neighbours in zip(
            plan["documents"], plan["targets"], around, strict=True
        ):
            words = ids[int(offsets[document]) : int(offsets[document + 1])].tolist()
            sides = [twin.UNSEEN] * WIDTH
            padded = [*sides, *words, *sides]
            key = plan["epoch"], int(document)
            for place in range(at.get(key, 0), len(words)):  # thinning out skips places
                near = padded[place : place + 2 * WIDTH + 1]
                found = near.pop(WIDTH)
                if found == target and near == neighbours.tolist():
                    break
            else:
                raise AssertionError("no such place")
            at[key] = place + 1


@given(seed=st.integers(0, 100))
def test_plans_know_who_moves_each_row_of_a_context_word(seed):
    for plan in _core.plans(*corpus(seed, words=12), options("pv-dm-mean", seed=seed)):
        context, rows, begins = plan["context"], plan["context_rows"], plan["context_begins"]
        assert len(set(rows)) == len(rows) == len(begins) - 1
        assert set(rows) == set(context) - {twin.UNSEEN}
        assert begins[-1] == len(plan["context_entries"])
        for row, (first, last) in zip(rows, itertools.pairwise(begins), strict=True):
            entries = plan["context_entries"][first:last]
            assert entries.tolist() == np.flatnonzero(context == row).tolist()


def test_plans_without_a_context_have_none():
    for plan in _core.plans(*corpus(), options()):
        assert len(plan["context"]) == len(plan["context_rows"]) == 0
        assert plan["document_runs"].tolist() == list(range(len(plan["documents"]) + 1))


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


@pytest.mark.parametrize("absent", [(), (0, 2), (0, 1, 2, 3)])
@pytest.mark.parametrize("model", MODELS)
def test_the_twin_has_the_gradients_of_its_compositions(model, absent):
    # Without the rounding, whose gradient is by definition that of the sigmoid alone.
    rng = np.random.default_rng(0)
    row, projection = rng.normal(size=6), rng.normal(size=(5, 6))
    width = 6 if model == "pv-dm-mean" else 3
    words = [] if model in compositions.DBOW else list(rng.normal(size=(4, width)))
    words = [None if i in absent else word for i, word in enumerate(words)]
    g = rng.normal(size=len(compositions.compose(model, row, words, projection, width=width)))

    def value():
        return g @ compositions.compose(model, row, words, projection, soft=True, width=width)

    got_row, got_words, got_projection = compositions.send_back(model, g, row, words, projection)
    pairs = [(row, got_row), *zip(words, got_words, strict=True)]
    if got_projection is not None:
        pairs.append((projection, got_projection))
    for table, gradient in pairs:
        assert (table is None) == (gradient is None)
        for place in np.ndindex(() if table is None else table.shape):
            if table is None:
                break
            before, step = table[place], 1e-6
            table[place] = before + step
            above = value()
            table[place] = before - step
            below = value()
            table[place] = before
            assert gradient[place] == pytest.approx((above - below) / (2 * step), abs=1e-8)


# Whole trainings


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("model", MODELS)
def test_training_equals_the_twin(model, objective, optimizer, level):
    check_training(model, objective, optimizer, level)


def test_training_equals_the_twin_without_rounding_the_words(level):
    check_training("binary-pv-dm", "softmax", "adagrad", level, round_words=False)


def check_training(model, objective, optimizer, level, round_words=True):
    data = corpus(seed=5, words=25)
    rates = {"document_rate": 2.0, "context_rate": 0.5, "projection_rate": 0.25}
    values = {
        "objective": OBJECTIVES[objective],
        "optimizer": OPTIMIZERS[optimizer],
        "learning_rate": 0.05,
        "batch": 20,
        "round_words": round_words,
        **rates,
    }
    start = train(model, data, level=level, **{**values, "epochs": 0})
    result = train(model, data, level=level, **values)
    hidden, output, bias, context, projection = doubles(model, start)
    slow = twin.Twin(
        model, objective, optimizer, 6, 0.05, rates.pop("document_rate"), data[2], hidden, output,
        bias, context, projection, **rates, round_words=round_words,
    )  # fmt: skip
    losses = np.zeros(2)
    targets = np.zeros(2)
    for plan in _core.plans(*data, options(model, **values)):
        losses[plan["epoch"]] += slow.step(plan)
        targets[plan["epoch"]] += len(plan["targets"])
    expected = slow.hidden, slow.output, slow.bias, slow.context, slow.projection
    for got, right in zip(doubles(model, result), expected, strict=True):
        assert (got is None) == (right is None)
        assert got is None or np.abs(got - right).max() < 2e-4
    assert result[5] == pytest.approx((losses / targets).tolist(), rel=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_the_bytes_do_not_depend_on_the_number_of_threads(model, level):
    data = corpus(seed=1, documents=150)
    values = {"batch": 40, "dropout": 0.2, "subsample": 0.01, "learning_rate": 0.05}
    one = train(model, data, level=level, **values, threads=1)
    for threads in (2, 3, 5):
        many = train(model, data, level=level, **values, threads=threads)
        assert bytes_of(many) == bytes_of(one)
        assert many[5] == one[5]


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
    assert racing[5][-1] == pytest.approx(calm[5][-1], rel=0.05)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("model", MODELS)
def test_the_loss_falls(model, objective):
    data = corpus(documents=100)
    losses = train(model, data, epochs=10, learning_rate=0.1, objective=OBJECTIVES[objective])[5]
    assert len(losses) == 10
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("model", MODELS)
def test_padding_stays_zero(model):
    tables = train(model, corpus(), dim=20, dropout=0.1)[:5]
    own = shape(model)
    widths = own.dim, own.hidden(model), None, own.word_dim, own.dim
    for table, width in zip(tables, widths, strict=True):
        if width is not None and len(table):
            assert table.shape[1] == -(-width // 16) * 16
            assert not table[:, width:].any()


def test_what_the_watch_raises_stops_training_and_leaves_the_parameters():
    data = corpus(documents=3000, longest=200)

    def watch(epoch, fraction, words, loss):
        raise KeyboardInterrupt

    result = train(MODELS[0], data, epochs=10_000, watch=watch, threads=2)
    assert isinstance(result[6], KeyboardInterrupt)
    assert np.isfinite(result[0]).all()
    assert result[1].any()
    assert 1 <= len(result[5]) < 10_000


# Inference


def infer_options(**values):
    result = _core.InferOptions()
    for name, value in values.items():
        setattr(result, name, value)
    return result


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("model", MODELS)
def test_inference_equals_the_twin(model, objective, level):
    check_inference(model, objective, level)


def test_inference_equals_the_twin_without_rounding_the_words(level):
    check_inference("binary-pv-dm", "softmax", level, round_words=False)


def check_inference(model, objective, level, round_words=True):
    data = ids, offsets, counts = corpus(seed=2, words=25)
    trained = train(
        model, data, objective=OBJECTIVES[objective], epochs=5, learning_rate=0.1,
        round_words=round_words,
    )  # fmt: skip
    values = {"negatives": 6, "noise": 40, "iterations": 8}
    own = infer_options(
        objective=OBJECTIVES[objective], learning_rate=0.1, round_words=round_words, **values
    )
    got = infer(model, data, trained, own, level)
    _, output, bias, context, projection = doubles(model, trained)
    for d in range(12):
        words = ids[int(offsets[d]) : int(offsets[d + 1])]
        expected = twin.infer(
            model, objective, output, bias, counts, words, **values, rate=0.1, dim=20,
            width=shape(model).context, context=context, projection=projection,
            round_words=round_words,
        )  # fmt: skip
        assert np.abs(got[d] - expected).max() < 2e-4


@pytest.mark.parametrize("model", MODELS)
def test_inference_gives_a_document_the_same_bytes_in_any_company(model, level):
    data = ids, offsets, counts = corpus(seed=2, documents=50)
    trained = train(model, data)
    whole = infer(model, data, trained, infer_options(threads=3), level)
    rng = np.random.default_rng(0)
    for d in range(0, 50, 7):
        words = ids[int(offsets[d]) : int(offsets[d + 1])]
        if model in compositions.DBOW:  # elsewhere the order of the words matters
            words = rng.permutation(words)
        alone = np.array([0, len(words)], np.uint64)
        got = infer(model, (words, alone, counts), trained, infer_options(threads=1), level)
        assert got.tobytes() == whole[d].tobytes()


@pytest.mark.parametrize("model", ["pv-dm-mean", "binary-pv-dm"])
def test_long_documents_are_inferred_as_short_ones_are(model):
    # More places than inference keeps logits of: those of the end are worked out in each step.
    noise = 4096
    rng = np.random.default_rng(1)
    counts = np.ones(5000, np.uint64)
    ids = rng.integers(0, 5000, 1400).astype(np.uint32)
    data = ids, np.array([0, len(ids)], np.uint64), counts
    trained = train(model, data, learning_rate=0.1)
    got = infer(model, data, trained, infer_options(noise=noise, iterations=2))
    _, output, bias, context, _ = doubles(model, trained)
    expected = twin.infer(
        model, "softmax", output, bias, counts, ids, noise=noise, iterations=2, rate=0.1,
        negatives=64, dim=20, width=WIDTH, context=context,
    )  # fmt: skip
    assert np.abs(got[0] - expected).max() < 2e-4


SHAPES = [
    (
        "pv-dbow",
        (20, 3),
        "`context` must be above 0 in models with a context and 0 in others, got 3",
    ),
    (
        "pv-dm-mean",
        (20,),
        "`context` must be above 0 in models with a context and 0 in others, got ",
    ),
    ("pv-dm-mean", (20, 3, 7), "`word_dim` must be `dim`, 20, in a mean, got 7"),
    ("binary-pv-dm", (20, 3), "`word_dim` must be above 0, got 0"),
    ("real-binary-pv-dbow", (20,), "`bits` must be above 0, got 0"),
]


@pytest.mark.parametrize(("model", "sizes", "message"), SHAPES)
def test_shapes_of_other_models_are_refused(model, sizes, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        _core.Shape(*sizes).hidden(model)


def test_tables_of_other_shapes_are_refused():
    data = corpus()
    for model, place, name in [
        ("binary-pv-dm", 1, "output"), ("pv-dm-mean", 3, "context"),
        ("real-binary-pv-dbow", 4, "projection"),
    ]:  # fmt: skip
        trained = list(train(model, data, epochs=1))
        trained[place] = trained[place][:-1]
        with pytest.raises(ValueError, match=f"^`{name}` must be .* rows of .* columns, got "):
            infer(model, data, trained, infer_options())


def test_ids_beyond_the_vocabulary_are_refused():
    ids, offsets, counts = corpus()
    ids[3] = len(counts)
    message = f"`ids` must be below the number of words, {len(counts)}, got {len(counts)}"
    with pytest.raises(ValueError, match=message):
        train(MODELS[0], (ids, offsets, counts))
    with pytest.raises(ValueError, match="`offsets` must run from 0 to the number of ids"):
        train(MODELS[0], (ids[:-1], offsets, counts))

"""Steps, training and inference against the slow twin in tests/reference/training.py."""

from __future__ import annotations

import numpy as np
import pytest
from reference import compositions, encoders
from reference import training as twin
from reference.small_trainings import (
    ENCODERS,
    MODELS,
    OBJECTIVES,
    OPTIMIZERS,
    WIDTH,
    bytes_of,
    corpus,
    doubles,
    infer,
    plans,
    shape,
    train,
)

from bitsense import _core

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
@pytest.mark.parametrize("model", compositions.MODELS)
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
        "batch": 6 if model in ENCODERS else 20,  # whole documents; more at once diverge under SGD
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
    for plan in plans(model, data, **values):
        losses[plan["epoch"]] += slow.step(plan)
        targets[plan["epoch"]] += slow.weights(plan).sum()
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
    values = {"epochs": 10, "learning_rate": 0.1, "negatives": 40}
    losses = train(model, data, objective=OBJECTIVES[objective], **values)[5]
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
    idf = encoders.inverse_frequencies(encoders.split(ids, offsets), len(counts))
    for d in range(12):
        words = ids[int(offsets[d]) : int(offsets[d + 1])]
        if model in ENCODERS:
            assert np.abs(got[d] - encoders.encode(words.tolist(), idf, context)).max() < 2e-5
            continue
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
        if model not in compositions.DM:  # there the order of the words matters
            words = rng.permutation(words)
        alone = np.array([0, len(words)], np.uint64)
        idf = _core.inverse_frequencies(*data[:2], len(counts))
        got = infer(model, (words, alone, counts), trained, infer_options(threads=1), level, idf)
        assert got.tobytes() == whole[d].tobytes()


@pytest.mark.slow
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
    ("pv-dm-mean", (20, 3, 7), "`word_dim` must be `dim`, 20, in a mean or a sum, got 7"),
    ("pv-encoder", (20, 0, 7), "`word_dim` must be `dim`, 20, in a mean or a sum, got 7"),
    ("binary-pv-encoder", (20,), "`word_dim` must be above 0, got 0"),
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
        ("real-binary-pv-dbow", 4, "projection"), ("pv-encoder", 3, "context"),
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

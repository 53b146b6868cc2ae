"""What the tests of the engine's trainings share: random documents, options, the calls."""

from __future__ import annotations

import numpy as np

from bitsense import _core

from . import compositions, encoders

ENCODERS = encoders.ENCODERS
MODELS = [*compositions.MODELS, *ENCODERS]
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
    return _core.Shape(dim, word_dim=dim if model in ENCODERS else 0)


def plans(model, data, neighbors=None, weight=0.0, **values):
    own = options(model, **values)
    return _core.plans(
        *data, own, bags=model in ENCODERS, neighbors=neighbors, neighbor_weight=weight
    )


def train(
    model, data, dim=20, level=None, watch=None, neighbors=None, neighbor_weight=0.0, **values
):
    init = _core.InitOptions()
    init.scale = init.context_scale = 0.1
    init.bias_power = 0.5
    train_options = options(model, **values)
    return _core.train(
        model, *data, shape(model, dim), init, train_options, watch, neighbors, neighbor_weight,
        level,
    )  # fmt: skip


def infer(model, data, trained, infer_options, level=None, idf=None):
    ids, offsets, counts = data
    if idf is None and model in ENCODERS:
        idf = _core.inverse_frequencies(ids, offsets, len(counts))
    return _core.infer(model, *data, *trained[1:5], idf, shape(model), infer_options, level)


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

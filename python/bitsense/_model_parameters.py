"""The parameters of the paragraph-vector models: their ranges, and their values in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _core
from ._check import (
    MAX_BITS,
    check_bool,
    check_count,
    check_float,
    check_option,
    check_seed,
    check_threads,
)

if TYPE_CHECKING:
    from ._paragraph_vectors import ParagraphVectors

__all__ = [
    "OBJECTIVES",
    "OPTIMIZERS",
    "check_infer_epochs",
    "check_on_unknown",
    "checked_parameters",
]

MODES = ("dbow",)
_NEGATIVES = {"softmax": 128, "negative-sampling": 5}
OBJECTIVES = {
    "softmax": _core.Objective.sampled_softmax,
    "negative-sampling": _core.Objective.negative_sampling,
}
OPTIMIZERS = {"adagrad": _core.Optimizer.adagrad, "sgd": _core.Optimizer.sgd}
MAX_NOISE = 2**22  # noise words of a block, all targets of a document together


def checked_parameters(model: ParagraphVectors) -> dict[str, Any]:
    """Check every parameter; return those that decide what is learned, of JSON types.

    Neither `threads` nor `progress` are among those, and the tokeniser travels by itself.

    Raises
    ------
    TypeError, ValueError
        With the name of the parameter.
    """
    check_threads(model.threads)
    checked: dict[str, Any] = {
        model._width: check_count(model._width, getattr(model, model._width), most=MAX_BITS),
        "mode": str(check_option("mode", model.mode, MODES)),
        "window": check_count("window", model.window, most=4096),
        "min_count": check_count("min_count", model.min_count, most=2**64 - 1),
        "max_vocabulary": None,
        "negatives": None,
        "subsample": check_float("subsample", model.subsample, most=1.0),
        "epochs": check_count("epochs", model.epochs, most=1_000_000),
        "learning_rate": None,
        "objective": str(check_option("objective", model.objective, OBJECTIVES)),
        "optimizer": str(check_option("optimizer", model.optimizer, OPTIMIZERS)),
        "dropout": check_float("dropout", model.dropout, most=0.99),
        "batch": check_count("batch", model.batch, most=65536),
        "infer_epochs": check_infer_epochs(model.infer_epochs),
        "on_unknown": check_on_unknown(model.on_unknown),
        "deterministic": check_bool("deterministic", model.deterministic),
        "seed": check_seed(model.seed),
    }
    if model.max_vocabulary is not None:
        most = 2**32 - 1
        checked["max_vocabulary"] = check_count("max_vocabulary", model.max_vocabulary, most=most)
    if model.negatives is not None:
        checked["negatives"] = check_count("negatives", model.negatives, most=65536)
    if model.learning_rate is not None:
        rate = check_float("learning_rate", model.learning_rate, open_below=True, most=1000.0)
        checked["learning_rate"] = rate
    noise = negatives_of(checked) * checked["window"]
    if noise > MAX_NOISE:
        raise ValueError(f"`negatives` times `window` must be at most {MAX_NOISE:,}, got {noise:,}")
    return checked


def negatives_of(checked: dict[str, Any]) -> int:
    """Return how many noise words a target is told from, where None leaves it to the objective."""
    negatives = checked["negatives"]
    return _NEGATIVES[checked["objective"]] if negatives is None else int(negatives)


def check_on_unknown(on_unknown: Any) -> str:
    """Return what is asked for documents without a known word."""
    return str(check_option("on_unknown", on_unknown, ("zero", "error", "nan")))


def check_infer_epochs(infer_epochs: Any) -> int:
    """Return the number of steps of an inference."""
    return check_count("infer_epochs", infer_epochs, most=100_000)

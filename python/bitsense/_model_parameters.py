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
    "epochs_of",
    "negatives_of",
    "objective_of",
    "optimizer_of",
    "word_dim_of",
]

_NEGATIVES = {"softmax": 128, "negative-sampling": 5}
OBJECTIVES = {
    "softmax": _core.Objective.sampled_softmax,
    "negative-sampling": _core.Objective.negative_sampling,
}
OPTIMIZERS = {"adagrad": _core.Optimizer.adagrad, "sgd": _core.Optimizer.sgd}
MAX_NOISE = 2**22  # noise words of a block, all targets of a document together
MAX_WIDTH = 2**20  # components of a hidden vector


def checked_parameters(model: ParagraphVectors) -> dict[str, Any]:
    """Check every parameter; return those that decide what is learned, of JSON types.

    Neither `threads` nor `progress` are among those, and the tokeniser travels by itself.

    Raises
    ------
    TypeError, ValueError
        With the name of the parameter.
    """
    check_threads(model.threads)
    sizes = _sizes(model)
    mode = model._modes[sizes["mode"]]
    checked: dict[str, Any] = {
        model._width: check_count(model._width, getattr(model, model._width), most=MAX_BITS),
        **sizes,
        "window": check_count("window", model.window, most=4096),
        "min_count": check_count("min_count", model.min_count, most=2**64 - 1),
        "max_vocabulary": None,
        "negatives": None,
        "subsample": check_float("subsample", model.subsample, most=1.0),
        "epochs": None,
        "learning_rate": None,
        "objective": None,
        "optimizer": None,
        "dropout": check_float("dropout", model.dropout, most=0.99),
        "batch": check_count("batch", model.batch, most=65536),
        "infer_epochs": check_infer_epochs(model.infer_epochs),
        "on_unknown": check_on_unknown(model.on_unknown),
        "deterministic": check_bool("deterministic", model.deterministic),
        "seed": check_seed(model.seed),
    }
    if model.epochs is not None:
        checked["epochs"] = check_count("epochs", model.epochs, most=1_000_000)
    if model.objective is not None:
        checked["objective"] = str(check_option("objective", model.objective, OBJECTIVES))
    if model.optimizer is not None:
        checked["optimizer"] = str(check_option("optimizer", model.optimizer, OPTIMIZERS))
    if model.max_vocabulary is not None:
        most = 2**32 - 1
        checked["max_vocabulary"] = check_count("max_vocabulary", model.max_vocabulary, most=most)
    if model.negatives is not None:
        checked["negatives"] = check_count("negatives", model.negatives, most=65536)
    if model.learning_rate is not None:
        rate = check_float("learning_rate", model.learning_rate, open_below=True, most=1000.0)
        checked["learning_rate"] = rate
    noise = negatives_of(type(model), checked) * checked["window"]
    if noise > MAX_NOISE:
        raise ValueError(f"`negatives` times `window` must be at most {MAX_NOISE:,}, got {noise:,}")
    if "context" in checked:
        _check_context(model, checked)
    if mode.encoder and checked.get("bits", 0) > checked[model._width]:
        raise ValueError(
            f"`bits` must be at most `dim`, {checked['dim']}, in mode 'encoder', got "
            f"{checked['bits']}"
        )
    return checked


def _sizes(model: ParagraphVectors) -> dict[str, Any]:
    """Check the parameters that only some of the models have."""
    checked: dict[str, Any] = {"mode": str(check_option("mode", model.mode, tuple(model._modes)))}
    given = vars(model)
    if "bits" in given:
        checked["bits"] = check_count("bits", given["bits"], most=MAX_BITS)
    if "context" in given:
        checked["context"] = check_count("context", given["context"], most=1024)
        checked["word_dim"] = None
        if given["word_dim"] is not None:
            checked["word_dim"] = check_count("word_dim", given["word_dim"], most=MAX_BITS)
    if "neighbors" in given:
        checked["neighbors"] = check_count("neighbors", given["neighbors"], least=0, most=4096)
        weight = check_float("neighbor_weight", given["neighbor_weight"], most=1000.0)
        checked["neighbor_weight"] = weight
    if "round_words" in given:
        checked["round_words"] = check_bool("round_words", given["round_words"])
    return checked


def _check_context(model: ParagraphVectors, checked: dict[str, Any]) -> None:
    """Check the sizes of a mode with a context together."""
    mode = model._modes[checked["mode"]]
    if not mode.context:
        return
    dim, word_dim = checked[model._width], word_dim_of(type(model), checked)
    if not mode.concatenated and word_dim != dim:
        raise ValueError(
            f"`word_dim` must be None or `dim`, {dim}, in mode {checked['mode']!r}, got {word_dim}"
        )
    width = dim + 2 * checked["context"] * word_dim
    if mode.concatenated and width > MAX_WIDTH:
        raise ValueError(
            f"`{model._width}` plus 2 * `context` * `word_dim` must be at most {MAX_WIDTH:,}, "
            f"got {width:,}"
        )
    places = checked["batch"] * checked["window"] * checked["context"]
    if places > MAX_NOISE:
        raise ValueError(
            f"`batch` times `window` times `context` must be at most {MAX_NOISE:,}, got {places:,}"
        )


def word_dim_of(cls: type[ParagraphVectors], checked: dict[str, Any]) -> int:
    """Return the components of the row of a word beside a target."""
    word_dim = checked["word_dim"]
    return int(checked[cls._width]) if word_dim is None else int(word_dim)


def negatives_of(cls: type[ParagraphVectors], checked: dict[str, Any]) -> int:
    """Return how many noise words a target is told from, where None leaves it to the mode."""
    if checked["negatives"] is not None:
        return int(checked["negatives"])
    objective = objective_of(cls, checked)
    return cls._modes[checked["mode"]].negatives.get(objective, _NEGATIVES[objective])


def epochs_of(cls: type[ParagraphVectors], checked: dict[str, Any]) -> int:
    """Return the epochs of a training, which None leaves to the mode."""
    return int(checked["epochs"] or cls._modes[checked["mode"]].epochs)


def objective_of(cls: type[ParagraphVectors], checked: dict[str, Any]) -> str:
    """Return the objective, which None leaves to the mode."""
    return str(checked["objective"] or cls._modes[checked["mode"]].objective)


def optimizer_of(cls: type[ParagraphVectors], checked: dict[str, Any]) -> str:
    """Return the optimiser of the words' rows, which None leaves to the mode."""
    return str(checked["optimizer"] or cls._modes[checked["mode"]].optimizer)


def check_on_unknown(on_unknown: Any) -> str:
    """Return what is asked for documents without a known word."""
    return str(check_option("on_unknown", on_unknown, ("zero", "error", "nan")))


def check_infer_epochs(infer_epochs: Any) -> int:
    """Return the number of steps of an inference."""
    return check_count("infer_epochs", infer_epochs, most=100_000)

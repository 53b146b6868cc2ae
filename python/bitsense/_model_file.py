"""A paragraph-vector model as a file of kind "model", and back.

The header has `class`; `parameters`, those that decided what was learned; `inference`, the numbers
that decide what a new document gets beside them; `tokenizer`, the options of a `Tokenizer`, or null
where it was a callable; and the history: `losses`, `partial`, `documents` (how many), `level`; and,
where there are such, `extended`, how many of the documents `extend` added, and `certificate`. The
arrays are the vocabulary (`words`, `word_offsets`, `word_counts`), `output` (a padded row per
word), `bias`, in models with a context and in encoders `context` (a padded row per word), in those
with a projection `projection` (a padded row per bit), in encoders `idf` (a value per word), where
a mean is taken from vectors before they are projected `offset`, and, where asked for, `documents`
(a padded row per training document).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import _core, files
from ._check import check_count, check_float
from ._continued import continued_of
from ._model_parameters import checked_parameters, epochs_of
from ._tokenizer import missing_tokenizer
from .certificates import Certificate
from .errors import FormatError
from .text import Tokenizer, Vocabulary

if TYPE_CHECKING:
    from ._paragraph_vectors import ParagraphVectors

__all__ = [
    "class_name",
    "history",
    "is_finite",
    "missing_tokenizer",
    "restored",
    "state",
    "tokenizers",
]

_ROW_QUANTUM = 16  # floats; the rows of the engine's matrices are padded to a multiple


def class_name(cls: type) -> str:
    """Return the name of the class of ours that `cls` is or derives from."""
    return next(each.__name__ for each in cls.__mro__ if each.__module__.startswith("bitsense."))


def state(
    model: ParagraphVectors, changed: dict[str, Any], documents: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the header and the arrays of a fitted model; `changed` overrides parameters."""
    tokenizer = model.tokenizer_
    header = {
        "class": class_name(type(model)),
        "parameters": {**model._recipe, **changed},
        "inference": model._inference,
        "tokenizer": tokenizer.to_dict() if isinstance(tokenizer, Tokenizer) else None,
        "losses": model.losses_,
        "partial": model.partial_,
        "documents": model.n_documents_,
        "level": model.level_,
        **_additions(model),
    }
    words, offsets, counts = model.vocabulary_.to_arrays()
    arrays: dict[str, Any] = {
        "words": words,
        "word_offsets": offsets,
        "word_counts": counts,
        "output": model._output,
        "bias": model._bias,
    }
    for name, table in (("context", model._context), ("projection", model._projection)):
        if len(table):
            arrays[name] = table
    for name, values in (("idf", model._idf), ("offset", model._offset)):
        if values is not None and values.any():
            arrays[name] = values
    if documents and model._hidden is not None:
        arrays["documents"] = model._hidden
    return header, arrays


def restored(
    cls: type[ParagraphVectors], header: dict[str, Any], arrays: dict[str, Any]
) -> dict[str, Any]:
    """Return the attributes of a model of class `cls`, after checking everything about them.

    Raises
    ------
    FormatError
        If anything does not fit.
    """
    parameters = files.require_field(header, "parameters", dict)
    try:
        model = cls(**parameters)
        recipe = checked_parameters(model)
    except (TypeError, ValueError) as error:
        raise FormatError(f"corrupt: the model's parameters: {error}") from None
    foreign = parameters.keys() - recipe.keys()
    if foreign:
        raise FormatError(f"corrupt: the model's parameters: {min(foreign)!r} is not for files")
    past = history(header, epochs_of(cls, recipe))
    mode, shape = cls._modes[recipe["mode"]], cls._shape(recipe)
    return {
        **vars(model),
        **past,
        **_added(header, past["n_documents_"]),
        **tokenizers(header),
        **_weights(arrays, mode.model, shape, past["n_documents_"]),
        **_projected(cls, arrays, recipe),
        "_recipe": recipe,
        "_n_components": shape.dim,
        "_inference": _inference(files.require_field(header, "inference", dict)),
    }


def history(header: dict[str, Any], epochs: int) -> dict[str, Any]:
    """Return the attributes that say how a training went."""
    losses = files.require_field(header, "losses", list)
    numbers = all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in losses)
    continued = continued_of(header)
    epochs += sum(each["epochs"] for each in continued)
    if len(losses) > epochs or not numbers:
        raise FormatError("corrupt: 'losses' of the header must be a number for each epoch")
    documents = files.require_field(header, "documents", int)
    if documents < 1:
        raise FormatError(f"corrupt: 'documents' of the header must be at least 1, got {documents}")
    return {
        "losses_": [float(loss) for loss in losses],
        "partial_": files.require_field(header, "partial", bool),
        "n_documents_": documents,
        "level_": files.require_field(header, "level", str),
        "_continued": continued,
    }


def _additions(model: ParagraphVectors) -> dict[str, Any]:
    """Return what came after the training; nothing in the header of a model as `fit` left it."""
    additions: dict[str, Any] = {"extended": model.n_extended_} if model.n_extended_ else {}
    if model._continued:
        additions["continued"] = model._continued
    if model.certificate_ is not None:
        additions["certificate"] = model.certificate_.as_dict()
    return additions


def _added(header: dict[str, Any], documents: int) -> dict[str, Any]:
    """Return the attributes that `_additions` wrote down."""
    extended = files.require_field(header, "extended", int) if "extended" in header else 0
    if not 0 <= extended < documents:
        raise FormatError(
            f"corrupt: 'extended' of the header must be less than 'documents', got {extended}"
        )
    certificate = Certificate.from_dict(header["certificate"]) if "certificate" in header else None
    return {"n_extended_": extended, "_certificate": certificate}


def tokenizers(header: dict[str, Any]) -> dict[str, Any]:
    """Return the tokeniser of a file, as the parameter and as the attribute."""
    if "tokenizer" in header and header["tokenizer"] is None:
        return {"tokenizer": missing_tokenizer, "tokenizer_": missing_tokenizer}
    own = Tokenizer.from_dict(files.require_field(header, "tokenizer", dict))
    return {"tokenizer": None if own == Tokenizer() else own, "tokenizer_": own}


def _inference(values: dict[str, Any]) -> dict[str, Any]:
    try:
        return {
            "noise": check_count("noise", values.get("noise"), most=2**20),
            "learning_rate": check_float(
                "learning_rate", values.get("learning_rate"), open_below=True, most=1000.0
            ),
        }
    except (TypeError, ValueError) as error:
        raise FormatError(f"corrupt: the model's inference: {error}") from None


def _weights(
    arrays: dict[str, Any], model: str, shape: _core.Shape, n_documents: int
) -> dict[str, Any]:
    vocabulary = Vocabulary.from_arrays(
        files.require_array(arrays, "words", "uint8", None),
        files.require_array(arrays, "word_offsets", "uint64", None),
        files.require_array(arrays, "word_counts", "uint64", None),
    )
    if not vocabulary:
        raise FormatError("corrupt: the model has no words")
    words = len(vocabulary)
    bias = files.require_array(arrays, "bias", "float32", words)
    if not is_finite(bias):
        raise FormatError("corrupt: the model's weights are not finite")
    none = np.zeros((0, 0), np.float32)
    hidden = None
    if "documents" in arrays:
        hidden = _table(arrays, "documents", n_documents, shape.dim)
    return {
        "vocabulary_": vocabulary,
        "_output": _table(arrays, "output", words, shape.hidden(model)),
        "_bias": bias,
        "_context": _table(arrays, "context", words, shape.word_dim) if shape.word_dim else none,
        "_idf": _inverse_frequencies(arrays, words) if "encoder" in model else None,
        "_hidden": hidden,
    }


def _projected(
    cls: type[ParagraphVectors], arrays: dict[str, Any], recipe: dict[str, Any]
) -> dict[str, Any]:
    """Return the projection of a model of real vectors with codes, and what is subtracted first."""
    if cls._width != "dim" or "bits" not in recipe:
        return {"_projection": np.zeros((0, 0), np.float32), "_offset": None}
    dim = recipe["dim"]
    offset = np.zeros(dim, np.float32)
    if "offset" in arrays:
        offset = files.require_array(arrays, "offset", "float32", dim)
        if not is_finite(offset):
            raise FormatError("corrupt: the model's weights are not finite")
    return {"_projection": _table(arrays, "projection", recipe["bits"], dim), "_offset": offset}


def _inverse_frequencies(arrays: dict[str, Any], words: int) -> npt.NDArray[np.float32]:
    idf = files.require_array(arrays, "idf", "float32", words)
    if not (is_finite(idf) and (idf > 0.0).all()):
        raise FormatError("corrupt: the model's inverse document frequencies are not positive")
    return idf


def _table(arrays: dict[str, Any], name: str, rows: int, dim: int) -> npt.NDArray[np.float32]:
    """Return a matrix of the engine, whose rows are padded with zeros."""
    stride = -(-dim // _ROW_QUANTUM) * _ROW_QUANTUM
    table: npt.NDArray[np.float32] = files.require_array(arrays, name, "float32", rows, stride)
    # The inner loops have no tails: they rely on zeros there.
    if table[:, dim:].any():
        raise FormatError("corrupt: the padding of the model's weights is not zero")
    if not is_finite(table):
        raise FormatError("corrupt: the model's weights are not finite")
    return table


def is_finite(array: npt.NDArray[np.float32]) -> bool:
    """Return whether no value is NaN or infinite, without an array of answers."""
    return array.size == 0 or bool(np.isfinite(array.min()) and np.isfinite(array.max()))

"""A word model as a file of kind "model", and back.

The header has `class`; `parameters`, those that decided what was learned; `tokenizer`, the options
of a `Tokenizer`, or null where it was a callable; and the history: `losses`, `partial`, `documents`
(how many), `level`, and, where `partial_fit` was called, `continued`, an object for each call. The
arrays are the vocabulary (`words`, `word_offsets`, `word_counts`) and the
tables of the model under their names, whose rows are padded with zeros.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import files
from ._model_file import class_name, history, is_finite, tokenizers
from .errors import FormatError
from .text import Tokenizer, Vocabulary

if TYPE_CHECKING:
    from ._word_models import WordModel

__all__ = ["padded", "require_table", "restored", "state"]

_ROW_QUANTUM = 16  # floats; the rows of the engine's matrices are padded to a multiple


def padded(dim: int) -> int:
    """Return the number of columns of a table of `dim` components."""
    return -(-dim // _ROW_QUANTUM) * _ROW_QUANTUM


def state(model: WordModel) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the header and the arrays of a fitted model."""
    tokenizer = model.tokenizer_
    header = {
        "class": class_name(type(model)),
        "parameters": model._recipe,
        "tokenizer": tokenizer.to_dict() if isinstance(tokenizer, Tokenizer) else None,
        "losses": model.losses_,
        "partial": model.partial_,
        "documents": model.n_documents_,
        "level": model.level_,
        **({"continued": model._continued} if model._continued else {}),
    }
    words, offsets, counts = model.vocabulary_.to_arrays()
    arrays = {"words": words, "word_offsets": offsets, "word_counts": counts, **model._arrays}
    return header, arrays


def restored(
    cls: type[WordModel], header: dict[str, Any], arrays: dict[str, Any]
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
        recipe = model._checked_parameters()
    except (TypeError, ValueError) as error:
        raise FormatError(f"corrupt: the model's parameters: {error}") from None
    foreign = parameters.keys() - recipe.keys()
    if foreign:
        raise FormatError(f"corrupt: the model's parameters: {min(foreign)!r} is not for files")
    vocabulary = Vocabulary.from_arrays(
        files.require_array(arrays, "words", "uint8", None),
        files.require_array(arrays, "word_offsets", "uint64", None),
        files.require_array(arrays, "word_counts", "uint64", None),
    )
    if not vocabulary:
        raise FormatError("corrupt: the model has no words")
    return {
        **vars(model),
        **history(header, recipe["epochs"]),
        **tokenizers(header),
        "vocabulary_": vocabulary,
        "_recipe": recipe,
        "_arrays": cls._check_tables(arrays, recipe, vocabulary),
    }


def require_table(arrays: dict[str, Any], name: str, rows: int, dim: int) -> Any:
    """Return a table of a file: finite, `rows` rows of `dim` floats with zeros behind."""
    table = files.require_array(arrays, name, "float32", rows, padded(dim))
    if not is_finite(table):
        raise FormatError("corrupt: the model's weights are not finite")
    # The inner loops have no tails: they rely on zeros there.
    if table[:, dim:].any():
        raise FormatError("corrupt: the padding of the model's weights is not zero")
    return table

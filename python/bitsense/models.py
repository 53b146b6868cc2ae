"""Paragraph vectors: documents to real vectors and to binary codes, learned from raw text.

All of these models are trained and asked alike; docs/models.md has the formulas and what differs
from the papers.
"""

from __future__ import annotations

from typing import Any

from . import files
from ._binary_paragraph_vector import BinaryParagraphVector
from ._paragraph_vector import ParagraphVector
from ._real_binary_paragraph_vector import RealBinaryParagraphVector
from .errors import FormatError
from .word_models import DisambiguatedSkipGram, Word2Vec

__all__ = ["BinaryParagraphVector", "ParagraphVector", "RealBinaryParagraphVector"]

for _cls in (ParagraphVector, BinaryParagraphVector, RealBinaryParagraphVector):
    _cls.__module__ = __name__  # where they are imported from, in pickles too

_CLASSES: dict[str, Any] = {
    cls.__name__: cls
    for cls in (
        ParagraphVector,
        BinaryParagraphVector,
        RealBinaryParagraphVector,
        Word2Vec,
        DisambiguatedSkipGram,
    )
}


def _load(header: dict[str, Any], arrays: dict[str, Any]) -> Any:
    name = files.require_field(header, "class", str)
    if name not in _CLASSES:
        raise FormatError(f"holds a model {name!r}, which this bitsense does not know")
    return _CLASSES[name]._from_state(header, arrays)


files.register("model", _load)

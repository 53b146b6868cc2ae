"""What crosses a bridge: codes, vectors and ids of the same rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ._check import check_vectors
from ._ids import check_ids
from .codes import Codes, as_codes
from .errors import FormatError
from .vectors import WordVectors

__all__ = ["Columns", "check_columns", "named_columns"]


class Columns(NamedTuple):
    """Codes, vectors and ids of the same rows, as they came from another system.

    Attributes
    ----------
    codes : Codes, or None
        With the ids, if there are any.
    vectors : float32, shape (n, dim), or None
    ids : int64, or objects of type str, shape (n,), or None
    """

    codes: Codes | None
    vectors: npt.NDArray[np.float32] | None
    ids: npt.NDArray[Any] | None

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(next(part for part in self if part is not None))


def check_columns(codes: Any, vectors: Any, ids: Any, bits: int | None) -> Columns:
    """Return arguments as columns of equally many rows.

    Without `ids` they are those of the codes, or the keys of the vectors.
    """
    if codes is None and vectors is None:
        raise ValueError("`codes` or `vectors` must be given, got neither")
    if codes is not None:
        codes = as_codes("codes", codes, bits)
    elif bits is not None:
        raise ValueError("`bits` must come with `codes`, got it without")
    keys = None
    if isinstance(vectors, WordVectors):
        keys = np.array(vectors.index_to_key, dtype=object)
        vectors = vectors.vectors
    if vectors is not None:
        vectors = check_vectors("vectors", vectors)
        if not vectors.shape[1]:
            raise ValueError("`vectors` must have at least 1 column, got 0")
        if codes is not None and len(codes) != len(vectors):
            raise ValueError(
                f"`vectors` must have {len(codes)} rows as `codes` has, got {len(vectors)}"
            )
    if ids is not None:
        ids = check_ids(ids, Columns(codes, vectors, None).rows)
        return Columns(codes, vectors, ids)
    if codes is None or codes.ids is None:
        return Columns(codes, vectors, keys)
    if keys is not None and not np.array_equal(codes.ids, keys):
        raise ValueError("`ids` must be given where the codes have other ids than the vectors keys")
    return Columns(codes, vectors, codes.ids)


def named_columns(codes: Any, bits: int, vectors: Any, ids: Any) -> Columns:
    """Return what was read as columns; `codes` are packed, or None.

    Raises
    ------
    FormatError
        If the parts are no codes, vectors or ids.
    """
    try:
        if ids is not None:
            ids = check_ids(ids, len(ids))
        if vectors is not None:
            vectors = check_vectors("vectors", vectors)
        return Columns(None if codes is None else Codes(codes, bits, ids), vectors, ids)
    except (TypeError, ValueError) as error:
        raise FormatError(str(error)) from None

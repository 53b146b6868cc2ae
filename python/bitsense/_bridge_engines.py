"""Codes into the indexes of faiss and usearch, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._extras import import_extra
from .codes import Codes, as_codes

__all__ = ["from_faiss", "from_usearch", "to_faiss", "to_usearch"]


def to_faiss(codes: Any, *, bits: int | None = None) -> Any:
    """Return an exact index of faiss, which answers with the same distances as `HammingIndex`.

    Equal distances may come in another order.

    Parameters
    ----------
    codes : Codes, or uint8, shape (n, ceil(bits / 8))
        The number of bits must be a multiple of 8. Ids, if any, must be int.
    bits : int, optional
        Bit length of an array; default 8 per byte.

    Returns
    -------
    faiss.IndexBinaryFlat, or with ids a faiss.IndexBinaryIDMap of one
        It holds a copy of the codes.

    Raises
    ------
    ImportError
        If faiss is not installed.
    ValueError
        If the number of bits is not a multiple of 8, or the ids are str.
    """
    base = as_codes("codes", codes, bits)
    if base.bits % 8:
        raise ValueError(f"`codes` must have a multiple of 8 bits for faiss, got {base.bits}")
    _require_int_ids(base, "faiss")
    faiss = import_extra("faiss", "faiss-cpu", "bridges")
    index = faiss.IndexBinaryFlat(base.bits)
    if base.ids is None:
        index.add(base.data)
        return index
    named = faiss.IndexBinaryIDMap(index)
    named.add_with_ids(base.data, base.ids)
    return named


def from_faiss(index: Any) -> Codes:
    """Return the codes of an index of faiss: the inverse of `to_faiss`.

    Parameters
    ----------
    index : faiss.IndexBinaryFlat, faiss.IndexBinaryIDMap or IndexBinaryIDMap2 of one

    Returns
    -------
    Codes
        A copy, with the ids of the map.

    Raises
    ------
    ImportError
        If faiss is not installed.
    TypeError
        If the index is of another kind.
    """
    faiss = import_extra("faiss", "faiss-cpu", "bridges")
    ids, flat = None, index
    if isinstance(index, faiss.IndexBinaryIDMap):
        ids = faiss.vector_to_array(index.id_map)
        flat = faiss.downcast_IndexBinary(index.index)
    if not isinstance(flat, faiss.IndexBinaryFlat):
        raise TypeError(
            f"`index` must be an IndexBinaryFlat, or an IndexBinaryIDMap of one, "
            f"got {type(flat).__name__}"
        )
    data = faiss.vector_to_array(flat.xb).reshape(flat.ntotal, flat.d // 8)
    return Codes(data, flat.d, ids)


def to_usearch(codes: Any, *, bits: int | None = None, threads: int = 0, **options: Any) -> Any:
    """Return an index of usearch, whose distances are those of `HammingIndex`, as floats.

    It is approximate: which neighbours it finds depends on its own options, unless a search says
    ``exact=True``.

    Parameters
    ----------
    codes : Codes, or uint8, shape (n, ceil(bits / 8))
        Ids, if any, must be int and not negative; without them rows are numbered.
    bits : int, optional
        Bit length of an array; default 8 per byte.
    threads : int, default 0
        Of the making; 0 means all. With more than one, two makings may differ.
    **options
        For ``usearch.index.Index``, such as `connectivity` and `expansion_add`.

    Returns
    -------
    usearch.index.Index
        It holds a copy of the codes.

    Raises
    ------
    ImportError
        If usearch is not installed.
    ValueError
        If an id is negative, or the ids are str.
    """
    base = as_codes("codes", codes, bits)
    _require_int_ids(base, "usearch")
    if base.ids is not None and len(base) and base.ids.min() < 0:
        raise ValueError(f"`ids` must not be negative for usearch, got {base.ids.min()}")
    module = import_extra("usearch.index", "usearch", "bridges")
    index = module.Index(ndim=base.bits, metric="hamming", dtype="b1", **options)
    keys = np.arange(len(base)) if base.ids is None else base.ids
    if len(base):
        index.add(keys.astype(np.uint64), base.data, threads=threads)
    return index


def from_usearch(index: Any) -> Codes:
    """Return the codes of an index of usearch: the inverse of `to_usearch`.

    Parameters
    ----------
    index : usearch.index.Index of dtype "b1"
        Not made with ``multi=True``.

    Returns
    -------
    Codes
        A copy, ordered by the keys, which are the ids.

    Raises
    ------
    ImportError
        If usearch is not installed.
    TypeError
        If the index holds no bits.
    ValueError
        If a key may have several codes or has 64 bits, or a code has bits behind its last.
    """
    module = import_extra("usearch.index", "usearch", "bridges")
    if not isinstance(index, module.Index) or index.dtype != module.ScalarKind.B1:
        raise TypeError(f"`index` must be a usearch Index of dtype 'b1', got {index!r}")
    if index.multi:
        raise ValueError("`index` must have one code for a key, got one made with multi=True")
    keys = np.sort(np.asarray(index.keys[:], np.uint64)) if len(index) else np.empty(0, np.uint64)
    if keys.size and keys[-1] > np.iinfo(np.int64).max:
        raise ValueError(f"`index` must have keys of 63 bits, got {keys[-1]}")
    width = (index.ndim + 7) // 8
    data = np.asarray(index.get(keys), np.uint8) if keys.size else np.empty((0, width), np.uint8)
    return Codes(data, index.ndim, keys.astype(np.int64))


def _require_int_ids(codes: Codes, engine: str) -> None:
    if codes.ids is not None and codes.ids.dtype != np.int64:
        raise ValueError(f"`ids` must be int for {engine}, got str")

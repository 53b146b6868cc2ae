"""Kinds of files, and what makes an object of each."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from ._header import check_kind

__all__ = ["Loader", "loader_of", "register"]

Loader = Callable[..., Any]  # of the header, the arrays and, where there are some, later parts

# The modules that register a loader, imported when a file of their kind is met.
_MODULES = {
    "model": "bitsense.models",
    "codes": "bitsense._codes_file",
    "corpus": "bitsense._encoded_corpus",
    "binarizer": "bitsense.hashing",
    "vectors": "bitsense._vectors_file",
    "index": "bitsense._index_file",
    "bm25": "bitsense._bm25_file",
}
_loaders: dict[str, Loader] = {}


def register(kind: str, loader: Loader) -> None:
    """Let `load` make an object of a kind of file by ``loader(header, arrays)``.

    The loader must check whatever it relies on and raise :class:`FormatError`:
    :func:`require_field` and :func:`require_array` do most of that.

    Raises
    ------
    ValueError
        If the kind has another loader already.
    """
    if _loaders.setdefault(check_kind(kind), loader) is not loader:
        raise ValueError(f"`kind` {kind!r} is registered already")


def loader_of(kind: str) -> Loader | None:
    """Return the loader of a kind; None if nothing knows it."""
    if kind not in _loaders and kind in _MODULES:
        importlib.import_module(_MODULES[kind])
    return _loaders.get(kind)

"""Documents of every accepted kind on their way to the engine."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, cast

import numpy as np

from . import _core
from ._check import check_bool
from ._text_files import TextFiles
from ._tokenizer import Tokenizer

__all__ = ["core_tokenizer", "feed"]


class _Batch:
    """Documents on their way to the engine, some megabytes at a time."""

    def __init__(self, builder: _core.CorpusBuilder, tokenizer: Any, threads: int) -> None:
        self._builder = builder
        self._tokenizer = tokenizer
        self._most = max(8, 2 * threads) << 20  # characters
        self._documents: list[Any] = []
        self._size = 0
        self._kind: type | None = None
        self._count = 0

    def add(self, document: Any) -> bool:
        """Take a document; return whether a batch went to the engine."""
        kind = self._kind_of(document)
        if kind is not self._kind:
            self._begin(kind, document)
        if kind is list and isinstance(document, np.ndarray):
            document = document.tolist()
        if kind is str and callable(self._tokenizer) and not isinstance(self._tokenizer, Tokenizer):
            document = self._tokens(document)
        self._documents.append(document)
        self._count += 1
        # A Python object for each token: fewer of them make a batch.
        self._size += len(document) + 64 if isinstance(document, str) else 8 * len(document) + 64
        if self._size < self._most:
            return False
        self.flush()
        return True

    def flush(self) -> None:
        """Send what there is."""
        documents, self._documents, self._size = self._documents, [], 0
        if self._kind is str and isinstance(self._tokenizer, Tokenizer):
            self._builder.add_texts(documents)
        else:
            self._builder.add_tokens(documents, self._kind is str)

    def _kind_of(self, document: Any) -> type:
        if isinstance(document, str):
            return str
        if hasattr(document, "words") and hasattr(document, "tags"):
            raise TypeError(
                f"`documents`[{self._count}] must be a string or a list of strings, got a "
                f"{type(document).__name__}; pass its `words` alone, documents are known by place"
            )
        if isinstance(document, (list, tuple)):
            return list
        if isinstance(document, np.ndarray) and document.ndim == 1:
            return list
        raise TypeError(
            f"`documents`[{self._count}] must be a string or a list of strings, "
            f"got {type(document).__name__}"
        )

    def _begin(self, kind: type, document: Any) -> None:
        if self._kind is not None:
            first, got = ("a string", "a list") if kind is list else ("a list", "a string")
            raise TypeError(
                f"`documents`[{self._count}] must be {first} like those before it, got {got}"
            )
        if kind is str and self._tokenizer is None:
            raise TypeError(
                f"`documents`[{self._count}] must be a list of tokens because `tokenizer` is None, "
                f"got the string {_shortened(document)}"
            )
        self._kind = kind

    def _tokens(self, document: str) -> Any:
        tokens = self._tokenizer(document)
        if not isinstance(tokens, (list, tuple)):
            raise TypeError(
                "`tokenizer` must return a list of strings, "
                f"got {type(tokens).__name__} for `documents`[{self._count}]"
            )
        return tokens


def feed(
    builder: _core.CorpusBuilder, documents: Any, tokenizer: Any, threads: int, progress: bool
) -> None:
    """Give all documents to the builder."""
    source = _source(documents)
    with _progress_bar(progress, source) as bar:
        is_plain = isinstance(source, TextFiles) and source.field is None
        if is_plain and isinstance(tokenizer, Tokenizer):
            for _ in cast("TextFiles", source)._feed(builder):
                _show(bar, builder)
            return
        batch = _Batch(builder, tokenizer, threads)
        for document in source:
            if batch.add(document):
                _show(bar, builder)
        batch.flush()
        _show(bar, builder)


def _source(documents: Any) -> Iterable[Any]:
    if isinstance(documents, str):
        if _is_file(documents):
            return TextFiles(documents)
        raise ValueError(
            "`documents` must be an iterable of documents or the path of a file, got the single "
            f"string {_shortened(documents)}, which names no file; pass [text] for one document"
        )
    if isinstance(documents, os.PathLike):
        return TextFiles(documents)
    if hasattr(documents, "columns"):  # iterating over it would give their names
        raise TypeError(
            f"`documents` must be one column of strings, got a {type(documents).__name__} of "
            "columns; select the one that holds the texts"
        )
    unordered = isinstance(documents, (bytes, bytearray, Mapping, AbstractSet))
    if unordered or not isinstance(documents, Iterable):
        raise TypeError(
            "`documents` must be an iterable of strings or of lists of strings, a path or a list "
            f"of paths, got {type(documents).__name__}"
        )
    if isinstance(documents, (list, tuple)) and documents and isinstance(documents[0], os.PathLike):
        for i, path in enumerate(documents):
            if not isinstance(path, os.PathLike):
                raise TypeError(
                    f"`documents`[{i}] must be a path like `documents`[0], "
                    f"got {type(path).__name__}"
                )
        return TextFiles(documents)
    return documents


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # too long, or with a NUL: no path
        return False


def core_tokenizer(tokenizer: Any) -> _core.Tokenizer:
    if isinstance(tokenizer, Tokenizer):
        return tokenizer._core
    if tokenizer is not None and not callable(tokenizer):
        raise TypeError(
            f"`tokenizer` must be a Tokenizer, a callable or None, got {type(tokenizer).__name__}"
        )
    return Tokenizer()._core


def _progress_bar(progress: bool, source: Any) -> AbstractContextManager[Any]:
    if not check_bool("progress", progress):
        return nullcontext()
    from tqdm import tqdm

    total = len(source) if hasattr(source, "__len__") else None
    return cast("AbstractContextManager[Any]", tqdm(total=total, unit=" documents", desc="corpus"))


def _show(bar: Any, builder: _core.CorpusBuilder) -> None:
    if bar is not None:
        bar.update(builder.counts()[0] - bar.n)


def _shortened(text: str) -> str:
    return repr(text) if len(text) <= 40 else repr(text[:40]) + "..."

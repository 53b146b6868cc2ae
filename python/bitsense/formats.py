"""Files of vectors as other programs write and read them.

Read: word2vec text and binary, GloVe text, fastText ``.vec`` and ``.bin``, the ``KeyedVectors`` of
gensim (of whose pickle nothing is executed), and our own. Written: all but the last two of these.
``docs/formats.md`` says what is refused.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from . import files
from ._check import check_option
from ._foreign_binary import FASTTEXT_MAGIC, read_fasttext, read_word2vec
from ._foreign_gensim import read_gensim
from ._foreign_text import HEADLESS, header_of, open_text, read_some, read_text, text_of
from ._replace import replacing
from .errors import FormatError
from .vectors import WordVectors

__all__ = ["detect_format", "load_vectors", "save_vectors"]

_log = logging.getLogger("bitsense")

_ROWS = 1024  # written at a time


def _fasttext(path: Path) -> WordVectors:
    keys, vectors, counts, subwords = read_fasttext(path)
    return WordVectors(keys, vectors, counts=counts, subwords=subwords)


def _own(path: Path) -> WordVectors:
    loaded = files.load(path)
    if not isinstance(loaded, WordVectors):
        raise FormatError(f"holds a {type(loaded).__name__}, not vectors")
    return loaded


_READERS: dict[str, Callable[[Path], WordVectors]] = {
    "bitsense": _own,
    "word2vec": lambda path: WordVectors(*read_word2vec(path)),
    "word2vec-text": lambda path: WordVectors(*read_text(path, headed=True)),
    "fasttext-vec": lambda path: WordVectors(*read_text(path, headed=True)),
    "glove": lambda path: WordVectors(*read_text(path, headed=False)),
    "fasttext-bin": _fasttext,
    "gensim": lambda path: WordVectors(*read_gensim(path)),
}
_WRITTEN = ("word2vec", "word2vec-text", "glove", "fasttext-vec")


def detect_format(path: str | os.PathLike[str]) -> str:
    """Return the name of the format of the file at `path`, judged by its contents.

    fastText's ``.vec`` is the same as "word2vec-text", which is the name that is returned.

    Raises
    ------
    FormatError
        If it is none that `load_vectors` reads.
    """
    with _naming(path), open_text(Path(path)) as file:
        head = read_some(file, 1 << 16)
        if head.startswith(files.MAGIC):
            return "bitsense"
        if head.startswith(FASTTEXT_MAGIC):
            return "fasttext-bin"
        if head[:1] == b"\x80" and head[1:2] in b"\2\3\4\5":
            return "gensim"
        first, newline, rest = head.removeprefix(b"\xef\xbb\xbf").partition(b"\n")
        header = header_of(first)
        if header is not None and newline:
            return "word2vec-text" if _is_row(rest, header[1]) else "word2vec"
        if _is_row(first, None):
            return "glove"
    raise FormatError(f"{os.fspath(path)}: is in no format of vectors that is known")


def _is_row(data: bytes, dim: int | None) -> bool:
    """Return whether text begins with a key and numbers, as far as it goes."""
    line, whole, _ = data.partition(b"\n")
    fields = line.split()[1:]
    if not whole and len(data) >= 1 << 15:
        fields = fields[:-1]  # may be cut
    try:
        line.decode(errors="strict" if whole else "ignore")
        values = [float(field) for field in fields[-(dim or 1) :]]
    except ValueError:
        return False
    return bool(values)


@contextlib.contextmanager
def _naming(path: Any) -> Iterator[None]:
    try:
        yield
    except FormatError as error:
        name = os.fsencode(path).decode("utf-8", "backslashreplace")
        text = str(error)
        raise FormatError(text if text.startswith(name) else f"{name}: {text}") from None


def load_vectors(path: str | os.PathLike[str], format: str | None = None) -> WordVectors:
    """Return the vectors of a file of another program, or of ours.

    Text may be compressed by gzip or xz. Nothing in a file is ever executed.

    Parameters
    ----------
    path
        The file.
    format : str, optional
        "word2vec", "word2vec-text", "glove", "fasttext-vec", "fasttext-bin", "gensim" or
        "bitsense". By default that which the contents look like; it is logged at level INFO.

    Returns
    -------
    WordVectors
        Those of a fastText model have `subwords`, which compose vectors of unknown words.

    Raises
    ------
    FormatError
        If the file is in another format, corrupt or cut; the line, row or byte is named.
    OSError
        If it cannot be read.
    """
    if format is None:
        format = detect_format(path)
        _log.info("%s: %s", path, format)
    check_option("format", format, tuple(_READERS))
    with _naming(path):
        try:
            return _READERS[format](Path(path))
        except FormatError:
            raise
        except (ValueError, TypeError) as error:
            raise FormatError(f"corrupt: {error}") from None


def save_vectors(
    vectors: WordVectors, path: str | os.PathLike[str], format: str = "word2vec"
) -> None:
    """Write vectors for other programs; an old file is replaced at once or not at all.

    Values read back exactly. A key that the format cannot hold is refused, and nothing is written.

    Parameters
    ----------
    vectors : WordVectors
    path
        The file to write.
    format : {"word2vec", "word2vec-text", "glove", "fasttext-vec"}
        "word2vec" is the binary format.

    Raises
    ------
    ValueError
        If a key holds white space that the format uses itself.
    OSError
        If the file cannot be written.
    """
    if not isinstance(vectors, WordVectors):
        raise TypeError(f"`vectors` must be WordVectors, got {type(vectors).__name__}")
    check_option("format", format, _WRITTEN)
    _check_keys(vectors, format)
    with replacing(path, binary=True) as file:
        if format != "glove":
            file.write(f"{len(vectors)} {vectors.dim}\n".encode())
        for start in range(0, len(vectors), _ROWS):
            keys = vectors.index_to_key[start : start + _ROWS]
            rows = vectors.vectors[start : start + _ROWS]
            if format == "word2vec":
                little = rows.astype("<f4")
                pairs = zip(keys, little, strict=True)
                file.write(
                    b"".join(key.encode() + b" " + row.tobytes() + b"\n" for key, row in pairs)
                )
            else:
                lines = zip(keys, text_of(rows), strict=True)
                file.write("".join(f"{key} {row}\n" for key, row in lines).encode())


def _check_keys(vectors: WordVectors, format: str) -> None:
    if not len(vectors):
        raise ValueError("`vectors` must hold at least one key to be written")
    for row, key in enumerate(vectors):
        # Other programs split at any white space; a key of several fields is GloVe's only.
        fields = key.split(" ") if format == "glove" else [key]
        odd = row == 0 and key[0] == "\ufeff"  # would be read as a byte order mark
        if odd or any(field.split() != [field] for field in fields):
            raise ValueError(f"`vectors` has the key {key!r}, which {format!r} cannot hold")
    first = vectors.index_to_key[:HEADLESS]
    if format == "glove" and 2 * sum(" " in key for key in first) >= len(first):
        raise ValueError("`vectors` must have fewer keys with spaces for 'glove' to be read back")

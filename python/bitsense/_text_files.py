"""Documents in files: plain text with one document a line, or JSON Lines; gzip or not."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, cast

from . import _core
from .errors import FormatError

__all__ = ["TextFiles"]

_BLOCK = 1 << 23  # bytes read at a time
_LINES = 1 << 17  # the same, of a plain file, by each thread
_PER_CALL = 2  # blocks of a plain file between two looks at the progress
_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_OTHER_PACKERS = {
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
}
_JSON_LINES = re.compile(r"\.(jsonl|ndjson)(\.gz)?$", re.IGNORECASE)
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class TextFiles:
    """Documents of one or more UTF-8 text files, read anew by each iteration.

    Files that begin with the magic bytes of gzip are decompressed, whatever their name. A byte
    order mark at the start of a file is skipped.

    Parameters
    ----------
    paths : path or iterable of paths
        Files, read in this order.
    field : str, optional
        The files are JSON Lines, an object a line, and this field holds the document; blank lines
        are skipped. By default the files are plain text: each line is a document, an empty line an
        empty document.

    Raises
    ------
    ValueError
        If there are no paths, or if a file is JSON Lines by its name and `field` is not given.

    Examples
    --------
    >>> files = TextFiles("reviews.jsonl.gz", field="text")  # doctest: +SKIP
    """

    def __init__(
        self,
        paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        *,
        field: str | None = None,
    ) -> None:
        if isinstance(paths, (str, os.PathLike)):
            paths = [paths]
        self.paths = tuple(Path(path) for path in paths)
        if field is not None and not isinstance(field, str):
            raise TypeError(f"`field` must be a string or None, got {field!r}")
        self.field = field
        if not self.paths:
            raise ValueError("`paths` must name at least one file, got none")
        for path in self.paths:
            if field is None and _JSON_LINES.search(path.name):
                raise ValueError(
                    f"`field` must name the field that holds the text of {path}, "
                    f"got None; for example TextFiles({str(path)!r}, field='text')"
                )

    def __repr__(self) -> str:
        names = [str(path) for path in self.paths]
        return f"TextFiles({names!r}, field={self.field!r})"

    def __iter__(self) -> Iterator[str]:
        """Iterate over the documents.

        Raises
        ------
        OSError
            If a file cannot be read.
        FormatError
            If a gzip file is corrupt or cut short.
        ValueError
            If a line is not UTF-8, not JSON, or has no such field; it names file and line.
        """
        for path, line, block in self.blocks():
            lines = block.split(b"\n")
            if not lines[-1]:
                lines.pop()
            for number, raw in enumerate(lines, line):
                if self.field is None:
                    yield _decoded(raw, path, number).removesuffix("\r")
                elif raw.strip():
                    yield self._document(raw, path, number)

    def blocks(self) -> Iterator[tuple[Path, int, bytes]]:
        """Iterate over (path, number of the first line, whole lines), some megabytes at a time."""
        for path in self.paths:
            line = 1
            for block in _whole_lines(path):
                yield path, line, block
                line += block.count(b"\n")

    def _feed(self, builder: _core.CorpusBuilder) -> Iterator[None]:
        """Give the lines to a builder, and stop now and then; the texts are the lines."""
        for path in self.paths:
            with _opened(path) as (file, packed):
                if not packed:
                    reader = _core.LineReader(file.fileno(), str(path), min(_BLOCK, _LINES))
                    before = builder.counts()[0]
                    line, more = 1, True
                    while more:
                        more = builder.add_file(reader, _BLOCK * _PER_CALL, str(path), line)
                        line = builder.counts()[0] - before + 1
                        yield
                    continue
            line = 1
            for block in _whole_lines(path):
                builder.add_lines(block, str(path), line)
                line += block.count(b"\n")
                yield

    def _document(self, raw: bytes, path: Path, number: int) -> str:
        try:
            record = json.loads(_decoded(raw, path, number))
        except json.JSONDecodeError as error:
            raise _bad_line(path, number, "JSON", f"an error: {error}") from None
        except RecursionError:
            raise _bad_line(path, number, "JSON", "one nested too deeply") from None
        if not isinstance(record, dict):
            raise _bad_line(path, number, "a JSON object", type(record).__name__)
        if self.field not in record:
            fields = ", ".join(map(repr, record)) or "no fields"
            raise _bad_line(path, number, f"an object with the field {self.field!r}", fields)
        document = record[self.field]
        if not isinstance(document, str):
            kind = type(document).__name__
            raise _bad_line(path, number, f"an object with a string in {self.field!r}", kind)
        if _ESCAPED_SURROGATE.search(raw):
            try:
                document.encode()
            except UnicodeEncodeError as error:
                got = f"a lone surrogate at character {error.start} of {self.field!r}"
                raise _bad_line(path, number, "valid Unicode", got) from None
        return document


def _bad_line(path: Path, number: int, expected: str, got: str) -> ValueError:
    return ValueError(f"{path} line {number} must be {expected}, got {got}")


def _decoded(raw: bytes, path: Path, number: int) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        got = f"byte 0x{raw[error.start]:02x} at offset {error.start}: {error.reason}"
        raise _bad_line(path, number, "UTF-8", got) from None


def _whole_lines(path: Path) -> Iterator[bytes]:
    rest: list[bytes] = []
    for chunk in _chunks(path):
        cut = chunk.rfind(b"\n") + 1
        if cut == 0:
            rest.append(chunk)
            continue
        yield b"".join([*rest, chunk[:cut]])
        rest = [chunk[cut:]] if cut < len(chunk) else []
    if rest:
        yield b"".join(rest)


def _chunks(path: Path) -> Iterator[bytes]:
    with _opened(path) as (raw, packed):
        file = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if packed else raw
        first = True
        while chunk := _read(file, path):
            yield chunk.removeprefix(_BOM) if packed and first else chunk
            first = False


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], bool]]:
    """Open a file, behind a byte order mark; also tell whether it is packed by gzip."""
    with path.open("rb", buffering=0) as raw:
        magic = raw.read(6)
        for signature, packer in _OTHER_PACKERS.items():
            if magic.startswith(signature):
                raise FormatError(f"{path} must be plain text or gzip, got {packer}")
        raw.seek(len(_BOM) if magic.startswith(_BOM) else 0)
        yield cast("IO[bytes]", raw), magic.startswith(_GZIP)


def _read(file: IO[Any], path: Path) -> bytes:
    """Read `_BLOCK` bytes, or what is left."""
    parts: list[bytes] = []
    missing = _BLOCK
    try:
        while missing and (part := file.read(missing)):
            parts.append(part)
            missing -= len(part)
    except EOFError:
        raise FormatError(f"{path} is cut short: the gzip data end early") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise FormatError(f"{path} is corrupt: {error}") from None
    return b"".join(parts)

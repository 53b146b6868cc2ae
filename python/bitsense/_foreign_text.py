"""Vectors as text: a line per key, with or without a first line that counts them."""

from __future__ import annotations

import gzip
import lzma
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from ._vector_search import Floats
from .errors import FormatError

__all__ = ["HEADLESS", "header_of", "open_text", "read_text", "unique_keys"]

_BLOCK = 1 << 22  # bytes read at a time
HEADLESS = 100  # lines that tell the dimensions of a file without a header
_MOST_LINE = 1 << 24  # bytes; a longer line is no row of vectors


def open_text(path: Path) -> IO[bytes]:
    """Open a file, through gzip or xz where it begins with their magic bytes."""
    with path.open("rb") as file:
        magic = file.read(6)
    if magic.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.open(path, "rb"))
    if magic == b"\xfd7zXZ\x00":
        return lzma.open(path, "rb")
    return path.open("rb")


def read_some(file: IO[bytes], size: int) -> bytes:
    """Read at most `size` bytes; a packed file that is corrupt or cut gives a FormatError."""
    try:
        return file.read(size)
    except EOFError:
        raise FormatError("cut short: the compressed data end early") from None
    except (gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        raise FormatError(f"corrupt: {error}") from None


def header_of(line: bytes) -> tuple[int, int] | None:
    """Return the numbers of keys and of dimensions that a first line states, or None."""
    fields = line.split()
    if len(fields) != 2 or not all(field.isdigit() and len(field) < 19 for field in fields):
        return None
    return int(fields[0]), int(fields[1])


def _blocks(file: IO[bytes]) -> Iterator[list[bytes]]:
    """Yield lists of whole lines."""
    rest = b""
    while chunk := read_some(file, _BLOCK):
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        if len(rest) > _MOST_LINE:
            raise FormatError(f"a line is longer than {_MOST_LINE} bytes: these are no vectors")
        if lines:
            yield lines
    if rest:
        # Every program ends its lines. Without that a number that was cut would look whole.
        raise FormatError(f"cut short: the last line does not end, it is {_short(rest)}")


def read_text(path: Path, *, headed: bool) -> tuple[list[str], Floats]:
    """Return the keys and vectors of a file; `headed` if its first line counts them.

    With such a line keys hold no spaces. Without it everything before the last `dim` fields is the
    key.
    """
    keys: list[str] = []
    parts: list[Floats] = []
    dim, stated, line = 0, -1, 1
    with open_text(path) as file:
        for lines in _blocks(file):
            if line == 1:
                lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
                if headed:
                    stated, dim = header_of(lines.pop(0)) or (0, 0)
                    line = 2
                else:
                    dim = _dimensions(lines)
                if dim < 1 or dim > _MOST_LINE:
                    raise FormatError(f"line 1 must tell of at least 1 dimension, got {dim}")
            if lines:
                parts.append(_parse(lines, line, dim, keys, spaces=not headed))
            line += len(lines)
    if headed and len(keys) != stated:
        raise FormatError(f"line 1 promises {stated} keys, the file has {len(keys)}")
    if not keys:
        raise FormatError("the file has no vectors")
    unique_keys(keys, "line", 2 if headed else 1)
    return keys, np.concatenate(parts)


def _dimensions(lines: list[bytes]) -> int:
    """Return the dimensions of lines without a header, of which some keys may hold spaces.

    The fewest fields are a key without spaces; unless that makes half of the first keys hold some,
    for then the line with the fewest is damaged, and is refused later.
    """
    counts = Counter(len(line.split()) for line in lines[:HEADLESS])
    least = min(counts)
    if 2 * counts[least] > counts.total():
        return least - 1
    return max(counts, key=lambda count: (counts[count], count)) - 1


def _parse(lines: list[bytes], first: int, dim: int, keys: list[str], *, spaces: bool) -> Floats:
    values: list[bytes] = []
    for number, line in enumerate(lines, first):
        fields = line.rstrip(b" \r").rsplit(b" ", dim)
        if len(fields) != dim + 1 or not fields[0] or (not spaces and b" " in fields[0]):
            raise FormatError(f"line {number} must be a key and {dim} numbers, got {_short(line)}")
        try:
            keys.append(fields[0].decode())
        except UnicodeDecodeError as error:
            raise FormatError(f"line {number} must be UTF-8: {error}") from None
        values += fields[1:]
    try:
        with np.errstate(over="ignore"):  # what float32 cannot hold is refused below
            matrix = np.fromiter(map(float, values), np.float32, len(values)).reshape(-1, dim)
        odd = b"_" in b"".join(values)  # Python's float takes 1_0
    except ValueError:
        odd = True
    if odd:
        raise _bad_number(values, first, dim)
    if not np.isfinite(matrix).all():
        row = int(np.flatnonzero(~np.isfinite(matrix).all(axis=1))[0])
        raise FormatError(f"line {first + row} must be finite numbers, got {_short(lines[row])}")
    return matrix


def _bad_number(values: list[bytes], first: int, dim: int) -> FormatError:
    for place, value in enumerate(values):
        try:
            float(value)
            if b"_" not in value:
                continue
        except ValueError:
            pass
        return FormatError(f"line {first + place // dim} must hold numbers, got {_short(value)}")
    return FormatError("corrupt: a value is no number")


def _short(data: bytes) -> str:
    return repr(data[:60] + b"..." if len(data) > 60 else data)[1:]


def unique_keys(keys: list[str], unit: str, first: int) -> None:
    """Refuse keys of which one is empty or occurs twice, by the number of its line or row."""
    if len(set(keys)) == len(keys):
        return
    seen: dict[str, int] = {}
    for place, key in enumerate(keys, first):
        if key in seen:
            raise FormatError(f"{key!r} is on {unit} {seen[key]} and again on {unit} {place}")
        seen[key] = place


def text_of(vectors: Any) -> list[str]:
    """Return each row of a float32 matrix as its shortest digits that read back the same."""
    return [" ".join(row) for row in vectors.astype(np.str_).tolist()]

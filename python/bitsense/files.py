"""The file format of bitsense: named arrays under a JSON header, checked before they are used.

A file starts with two lines of text, so that ``head -n 2 FILE`` shows what it is; the arrays
follow, each at a multiple of 64 bytes, so that they are used where they lie in the mapped file.
``docs/formats.md`` describes every byte. Nothing in a file is ever executed, and a file of which
one byte is wrong is refused with :class:`FormatError`.

Each *kind* of file ("model", "codes", "index", ...) has a loader that makes an object of it:
:func:`register` adds one and :func:`load` calls it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _core
from ._check import check_threads
from ._file_kinds import Loader, loader_of, register
from ._header import (
    check_description,
    decode_header,
    encode_arrays,
    encode_header,
    pack_strings,
    require_array,
    require_field,
    unpack_strings,
)
from .errors import FormatError

__all__ = [
    "MAGIC",
    "Contents",
    "append_part",
    "info",
    "last_checksum",
    "load",
    "load_bytes",
    "load_unverified",
    "pack_strings",
    "read_bytes",
    "read_contents",
    "read_file",
    "register",
    "require_array",
    "require_field",
    "unpack_strings",
    "verify",
    "write_bytes",
    "write_file",
]

Path = str | os.PathLike[str]
AnyArray = npt.NDArray[Any]

MAGIC = b"bitsense file"  # what every file begins with


class Contents(NamedTuple):
    """All that a file holds."""

    kind: str
    """What the file is, for example ``"model"``."""
    writer: str
    """The program that wrote it, for example ``"bitsense 0.1.0"``."""
    header: dict[str, Any]
    """Whatever `write_file` was given, of JSON types."""
    arrays: dict[str, AnyArray]
    """Read-only views of the file."""
    parts: tuple[Contents, ...] = ()
    """What was appended to the file, see `append_part`."""
    checksum: str = ""
    """Of the last part."""


# Writing


def write_file(
    path: Path, kind: str, header: Mapping[str, Any], arrays: Mapping[str, npt.ArrayLike]
) -> None:
    """Write a file so that `path` always names the whole old file or the whole new one.

    The file is written under a temporary name in the same folder, synced, and renamed; when
    anything fails the temporary file is removed and an old file is untouched. Where `path` is a
    symbolic link the file that it points to is replaced. The permission bits of a file that is
    replaced are kept. The same contents always give the same bytes.

    Parameters
    ----------
    path
        The file to write or replace.
    kind
        What the file is, for example ``"model"``.
    header
        Anything that JSON can hold exactly: strings, booleans, integers, finite floats, None, lists
        and dictionaries with strings as keys.
    arrays
        Named arrays of at most 8 dimensions, each uint8, int8, uint16, int32, uint32, int64,
        uint64, float32 or float64.

    Raises
    ------
    ValueError, TypeError
        If the header or an array cannot be stored.
    OSError
        If the file cannot be written; EINVAL if `path` is a device, a pipe or a socket.
    """
    descriptions, sections = encode_arrays(arrays)
    encoded = encode_header(kind, header, descriptions)
    _core.format_save(path_bytes(path), encoded, sections, check_threads(None))


def write_bytes(kind: str, header: Mapping[str, Any], arrays: Mapping[str, npt.ArrayLike]) -> bytes:
    """Return the bytes of the file that `write_file` would write."""
    descriptions, sections = encode_arrays(arrays)
    return _core.format_dump(
        encode_header(kind, header, descriptions), sections, check_threads(None)
    )


def append_part(
    path: Path, kind: str, header: Mapping[str, Any], arrays: Mapping[str, npt.ArrayLike]
) -> None:
    """Put behind the file at `path` another one, whose kind can be read in parts.

    What is there is not touched, so whoever has it open is not disturbed. When anything fails the
    file is cut to what it was; after a power cut it may end in a part that is not whole, and is
    refused then.

    Parameters
    ----------
    path, kind, header, arrays
        As for `write_file`.

    Raises
    ------
    ValueError, TypeError
        If the header or an array cannot be stored.
    OSError
        If the file cannot be written.
    """
    data = write_bytes(kind, header, arrays)
    with open(path, "r+b") as file:  # noqa: PTH123 - a path of any kind
        end = file.seek(0, os.SEEK_END)
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            os.ftruncate(file.fileno(), end)
            raise


def last_checksum(path: Path) -> str:
    """Return the checksum of the last part of a file, 16 hexadecimal digits."""
    with _naming(path):
        sizes = _core.format_parts(path_bytes(path))
        return _core.format_map(path_bytes(path), False, 1, len(sizes) - 1).checksum


# Reading


def _view_arrays(reader: _core.FormatReader, descriptions: list[Any]) -> dict[str, AnyArray]:
    sections = reader.sections
    if len(descriptions) != len(sections):
        raise FormatError(
            f"corrupt: the header names {len(descriptions)} arrays, the file has {len(sections)}"
        )
    arrays: dict[str, AnyArray] = {}
    for description, (offset, size, _) in zip(descriptions, sections, strict=True):
        name, dtype, shape = check_description(description, size)
        if name in arrays:
            raise FormatError(f"corrupt: two arrays have the name {name!r}")
        count = size // dtype.itemsize
        if count:
            flat = np.frombuffer(memoryview(reader), dtype=dtype, count=count, offset=offset)
        else:
            flat = np.empty(0, dtype=dtype)
            flat.flags.writeable = False
        arrays[name] = flat.reshape(shape)
    return arrays


def _contents(reader: _core.FormatReader) -> Contents:
    fields = decode_header(reader.header)
    return Contents(
        fields["kind"],
        fields["writer"],
        fields["header"],
        _view_arrays(reader, fields["arrays"]),
        checksum=reader.checksum,
    )


def _chained(readers: list[_core.FormatReader]) -> Contents:
    """Return the contents of the parts of one file, each of which names the one before."""
    contents = [_contents(reader) for reader in readers]
    for before, part in zip(readers, contents[1:], strict=False):
        if contents[0].kind != "index" or part.kind != "index":
            raise FormatError(f"corrupt: a {contents[0].kind!r} and something behind it")
        if part.header.get("after") != before.checksum:
            raise FormatError("corrupt: a part does not belong to the one before it")
    return contents[0]._replace(parts=tuple(contents[1:]), checksum=contents[-1].checksum)


def path_bytes(path: Path) -> bytes:
    """Return the path as the engine takes it, or raise ValueError if it cannot be one."""
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise ValueError("`path` must not contain a null character")
    return encoded


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Put the name of the file before the message of a FormatError."""
    try:
        yield
    except FormatError as error:
        name = os.fsencode(path).decode("utf-8", "backslashreplace")
        raise FormatError(f"{name}: {error}") from error.__cause__


def _expect_kind(contents: Contents, kind: str | None) -> None:
    if kind is not None and contents.kind != kind:
        raise FormatError(f"holds a {contents.kind!r}, not a {kind!r}")


def read_contents(path: Path, *, verify: bool = True) -> Contents:
    """Map a file, check all of it, and return everything that it holds.

    The arrays are read-only views of the mapped file, which stays mapped while one of them lives:
    the file may be replaced by renaming or deleted meanwhile, but must not be written in place.

    Parameters
    ----------
    path
        The file.
    verify
        False leaves out the checksums of the arrays, so that only their pages that are used are
        read from the disk: who uses them must not trust any value in them.

    Raises
    ------
    FormatError
        If the file is no bitsense file, is corrupt, cut short, or of a newer format.
    OSError
        If the file cannot be opened.
    """
    with _naming(path):
        name = path_bytes(path)
        parts = [
            _core.format_map(name, verify, check_threads(None), part)
            for part in range(len(_core.format_parts(name)))
        ]
        return _chained(parts)


def read_file(path: Path, kind: str | None = None) -> tuple[dict[str, Any], dict[str, AnyArray]]:
    """Return the header and the arrays of a file, of any kind unless one is asked for.

    See :func:`read_contents`.
    """
    contents = read_contents(path)
    with _naming(path):
        _expect_kind(contents, kind)
    return contents.header, contents.arrays


def read_bytes(
    data: bytes | bytearray | memoryview, kind: str | None = None
) -> tuple[dict[str, Any], dict[str, AnyArray]]:
    """Return the header and the arrays of the bytes of a file, which are copied once."""
    contents = _contents(_core.format_parse(data, check_threads(None)))
    _expect_kind(contents, kind)
    return contents.header, contents.arrays


def info(path: Path) -> dict[str, Any]:
    """Return what the file at `path` says about itself, without reading its arrays.

    Returns
    -------
    dict
        ``kind``, ``writer``, ``format`` (version), ``bytes``, ``header``, and ``arrays``: for each
        its ``name``, ``dtype``, ``shape``, ``bytes`` and ``crc64`` (16 hexadecimal digits).
    """
    with _naming(path):
        name = path_bytes(path)
        summary = _summary(_core.format_map(name, False, 1, 0))
        for part in range(1, len(_core.format_parts(name))):
            later = _summary(_core.format_map(name, False, 1, part))
            summary["bytes"] += later["bytes"]
            summary["arrays"] += later["arrays"]
            summary["header"] = later["header"]
        return summary


def _summary(reader: _core.FormatReader) -> dict[str, Any]:
    fields = decode_header(reader.header)
    _view_arrays(reader, fields["arrays"])
    return {
        "kind": fields["kind"],
        "writer": fields["writer"],
        "format": 1,
        "bytes": reader.size,
        "header": fields["header"],
        "arrays": [
            {**description, "bytes": size, "crc64": f"{crc:016x}"}
            for description, (_, size, crc) in zip(fields["arrays"], reader.sections, strict=True)
        ],
    }


# Objects


def _load(contents: Contents, loader: Loader | None = None) -> Any:
    loader = loader or loader_of(contents.kind)
    if loader is None:
        if contents.kind == "checkpoint":
            raise FormatError("holds a training under way, which `fit` takes as `checkpoint`")
        raise FormatError(f"holds a {contents.kind!r}, which this bitsense does not know")
    try:
        if contents.parts:  # only a kind whose loader takes them gets here
            return loader(contents.header, contents.arrays, contents.parts)
        return loader(contents.header, contents.arrays)
    except FormatError:
        raise
    except (ValueError, TypeError, LookupError, ArithmeticError) as error:
        # The loader trusted something that it ought to have checked.
        raise FormatError(f"corrupt: {error}") from error


def load(path: Path) -> Any:
    """Return the object that a file holds: a model, codes, an index.

    Nothing is half-loaded: the whole file at `path` is checked before any of it is used.

    Raises
    ------
    FormatError
        If the file is no bitsense file, is corrupt, cut short, of a newer format, or of an unknown
        kind.
    OSError
        If the file cannot be opened.
    """
    contents = read_contents(path)
    with _naming(path):
        made = _load(contents)
    if contents.kind == "index":
        made._was_read(contents.checksum)
    return made


def load_unverified(path: Path, kind: str, loader: Loader) -> Any:
    """Return the object that `loader` makes of a file without the checksums of its arrays.

    The loader must take care that no value of an array does harm.
    """
    contents = read_contents(path, verify=False)
    with _naming(path):
        _expect_kind(contents, kind)
        return _load(contents, loader)


def load_bytes(data: bytes | bytearray | memoryview) -> Any:
    """Return the object that the bytes of a file hold; objects pickle through this function."""
    return _load(_contents(_core.format_parse(data, check_threads(None))))


def verify(path: Path) -> dict[str, Any]:
    """Check the file at `path` as `load` does and return its summary, that of `info`.

    The object is made too where the kind is known, because some rules span several arrays.

    Raises
    ------
    FormatError
        If anything is wrong with the file.
    OSError
        If the file cannot be opened.
    """
    contents = read_contents(path)
    summary = info(path)
    with _naming(path):
        if loader_of(contents.kind) is not None:
            _load(contents)
        return summary

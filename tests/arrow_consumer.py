"""A consumer of the Arrow C data interface that is nothing but ctypes: the twin of an exporter.

It follows https://arrow.apache.org/docs/format/CDataInterface.html and
https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html.
"""

from __future__ import annotations

import ctypes
from typing import Any

P = ctypes.POINTER


class Schema(ctypes.Structure):
    pass


class Array(ctypes.Structure):
    pass


class Stream(ctypes.Structure):
    pass


RELEASE = {kind: ctypes.CFUNCTYPE(None, P(kind)) for kind in (Schema, Array, Stream)}

Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", P(P(Schema))),
    ("dictionary", P(Schema)),
    ("release", RELEASE[Schema]),
    ("private_data", ctypes.c_void_p),
]
Array._fields_ = [
    *((name, ctypes.c_int64) for name in ("length", "null_count", "offset")),
    *((name, ctypes.c_int64) for name in ("n_buffers", "n_children")),
    ("buffers", P(ctypes.c_void_p)),
    ("children", P(P(Array))),
    ("dictionary", P(Array)),
    ("release", RELEASE[Array]),
    ("private_data", ctypes.c_void_p),
]
Stream._fields_ = [
    ("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, P(Stream), P(Schema))),
    ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, P(Stream), P(Array))),
    ("get_last_error", ctypes.CFUNCTYPE(ctypes.c_char_p, P(Stream))),
    ("release", RELEASE[Stream]),
    ("private_data", ctypes.c_void_p),
]

_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]


def structure(capsule: Any, kind: type, name: bytes) -> Any:
    """The structure in a capsule, where it lies."""
    return kind.from_address(_pointer(capsule, name))


def stream_of(table: Any) -> Any:
    """The stream of a table, moved out of its capsule, which is gone."""
    capsule = table.__arrow_c_stream__()
    there = structure(capsule, Stream, b"arrow_array_stream")
    moved = Stream.from_buffer_copy(there)
    there.release = RELEASE[Stream]()
    return moved


def schema_of(stream: Any) -> Any:
    """A schema that the stream makes."""
    schema = Schema()
    assert stream.get_schema(ctypes.byref(stream), ctypes.byref(schema)) == 0
    return schema


def next_of(stream: Any) -> Any:
    """The next batch, or None at the end."""
    array = Array()
    assert stream.get_next(ctypes.byref(stream), ctypes.byref(array)) == 0
    return array if array.release else None


def release(thing: Any) -> None:
    """Release a structure, which must say then that it is."""
    thing.release(ctypes.byref(thing))
    assert not thing.release


def take_child(parent: Any, place: int) -> Any:
    """Move a child out of its parent, which may be released before it."""
    child = parent.children[place].contents
    moved = type(parent).from_buffer_copy(child)
    child.release = RELEASE[type(parent)]()
    return moved


def metadata_of(schema: Any) -> dict[str, str]:
    """The pairs of a field's metadata."""
    if not schema.metadata:
        return {}
    place = schema.metadata

    def number() -> int:
        nonlocal place
        place += 4
        return ctypes.c_int32.from_address(place - 4).value

    def text() -> str:
        nonlocal place
        size = number()
        place += size
        return ctypes.string_at(place - size, size).decode()

    return {text(): text() for _ in range(number())}


def buffer_of(array: Any, place: int, size: int) -> bytes:
    """The first bytes of a buffer."""
    return ctypes.string_at(array.buffers[place], size)

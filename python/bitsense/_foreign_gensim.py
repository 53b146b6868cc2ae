"""The `KeyedVectors` of gensim, without unpickling.

A pickle is a program, and running it may do anything. Here its opcodes are followed by a machine
that knows strings, numbers, containers and nothing else: a class is two strings, a call is a record
of what would have been called. The keys and the array are then looked up in these records.
"""

from __future__ import annotations

import pickletools
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ._foreign_binary import map_bytes, require_finite
from ._foreign_text import unique_keys
from ._vector_search import Floats
from .errors import FormatError

__all__ = ["read_gensim"]

_MARK = object()
_ARRAY_MAKERS = ("_reconstruct", "_frombuffer")


class _Class(NamedTuple):
    """A name that a pickle would import."""

    module: str
    name: str


class _Record:
    """A call that was not made, and the state that it would have been given."""

    def __init__(self, function: Any, arguments: Any) -> None:
        self.function = function
        self.arguments = arguments
        self.state: Any = None


class _Machine:
    """Follows the opcodes of a pickle without making anything of its own classes."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self, data: Any) -> Any:
        """Return what the pickle describes, with records in the place of objects."""
        try:
            for opcode, argument, _ in pickletools.genops(data):
                if opcode.name == "STOP":
                    return self.stack.pop()
                self._step(opcode.name, argument)
        except FormatError:
            raise
        except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
            raise FormatError(f"corrupt: the pickle: {error}") from None
        raise FormatError("cut short: the pickle has no end")

    def _to_mark(self) -> list[Any]:
        place = len(self.stack) - 1
        while self.stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise FormatError("corrupt: the pickle lacks a mark")
        items = self.stack[place + 1 :]
        del self.stack[place:]
        return items

    def _step(self, name: str, argument: Any) -> None:
        stack = self.stack
        if name in _VALUES:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name == "MARK":
            stack.append(_MARK)
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = stack[-1]
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self.memo[argument] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self.memo[argument])
        elif name in _ACTIONS:
            getattr(self, f"_{name.lower()}")(argument)
        elif name not in ("PROTO", "FRAME"):
            raise FormatError(f"has the pickle opcode {name}, which is not understood")

    def _tuple(self, argument: Any) -> None:
        self.stack.append(tuple(self._to_mark()))

    def _last(self, count: int) -> None:
        items = tuple(self.stack[-count:])
        if len(items) != count:
            raise FormatError("corrupt: the pickle takes more than it put")
        del self.stack[-count:]
        self.stack.append(items)

    def _tuple1(self, argument: Any) -> None:
        self._last(1)

    def _tuple2(self, argument: Any) -> None:
        self._last(2)

    def _tuple3(self, argument: Any) -> None:
        self._last(3)

    def _frozenset(self, argument: Any) -> None:
        self.stack.append(self._to_mark())  # its items need not be told apart

    def _additems(self, argument: Any) -> None:
        self._appends(argument)

    def _append(self, argument: Any) -> None:
        item = self.stack.pop()
        self._container(list).append(item)

    def _appends(self, argument: Any) -> None:
        items = self._to_mark()
        self._container(list).extend(items)

    def _setitem(self, argument: Any) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._fill([key, value])

    def _setitems(self, argument: Any) -> None:
        self._fill(self._to_mark())

    def _fill(self, items: list[Any]) -> None:
        # Only strings are ever looked up. Nested tuples could take for ever to hash.
        pairs = zip(items[::2], items[1::2], strict=True)
        self._container(dict).update((key, value) for key, value in pairs if type(key) is str)

    def _container(self, kind: type) -> Any:
        if not isinstance(self.stack[-1], kind):
            raise FormatError("corrupt: the pickle fills something that is no container")
        return self.stack[-1]

    def _global(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self.stack.append(_Class(module, name))

    def _stack_global(self, argument: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.stack.append(_Class(str(module), str(name)))

    def _reduce(self, argument: Any) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        self.stack.append(_Record(function, arguments))

    def _newobj(self, argument: Any) -> None:
        self._reduce(argument)

    def _build(self, argument: Any) -> None:
        state = self.stack.pop()
        if not isinstance(self.stack[-1], _Record):
            raise FormatError("corrupt: the pickle gives a state to no object")
        self.stack[-1].state = state

    def _pop(self, argument: Any) -> None:
        self.stack.pop()


_VALUES = frozenset(
    ("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
     "STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
     "BYTEARRAY8", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8")
)  # fmt: skip
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY = {"EMPTY_LIST": list, "EMPTY_SET": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple}
_ACTIONS = frozenset(
    ("TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "FROZENSET", "ADDITEMS", "APPEND", "APPENDS",
     "SETITEM", "SETITEMS", "GLOBAL", "STACK_GLOBAL", "REDUCE", "NEWOBJ", "BUILD", "POP")
)  # fmt: skip


def read_gensim(path: Path) -> tuple[list[str], Floats]:
    """Return keys and vectors of what ``KeyedVectors.save`` wrote, or a model that holds such."""
    root = _Machine().run(map_bytes(path))
    state, suffix = _state_of(root), ".vectors.npy"
    if "index_to_key" not in state and isinstance(state.get("wv"), _Record):
        state, suffix = _state_of(state["wv"]), ".wv.vectors.npy"
    keys = state.get("index_to_key")
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys) or not keys:
        raise FormatError("is a pickle without the keys of gensim's KeyedVectors of version 4")
    try:
        "".join(keys).encode()
    except UnicodeEncodeError as error:
        raise FormatError(f"corrupt: a key is not valid Unicode: {error}") from None
    stored = state.get("vectors")
    matrix = _from_npy(Path(f"{path}{suffix}")) if stored is None else _array(stored)
    if matrix.ndim != 2 or matrix.shape[0] != len(keys) or not matrix.shape[1]:
        raise FormatError(f"corrupt: {len(keys)} keys and vectors of the shape {matrix.shape}")
    if matrix.dtype.kind != "f":
        raise FormatError(f"corrupt: vectors must be real numbers, got dtype {matrix.dtype}")
    vectors = matrix.astype(np.float32)
    require_finite(vectors, keys)
    unique_keys(keys, "row", 0)
    return keys, vectors


def _state_of(record: Any) -> dict[Any, Any]:
    if not isinstance(record, _Record) or not isinstance(record.state, dict):
        raise FormatError("is a pickle of something else than gensim's KeyedVectors")
    return record.state


def _from_npy(path: Path) -> Any:
    if not path.is_file():
        raise FormatError(f"keeps its vectors in {path.name}, which is not beside it")
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise FormatError(f"corrupt: {path.name}: {error}") from None


def _array(record: Any) -> Any:
    """Return an array that NumPy would have made, from its bytes."""
    if not isinstance(record, _Record) or not isinstance(record.function, _Class):
        raise FormatError("corrupt: the vectors of the pickle are no array")
    function, arguments, state = record.function, record.arguments, record.state
    if not function.module.startswith("numpy") or function.name not in _ARRAY_MAKERS:
        raise FormatError(f"the vectors are made by {function.name!r}, which is not understood")
    try:
        if function.name == "_reconstruct":
            _, shape, kind, fortran, data = state
        else:
            data, kind, shape, order = arguments
            fortran = order == "F"
        shape = tuple(int(length) for length in shape)
        dtype = _dtype(kind)
        if isinstance(data, str):
            data = data.encode("latin-1")
        array = np.frombuffer(data, dtype=dtype)
        return array.reshape(shape, order="F" if fortran else "C")
    except (TypeError, ValueError) as error:
        raise FormatError(f"corrupt: the vectors of the pickle: {error}") from None


def _dtype(record: Any) -> np.dtype[Any]:
    if isinstance(record, _Record):
        name = record.arguments[0]
        order = record.state[1] if isinstance(record.state, tuple) else "="
        if name in ("f4", "f8", "f2") and order in ("<", ">", "="):
            return np.dtype(f"{order}{name}")
    raise FormatError("the vectors of the pickle are not of a real type that is understood")

"""Indexes as files: the items, what was built over them, and parts that were appended later.

The header of kind "index" has `class` ("hamming" or "cosine"), `options` (what the index was made
with), `rows`, `next_id`, `ids` ("none", "int" or "str"), `structure` (the name of what was built,
or null) and `attributes` (their header, or null). The arrays are those of the items, `ids`, `alive`
(a bitmap; absent where every row lives), and those of the structure and of the attributes under
prefixes.

`append` puts a whole file of the same kind behind the ones there are. It holds the rows that are
new; its `after` is the checksum of the part before it, so parts of two files never mix.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import files
from ._bitmaps import pack_mask, unpack_mask
from ._check import check_threads
from ._cosine_index import CosineIndex
from ._hamming_index import HammingIndex
from ._ids import pack_ids, unpack_ids
from ._index_base import Index
from ._inverted_lists import CodeLists
from ._item_store import ItemStore, Snapshot
from ._memory import joined
from ._sketches import Sketches
from ._structures import Graph, Quantized, Tables
from ._vector_graph import VectorGraph
from .errors import FormatError
from .filters import Attributes

__all__ = ["append_index", "index_bytes", "load_index", "remember", "save_index"]

Arrays = dict[str, npt.NDArray[Any]]
Header = dict[str, Any]

_CLASSES: dict[str, type[Index]] = {"hamming": HammingIndex, "cosine": CosineIndex}
_STRUCTURES: dict[str, Any] = {
    "tables": Tables,
    "graph": Graph,
    "quantized": Quantized,
    "vector graph": VectorGraph,
    "lists": CodeLists,
    "sketches": Sketches,
}
_OPTIONS = {
    "hamming": ("bits", "kind", "tables", "degree", "ef_construction", "lists"),
    "cosine": ("dim", "metric", "kind", "dtype", "width", "degree", "ef_construction"),
}


class Saved(NamedTuple):
    """What a file holds of an index: enough to tell what is new."""

    crc: str
    """Of the last part."""
    epoch: int
    """How often the rows had been copied together."""
    rows: int
    ids: bool
    structure: Any


def _parts(index: Index, first: int = 0, saved: Saved | None = None) -> tuple[Header, Arrays]:
    """Return the header and arrays of the rows from `first` on."""
    snapshot = index._store.snapshot
    ids = snapshot.ids
    if ids is not None and (saved is None or saved.ids):  # a file without ids needs them all
        ids = ids[first:]
    kind, names = pack_ids(ids)
    header: Header = {
        "class": index._what,
        "options": {name: getattr(index, f"_{name}") for name in _OPTIONS[index._what]},
        "rows": snapshot.rows,
        "next_id": index._store.next_id,
        "first": first,
        "ids": kind,
        "structure": None,
        "attributes": None,
    }
    arrays: Arrays = {}
    for name, column in snapshot.columns.items():
        rows = column[first:]
        arrays[name] = rows.view(np.uint16) if rows.dtype == np.float16 else rows
    arrays.update(names)
    if ids is not None:
        header["first_id"] = snapshot.rows - len(ids)
    if snapshot.alive is not None:
        arrays["alive"] = pack_mask(snapshot.alive)
    _add_structure(snapshot, saved, header, arrays)
    if snapshot.attributes is not None:
        chosen = snapshot.attributes
        if first or len(chosen) != snapshot.rows:
            chosen = chosen.take(np.arange(first, snapshot.rows))
        header["attributes"], described = chosen.state()
        arrays.update(described)
    return header, arrays


def _add_structure(snapshot: Snapshot, saved: Saved | None, header: Header, arrays: Arrays) -> None:
    built = snapshot.structure
    if built is None:
        return
    names = {made: name for name, made in _STRUCTURES.items()}
    header["structure"] = names[type(built)]
    if saved is None or saved.structure is not built:
        for name, array in built._asdict().items():
            arrays[f"structure_{name}"] = array


def save_index(index: Index, path: files.Path) -> None:
    """Save an index as one file; an old file there is replaced at once or not at all."""
    files.write_file(path, "index", *_parts(index))
    remember(index, files.last_checksum(path))


def index_bytes(index: Index) -> bytes:
    """Return the bytes of the file that `save_index` would write."""
    return files.write_bytes("index", *_parts(index))


def remember(index: Index, checksum: str) -> None:
    """Note what a file holds of an index: everything, its last part having a checksum."""
    snapshot = index._store.snapshot
    index._saved = Saved(
        checksum,
        index._store.epoch,
        snapshot.rows,
        snapshot.ids is not None,
        snapshot.structure,
    )


def append_index(index: Index, path: files.Path) -> None:
    """Put behind a file what is new in the index; see `Index.append`."""
    saved = index._saved
    if saved is None or files.last_checksum(path) != saved.crc:
        raise FormatError(f"{os.fspath(path)!r} must hold the state that was last saved or loaded")
    if saved.epoch != index._store.epoch:  # rows were copied together: nothing there is right
        return save_index(index, path)
    header, arrays = _parts(index, saved.rows, saved)
    header["after"] = saved.crc
    files.append_part(path, "index", header, arrays)
    remember(index, files.last_checksum(path))
    return None


def load_index(path: files.Path, wanted: type[Index]) -> Any:
    """Load an index of a class.

    Raises
    ------
    FormatError
        If the file is corrupt, cut, newer, or holds something else.
    """
    loaded = files.load(path)
    if wanted is HammingIndex and not isinstance(loaded, Index):
        from .codes import Codes

        if isinstance(loaded, Codes):  # what an index without a structure was, and still may be
            return HammingIndex(loaded)
    if not isinstance(loaded, wanted):
        raise FormatError(f"{path}: holds a {type(loaded).__name__}, not a {wanted.__name__}")
    return loaded


# Reading


def _from_parts(header: Header, arrays: Arrays, later: tuple[files.Contents, ...] = ()) -> Index:
    what = files.require_field(header, "class", str)
    if what not in _CLASSES:
        raise FormatError(f"corrupt: 'class' must be hamming or cosine, got {what!r}")
    options = files.require_field(header, "options", dict)
    if set(options) != set(_OPTIONS[what]):
        raise FormatError(f"corrupt: 'options' must have {', '.join(_OPTIONS[what])}")
    try:
        index = _CLASSES[what](**{**options, "kind": "flat"})  # nothing is built while it is read
        index._kind = _CLASSES[what](**options)._kind
    except (TypeError, ValueError) as error:
        raise FormatError(f"corrupt: {error}") from None
    contents = [(header, arrays), *((part.header, part.arrays) for part in later)]
    _fill(index, contents)
    return index


def _fill(index: Index, parts: list[tuple[Header, Arrays]]) -> None:
    names = list(index._store.snapshot.columns)
    columns: dict[str, list[Any]] = {name: [] for name in names}
    rows, ids, attributes = 0, None, None
    for header, arrays in parts:
        if files.require_field(header, "first", int) != rows:
            raise FormatError(f"corrupt: 'first' must be {rows}, got {header['first']}")
        total = files.require_field(header, "rows", int)
        for name in names:
            columns[name].append(_column(index, name, arrays, total - rows))
        ids = _joined_ids(ids, header, arrays, total)
        attributes = _joined_attributes(attributes, header, arrays, total - rows)
        rows = total
    whole = {name: joined(each) for name, each in columns.items()}
    index._check_columns(whole)
    header, arrays = parts[-1]
    alive = None
    if "alive" in arrays:
        words = files.require_array(arrays, "alive", "uint64", (rows + 63) // 64)
        alive = unpack_mask(words, rows)
    try:
        index._store = ItemStore.of(whole, ids, alive, attributes)
        index._store.next_id = max(
            files.require_field(header, "next_id", int), index._store.next_id
        )
    except (TypeError, ValueError) as error:
        raise FormatError(f"corrupt: {error}") from None
    structure = _structure(index, parts)
    if structure is not None:
        index._store.publish(structure)


def _column(index: Index, name: str, arrays: Arrays, rows: int) -> npt.NDArray[Any]:
    pattern = index._store.snapshot.columns[name]
    dtype = "uint16" if pattern.dtype == np.float16 else pattern.dtype.name
    column = files.require_array(arrays, name, dtype, rows, *pattern.shape[1:])
    return column.view(np.float16) if pattern.dtype == np.float16 else column


def _joined_ids(ids: Any, header: Header, arrays: Arrays, total: int) -> Any:
    some = files.require_field(header, "ids", str) != "none"
    first = files.require_field(header, "first_id", int) if some else 0
    new = unpack_ids(header, arrays, total - first)
    if new is None:
        if ids is not None:
            raise FormatError("corrupt: 'ids' are none after a part that has some")
        return None
    if len(new) != total - first or first != (0 if ids is None else len(ids)):
        raise FormatError(f"corrupt: 'ids' must be those of the rows from {first} to {total}")
    if ids is None or not len(ids):  # an emptied index takes ids of any kind
        return new
    if ids.dtype != new.dtype:
        raise FormatError("corrupt: 'ids' are of two kinds")
    return np.concatenate([ids, new])


def _joined_attributes(
    attributes: Attributes | None, header: Header, arrays: Arrays, rows: int
) -> Attributes | None:
    described = header.get("attributes")
    if described is None:
        if attributes is not None:
            raise FormatError("corrupt: 'attributes' are missing in a part")
        return None
    new = Attributes.from_state(described, arrays)
    if len(new) != rows:
        raise FormatError(f"corrupt: attributes must be of {rows} items, got {len(new)}")
    if attributes is None:
        return new
    attributes.append(new.to_columns(), rows)
    return attributes


def _structure(index: Index, parts: list[tuple[Header, Arrays]]) -> Any:
    name = parts[-1][0].get("structure")
    if name is None:
        return None
    if name not in _STRUCTURES:
        raise FormatError(f"corrupt: 'structure' must be one of {', '.join(_STRUCTURES)}")
    made = _STRUCTURES[name]
    for _, arrays in reversed(parts):
        found = {key: arrays.get(f"structure_{key}") for key in made._fields}
        if any(each is None for each in found.values()):
            continue
        structure = made(**found)
        try:
            index._check_structure(structure, check_threads(None))
        except (TypeError, ValueError, IndexError) as error:
            raise FormatError(f"corrupt: {error}") from None
        return structure
    raise FormatError("corrupt: the arrays of the structure are missing")


files.register("index", _from_parts)

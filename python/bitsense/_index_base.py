"""What every index has in common: items that come, change and go, filters, files."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from ._check import check_count, check_threads
from ._item_store import ItemStore, Snapshot
from .filters import Attributes

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Index", "check_degree"]

Words = npt.NDArray[np.uint64]

# A structure covers the first rows only; those behind it are scanned, until they are this many.
_MOST_BEHIND = 4096
_SHARE_BEHIND = 16


def check_degree(name: str, value: Any) -> int:
    """Return the number of neighbours that a graph keeps of each item."""
    return check_count(name, value, least=4, most=256)


class Index:
    """The items of an index and what changes them; the kinds of search are in its subclasses.

    Searches may run in any number of threads while one thread after the other changes the index: a
    search sees the items as they were when it began. Answers are ordered by (distance, id).
    """

    _what: ClassVar[str]
    _structures: ClassVar[Mapping[str, tuple[Any, ...]]]  # what each kind may build
    _kind: str
    _threads: int | None

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._store: ItemStore
        self._saved: Any = None  # what a file holds of it

    # What subclasses say

    def _columns(self, items: Any, name: str) -> dict[str, npt.NDArray[Any]]:
        raise NotImplementedError

    def _wanted(self, rows: int | None) -> Any:
        """Return the class of what is built over so many rows, None if nothing is.

        `rows` is None where something is to be built however few they are.
        """
        raise NotImplementedError

    def _built(self, wanted: Any, snapshot: Snapshot, old: Any, threads: int) -> Any:
        """Return a structure over all rows, grown from an old one of its class if there is one."""
        raise NotImplementedError

    def _check_columns(self, columns: dict[str, npt.NDArray[Any]]) -> None:
        """Raise FormatError unless a file's arrays can be searched."""
        raise NotImplementedError

    def _check_structure(self, structure: Any, threads: int) -> None:
        """Raise ValueError unless a file's structure is one of these items."""
        raise NotImplementedError

    # Items

    @property
    def ids(self) -> npt.NDArray[Any]:
        """The ids of the items, in the order they were added; int64, or objects of type str."""
        return self._store.snapshot.living_ids

    @property
    def attributes(self) -> Attributes | None:
        """The attributes of the items, deleted ones included; or None."""
        return self._store.snapshot.attributes

    @property
    def kind(self) -> str:
        """How the index searches: what it was given as `kind`."""
        return self._kind

    def __len__(self) -> int:
        return self._store.snapshot.living

    def __contains__(self, identifier: object) -> bool:
        with self._lock:
            return self._store._place(identifier) >= 0

    def _add(self, items: Any, name: str, ids: Any, attributes: Any) -> npt.NDArray[Any]:
        columns = self._columns(items, name)
        with self._lock:
            added = self._store.add(columns, ids, attributes)
            self._refresh()
        return added

    def remove(self, ids: Any) -> int:
        """Delete items.

        Parameters
        ----------
        ids : int, str, or a sequence of them
            Each must be in the index.

        Returns
        -------
        int
            How many there were.

        Raises
        ------
        KeyError
            If an id is not in the index; nothing is deleted then.
        """
        with self._lock:
            count = self._store.remove(ids)
            self._refresh()
        return count

    def _update(self, ids: Any, items: Any, name: str, attributes: Any) -> None:
        columns = self._columns(items, name)
        with self._lock:
            self._store.update(ids, columns, attributes)
            self._refresh()

    def _refresh(self) -> None:
        """Grow the structure over the rows behind it, if they have become many."""
        snapshot = self._store.snapshot
        wanted = self._wanted(snapshot.rows)
        if wanted is None:
            return
        old = snapshot.structure if type(snapshot.structure) is wanted else None
        covered = 0 if old is None else old.rows
        behind = snapshot.rows - covered
        if old is not None and behind <= max(_MOST_BEHIND, covered // _SHARE_BEHIND):
            return
        self._store.publish(self._built(wanted, snapshot, old, check_threads(self._threads)))

    def build(self, *, threads: int | None = None) -> None:
        """Build now what the kind of index needs over all items, those added last included.

        Adding items does so by itself whenever many have come; until then they are scanned.

        Parameters
        ----------
        threads : int, optional
            Default: every available processor.
        """
        with self._lock:
            snapshot = self._store.snapshot
            wanted = self._wanted(None)
            if wanted is not None and snapshot.rows:
                self._store.publish(self._built(wanted, snapshot, None, check_threads(threads)))

    # Searches

    def _filtered(
        self, mask: Any, ids: Any, where: Any, threads: int
    ) -> tuple[Snapshot, Words | None]:
        snapshot = self._store.snapshot
        return snapshot, snapshot.bitmap(mask, ids, where, threads)

    # Files

    def _require_kind(self, structure: Any) -> None:
        """Raise ValueError unless a structure is what the kind builds."""
        if type(structure) not in self._structures.get(self._kind, ()):
            raise ValueError(f"an index of kind {self._kind!r} has no such structure")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save everything as the file `path`; an old one is replaced at once or not at all.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        from ._index_file import save_index

        with self._lock:
            save_index(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return what `save` wrote at `path`; the arrays are views of the mapped file.

        Raises
        ------
        FormatError
            If the file is corrupt, cut, newer, or holds something else.
        OSError
            If the file cannot be opened.
        """
        from ._index_file import load_index

        loaded: Self = load_index(path, cls)
        return loaded

    def _was_read(self, checksum: str) -> None:
        """Note that all of this is in a file whose last part has a checksum."""
        from ._index_file import remember

        remember(self, checksum)

    def append(self, path: str | os.PathLike[str]) -> None:
        """Add to the file `path`, which holds an earlier state of this index, what has changed.

        Nothing of what is there is written again: new items go behind the old ones. Programs that
        have the file open go on seeing the state they opened.

        Raises
        ------
        FormatError
            If the file is no earlier state of this index.
        OSError
            If the file cannot be written; it is as it was then.
        """
        from ._index_file import append_index

        with self._lock:
            append_index(self, path)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        from ._index_file import index_bytes
        from .files import load_bytes

        with self._lock:
            return load_bytes, (index_bytes(self),)

"""The items of an index: rows that are only ever added, their ids, and which of them live.

An index never changes what a search may be reading. Rows are appended behind those there are, a
deletion clears a bit in a new bitmap, and each change ends by putting a new `Snapshot` in the place
of the old one; a search takes one snapshot and needs no lock. An item that is updated gets a new
row; the old one dies. When more than half of the rows are dead the living ones are copied together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ._bitmaps import check_mask, pack_mask
from ._ids import check_ids
from ._memory import aligned_empty
from .filters import Attributes, Expression

__all__ = ["Growable", "ItemStore", "Snapshot"]

Rows = npt.NDArray[Any]
Words = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]


class Growable:
    """Rows of an array that grows; a view that was taken before never changes."""

    def __init__(self, rows: Rows) -> None:
        self._memory = rows  # the caller's own, until something is appended
        self._rows = len(rows)

    @property
    def rows(self) -> Rows:
        """The rows so far, read-only."""
        view = self._memory[: self._rows]
        view.flags.writeable = False
        return view

    def append(self, rows: Rows) -> None:
        """Add rows behind the others."""
        wanted = self._rows + len(rows)
        if wanted > len(self._memory) or not self._memory.flags.writeable:
            room = max(wanted, 2 * self._rows, 64)
            memory = aligned_empty((room, *self._memory.shape[1:]), self._memory.dtype)
            memory[: self._rows] = self._memory[: self._rows]
            self._memory = memory
        self._memory[self._rows : wanted] = rows
        self._rows = wanted

    def kept(self, which: Rows) -> Growable:
        """Return the rows of these numbers alone. A copy."""
        memory = aligned_empty((len(which), *self._memory.shape[1:]), self._memory.dtype)
        return Growable(np.take(self.rows, which, axis=0, out=memory, mode="clip"))


@dataclass(frozen=True)
class Snapshot:
    """What one search sees."""

    columns: Mapping[str, Rows]
    """The arrays of the items, of `rows` rows each."""
    rows: int
    ids: Rows | None
    """Of the rows: int64, or objects of type str; None where they are the row numbers."""
    alive: Mask | None
    """None where every row lives."""
    attributes: Attributes | None
    structure: Any = None
    """Whatever the kind of index has built over the first rows."""

    @cached_property
    def living(self) -> int:
        """The number of items."""
        return self.rows if self.alive is None else int(np.count_nonzero(self.alive))

    @cached_property
    def living_ids(self) -> Rows:
        """The ids of the items, in the order of their rows."""
        ids = np.arange(self.rows) if self.ids is None else self.ids
        return ids if self.alive is None else ids[self.alive]

    @cached_property
    def order(self) -> tuple[npt.NDArray[np.uint32] | None, Rows | None]:
        """The rank of each row in the order of ids, None for its number; and the ids by rank."""
        ids = self.ids
        if ids is None:
            return None, None
        if ids.dtype == np.int64 and (len(ids) < 2 or bool((ids[1:] > ids[:-1]).all())):
            return None, ids
        places = np.argsort(ids, kind="stable")
        ranks = np.empty(len(ids), np.uint32)
        ranks[places] = np.arange(len(ids), dtype=np.uint32)
        return ranks, ids[places]

    def names(self, found: npt.NDArray[np.int64]) -> Rows:
        """Return the ids of what the engine found."""
        by_rank = self.order[1]
        return found if by_rank is None else by_rank[found]

    def bitmap(
        self,
        mask: npt.ArrayLike | None = None,
        ids: Any = None,
        where: Expression | str | None = None,
        threads: int = 1,
    ) -> Words | None:
        """Return which rows may be found: living ones that pass each filter given."""
        passing = self.alive
        if mask is not None:
            passing = self._masked(mask)
        if ids is not None:
            listed = self._listed(ids)
            passing = listed if passing is None else passing & listed
        words = None if passing is None else pack_mask(passing)
        if where is not None:
            if self.attributes is None:
                raise ValueError("`where` needs attributes, and this index has none")
            chosen = self.attributes.evaluate(where, self.rows, threads)
            words = chosen if words is None else words & chosen
        return words

    def _masked(self, mask: npt.ArrayLike) -> Mask:
        array = check_mask(mask, self.living)
        if self.alive is None:
            return array
        full = np.zeros(self.rows, np.bool_)
        full[self.alive] = array
        return full

    def _listed(self, ids: Any) -> Mask:
        """Return which rows have one of some ids; ids that no row has are passed over."""
        if isinstance(ids, str) or not hasattr(ids, "__iter__"):
            raise TypeError(f"`ids` must be a sequence of ids, got {type(ids).__name__}")
        wanted = list(ids.tolist() if isinstance(ids, np.ndarray) else ids)
        if self.ids is not None and self.ids.dtype == object:
            if not all(isinstance(each, str) for each in wanted):
                raise TypeError("`ids` must be all str, like those of the index")
            return np.isin(self.ids.astype(str), np.array(wanted or [""], dtype=str)) & bool(wanted)
        if not all(isinstance(each, (int, np.integer)) for each in wanted):
            raise TypeError("`ids` must be all int, like those of the index")
        numbers = np.array([each for each in wanted if abs(each) < 2**63], np.int64)
        if self.ids is not None:
            return np.isin(self.ids, numbers)
        listed = np.zeros(self.rows, np.bool_)
        listed[numbers[(numbers >= 0) & (numbers < self.rows)]] = True
        return listed


def _own(attributes: Any) -> Attributes:
    """Return attributes to which nobody else appends."""
    if isinstance(attributes, Attributes):
        return attributes.take(np.arange(len(attributes)))
    return Attributes(attributes)


class ItemStore:
    """The items of an index, changed by one thread at a time; see the head of this file."""

    def __init__(
        self, columns: Mapping[str, Rows], ids: Any = None, attributes: Any = None
    ) -> None:
        if attributes is not None:
            attributes = _own(attributes)
        rows = len(next(iter(columns.values())))
        self._columns = {name: Growable(array) for name, array in columns.items()}
        self._ids = None if ids is None else Growable(check_ids(ids, rows))
        self._places: dict[Any, int] | None = None
        self._alive: Mask | None = None
        self._attributes = attributes
        self.epoch = 0  # how often rows have been copied together
        self.next_id = rows  # what an item without an id gets; never one that was there
        if self._ids is not None:
            self._count_past(self._ids.rows)
        if attributes is not None and len(attributes) != rows:
            raise ValueError(f"`attributes` must have {rows} items, got {len(attributes)}")
        self.snapshot = self._taken()

    @classmethod
    def of(
        cls,
        columns: Mapping[str, Rows],
        ids: Rows | None,
        alive: Mask | None,
        attributes: Attributes | None,
    ) -> ItemStore:
        """Return a store of a file's arrays, in which rows may be dead.

        Raises
        ------
        ValueError
            If two living rows have one id.
        """
        store = cls(columns)
        store._attributes = attributes
        store._alive = None if alive is None or alive.all() else alive
        if ids is not None:
            living = ids if alive is None else ids[alive]
            check_ids(living, len(living))
            store._ids = Growable(ids)
            store.next_id = 0  # of given ids it may be less than the number of rows
            store._count_past(ids)
        store.snapshot = store._taken()
        return store

    def _taken(self, structure: Any = None) -> Snapshot:
        columns = {name: each.rows for name, each in self._columns.items()}
        rows = len(next(iter(columns.values())))
        ids = None if self._ids is None else self._ids.rows
        return Snapshot(columns, rows, ids, self._alive, self._attributes, structure)

    def publish(self, structure: Any) -> None:
        """Let searches use `structure`."""
        self.snapshot = replace(self.snapshot, structure=structure)

    # Ids

    def _place(self, identifier: Any) -> int:
        """Return the living row of an id, -1 if there is none."""
        rows = self.snapshot.rows
        if self._ids is None:
            known = isinstance(identifier, (int, np.integer)) and 0 <= identifier < rows
            row = int(identifier) if known else -1
            return row if row >= 0 and (self._alive is None or self._alive[row]) else -1
        if self._places is None:
            living = np.arange(rows) if self._alive is None else np.flatnonzero(self._alive)
            self._places = dict(zip(self._ids.rows[living].tolist(), living.tolist(), strict=True))
        return self._places.get(identifier, -1)

    def rows_of(self, ids: Any) -> npt.NDArray[np.int64]:
        """Return the rows of ids that all must be there; raises KeyError naming the first not."""
        if isinstance(ids, (str, int, np.integer)):
            ids = [ids]
        values = ids.tolist() if isinstance(ids, np.ndarray) else list(ids)
        rows = [self._place(each) for each in values]
        for identifier, row in zip(values, rows, strict=True):
            if row < 0:
                raise KeyError(f"`ids` must be ids of the index, got {identifier!r}")
        if len(set(rows)) != len(rows):
            raise ValueError("`ids` must be distinct")
        return np.array(rows, np.int64)

    def _new_ids(self, count: int, ids: Any) -> Rows | None:
        """Return checked ids of new items, or None where they are their row numbers."""
        if ids is None:
            if self._ids is None:
                return None
            if self._ids.rows.dtype == object and len(self._ids.rows):
                raise ValueError("`ids` must be given: those of the index are str")
            return np.arange(self.next_id, self.next_id + count)
        made = check_ids(ids, count)
        if not count:
            return None
        if self._ids is not None and len(self._ids.rows) and made.dtype != self._ids.rows.dtype:
            kind = "str" if self._ids.rows.dtype == object else "int"
            raise TypeError(f"`ids` must be all {kind}, like those of the index")
        if self._ids is None and made.dtype == object and self.snapshot.rows:
            raise TypeError("`ids` must be all int, like those of the index")
        for each in made.tolist():
            if self._place(each) >= 0:
                raise ValueError(f"`ids` must be new, got {each!r}, which `update` would replace")
        return made

    def _count_past(self, ids: Rows) -> None:
        if ids.dtype == np.int64 and len(ids):
            self.next_id = max(self.next_id, int(ids.max()) + 1)

    def _keep_ids(self, made: Rows | None, count: int) -> Rows:
        """Append ids of new rows; return them."""
        rows = self.snapshot.rows
        numbers = np.arange(rows, rows + count)
        self._count_past(numbers if made is None else made)
        if made is None:
            return numbers if self._ids is None else self._ids.rows[:0]
        if self._ids is None:
            if made.dtype == np.int64 and np.array_equal(made, numbers):
                return numbers
            self._ids = Growable(np.arange(rows) if made.dtype == np.int64 else made[:0])
        if made.dtype != self._ids.rows.dtype:  # there are none: an emptied index takes any kind
            self._ids = Growable(made[:0])
        self._ids.append(made)
        if self._places is not None:
            self._places.update(zip(made.tolist(), range(rows, rows + count), strict=True))
        return made

    # Changes. Each ends with a new snapshot, or leaves all as it was.

    def add(self, columns: Mapping[str, Rows], ids: Any, attributes: Any) -> Rows:
        """Append items; return their ids."""
        count = len(next(iter(columns.values())))
        made = self._new_ids(count, ids)
        self._append_attributes(attributes, count)
        kept = self._append(columns, made, count)
        self.snapshot = self._taken(self.snapshot.structure)
        return kept

    def _append(self, columns: Mapping[str, Rows], made: Rows | None, count: int) -> Rows:
        if self._alive is not None:
            self._alive = np.concatenate([self._alive, np.ones(count, np.bool_)])
        kept = self._keep_ids(made, count)
        for name, array in columns.items():
            self._columns[name].append(array)
        return kept

    def _append_attributes(self, attributes: Any, count: int) -> None:
        if self._attributes is None:
            if attributes is None or not count:
                return
            if self.snapshot.rows:
                raise ValueError("`attributes` must be None, like those of the other items")
            made = _own(attributes)
            if len(made) != count:
                got = len(made)
                raise ValueError(f"`attributes` must have {count} items, got {got}")
            self._attributes = made
            return
        if attributes is None:
            raise ValueError(f"`attributes` must be given: {', '.join(self._attributes.kinds)}")
        if isinstance(attributes, Attributes):
            attributes = attributes.to_columns()
        self._attributes.append(attributes, count)

    def remove(self, ids: Any) -> int:
        """Let items be found no longer; return how many."""
        rows = self.rows_of(ids)
        self._kill(rows)
        if not self._compacted():
            self.snapshot = self._taken(self.snapshot.structure)
        return len(rows)

    def _kill(self, rows: npt.NDArray[np.int64]) -> None:
        total = self.snapshot.rows
        alive = np.ones(total, np.bool_) if self._alive is None else self._alive.copy()
        alive[rows] = False
        if self._places is not None and self._ids is not None:
            for each in self._ids.rows[rows].tolist():
                del self._places[each]
        self._alive = alive

    def update(self, ids: Any, columns: Mapping[str, Rows], attributes: Any) -> None:
        """Replace items; without attributes they keep theirs."""
        rows = self.rows_of(ids)
        count = len(next(iter(columns.values())))
        if count != len(rows):
            raise ValueError(f"`ids` must have {count} items, got {len(rows)}")
        names = np.arange(self.snapshot.rows) if self._ids is None else self._ids.rows
        made = names[rows]
        if self._attributes is not None and attributes is None:
            attributes = self._attributes.take(rows)
        self._append_attributes(attributes, count)
        if self._ids is None:
            self._ids = Growable(names)
        self._kill(rows)
        self._append(columns, made, count)
        if not self._compacted():
            self.snapshot = self._taken(self.snapshot.structure)

    def _compacted(self) -> bool:
        """Copy the living rows together once most are dead; the structure is gone then."""
        if self._alive is None or 2 * np.count_nonzero(self._alive) >= len(self._alive):
            return False
        living = np.flatnonzero(self._alive)
        names = self._ids.rows if self._ids is not None else np.arange(len(self._alive))
        self._ids = Growable(names[living])
        self._columns = {name: each.kept(living) for name, each in self._columns.items()}
        if self._attributes is not None:
            self._attributes = self._attributes.take(living)
        self._alive = self._places = None
        self.epoch += 1
        self.snapshot = self._taken()
        return True

"""What a soak knows of one index: every version of every item, when it lived, and its distances.

Nothing here is taken from the engine. A change takes one tick of the clock when it begins and one
when it has ended. A search sees the items as they were at some moment between its first and its
last tick: a version that lived all that time must be found, one that lived for a part of it may be.
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Ledger", "View", "distances", "stored", "tolerance"]

Array = np.ndarray[Any, Any]
_FOREVER = 2**62


def stored(values: Array, dtype: str) -> Array:
    """Return real vectors as an index of a dtype keeps them, in double precision."""
    if dtype == "int8":
        scales = (np.abs(values).max(axis=1, initial=0) / np.float32(127)).astype(np.float32)
        divisors = np.where(scales > 0, scales, 1)[:, None].astype(np.float32)
        return np.rint(values / divisors).astype(np.float64) * scales[:, None]
    return values.astype(np.float16 if dtype == "float16" else np.float32).astype(np.float64)


def distances(metric: str, queries: Array, rows: Array) -> Array:
    """Return the distance of each query to each row; codes are rows of -1 and 1."""
    products = queries @ rows.T
    if metric == "hamming":
        found: Array = (rows.shape[1] - products) / 2
    elif metric == "ip":
        found = -products
    else:
        squares = [(each**2).sum(axis=1) for each in (queries, rows)]
        if metric == "l2":
            found = squares[0][:, None] + squares[1] - 2 * products
        else:
            lengths = np.sqrt(squares[0])[:, None] * np.sqrt(squares[1])
            found = 1 - products / np.where(lengths > 0, lengths, 1)
    return found


def tolerance(metric: str, queries: Array, rows: Array) -> float:
    """Return how far a distance in single precision may be from ours."""
    if metric == "hamming":
        return 0.0
    if metric == "cosine":
        return 4e-6
    largest = [(each**2).sum(axis=1).max(initial=1.0) for each in (queries, rows)]
    return float(2e-6 * (largest[0] + largest[1]))


class View(NamedTuple):
    """The versions that a search may have seen."""

    ids: Array
    rows: Array
    years: Array
    certain: Array
    """Whether a version lived from the first tick to the last."""

    def chosen(self, passing: Array) -> View:
        """Return some of the versions."""
        return View(*(each[passing] for each in self))


class Ledger:
    """The versions of the items of one index."""

    def __init__(self, metric: str, columns: int, strings: bool) -> None:
        self.metric = metric
        self.lock = threading.Lock()
        self.clock = 1
        self._reading: dict[int, int] = {}  # the first ticks of the searches that run, by thread
        self._ids = np.empty(64, "U12" if strings else np.int64)
        self._rows = np.empty((64, columns))
        self._years = np.empty(64, np.int64)
        self._born = np.empty(64, np.int64)
        self._died = np.empty(64, np.int64)
        self._used = 0

    # Changes: `begin_change`, the change of the index, `end_change`, one after the other

    def begin_change(self, dead: Array | None, ids: Any, rows: Array, years: Any) -> None:
        """Note that items (their places in `living`) die and others are born."""
        with self.lock:
            self.clock += 1
            self._prune()
            if dead is not None:
                self._died[np.flatnonzero(self._alive())[dead]] = self.clock
            count = len(rows)
            last = self._used + count
            if last > len(self._ids):
                for name in ("_ids", "_rows", "_years", "_born", "_died"):
                    old = getattr(self, name)
                    larger = np.empty((2 * last, *old.shape[1:]), old.dtype)
                    larger[: self._used] = old[: self._used]
                    setattr(self, name, larger)
            part = slice(self._used, last)
            self._ids[part], self._rows[part], self._years[part] = ids, rows, years
            self._born[part], self._died[part] = self.clock, _FOREVER
            self._used = last

    def end_change(self) -> None:
        """Note that the index has the items that were named."""
        with self.lock:
            self.clock += 1

    def _alive(self) -> Array:
        alive: Array = self._died[: self._used] == _FOREVER
        return alive

    def _prune(self) -> None:
        """Forget versions that no search which still runs can have seen."""
        oldest = min(self._reading.values(), default=self.clock)
        kept = np.flatnonzero(self._died[: self._used] >= oldest)
        if 2 * len(kept) < self._used:
            for name in ("_ids", "_rows", "_years", "_born", "_died"):
                array = getattr(self, name)
                array[: len(kept)] = array[kept]
            self._used = len(kept)

    # Searches: `begin`, the search of the index, `end`

    def begin(self) -> int:
        """Return the tick at which a search of this thread begins."""
        with self.lock:
            self._reading[threading.get_ident()] = self.clock
            return self.clock

    def end(self, first: int) -> View:
        """Return what a search that began at a tick and has ended may have seen."""
        with self.lock:
            del self._reading[threading.get_ident()]
            born, died = self._born[: self._used], self._died[: self._used]
            places = np.flatnonzero((born <= self.clock) & (died >= first))
            certain = (born[places] < first) & (died[places] > self.clock)
            return View(self._ids[places], self._rows[places], self._years[places], certain)

    def living(self) -> View:
        """Return the items, in the order they were added, while no change is under way."""
        with self.lock:
            places = np.flatnonzero(self._alive())
            certain = np.ones(len(places), np.bool_)
            return View(self._ids[places], self._rows[places], self._years[places], certain)

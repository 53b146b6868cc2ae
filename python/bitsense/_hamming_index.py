"""Nearest neighbours of packed codes by Hamming distance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from . import _core
from ._check import MAX_BITS, check_count, check_option, check_threads
from ._index_base import check_degree
from ._inverted_lists import CodeLists
from ._item_store import ItemStore, Snapshot
from ._memory import aligned
from ._merge import RangeRequest, Request, Within
from ._near_duplicates import NearDuplicates
from ._structures import Graph, Tables
from .codes import Codes, as_codes
from .errors import FormatError

__all__ = ["HammingIndex", "searchable"]

Ints = npt.NDArray[np.int64]
Distances = npt.NDArray[np.int32]
Words = npt.NDArray[np.uint64]

KINDS = ("auto", "flat", "multi", "graph", "ivf")
_TABLES_FROM, _LISTS_FROM = 50_000, 100_000  # codes, in an index of kind "auto"
_APPROXIMATE_FROM = 1_000


class HammingIndex(NearDuplicates):
    """Nearest neighbours of packed codes by Hamming distance.

    Parameters
    ----------
    codes : Codes, or uint8, shape (n, ceil(bits / 8)), optional
        Used where they lie, not copied, until something is added; kind "graph" copies them if they
        do not begin with a cache line (64 bytes). Their ids are taken too.
    bits : int, optional
        Bit length of an array, default 8 per byte; needed where there are no codes yet. At most
        65535.
    kind : {"auto", "flat", "multi", "graph", "ivf"}, default "auto"
        "flat" compares each query with every code: exact. "multi" keeps tables by which few codes
        have to be looked at when the answers are near: exact too. "graph" walks a graph of
        neighbours: approximate, the larger `ef` the better. "ivf" (inverted file) scans a copy of
        the codes in some lists, those whose centers are near the query: approximate, the
        larger `probes` the better. "auto" is exact: a scan, and from 50,000 codes on the tables of
        "multi" for `range_search` and `self_join`; from 100,000 on, once scans have taken as long
        as it takes to build them, lists in which most codes are passed over.
    ids : sequence of n distinct int or str, optional
        Names of the codes; default those of `codes`, else numbers in the order of adding.
    attributes : dict of str to array-like, data frame or Attributes, optional
        Values of each code that `where` may ask about.
    tables : int, optional
        How many substrings "multi" cuts a code into; default about bits / log2(n).
    degree : int, default 32
        How many neighbours the graph keeps of each code.
    ef_construction : int, default 100
        How many candidates the building of the graph looks at for each code.
    lists : int, optional
        How many lists "ivf" has, at most one a code; default about 1.2 sqrt(n).
    threads : int, optional
        For building. Default: every available processor.

    Notes
    -----
    "multi" is Norouzi, Punjani and Fleet, "Fast exact search in Hamming space with multi-index
    hashing" (PAMI 2014); the lists of "ivf" are those of Jegou, Douze and Schmid (PAMI 2011). In
    those of "auto" the triangle inequality says which codes need not be looked at, from the
    distances of a query and of a code from the center of a list (Burkhard and Keller, CACM 1973).
    They are a copy of the codes with 4 bytes for each, and are given up where they rule out too
    little, as of codes without any structure.

    Examples
    --------
    >>> import numpy as np
    >>> index = HammingIndex(np.array([[0b0000_1111], [0b0000_0000], [0b0000_0111]], np.uint8))
    >>> ids, distances = index.search(np.array([[0b0000_1111]], np.uint8), k=2)
    >>> ids.tolist(), distances.tolist()
    ([[0, 2]], [[0, 1]])
    """

    _what = "hamming"
    _structures: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "multi": (Tables,),
        "auto": (Tables, CodeLists),
        "graph": (Graph,),
        "ivf": (CodeLists,),
    }

    def __init__(
        self,
        codes: npt.ArrayLike | None = None,
        *,
        bits: int | None = None,
        kind: str = "auto",
        ids: Any = None,
        attributes: Any = None,
        tables: int | None = None,
        degree: int = 32,
        ef_construction: int = 100,
        lists: int | None = None,
        threads: int | None = None,
    ) -> None:
        super().__init__()
        if codes is None:
            if bits is None:
                raise ValueError("`bits` must be given where there are no `codes`")
            width = (check_count("bits", bits, most=MAX_BITS) + 7) // 8
            codes = np.empty((0, width), np.uint8)
        first = searchable(as_codes("codes", codes, bits))
        self._bits = first.bits
        self._kind = check_option("kind", kind, KINDS)
        least = -(-self._bits // 56)
        self._tables = (
            None if tables is None else check_count("tables", tables, least=least, most=self._bits)
        )
        self._degree = check_degree("degree", degree)
        self._ef_construction = check_count("ef_construction", ef_construction, most=4096)
        self._lists = None if lists is None else check_count("lists", lists)
        check_threads(threads)
        self._threads = threads
        data = aligned(first.data) if self._kind == "graph" else first.data
        self._scanned = 0  # rows that searches of kind "auto" have scanned since lists were built
        self._unsuited = 0  # rows of which lists ruled out too little
        self._store = ItemStore({"codes": data}, first.ids if ids is None else ids, attributes)
        self._refresh()

    @property
    def bits(self) -> int:
        """The number of bits of a code."""
        return self._bits

    @property
    def codes(self) -> Codes:
        """The codes and their ids, in the order of `ids`."""
        snapshot = self._store.snapshot
        data = snapshot.columns["codes"]
        living = data if snapshot.alive is None else data[snapshot.alive]
        return Codes(living, self._bits, None if snapshot.ids is None else snapshot.living_ids)

    def __repr__(self) -> str:
        return f"<HammingIndex: {len(self)} codes of {self.bits} bits, {self._kind}>"

    # Items

    def add(self, codes: npt.ArrayLike, ids: Any = None, attributes: Any = None) -> Any:
        """Add codes.

        Parameters
        ----------
        codes : Codes, or uint8, shape (n, ceil(bits / 8))
        ids : sequence of n distinct int or str, optional
            None of them may be in the index. Default: those of `codes`, or numbers that go on.
        attributes : dict of str to array-like, or data frame
            Needed, and allowed, if the other codes have attributes.

        Returns
        -------
        shape (n,)
            The ids.
        """
        given = as_codes("codes", codes, self._bits)
        return self._add(given, "codes", given.ids if ids is None else ids, attributes)

    def update(self, ids: Any, codes: npt.ArrayLike, attributes: Any = None) -> None:
        """Replace codes.

        Parameters
        ----------
        ids : sequence of n distinct int or str
            Each must be in the index.
        codes : Codes, or uint8, shape (n, ceil(bits / 8))
        attributes : dict of str to array-like, or data frame, optional
            Default: the items keep theirs.

        Raises
        ------
        KeyError
            If an id is not in the index; nothing is changed then.
        """
        self._update(ids, codes, "codes", attributes)

    def _columns(self, items: Any, name: str) -> dict[str, npt.NDArray[Any]]:
        return {"codes": as_codes(name, items, self._bits).data}

    def _wanted(self, rows: int | None) -> Any:
        if self._kind == "auto":  # what it has is built by searches, or on demand
            return CodeLists if rows is None else None
        if self._kind == "flat":
            return None
        least = 1 if self._kind == "multi" else _APPROXIMATE_FROM
        return self._structures[self._kind][0] if rows is None or rows >= least else None

    def _built(self, wanted: Any, snapshot: Snapshot, old: Any, threads: int) -> Any:
        data = snapshot.columns["codes"]
        if wanted is CodeLists and self._kind == "auto":
            made = CodeLists.pruning(data, self._bits, old, threads)
            self._unsuited = 0 if made else snapshot.rows
            return made or snapshot.structure
        if wanted is CodeLists:
            return CodeLists.built(data, self._bits, self._lists, old, threads)
        if wanted is Tables:
            return Tables.built(data, self._bits, self._tables, threads)
        degree, ef = self._degree, self._ef_construction
        return Graph.built(data, self._bits, degree, ef, old, threads)

    def _check_columns(self, columns: dict[str, npt.NDArray[Any]]) -> None:
        try:
            as_codes("codes", columns["codes"], self._bits)
        except ValueError as error:
            raise FormatError(f"corrupt: {error}") from None

    def _check_structure(self, structure: Any, threads: int) -> None:
        self._require_kind(structure)
        structure.check(self._store.snapshot.columns["codes"], self._bits)

    # Searches

    def search(
        self,
        queries: npt.ArrayLike,
        k: int = 10,
        *,
        mask: npt.ArrayLike | None = None,
        ids: Any = None,
        where: Any = None,
        ef: int | None = None,
        probes: int | None = None,
        threads: int | None = None,
    ) -> tuple[npt.NDArray[Any], Distances]:
        """Return the k nearest codes of each query.

        Parameters
        ----------
        queries : Codes, or uint8, shape (m, ceil(bits / 8))
        k : int, default 10
        mask : array-like of bool, shape (n,), optional
            Only codes where it is true are found, in the order of `HammingIndex.ids`.
        ids : sequence of int or str, optional
            Only these are found.
        where : Expression or str, optional
            Only codes whose attributes fulfil it are found; see `field`. Filters may be combined.
            The answer of an exact kind is that of a search of the passing codes alone.
        ef : int, optional
            For kind "graph": how many candidates a walk keeps, at least k; default the larger of
            2 k and 64.
        probes : int, optional
            For kind "ivf": about how many lists are looked at, all those whose centers are not much
            farther from the query than the nearest; default one in 16, but at least 16. More are
            where they do not hold k codes that pass the filters.
        threads : int, optional
            Default: every available processor.

        Returns
        -------
        ids : shape (m, k'); the ids of the codes
        distances : int32, shape (m, k')
            k' is k, or the number of codes that may be found where that is smaller: no place is
            ever filled with an id that means "none".
        """
        asked = as_codes("queries", queries, self._bits)
        k = check_count("k", k)
        ef = max(2 * k, 64) if ef is None else check_count("ef", ef, least=k)
        probes = None if probes is None else check_count("probes", probes)
        threads = check_threads(threads)
        if self._kind == "auto":
            self._scanned += len(asked.data) * self._unlisted()
            self._want_lists(threads)
        snapshot, bitmap = self._filtered(mask, ids, where, threads)
        data, asks, bits = snapshot.columns["codes"], asked.data, self._bits
        structure, ranks = snapshot.structure, snapshot.order[0]
        request = Request(asks, k, bitmap, ranks, threads)
        if isinstance(structure, Graph):
            found = structure.search(data, bits, request, ef)
        elif isinstance(structure, CodeLists) and self._kind == "auto":
            found = structure.nearest(data, bits, request)
        elif isinstance(structure, CodeLists):
            found = structure.search(data, bits, request, probes)
        elif isinstance(structure, Tables) and self._kind == "multi":
            found = _core.multi_search(
                data, *structure, asks, bits, k, bitmap, threads, ranks=ranks
            )
        else:
            found = _core.hamming_search(data, asks, bits, k, bitmap, threads, ranks=ranks)
        return snapshot.names(found[0]), found[1]

    def range_search(
        self,
        queries: npt.ArrayLike,
        radius: int,
        *,
        mask: npt.ArrayLike | None = None,
        ids: Any = None,
        where: Any = None,
        threads: int | None = None,
    ) -> tuple[Ints, npt.NDArray[Any], Distances]:
        """Return all codes within a distance of each query. Exact, whatever the kind.

        Parameters
        ----------
        queries : Codes, or uint8, shape (m, ceil(bits / 8))
        radius : int, 0 or more
            The largest distance that is still found.
        mask, ids, where, threads
            As for `search`.

        Returns
        -------
        offsets : int64, shape (m + 1,)
            The answers to query i are at offsets[i]:offsets[i + 1] of the other two arrays.
        ids, distances : shape (offsets[-1],)
        """
        asked = as_codes("queries", queries, self._bits)
        radius = min(check_count("radius", radius, least=0), self._bits)
        threads = check_threads(threads)
        self._want_tables(threads)
        snapshot, bitmap = self._filtered(mask, ids, where, threads)
        request = RangeRequest(asked.data, radius, bitmap, snapshot.order[0], threads)
        offsets, rows, distances = self._within(snapshot, request)
        return offsets, snapshot.names(rows), distances

    def _want_tables(self, threads: int) -> None:
        if self._kind != "auto" or not self._lack_tables():
            return
        with self._lock:
            if self._lack_tables():  # and no other search has built them meanwhile
                self._store.publish(self._built(Tables, self._store.snapshot, None, threads))

    def _lack_tables(self) -> bool:
        snapshot = self._store.snapshot
        covered = 0 if snapshot.structure is None else snapshot.structure.rows
        return snapshot.rows >= _TABLES_FROM and 2 * covered < snapshot.rows

    def _want_lists(self, threads: int) -> None:
        """Build the lists of a large index of kind "auto" if scans have cost what they cost."""
        if not self._lack_lists() or not self._lock.acquire(blocking=False):
            return  # where something is being built or changed, this search scans
        try:
            if self._lack_lists():  # and no other search has built them meanwhile
                snapshot = self._store.snapshot
                old = snapshot.structure if isinstance(snapshot.structure, CodeLists) else None
                self._store.publish(self._built(CodeLists, snapshot, old, threads))
        finally:
            self._scanned = 0
            self._lock.release()

    def _lack_lists(self) -> bool:
        paid = self._scanned >= CodeLists.cost(self._store.snapshot.rows)
        return paid and self._unlisted() > 0

    def _unlisted(self) -> int:
        """Return how many rows are in no list but might be."""
        snapshot = self._store.snapshot
        if snapshot.rows < _LISTS_FROM or snapshot.rows < 2 * self._unsuited:
            return 0
        structure = snapshot.structure
        return snapshot.rows - (structure.rows if isinstance(structure, CodeLists) else 0)

    def _within(self, snapshot: Snapshot, request: RangeRequest) -> Within:
        data, structure, bits = snapshot.columns["codes"], snapshot.structure, self._bits
        if isinstance(structure, CodeLists):
            return structure.within(data, bits, request)
        queries, radius, bitmap, ranks, threads = request
        if isinstance(structure, Tables):
            return _core.multi_range_search(
                data, *structure, queries, bits, radius, bitmap, threads, ranks=ranks
            )
        return _core.hamming_range_search(data, queries, bits, radius, bitmap, threads, ranks=ranks)


def searchable(codes: Codes) -> Codes:
    """Return codes that are not too long for the engine."""
    if codes.bits > MAX_BITS:
        raise ValueError(f"`bits` must be at most {MAX_BITS}, got {codes.bits}")
    return codes

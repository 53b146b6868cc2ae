"""Nearest neighbours of real vectors by cosine, inner product or Euclidean distance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from . import _core
from ._check import check_count, check_float, check_option, check_threads, check_vectors
from ._index_base import Index, check_degree
from ._item_store import ItemStore, Snapshot
from ._merge import Request
from ._sketches import Sketches
from ._stored_vectors import DTYPES, StoredVectors, check_columns, columns_of
from ._structures import Quantized
from ._vector_graph import VectorGraph

__all__ = ["CosineIndex"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

METRICS = ("cosine", "ip", "l2")
KINDS = ("auto", "flat", "graph", "quantized")
_LEAST_ROWS = 1_000  # fewer are scanned, whatever the kind
_LEAST_SKETCHED = 5_000
_AUTO_GRAPH = 50_000


class CosineIndex(Index):
    """Nearest neighbours of real vectors by cosine, inner product or Euclidean distance.

    Parameters
    ----------
    vectors : array-like of real numbers, shape (n, dim), optional
    dim : int, optional
        Needed where there are no vectors yet.
    metric : {"cosine", "ip", "l2"}, default "cosine"
        Distances are smaller for what is nearer: 1 - cos(q, x), and 1 where one of them is zero;
        -<q, x>; or the squared Euclidean distance.
    kind : {"auto", "flat", "graph", "quantized"}, default "auto"
        "flat" is exact: it looks at every vector, or at a sketch of it in bytes that says which
        can be among the answers. "quantized" chooses a shortlist by
        codes of 4 bits for every two dimensions and measures it exactly. "graph" walks a graph of
        neighbours over bytes, one for each number or for each of fewer principal axes, and
        measures the nearest exactly. "auto" is "flat" below 50,000 vectors and "graph" from there
        on.
    dtype : {"float32", "float16", "int8"}, default "float32"
        How vectors are stored. Distances are those of the stored values; int8 keeps for each vector
        the scale by which its largest number becomes 127.
    ids : sequence of n distinct int or str, optional
        Names of the vectors; default numbers in the order of adding.
    attributes : dict of str to array-like, data frame or Attributes, optional
        Values of each vector that `where` may ask about.
    width : int, default 2
        Dimensions that share 4 bits in "quantized".
    degree : int, default 32
        How many neighbours the graph keeps of each vector.
    ef_construction : int, default 100
        How many candidates the building of the graph looks at for each vector.
    threads : int, optional
        For building. Default: every available processor.

    Notes
    -----
    Vectors are kept in rows padded to 16 numbers. "quantized" takes dim / (2 width) bytes a vector
    more, "graph" 4 degree + dim + 8 and some more.

    Where few principal axes hold 92 % of the variance (so few that they fill at most three quarters
    of the bytes) a graph compares vectors along those, and "flat" has sketches along them, of a
    byte an axis and 20 more. Axes are learned from 2,000 vectors or more, for sketches from 5,000,
    and again when vectors come that they do not suit. They change no exact answer. A query of a
    graph that differs from the vectors in other directions has all that its walk finds measured.

    Examples
    --------
    >>> index = CosineIndex([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]], ids=["east", "between", "north"])
    >>> ids, distances = index.search([[1.0, 0.1]], k=2)
    >>> ids.tolist()
    [['east', 'between']]
    """

    _what = "cosine"
    _structures: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "flat": (Sketches,),
        "quantized": (Quantized,),
        "graph": (VectorGraph,),
        "auto": (VectorGraph, Sketches),
    }

    def __init__(
        self,
        vectors: npt.ArrayLike | None = None,
        *,
        dim: int | None = None,
        metric: str = "cosine",
        kind: str = "auto",
        dtype: str = "float32",
        ids: Any = None,
        attributes: Any = None,
        width: int = 2,
        degree: int = 32,
        ef_construction: int = 100,
        threads: int | None = None,
    ) -> None:
        super().__init__()
        if vectors is None:
            if dim is None:
                raise ValueError("`dim` must be given where there are no `vectors`")
            vectors = np.empty((0, check_count("dim", dim)), np.float32)
        given = check_vectors("vectors", vectors, dim=dim)
        self._dim = check_count("dim", given.shape[1])
        self._metric = check_option("metric", metric, METRICS)
        self._kind = check_option("kind", kind, KINDS)
        self._dtype = check_option("dtype", dtype, DTYPES)
        self._width = check_count("width", width, most=16)
        self._degree = check_degree("degree", degree)
        self._ef_construction = check_count("ef_construction", ef_construction, most=4096)
        check_threads(threads)
        self._threads = threads
        self._store = ItemStore(self._columns(given, "vectors"), ids, attributes)
        self._refresh()

    @property
    def dim(self) -> int:
        """The number of dimensions."""
        return self._dim

    @property
    def metric(self) -> str:
        """The distance: "cosine", "ip" or "l2"."""
        return self._metric

    @property
    def dtype(self) -> str:
        """How vectors are stored."""
        return self._dtype

    @property
    def vectors(self) -> Floats:
        """The stored vectors as float32, in the order of `ids`. A copy."""
        snapshot = self._store.snapshot
        values = self._stored(snapshot).values()
        return values if snapshot.alive is None else values[snapshot.alive]

    def __repr__(self) -> str:
        return (
            f"<CosineIndex: {len(self)} vectors of {self._dim} dimensions, {self._metric}, "
            f"{self._kind}, {self._dtype}>"
        )

    # Items

    def add(self, vectors: npt.ArrayLike, ids: Any = None, attributes: Any = None) -> Any:
        """Add vectors.

        Parameters
        ----------
        vectors : array-like of real numbers, shape (n, dim)
        ids : sequence of n distinct int or str, optional
            None of them may be in the index. Default: numbers that go on.
        attributes : dict of str to array-like, or data frame
            Needed, and allowed, if the other vectors have attributes.

        Returns
        -------
        shape (n,)
            The ids.
        """
        return self._add(vectors, "vectors", ids, attributes)

    def update(self, ids: Any, vectors: npt.ArrayLike, attributes: Any = None) -> None:
        """Replace vectors.

        Parameters
        ----------
        ids : sequence of n distinct int or str
            Each must be in the index.
        vectors : array-like of real numbers, shape (n, dim)
        attributes : dict of str to array-like, or data frame, optional
            Default: the items keep theirs.

        Raises
        ------
        KeyError
            If an id is not in the index; nothing is changed then.
        """
        self._update(ids, vectors, "vectors", attributes)

    def _columns(self, items: Any, name: str) -> dict[str, npt.NDArray[Any]]:
        """Return vectors as they are stored, with what else is kept of each."""
        given = check_vectors(name, items, dim=self._dim)
        return columns_of(name, given, self._dtype, check_threads(self._threads))

    def _stored(self, snapshot: Snapshot) -> StoredVectors:
        return StoredVectors.of(snapshot.columns, self._dim)

    def _engine_metric(self) -> _core.Metric:
        metric: _core.Metric = getattr(_core.Metric, self._metric)
        return metric

    def _wanted(self, rows: int | None) -> Any:
        kinds = self._structures[self._kind]
        if rows is None:
            return kinds[0]
        least = {Quantized: _LEAST_ROWS, VectorGraph: _LEAST_ROWS, Sketches: _LEAST_SKETCHED}
        if self._kind == "auto":
            least[VectorGraph] = _AUTO_GRAPH
        return next((each for each in kinds if rows >= least[each]), None)

    def _built(self, wanted: Any, snapshot: Snapshot, old: Any, threads: int) -> Any:
        stored, metric = self._stored(snapshot), self._engine_metric()
        if wanted is Sketches:
            return Sketches.built(stored, metric, old, threads)
        if wanted is Quantized:
            return Quantized.built(stored, metric, self._width, old, threads)
        degree, ef = self._degree, self._ef_construction
        return VectorGraph.built(stored, metric, degree, ef, old, threads)

    def _check_columns(self, columns: dict[str, npt.NDArray[Any]]) -> None:
        check_columns(columns, self._dim, check_threads(self._threads))

    def _check_structure(self, structure: Any, threads: int) -> None:
        snapshot = self._store.snapshot
        if structure.rows > snapshot.rows:
            raise ValueError(f"the structure has {structure.rows} rows of {snapshot.rows}")
        self._require_kind(structure)
        structure.check(self._stored(snapshot), self._engine_metric(), threads)

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
        shortlist: int | None = None,
        threads: int | None = None,
    ) -> tuple[npt.NDArray[Any], Floats]:
        """Return the k nearest vectors of each query.

        Parameters
        ----------
        queries : array-like of real numbers, shape (m, dim)
        k : int, default 10
        mask : array-like of bool, shape (n,), optional
            Only vectors where it is true are found, in the order of `CosineIndex.ids`.
        ids : sequence of int or str, optional
            Only these are found.
        where : Expression or str, optional
            Only vectors whose attributes fulfil it are found; see `field`. Filters may be combined.
        ef : int, optional
            For a graph: how many candidates a walk keeps, at least k; default the larger of 2 k and
            100. The nearest of them by bytes are measured exactly: a quarter of them, and at least
            2 k and k + 10; along principal axes a third, and at least 3 k and k + 20.
        shortlist : int, optional
            For "quantized": how many vectors are measured exactly, at least k; default the larger
            of 10 k and 100.
        threads : int, optional
            Default: every available processor.

        Returns
        -------
        ids : shape (m, k'); the ids of the vectors
        distances : float32, shape (m, k')
            Those of the stored vectors, exact whatever the kind: the same for a pair whatever else
            is in the call. k' is k, or the number of vectors that may be found where that is
            smaller.
        """
        asked = check_vectors("queries", queries, dim=self._dim)
        k = check_count("k", k)
        ef = max(2 * k, 100) if ef is None else check_count("ef", ef, least=k)
        if shortlist is None:
            shortlist = max(10 * k, 100)
        shortlist = check_count("shortlist", shortlist, least=k)
        threads = check_threads(threads)
        snapshot, bitmap = self._filtered(mask, ids, where, threads)
        structure, ranks = snapshot.structure, snapshot.order[0]
        stored, metric = self._stored(snapshot), self._engine_metric()
        request = Request(asked, k, bitmap, ranks, threads)
        if isinstance(structure, VectorGraph):
            found = structure.search(stored, metric, request, ef)
        elif isinstance(structure, Quantized):
            found = structure.search(stored, metric, request, shortlist)
        else:
            found = _core.real_search(
                *stored, asked, metric, k, bitmap, ranks, threads, sketches=_arguments(structure)
            )
        return snapshot.names(found[0]), found[1]

    def range_search(
        self,
        queries: npt.ArrayLike,
        radius: float,
        *,
        mask: npt.ArrayLike | None = None,
        ids: Any = None,
        where: Any = None,
        threads: int | None = None,
    ) -> tuple[Ints, npt.NDArray[Any], Floats]:
        """Return all vectors within a distance of each query. Exact, whatever the kind.

        Parameters
        ----------
        queries : array-like of real numbers, shape (m, dim)
        radius : float
            The largest distance, as the metric has it, that is still found.
        mask, ids, where, threads
            As for `search`.

        Returns
        -------
        offsets : int64, shape (m + 1,)
            The answers to query i are at offsets[i]:offsets[i + 1] of the other two arrays.
        ids, distances : shape (offsets[-1],)
        """
        asked = check_vectors("queries", queries, dim=self._dim)
        radius = check_float("radius", radius, least=-np.inf)
        threads = check_threads(threads)
        snapshot, bitmap = self._filtered(mask, ids, where, threads)
        offsets, rows, distances = _core.real_range_search(
            *self._stored(snapshot),
            asked,
            self._engine_metric(),
            radius,
            bitmap,
            snapshot.order[0],
            threads,
            sketches=_arguments(snapshot.structure),
        )
        return offsets, snapshot.names(rows), distances


def _arguments(structure: Any) -> _core._SketchArrays | None:
    """Return the sketches that an index has, as exact searches take them."""
    return structure.arguments() if isinstance(structure, Sketches) else None

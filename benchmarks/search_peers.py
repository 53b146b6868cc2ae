"""faiss, usearch and hnswlib as `search.py` calls them; what is not installed takes no part.

The OpenBLAS in faiss' wheel is older than some processors and takes them for one of 2004, which
makes it up to three times as slow as it can be; so it is told what it may use.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from common import Row, timer
from search_rounds import Efforts, Search, System, ladder, settings

from bitsense import _core

_OPENBLAS_CORES = {"avx2": "Haswell", "avx512": "SkylakeX"}
if _core.level() in _OPENBLAS_CORES:
    os.environ.setdefault("OPENBLAS_CORETYPE", _OPENBLAS_CORES[_core.level()])

try:
    import faiss
except ImportError:
    faiss = None
try:
    import usearch.index as usearch
except ImportError:
    usearch = None
try:
    import hnswlib
except ImportError:
    hnswlib = None

Filtered = Callable[[np.ndarray, np.ndarray], Efforts]  # of queries and a mask

EF = ladder(10, 2048)
PROBES = ladder(1, 1024)
M, CONSTRUCTION = 16, 100


def one_thread() -> None:
    """Hold the peers to one thread, and let faiss use BLAS for ordinary batches."""
    if faiss is not None:
        faiss.omp_set_num_threads(1)
        faiss.cvar.distance_compute_blas_threshold = 20


def exact_binary_peers(codes: np.ndarray) -> list[tuple[str, Callable[..., Any]]]:
    """Return functions of queries and k that give ids and distances."""
    peers: list[tuple[str, Callable[..., Any]]] = []
    if faiss is not None:
        index = faiss.IndexBinaryFlat(8 * codes.shape[1])
        index.add(codes)
        peers.append(("faiss flat", lambda queries, k: index.search(queries, k)[::-1]))
    return peers


def exact_real_peers(items: np.ndarray, metric: str) -> list[tuple[str, Callable[..., Any]]]:
    """Return functions of queries and k that give ids."""
    if faiss is None:
        return []
    if metric == "cosine":
        items = unit(items)
    index = faiss.IndexFlat(items.shape[1], faiss_metric(metric))
    index.add(items)

    def search(queries: np.ndarray, k: int) -> np.ndarray:
        return index.search(unit(queries) if metric == "cosine" else queries, k)[1]

    return [("faiss flat", search)]


def faiss_metric(metric: str) -> int:
    """Return the metric of faiss; cosines are searched as products of unit vectors."""
    return faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return the vectors divided by their lengths."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def efforts_of(
    values: list[int], name: str, change: Callable[[int], None], search: Search
) -> Callable[[], Efforts]:
    """Return settings of one number; `change` is called before each search of a setting."""

    def make(value: int) -> Search:
        def run() -> np.ndarray:
            change(value)
            return search()

        return run

    return settings(values, name, make)


def timed(add: Callable[[], Any]) -> Row:
    """Return what an index cost to build."""
    with timer() as taken:
        add()
    return {"build_cpu_s": taken.cpu_s}


def filled_graph(graph: Any, items: np.ndarray) -> Row:
    """Fill an HNSW graph of faiss; return what it cost."""
    graph.hnsw.efConstruction = CONSTRUCTION
    return timed(lambda: graph.add(items))


def filled_lists(lists: Any, items: np.ndarray, index: Any = None) -> Row:
    """Train and fill inverted lists of faiss, or the index around them; return what it cost."""
    index = lists if index is None else index
    lists.cp.niter = 8

    def fill() -> None:
        index.train(items)
        index.add(items)

    return timed(fill)


def faiss_graph(graph: Any, items: np.ndarray, queries: np.ndarray, k: int) -> System:
    """Return a graph of faiss, filled."""
    cost = filled_graph(graph, items)

    def set_ef(value: int) -> None:
        graph.hnsw.efSearch = value

    return "faiss HNSW", efforts_of(EF, "ef", set_ef, lambda: graph.search(queries, k)[1]), cost


def usearch_graph(items: np.ndarray, queries: np.ndarray, k: int, **kind: Any) -> System:
    """Return the graph of usearch; `kind` says what its items are."""
    graph = usearch.Index(connectivity=M, expansion_add=CONSTRUCTION, **kind)
    cost = timed(lambda: graph.add(np.arange(len(items)), items, threads=1))

    def set_ef(value: int) -> None:
        graph.expansion_search = value

    def search() -> np.ndarray:
        return graph.search(queries, k, threads=1).keys

    return "usearch", efforts_of(EF, "ef", set_ef, search), cost


def hnswlib_graph(items: np.ndarray, queries: np.ndarray, metric: str, k: int) -> System:
    """Return the graph of hnswlib, by distance or by product."""
    graph = hnswlib.Index(metric, items.shape[1])
    graph.init_index(len(items), ef_construction=CONSTRUCTION, M=M)
    cost = timed(lambda: graph.add_items(items, num_threads=1))

    def search() -> np.ndarray:
        return graph.knn_query(queries, k, num_threads=1)[0].astype(np.int64)

    return "hnswlib", efforts_of(EF, "ef", graph.set_ef, search), cost


def binary_peers(codes: np.ndarray, queries: np.ndarray, k: int) -> list[System]:
    """Return approximate searches of codes."""
    bits = 8 * codes.shape[1]
    systems: list[System] = []
    if faiss is not None:
        systems.append(faiss_graph(faiss.IndexBinaryHNSW(bits, M), codes, queries, k))
        systems.append(binary_lists(codes, queries, k))
    if usearch is not None:
        kind = {"ndim": bits, "metric": "hamming", "dtype": "b1"}
        systems.append(usearch_graph(codes, queries, k, **kind))
    return systems


def binary_lists(codes: np.ndarray, queries: np.ndarray, k: int) -> System:
    """Return inverted lists of codes."""
    bits = 8 * codes.shape[1]
    lists = faiss.IndexBinaryIVF(faiss.IndexBinaryFlat(bits), bits, int(4 * np.sqrt(len(codes))))
    cost = filled_lists(lists, codes)

    def set_probes(value: int) -> None:
        lists.nprobe = value

    efforts = efforts_of(PROBES, "nprobe", set_probes, lambda: lists.search(queries, k)[1])
    return "faiss IVF", efforts, cost


def real_peers(items: np.ndarray, queries: np.ndarray, metric: str, k: int) -> list[System]:
    """Return approximate searches of vectors; cosines are searched as distances of unit vectors."""
    if metric == "cosine":
        items, queries, metric = unit(items), unit(queries), "l2"
    dim = items.shape[1]
    systems: list[System] = []
    if faiss is not None:
        graph = faiss.IndexHNSWFlat(dim, M, faiss_metric(metric))
        systems.append(faiss_graph(graph, items, queries, k))
        systems += refined_lists(items, queries, metric, k)
    if hnswlib is not None:
        systems.append(hnswlib_graph(items, queries, metric, k))
    if usearch is not None:
        kind = {"ndim": dim, "metric": {"l2": "l2sq", "ip": "ip"}[metric], "dtype": "f32"}
        systems.append(usearch_graph(items, queries, k, **kind))
    return systems


def refined_lists(items: np.ndarray, queries: np.ndarray, metric: str, k: int) -> list[System]:
    """Return inverted lists of faiss with FastScan, once for each factor of refinement."""
    dim = items.shape[1]
    kind = f"IVF{int(2 * np.sqrt(len(items)))},PQ{dim // 2}x4fs"
    fast = faiss.index_factory(dim, kind, faiss_metric(metric))
    refined = faiss.IndexRefineFlat(fast)
    cost = filled_lists(fast, items, refined)
    systems: list[System] = []
    for factor in (5, 10, 20, 50):

        def set_probes(value: int, factor: int = factor) -> None:
            fast.nprobe = value
            refined.k_factor = factor

        efforts = efforts_of(PROBES, "nprobe", set_probes, lambda: refined.search(queries, k)[1])
        systems.append((f"faiss IVF FastScan, refine {factor}", efforts, cost))
    return systems


def filtered_peers(items: np.ndarray, k: int) -> list[tuple[str, Filtered]]:
    """Return functions of queries and a mask that give settings."""
    items, dim = unit(items), items.shape[1]
    peers: list[tuple[str, Filtered]] = [("numpy, gathered", partial(gathered, items, k))]
    if faiss is None:
        return peers
    flat = faiss.IndexFlatIP(dim)
    flat.add(items)
    graph = faiss.IndexHNSWFlat(dim, M)
    filled_graph(graph, items)
    lists = faiss.index_factory(
        dim, f"IVF{int(4 * np.sqrt(len(items)))},Flat", faiss.METRIC_INNER_PRODUCT
    )
    filled_lists(lists, items)

    def plain(keep: Any, _: int) -> Any:
        return faiss.SearchParameters(sel=keep)

    def walked(keep: Any, ef: int) -> Any:
        return faiss.SearchParametersHNSW(sel=keep, efSearch=ef)

    def probed(keep: Any, probes: int) -> Any:
        return faiss.SearchParametersIVF(sel=keep, nprobe=probes)

    return [
        *peers,
        ("faiss flat, bitmap", partial(masked, flat, k, plain, "", [0])),
        ("faiss HNSW, bitmap", partial(masked, graph, k, walked, "ef", EF)),
        ("faiss IVF, bitmap", partial(masked, lists, k, probed, "nprobe", PROBES)),
    ]


def gathered(items: np.ndarray, k: int, queries: np.ndarray, mask: np.ndarray) -> Efforts:
    """Yield the one setting of a block product with the rows that pass."""
    asked = unit(queries)

    def run() -> np.ndarray:
        rows = np.flatnonzero(mask)
        scores = asked @ items[rows].T
        return rows[np.argpartition(-scores, k, axis=1)[:, :k]]

    yield "", lambda: run


def masked(
    index: Any,
    k: int,
    parameters: Callable[[Any, int], Any],
    name: str,
    values: list[int],
    queries: np.ndarray,
    mask: np.ndarray,
) -> Efforts:
    """Return the settings of an index of faiss that is given a mask as a bitmap."""
    asked = unit(queries)
    bits = np.packbits(mask, bitorder="little")
    selector = faiss.IDSelectorBitmap(bits)

    def make(value: int) -> Search:
        chosen = parameters(selector, value)

        def run() -> np.ndarray:
            return index.search(asked, k, params=chosen)[1]

        run.keep = bits  # which the selector only points at
        return run

    return settings(values, name, make)()

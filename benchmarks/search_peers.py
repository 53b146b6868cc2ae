"""faiss, usearch and hnswlib as `search.py` calls them; what is not installed takes no part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from common import Row, timer

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

Search = Callable[[], np.ndarray]
Efforts = Iterator[tuple[str, Callable[[], Search]]]
System = tuple[str, Callable[[], Efforts], Row]

EF = [10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048]
PROBES = [1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024]
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
    if metric == "l2":
        squared = faiss.IndexFlatL2(items.shape[1])
        squared.add(items)
        return [("faiss flat", lambda queries, k: squared.search(queries, k)[1])]
    index = faiss.IndexFlatIP(items.shape[1])
    index.add(unit(items))
    return [("faiss flat", lambda queries, k: index.search(unit(queries), k)[1])]


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return the vectors divided by their lengths."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def efforts_of(
    values: list[int], name: str, change: Callable[[int], None], search: Search
) -> Callable[[], Efforts]:
    """Return settings of one number; `change` is called before each search of a setting."""

    def efforts() -> Efforts:
        for value in values:

            def make(value: int = value) -> Search:
                def run() -> np.ndarray:
                    change(value)
                    return search()

                return run

            yield f"{name}={value}", make

    return efforts


def timed(add: Callable[[], Any]) -> Row:
    """Return what an index cost to build."""
    with timer() as taken:
        add()
    return {"build_cpu_s": taken.cpu_s}


def binary_peers(codes: np.ndarray, queries: np.ndarray, k: int) -> list[System]:
    """Return approximate searches of codes."""
    bits, systems = 8 * codes.shape[1], []
    if faiss is not None:
        graph = faiss.IndexBinaryHNSW(bits, M)
        graph.hnsw.efConstruction = CONSTRUCTION
        cost = timed(lambda: graph.add(codes))

        def set_ef(value: int) -> None:
            graph.hnsw.efSearch = value

        systems.append(
            ("faiss HNSW", efforts_of(EF, "ef", set_ef, lambda: graph.search(queries, k)[1]), cost)
        )
        lists = int(4 * np.sqrt(len(codes)))
        coarse = faiss.IndexBinaryFlat(bits)
        inverted = faiss.IndexBinaryIVF(coarse, bits, lists)
        inverted.cp.niter = 8

        def fill() -> None:
            inverted.train(codes)
            inverted.add(codes)

        cost = timed(fill)

        def set_probes(value: int) -> None:
            inverted.nprobe = value

        systems.append(
            (
                "faiss IVF",
                efforts_of(PROBES, "nprobe", set_probes, lambda: inverted.search(queries, k)[1]),
                cost,
            )
        )
    if usearch is not None:
        index = usearch.Index(
            ndim=bits, metric="hamming", dtype="b1", connectivity=M, expansion_add=CONSTRUCTION
        )
        cost = timed(lambda: index.add(np.arange(len(codes)), codes, threads=1))

        def set_expansion(value: int) -> None:
            index.expansion_search = value

        systems.append(
            (
                "usearch",
                efforts_of(
                    EF, "ef", set_expansion, lambda: index.search(queries, k, threads=1).keys
                ),
                cost,
            )
        )
    return systems


def real_peers(items: np.ndarray, queries: np.ndarray, metric: str, k: int) -> list[System]:
    """Return approximate searches of vectors; cosines are searched as products of unit vectors."""
    if metric == "cosine":
        items, queries = unit(items), unit(queries)
    systems: list[System] = []
    if faiss is not None:
        systems += faiss_real(items, queries, k)
    if hnswlib is not None:
        index = hnswlib.Index("l2", items.shape[1])
        index.init_index(len(items), ef_construction=CONSTRUCTION, M=M)
        cost = timed(lambda: index.add_items(items, num_threads=1))
        systems.append(
            (
                "hnswlib",
                efforts_of(
                    EF,
                    "ef",
                    index.set_ef,
                    lambda: index.knn_query(queries, k, num_threads=1)[0].astype(np.int64),
                ),
                cost,
            )
        )
    if usearch is not None:
        other = usearch.Index(
            ndim=items.shape[1],
            metric="l2sq",
            dtype="f32",
            connectivity=M,
            expansion_add=CONSTRUCTION,
        )
        cost = timed(lambda: other.add(np.arange(len(items)), items, threads=1))

        def set_expansion(value: int) -> None:
            other.expansion_search = value

        systems.append(
            (
                "usearch",
                efforts_of(
                    EF, "ef", set_expansion, lambda: other.search(queries, k, threads=1).keys
                ),
                cost,
            )
        )
    return systems


def faiss_real(items: np.ndarray, queries: np.ndarray, k: int) -> list[System]:
    """Return the approximate searches of faiss: HNSW, and FastScan with refinement."""
    dim = items.shape[1]
    graph = faiss.IndexHNSWFlat(dim, M)
    graph.hnsw.efConstruction = CONSTRUCTION
    cost = timed(lambda: graph.add(items))

    def set_ef(value: int) -> None:
        graph.hnsw.efSearch = value

    systems: list[System] = [
        ("faiss HNSW", efforts_of(EF, "ef", set_ef, lambda: graph.search(queries, k)[1]), cost)
    ]
    lists = int(2 * np.sqrt(len(items)))
    fast = faiss.index_factory(dim, f"IVF{lists},PQ{dim // 2}x4fs")
    fast.cp.niter = 8
    refined = faiss.IndexRefineFlat(fast)

    def fill() -> None:
        refined.train(items)
        refined.add(items)

    cost = timed(fill)
    for factor in (5, 10, 20, 50):

        def set_probes(value: int, factor: int = factor) -> None:
            fast.nprobe = value
            refined.k_factor = factor

        systems.append(
            (
                f"faiss IVF FastScan, refine {factor}",
                efforts_of(PROBES, "nprobe", set_probes, lambda: refined.search(queries, k)[1]),
                cost,
            )
        )
    return systems


def filtered_peers(
    items: np.ndarray, k: int
) -> list[tuple[str, Callable[[np.ndarray, np.ndarray], Efforts]]]:
    """Return functions of queries and a mask that give settings."""
    items = unit(items)
    peers: list[tuple[str, Callable[[np.ndarray, np.ndarray], Efforts]]] = []

    def gathered(queries: np.ndarray, mask: np.ndarray) -> Efforts:
        asked = unit(queries)

        def run() -> np.ndarray:
            rows = np.flatnonzero(mask)
            scores = asked @ items[rows].T
            return rows[np.argpartition(-scores, k, axis=1)[:, :k]]

        yield "", lambda: run

    peers.append(("numpy, gathered", gathered))
    if faiss is None:
        return peers
    flat = faiss.IndexFlatIP(items.shape[1])
    flat.add(items)
    graph = faiss.IndexHNSWFlat(items.shape[1], M)
    graph.hnsw.efConstruction = CONSTRUCTION
    graph.add(items)
    lists = int(4 * np.sqrt(len(items)))
    inverted = faiss.index_factory(items.shape[1], f"IVF{lists},Flat", faiss.METRIC_INNER_PRODUCT)
    inverted.cp.niter = 8
    inverted.train(items)
    inverted.add(items)

    def settings(
        index: Any, parameters: Callable[..., Any], name: str, values: list[int]
    ) -> Callable[[np.ndarray, np.ndarray], Efforts]:
        def efforts(queries: np.ndarray, mask: np.ndarray) -> Efforts:
            asked = unit(queries)
            bits = np.packbits(mask, bitorder="little")
            selector = faiss.IDSelectorBitmap(bits)
            for value in values:

                def make(value: int = value, keep: Any = bits) -> Search:
                    chosen = parameters(selector, value)
                    return lambda keep=keep: index.search(asked, k, params=chosen)[1]

                yield f"{name}={value}" if name else "", make

        return efforts

    peers.append(
        (
            "faiss flat, bitmap",
            settings(flat, lambda sel, _: faiss.SearchParameters(sel=sel), "", [0]),
        )
    )
    peers.append(
        (
            "faiss HNSW, bitmap",
            settings(
                graph, lambda sel, ef: faiss.SearchParametersHNSW(sel=sel, efSearch=ef), "ef", EF
            ),
        )
    )
    peers.append(
        (
            "faiss IVF, bitmap",
            settings(
                inverted,
                lambda sel, n: faiss.SearchParametersIVF(sel=sel, nprobe=n),
                "nprobe",
                PROBES,
            ),
        )
    )
    return peers

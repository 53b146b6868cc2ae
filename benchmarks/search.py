"""Every kind of search against faiss, usearch and hnswlib: speed per CPU second beside recall.

    python benchmarks/search.py [--json PATH] [--parts exact radius ...] [--sizes 100000 1000000]

The contestants of a part take turns for several rounds in one process on one thread (and ours on
two where `--two` asks for it); a row has medians over the rounds. `qps` is queries per CPU second;
`ratio_to_faiss` and `ratio_to_best_peer` are medians of ratios within a round, for approximate
searches against the fastest peer that reaches the same recall. Queries are never items. Answers of
exact searches are checked, distance by distance, before anything is timed. `recall` is of the 10
nearest: for codes by distance, so that a tie with the last may go to any, for real vectors by id.

faiss is tuned: its flat search uses BLAS from 20 queries on (by itself it would not), FastScan
has a refinement, and every peer's effort is raised until it reaches the recall. `share_of_limit` is
the share of the machine's own speed: of reading memory for one query, of the multiply-add peak for
a block product.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from common import Row, finish, parser, timer
from search_data import digits, learned_codes, window_codes, word_vectors
from search_peers import (
    binary_peers,
    exact_binary_peers,
    exact_real_peers,
    filtered_peers,
    one_thread,
    real_peers,
)
from search_rounds import (
    COLUMNS,
    Contestant,
    K,
    System,
    approximate,
    asking,
    ladder,
    measured,
    our_flat,
    ours,
    recall_by_distance,
    recall_by_id,
)

from bitsense import CosineIndex, HammingIndex, _core

GOALS = (0.95, 0.99)
EF = ladder(10, 2048)
SHORTLISTS = ladder(20, 2048)
PROBES = ladder(4, 2048)


def exact_rows(
    indexes: list[tuple[Any, Row]],
    asked: np.ndarray,
    peers: list[tuple[str, Callable[..., Any]]],
    recall: Callable[[str, Any], float],
    options: Any,
    common: Row,
) -> list[Row]:
    """Return rows of our exact indexes, with what is known of each, and of the peers.

    `recall` gives that of a peer's answer, and raises where it must be exact and is not.
    """
    contestants = []
    for index, cost in indexes:
        for threads in (1, 2) if options.two else (1,):
            name = f"bitsense {index.kind}" + (", 2 threads" if threads == 2 else "")
            search = asking(index, asked, threads=threads)
            contestants.append(Contestant(name, "", search, {"recall": 1.0, **cost}))
    for name, search in peers:
        reached = recall(name, search(asked, K))
        contestants.append(Contestant(name, "", partial(search, asked, K), {"recall": reached}))
    common = {**common, "items": len(indexes[0][0]), "batch": len(asked)}
    return measured(contestants, options.rounds, len(asked), common)


def some_codes(
    options: Any, work: str, bits: int, sizes: list[int], queries: int
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Return names of data, codes of each size, and others that query; the learned ones are one."""
    for items in sizes:
        codes = window_codes(*options.source, work, items + queries, bits)
        yield f"{bits} bits", codes[queries:], codes[:queries]
    codes = learned_codes(options.data, options.words, work, bits)
    yield f"{bits} bits, learned", codes[queries:], codes[:queries]


def exact_part(options: Any, work: str) -> list[Row]:
    """Exact nearest codes."""
    rows = []
    for bits in options.bits:
        for data, codes, queries in some_codes(options, work, bits, options.sizes, 64):
            items = len(codes)
            flat = HammingIndex(codes, kind="flat")
            indexes = [(flat, {"bytes_per_item": bits / 8})]
            if items >= options.lists_from:
                indexes.append(built(partial(with_lists, codes), items))
            peers = exact_binary_peers(codes)
            common = {"part": "exact", "data": data}
            for batch in (1, 32):
                asked = queries[:batch]
                right = flat.search(asked, K, threads=1)
                for index, _ in indexes:
                    if not all(map(np.array_equal, index.search(asked, K, threads=1), right)):
                        raise AssertionError(f"{index!r}: the answers differ")
                recall = partial(require_distances, right[1])
                made = exact_rows(indexes, asked, peers, recall, options, common)
                if batch == 1:
                    limit = reads_per_second(codes)
                    for row in made:
                        row["share_of_limit"] = row["qps"] / limit
                rows += made
    return rows


def with_lists(codes: np.ndarray) -> HammingIndex:
    """Return an index of kind "auto" that has its lists, as it has after many searches."""
    index = HammingIndex(codes, kind="auto")
    index.build(threads=1)
    return index


def require_distances(right: np.ndarray, name: str, answer: Any) -> float:
    """Return the recall of an answer, ids and distances, that has the right distances; 1."""
    if not np.array_equal(answer[1], right):
        raise AssertionError(f"{name}: distances differ")
    return 1.0


def reads_per_second(codes: np.ndarray) -> float:
    """Return how often one thread can read all codes in a second."""
    with timer() as reading:
        for _ in range(3):
            _core.read_words(codes)
    return 3 / max(reading.cpu_s, 1e-9)


def radius_part(options: Any, work: str) -> list[Row]:
    """All codes within 8 of 128 bits."""
    items = max(options.sizes)
    codes = window_codes(*options.source, work, items + 64, 128)
    codes, queries = codes[64:], codes[:64]
    flat = HammingIndex(codes, kind="flat")
    multi, cost = built(lambda: HammingIndex(codes, kind="multi", threads=1), items)
    auto, auto_cost = built(partial(with_lists, codes), items)
    right = flat.range_search(queries, 8)
    contestants = []
    for name, index, known in (
        ("bitsense multi", multi, cost),
        ("bitsense auto", auto, auto_cost),
        ("flat scan", flat, {}),
    ):
        if not all(map(np.array_equal, index.range_search(queries, 8), right)):
            raise AssertionError(f"{name}: the answers differ")
        search = partial(index.range_search, queries, 8, threads=1)
        contestants.append(Contestant(name, "", search, {"recall": 1.0, **known}))
    common = {
        "part": "radius",
        "data": "128 bits",
        "items": items,
        "batch": 64,
        "found": int(right[0][-1]),
    }
    return measured(contestants, options.rounds, len(queries), common)


def built(make: Callable[[], Any], items: int) -> tuple[Any, Row]:
    """Return an index and what building it cost."""
    with timer() as taken:
        index = make()
    size = sum(column.nbytes for column in index._store.snapshot.columns.values())
    structure = index._store.snapshot.structure
    if structure is not None:
        size += sum(array.nbytes for array in structure)
    return index, {"build_cpu_s": taken.cpu_s, "bytes_per_item": size / items}


def codes_part(options: Any, work: str) -> list[Row]:
    """Approximate nearest codes of 256 bits."""
    rows = []
    for data, codes, queries in some_codes(
        options, work, 256, options.graph_sizes, options.queries
    ):
        items = len(codes)
        flat = HammingIndex(codes, kind="flat")
        recall = recall_by_distance(flat, codes, queries)
        systems: list[System] = []
        for kind, effort, values in (("graph", "ef", EF), ("ivf", "probes", PROBES)):
            index, cost = built(partial(HammingIndex, codes, kind=kind, threads=1), items)
            systems.append((*ours(kind, index, queries, effort, values), cost))
        systems += [our_flat(flat, queries), *binary_peers(codes, queries, K)]
        common = {"part": "codes", "data": data, "items": items, "batch": len(queries)}
        rows += approximate(systems, recall, options.goals, options.rounds, common)
    return rows


def real_data(options: Any, work: str) -> list[tuple[str, np.ndarray, str]]:
    """Return the names, vectors and metrics of the real data."""
    words = word_vectors(*options.source, work)[: options.vectors]
    images = digits(options.data)[: options.vectors]
    sets = {"words": (words, "cosine"), "MNIST": (images, "l2"), "products": (words, "ip")}
    return [(name, *sets[name]) for name in options.real]


def cosine_part(options: Any, work: str) -> list[Row]:
    """Exact nearest vectors."""
    rows = []
    for data, vectors, metric in real_data(options, work):
        items, queries = vectors[512:], vectors[:512]
        index, cost = built(
            partial(CosineIndex, items, metric=metric, kind="flat", threads=1), len(items)
        )
        peers = exact_real_peers(items, metric)
        common = {"part": "cosine", "data": data}
        for batch in (1, 32, 512):
            asked = queries[:batch]
            judge = recall_by_id(index.search(asked, K, threads=1)[0])
            made = exact_rows(
                [(index, cost)],
                asked,
                peers,
                lambda _, ids, judge=judge: judge(ids),
                options,
                common,
            )
            peak = peak_flops()
            for row in made:
                row["share_of_limit"] = row["qps"] * 2 * items.size / peak
            rows += made
    return rows


def peak_flops() -> float:
    """Return the multiply-adds a second of one thread, as floating-point operations."""
    return 1e9 * _core.benchmark_peak(_core.level(), 400_000)


def vectors_part(options: Any, work: str) -> list[Row]:
    """Approximate nearest vectors."""
    rows = []
    for data, vectors, metric in real_data(options, work):
        items, queries = vectors[options.queries :], vectors[: options.queries]
        flat = CosineIndex(items, metric=metric, kind="flat")
        recall = recall_by_id(flat.search(queries, K)[0])
        systems: list[System] = []
        for kind, effort, values in (("graph", "ef", EF), ("quantized", "shortlist", SHORTLISTS)):
            index, cost = built(
                partial(CosineIndex, items, metric=metric, kind=kind, threads=1),
                len(items),
            )
            systems.append((*ours(kind, index, queries, effort, values), cost))
        systems += real_peers(items, queries, metric, K)
        common = {"part": "vectors", "data": data, "items": len(items), "batch": len(queries)}
        rows += approximate(systems, recall, options.goals, options.rounds, common)
    return rows


def filtered_part(options: Any, work: str) -> list[Row]:
    """Nearest vectors among those that pass: at random, or those near a direction."""
    vectors = word_vectors(*options.source, work)[: options.vectors]
    items, queries = vectors[options.queries :], vectors[: options.queries]
    generator = np.random.default_rng(3)
    chance = generator.random(len(items))
    direction = generator.standard_normal(items.shape[1])
    near = items @ direction / np.linalg.norm(items, axis=1)
    flat = CosineIndex(items, kind="flat")
    graph, cost = built(lambda: CosineIndex(items, kind="graph", threads=1), len(items))
    quantized, _ = built(lambda: CosineIndex(items, kind="quantized", threads=1), len(items))
    peers = filtered_peers(items, K)
    rows = []
    for kind, values in (("random", chance), ("near", -near)):
        for share in (0.01, 0.1, 0.5):
            mask = values <= np.quantile(values, share)
            recall = recall_by_id(flat.search(queries, K, mask=mask)[0])
            systems: list[System] = [
                (*ours("graph", graph, queries, "ef", EF, mask=mask), cost),
                (*ours("quantized", quantized, queries, "shortlist", SHORTLISTS, mask=mask), {}),
                our_flat(flat, queries, mask=mask),
                *((name, partial(efforts, queries, mask), {}) for name, efforts in peers),
            ]
            common = {
                "part": "filtered",
                "data": f"{kind} {share:.0%}",
                "items": len(items),
                "batch": len(queries),
            }
            rows += approximate(systems, recall, [0.95], options.rounds, common)
    return rows


PARTS = {
    "exact": exact_part,
    "radius": radius_part,
    "codes": codes_part,
    "cosine": cosine_part,
    "vectors": vectors_part,
    "filtered": filtered_part,
}


def main() -> None:
    """Run the parts."""
    arguments = parser(__doc__, data="", threads=False)
    arguments.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    arguments.add_argument("--bits", type=int, nargs="+", default=[64, 128, 256])
    arguments.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    arguments.add_argument("--lists-from", type=int, default=100_000, help="codes, of kind auto")
    arguments.add_argument("--graph-sizes", type=int, nargs="+", default=[200_000, 1_000_000])
    arguments.add_argument("--vectors", type=int, default=100_000)
    arguments.add_argument("--real", nargs="+", default=["words", "MNIST", "products"])
    arguments.add_argument("--queries", type=int, default=500)
    arguments.add_argument("--words", type=int, default=8_000_000)
    arguments.add_argument("--epochs", type=int, default=5)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--goals", type=float, nargs="+", default=list(GOALS))
    arguments.add_argument("--two", action="store_true", help="ours on two threads too")
    arguments.add_argument("--work", metavar="FOLDER", help="keep what was trained there")
    options = arguments.parse_args()
    if options.quick:
        options.sizes, options.graph_sizes, options.bits = [20_000], [5_000], [128]
        options.lists_from = 0
        options.vectors, options.queries, options.words = 5_000, 50, 200_000
        options.epochs, options.rounds, options.goals = 1, 1, [0.9]
    options.source = (options.data, options.words, options.epochs)
    one_thread()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for part in options.parts:
            rows += PARTS[part](options, options.work or folder)
            print(f"done: {part}", flush=True)
    finish(rows, options, COLUMNS)


if __name__ == "__main__":
    main()

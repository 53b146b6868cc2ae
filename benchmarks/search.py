"""Every kind of search against faiss, usearch and hnswlib: speed per CPU second beside recall.

    python benchmarks/search.py [--json PATH] [--parts exact radius ...] [--sizes 100000 1000000]

The contestants of a part take turns for several rounds in one process on one thread (and ours on
two where `--two` asks for it); a row has medians over the rounds. `qps` is queries per CPU second;
`ratio_to_faiss` and `ratio_to_best_peer` are medians of ratios within a round, for approximate
searches against the fastest peer that reaches the same recall. Queries are never items. Answers of
exact searches are checked, distance by distance, before anything is timed.

faiss is tuned: its flat search uses BLAS from 20 queries on (by itself it would not), FastScan
has a refinement, and every peer's effort is raised until it reaches the recall. `share_of_limit` is
the share of the machine's own speed: of reading memory for one query, of the multiply-add peak for
a block product.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from common import Row, finish, interleaved, parser, timer
from search_data import digits, window_codes, word_vectors
from search_peers import (
    binary_peers,
    exact_binary_peers,
    exact_real_peers,
    filtered_peers,
    one_thread,
    real_peers,
)

from bitsense import CosineIndex, HammingIndex, _core

COLUMNS = (
    "part",
    "data",
    "items",
    "batch",
    "goal",
    "system",
    "effort",
    "recall",
    "qps",
    "ratio_to_faiss",
    "ratio_to_best_peer",
    "share_of_limit",
    "build_cpu_s",
    "bytes_per_item",
)
PARTS = ("exact", "radius", "codes", "cosine", "vectors", "filtered")
GOALS = (0.95, 0.99)
K = 10

Search = Callable[[], Any]  # an answer: ids, one row per query


class Contestant(NamedTuple):
    """One system with one setting."""

    system: str
    effort: str
    search: Search
    more: Row = {}  # noqa: RUF012 - never changed


def recall_of(found: np.ndarray, right: list[set[int]]) -> float:
    """Return the share of the right answers that was found."""
    hits = sum(len(truth & set(row.tolist())) for row, truth in zip(found, right, strict=True))
    return hits / sum(map(len, right))


def measured(contestants: list[Contestant], rounds: int, queries: int, common: Row) -> list[Row]:
    """Return a row per contestant; each round times every one of them, once."""
    times: dict[int, list[float]] = {i: [] for i in range(len(contestants))}
    labels = [str(i) for i in range(len(contestants))]
    for _, label in interleaved(labels, rounds):
        contestant = contestants[int(label)]
        seconds, calls = 0.0, 0
        while seconds < 0.05:  # a clock tick is 10 ms on some machines
            with timer() as taken:
                contestant.search()
            seconds, calls = seconds + taken.cpu_s, calls + 1
        times[int(label)].append(seconds / calls)
    rows = []
    for i, contestant in enumerate(contestants):
        row = {
            **common,
            "system": contestant.system,
            "effort": contestant.effort,
            "qps": queries / float(np.median(times[i])),
            "rounds": rounds,
            **contestant.more,
        }
        row.update(_ratios(contestants, times, i))
        rows.append(row)
        print(
            "  " + ", ".join(f"{key} {_short(row[key])}" for key in COLUMNS if key in row),
            flush=True,
        )
    return rows


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _ratios(contestants: list[Contestant], times: dict[int, list[float]], own: int) -> Row:
    """Return how much faster a contestant of ours is than the peers, round by round."""
    if not contestants[own].system.startswith("bitsense"):
        return {}
    ratios = {}
    for i, contestant in enumerate(contestants):
        if not contestant.system.startswith("bitsense"):
            ratios[i] = float(np.median(np.divide(times[i], times[own])))
    faiss = [ratio for i, ratio in ratios.items() if contestants[i].system.startswith("faiss")]
    row: Row = {}
    if faiss:
        row["ratio_to_faiss"] = min(faiss)
    if ratios:
        row["ratio_to_best_peer"] = min(ratios.values())
    return row


def asking(index: Any, queries: np.ndarray, **more: Any) -> Search:
    """Return a search of one of our indexes."""
    return lambda: index.search(queries, K, **more)[0]


def first_of(search: Callable[..., Any], queries: np.ndarray) -> Search:
    """Return a search whose answer is the first of several arrays."""
    return lambda: search(queries, K)[0]


def best_reaching(
    efforts: Iterator[tuple[str, Callable[[], Search]]], right: list[set[int]], goal: float
) -> tuple[str, Search, float] | None:
    """Return the first setting, of ascending effort, whose recall reaches the goal."""
    for effort, make in efforts:
        search = make()
        recall = recall_of(search(), right)
        if recall >= goal:
            return effort, search, recall
    return None


def approximate(
    part: str,
    systems: list[tuple[str, Callable[[], Iterator[tuple[str, Callable[[], Search]]]], Row]],
    right: list[set[int]],
    options: Any,
    common: Row,
) -> list[Row]:
    """Return rows of every system at each recall that is a goal."""
    rows = []
    for goal in options.goals:
        contestants = []
        for system, efforts, more in systems:
            found = best_reaching(efforts(), right, goal)
            if found is None:
                print(f"  {part}: {system} does not reach {goal}")
                continue
            effort, search, recall = found
            contestants.append(Contestant(system, effort, search, {"recall": recall, **more}))
        rows += measured(contestants, options.rounds, len(right), {**common, "goal": goal})
    return rows


def ours(name: str, index: Any, queries: np.ndarray, effort: str, values: list[int], **more: Any):
    """Return one of our indexes as a system."""

    def efforts() -> Iterator[tuple[str, Callable[[], Search]]]:
        for value in values:

            def make(value: int = value) -> Search:
                return lambda: index.search(queries, K, threads=1, **{effort: value}, **more)[0]

            yield f"{effort}={value}", make

    return f"bitsense {name}", efforts


def built(make: Callable[[], Any], items: int) -> tuple[Any, Row]:
    """Return an index and what building it cost."""
    with timer() as taken:
        index = make()
    size = sum(column.nbytes for column in index._store.snapshot.columns.values())
    structure = index._store.snapshot.structure
    if structure is not None:
        size += sum(array.nbytes for array in structure)
    return index, {"build_cpu_s": taken.cpu_s, "bytes_per_item": size / items}


def exact_part(options: Any, work: str) -> list[Row]:
    """Exact nearest codes."""
    rows = []
    for bits in options.bits:
        for items in options.sizes:
            codes = window_codes(*options.source, work, items + 64, bits)
            codes, queries = codes[64:], codes[:64]
            index = HammingIndex(codes, kind="flat")
            peers = exact_binary_peers(codes)
            for batch in (1, 32):
                asked = queries[:batch]
                distances = index.search(asked, K, threads=1)[1]
                contestants = [
                    Contestant(
                        "bitsense flat",
                        "",
                        asking(index, asked, threads=1),
                        {"recall": 1.0, "bytes_per_item": bits / 8},
                    )
                ]
                if options.two:
                    contestants.append(
                        Contestant(
                            "bitsense flat, 2 threads",
                            "",
                            asking(index, asked, threads=2),
                            {"recall": 1.0},
                        )
                    )
                for name, search in peers:
                    if not np.array_equal(search(asked, K)[1], distances):
                        raise AssertionError(f"{name}: distances differ")
                    contestants.append(
                        Contestant(name, "", first_of(search, asked), {"recall": 1.0})
                    )
                common = {"part": "exact", "data": f"{bits} bits", "items": items, "batch": batch}
                made = measured(contestants, options.rounds, batch, common)
                if batch == 1:
                    with timer() as reading:
                        for _ in range(3):
                            _core.read_words(codes)
                    limit = 3 / max(reading.cpu_s, 1e-9)
                    for row in made:
                        row["share_of_limit"] = row["qps"] / limit
                rows += made
    return rows


def radius_part(options: Any, work: str) -> list[Row]:
    """All codes within 8 of 128 bits."""
    items = max(options.sizes)
    codes = window_codes(*options.source, work, items + 64, 128)
    codes, queries = codes[64:], codes[:64]
    flat = HammingIndex(codes, kind="flat")
    multi, cost = built(lambda: HammingIndex(codes, kind="multi", threads=1), items)
    right = flat.range_search(queries, 8)
    found = multi.range_search(queries, 8)
    for a, b in zip(right, found, strict=True):
        if not np.array_equal(a, b):
            raise AssertionError("the answers of the tables differ")
    contestants = [
        Contestant(
            "bitsense multi",
            "",
            lambda: multi.range_search(queries, 8, threads=1),
            {"recall": 1.0, **cost},
        ),
        Contestant(
            "flat scan", "", lambda: flat.range_search(queries, 8, threads=1), {"recall": 1.0}
        ),
    ]
    common = {
        "part": "radius",
        "data": "128 bits",
        "items": items,
        "batch": 64,
        "found": int(right[0][-1]),
    }
    return measured(contestants, options.rounds, len(queries), common)


def codes_part(options: Any, work: str) -> list[Row]:
    """Approximate nearest codes of 256 bits."""
    rows = []
    for items in options.graph_sizes:
        codes = window_codes(*options.source, work, items + options.queries, 256)
        codes, queries = codes[options.queries :], codes[: options.queries]
        flat = HammingIndex(codes, kind="flat")
        right = nearest_with_ties(flat, queries)
        graph, cost = built(lambda codes=codes: HammingIndex(codes, kind="graph", threads=1), items)
        systems = [
            (*ours("graph", graph, queries, "ef", EF), cost),
            (
                "bitsense flat",
                lambda flat=flat, queries=queries: iter(
                    [("", lambda: lambda: flat.search(queries, K, threads=1)[0])]
                ),
                {},
            ),
            *binary_peers(codes, queries, K),
        ]
        common = {"part": "codes", "data": "256 bits", "items": items, "batch": len(queries)}
        rows += approximate("codes", systems, right, options, common)
    return rows


EF = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 896, 1280, 1792]
SHORTLISTS = [20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640, 960, 1920]


def nearest_with_ties(flat: HammingIndex, queries: np.ndarray) -> list[set[int]]:
    """Return the K nearest ids of each query; a tie with the last may go to any.

    Recall is by distance: an id is right if its distance is not above the K-th.
    """
    return [set(row.tolist()) for row in flat.search(queries, K)[0]]


def cosine_part(options: Any, work: str) -> list[Row]:
    """Exact nearest vectors."""
    rows = []
    for data, vectors, metric in real_data(options, work):
        items, queries = vectors[512:], vectors[:512]
        index = CosineIndex(items, metric=metric, kind="flat")
        peers = exact_real_peers(items, metric)
        for batch in (1, 32, 512):
            asked = queries[:batch]
            ids = index.search(asked, K, threads=1)[0]
            contestants = [
                Contestant(
                    "bitsense flat",
                    "",
                    asking(index, asked, threads=1),
                    {"recall": 1.0},
                )
            ]
            if options.two:
                contestants.append(
                    Contestant(
                        "bitsense flat, 2 threads",
                        "",
                        asking(index, asked, threads=2),
                        {"recall": 1.0},
                    )
                )
            for name, search in peers:
                right = [set(row.tolist()) for row in ids]
                contestants.append(
                    Contestant(
                        name,
                        "",
                        partial(search, asked, K),
                        {"recall": recall_of(search(asked, K), right)},
                    )
                )
            common = {"part": "cosine", "data": data, "items": len(items), "batch": batch}
            made = measured(contestants, options.rounds, batch, common)
            peak = peak_flops()
            for row in made:
                row["share_of_limit"] = row["qps"] * 2 * items.size / peak
            rows += made
    return rows


def peak_flops() -> float:
    """Return the multiply-adds a second of one thread, as floating-point operations."""
    return 1e9 * _core.benchmark_peak(_core.level(), 400_000)


def real_data(options: Any, work: str) -> list[tuple[str, np.ndarray, str]]:
    """Return the names, vectors and metrics of the real data."""
    words = word_vectors(*options.source, work)[: options.vectors]
    images = digits(options.data)[: options.vectors]
    sets = {"words": (words, "cosine"), "MNIST": (images, "l2")}
    return [(name, *sets[name]) for name in options.real]


def vectors_part(options: Any, work: str) -> list[Row]:
    """Approximate nearest vectors."""
    rows = []
    for data, vectors, metric in real_data(options, work):
        items, queries = vectors[options.queries :], vectors[: options.queries]
        flat = CosineIndex(items, metric=metric, kind="flat")
        right = [set(row.tolist()) for row in flat.search(queries, K)[0]]
        systems = []
        for kind, effort, values in (("graph", "ef", EF), ("quantized", "shortlist", SHORTLISTS)):
            index, cost = built(
                partial(CosineIndex, items, metric=metric, kind=kind, threads=1),
                len(items),
            )
            systems.append((*ours(kind, index, queries, effort, values), cost))
        systems += real_peers(items, queries, metric, K)
        common = {"part": "vectors", "data": data, "items": len(items), "batch": len(queries)}
        rows += approximate("vectors", systems, right, options, common)
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
            right = [set(row.tolist()) for row in flat.search(queries, K, mask=mask)[0]]
            systems = [
                (*ours("graph", graph, queries, "ef", EF, mask=mask), cost),
                (*ours("quantized", quantized, queries, "shortlist", SHORTLISTS, mask=mask), {}),
                (
                    "bitsense flat",
                    lambda mask=mask: iter(
                        [("", lambda: lambda: flat.search(queries, K, mask=mask, threads=1)[0])]
                    ),
                    {},
                ),
                *(
                    (name, lambda efforts=efforts, mask=mask: efforts(queries, mask), {})
                    for name, efforts in peers
                ),
            ]
            common = {
                "part": "filtered",
                "data": f"{kind} {share:.0%}",
                "items": len(items),
                "batch": len(queries),
            }
            part = argparse_copy(options, goals=[0.95])
            rows += approximate("filtered", systems, right, part, common)
    return rows


def argparse_copy(options: Any, **changes: Any) -> Any:
    """Return options of which some are others."""
    return type(options)(**{**vars(options), **changes})


def main() -> None:
    """Run the parts."""
    arguments = parser(__doc__, data="", threads=False)
    arguments.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    arguments.add_argument("--bits", type=int, nargs="+", default=[64, 128, 256])
    arguments.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    arguments.add_argument("--graph-sizes", type=int, nargs="+", default=[200_000, 1_000_000])
    arguments.add_argument("--vectors", type=int, default=100_000)
    arguments.add_argument("--real", nargs="+", default=["words", "MNIST"])
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
        options.vectors, options.queries, options.words = 5_000, 50, 200_000
        options.epochs, options.rounds, options.goals = 1, 1, [0.9]
    options.source = (options.data, options.words, options.epochs)
    one_thread()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for part in options.parts:
            rows += globals()[f"{part}_part"](options, options.work or folder)
            print(f"done: {part}", flush=True)
    finish(rows, options, COLUMNS)


if __name__ == "__main__":
    main()

"""Exact Hamming search: our scan, faiss' IndexBinaryFlat and the memory's own speed, in turns.

    python benchmarks/hamming.py [--megabytes 256] [--json PATH]

Every row is one shape of the problem on one thread. `gb_per_s` counts each code once per query;
`read_gb_per_s` is what a loop that only reads the same bytes reaches, so for one query and codes
beyond the caches `share_of_read` is how much of the machine's limit the scan uses. The contestants
take turns within each round; medians over the rounds are shown. The answers' distances are checked
equal to faiss' before anything is timed, ids where no tie decides them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from common import finish, interleaved, parser, timer

from bitsense import _core
from bitsense.search import HammingIndex

try:
    import faiss
except ImportError:
    faiss = None
else:
    faiss.omp_set_num_threads(1)

Call = Callable[[], Any]
COLUMNS = ("name", "ms_per_query", "gb_per_s", "read_gb_per_s", "share_of_read",
           "faiss_ms_per_query", "times_faiss")  # fmt: skip


def medians(calls: dict[str, Call], rounds: int) -> dict[str, float]:
    """Return the median seconds of each call; each round times every call, just after itself.

    The run that is not timed brings the caches to the state that a repeated call finds.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _, name in interleaved(list(calls), rounds):
        calls[name]()
        with timer() as taken:
            calls[name]()
        times[name].append(taken.wall_s)
    return {name: float(np.median(seconds)) for name, seconds in times.items()}


def check_answers(index: HammingIndex, other: Any, queries: np.ndarray, k: int) -> None:
    """Raise unless faiss gives the same distances, and the same ids where no tie decides."""
    ids, distances = index.search(queries, k, threads=1)
    their_distances, their_ids = other.search(queries, k)
    if not np.array_equal(distances, their_distances):
        raise AssertionError("distances differ from faiss'")
    for row, theirs, d in zip(ids, their_ids, distances, strict=True):
        inner = d < d[-1]
        if set(row[inner]) != set(theirs[inner]):
            raise AssertionError("ids differ from faiss'")


def measure(data: np.ndarray, bits: int, batch: int, k: int, rounds: int) -> dict[str, Any]:
    """Return one row of the table for the codes that `data` holds."""
    width = bits // 8
    codes = data[: len(data) // width * width].reshape(-1, width)
    queries = np.random.default_rng(bits).integers(0, 256, (batch, width), dtype=np.uint8)
    index = HammingIndex(codes)
    calls: dict[str, Call] = {
        "read": lambda: _core.read_words(data),
        "bitsense": lambda: index.search(queries, k, threads=1),
    }
    if faiss is not None:
        other = faiss.IndexBinaryFlat(bits)
        other.add(codes)
        check_answers(index, other, queries, k)
        calls["faiss"] = lambda: other.search(queries, k)
    seconds = medians(calls, rounds)
    row = {
        "name": f"search/hamming/bits={bits}/n={len(codes)}/batch={batch}/{_core.level()}",
        "bits": bits,
        "codes": len(codes),
        "batch": batch,
        "k": k,
        "level": _core.level(),
        "ms_per_query": 1e3 * seconds["bitsense"] / batch,
        "gb_per_s": data.nbytes * batch / seconds["bitsense"] / 1e9,
        "read_gb_per_s": data.nbytes / seconds["read"] / 1e9,
        "recall": 1.0,
    }
    row["share_of_read"] = row["gb_per_s"] / row["read_gb_per_s"]
    if faiss is not None:
        row["faiss_ms_per_query"] = 1e3 * seconds["faiss"] / batch
        row["times_faiss"] = seconds["faiss"] / seconds["bitsense"]
    return row


def rows_for(
    sizes: dict[int, list[int]], bits: list[int], k: int = 10, rounds: int = 11
) -> list[dict[str, Any]]:
    """Return a row per size in bytes, number of bits and batch."""
    generator = np.random.default_rng(0)
    rows = []
    for size, batches in sizes.items():
        data = generator.integers(0, 256, size, dtype=np.uint8)
        rows += [measure(data, b, batch, k, rounds) for b in bits for batch in batches]
    return rows


def main() -> None:
    """Measure in the caches and in memory, one query and batches."""
    arguments = parser(__doc__)
    arguments.add_argument("--megabytes", type=int, default=256, help="codes in memory")
    arguments.add_argument("--cache-kilobytes", type=int, default=512, help="codes in the cache")
    arguments.add_argument("--bits", type=int, nargs="+", default=[64, 128, 256])
    arguments.add_argument("--batch", type=int, nargs="+", default=[1, 8, 256])
    arguments.add_argument("--rounds", type=int, default=11)
    arguments.add_argument("-k", type=int, default=10)
    options = arguments.parse_args()
    if options.quick:
        options.megabytes, options.batch, options.rounds = 16, [1, 8], 3
    if faiss is not None:
        print(f"faiss {faiss.__version__} ({faiss.get_compile_options().strip()})")
    print(f"level {_core.level()}, one thread, k={options.k}, median of {options.rounds}")
    sizes = {options.cache_kilobytes << 10: options.batch, options.megabytes << 20: [1, 8]}
    finish(rows_for(sizes, options.bits, options.k, options.rounds), options, COLUMNS)


if __name__ == "__main__":
    main()

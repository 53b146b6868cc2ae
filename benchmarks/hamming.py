"""Exact Hamming search: our scan, faiss' IndexBinaryFlat and the memory's own speed, in turns.

    python benchmarks/hamming.py [--megabytes 256] [--json PATH]

Every row is one shape of the problem on one thread. `gb_per_s` counts each code once per query;
`read_gb_per_s` is what a loop that only reads the same bytes reaches, so for one query and codes
beyond the caches `share_of_read` is how much of the machine's limit the scan uses. The contestants
take turns within each round; medians over the rounds are shown. The answers' distances are checked
equal to faiss' before anything is timed, ids where no tie decides them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bitsense import _core
from bitsense.search import HammingIndex

try:
    import faiss
except ImportError:
    faiss = None

Call = Callable[[], Any]


def interleaved(calls: dict[str, Call], rounds: int) -> dict[str, float]:
    """Return the median seconds of each call; each round times every call, just after itself.

    The run that is not timed brings the caches to the state that a repeated call finds.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            call()
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
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
    seconds = interleaved(calls, rounds)
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


def show(row: dict[str, Any]) -> None:
    """Print one row."""
    text = (
        f"{row['bits']:5} {row['codes']:10} {row['batch']:5} {row['ms_per_query']:9.4f} "
        f"{row['gb_per_s']:8.1f} {row['read_gb_per_s']:8.1f} {row['share_of_read']:7.2f}"
    )
    if "times_faiss" in row:
        text += f" {row['faiss_ms_per_query']:9.4f} {row['times_faiss']:6.2f}"
    print(text, flush=True)


def main() -> None:
    """Measure in the caches and in memory, one query and batches."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=256, help="codes in memory")
    parser.add_argument("--cache-kilobytes", type=int, default=512, help="codes in the cache")
    parser.add_argument("--bits", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8, 256])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("-k", type=int, default=10)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--quick", action="store_true", help="a small run that only checks")
    options = parser.parse_args()
    if options.quick:
        options.megabytes, options.rounds = 4, 1
    if faiss is not None:
        faiss.omp_set_num_threads(1)
        print(f"faiss {faiss.__version__} ({faiss.get_compile_options().strip()})")
    print(f"level {_core.level()}, one thread, k={options.k}, median of {options.rounds}")
    print(" bits      codes batch  ms/query     GB/s read GB/s  share  faiss ms  times")
    sizes = {options.cache_kilobytes << 10: options.batch, options.megabytes << 20: [1, 8]}
    generator = np.random.default_rng(0)
    rows = []
    for size, batches in sizes.items():
        data = generator.integers(0, 256, size, dtype=np.uint8)
        for bits in options.bits:
            for batch in batches:
                rows.append(measure(data, bits, batch, options.k, options.rounds))
                show(rows[-1])
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""The inner loops beside what the machine can do.

    python benchmarks/kernels.py [--json PATH]

Block: the three products of a training block (logits, both gradients; 64 documents against 128
noise rows, all in the second-level cache) in GFLOP/s, at every level, beside `peak_gflops`:
independent multiply-adds in registers at the same level. Padding counts as no work, so dimensions
that are no multiple of 16 lose a little. Scan: exact Hamming search of one query, and of a batch
from the cache, in GB/s of codes, beside a loop that only reads the same bytes.

The products are compared with NumPy's before anything is timed, the scan with a NumPy count.
Peak and block take turns; each figure is the median of the rounds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from common import Row, finish, interleaved, parser
from hamming import rows_for

from bitsense import _core
from bitsense.search import HammingIndex

DIMS = (64, 100, 128, 300)
DOCUMENTS, NOISE = 64, 128
BLOCK_COLUMNS = ("name", "gflops", "peak_gflops", "share_of_peak", "max_error")
SCAN_COLUMNS = ("name", "gb_per_s", "read_gb_per_s", "share_of_read", "times_faiss")


def largest_error(level: str, dim: int) -> float:
    """Return the largest error of a product of this size, relative to the sum of magnitudes."""
    rng = np.random.default_rng(dim)
    n = -(-dim // 16) * 16
    a = rng.standard_normal((NOISE, DOCUMENTS)).astype(np.float32)
    b = rng.standard_normal((DOCUMENTS, n)).astype(np.float32)
    exact = a.astype(np.float64) @ b
    error = np.abs(_core.kernel_multiply(level, a, b) - exact) / (np.abs(a) @ np.abs(b))
    if error.max() > 1e-5:
        raise AssertionError(f"{level}: the product is wrong by {error.max():.2g}")
    return float(error.max())


def block_rows(rounds: int, repeats: int) -> list[Row]:
    """Return a row per level and dimension."""
    cases = {f"{level} {dim}": (level, dim) for level in _core.levels() for dim in DIMS}
    speeds: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
    for _, name in interleaved(list(cases), rounds):
        level, dim = cases[name]
        block = _core.benchmark_block(level, DOCUMENTS, NOISE, dim, repeats)
        peak = _core.benchmark_peak(level, 20_000 * repeats)
        speeds[name].append((block, peak))
    rows: list[Row] = []
    for name, (level, dim) in cases.items():
        gflops, peak_gflops = np.median(speeds[name], axis=0).tolist()
        rows.append(
            {
                "name": f"block/dim={dim}/{level}",
                "dim": dim,
                "kernel_level": level,
                "documents": DOCUMENTS,
                "noise": NOISE,
                "gflops": gflops,
                "peak_gflops": peak_gflops,
                "share_of_peak": float(np.median([b / p for b, p in speeds[name]])),
                "max_error": largest_error(level, dim),
                "threads": 1,
            }
        )
    return rows


def check_scan() -> None:
    """Raise unless a scan finds what counting bits one by one finds."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 256, (1000, 32), dtype=np.uint8)
    queries = rng.integers(0, 256, (3, 32), dtype=np.uint8)
    exact = np.unpackbits(queries[:, None] ^ codes, axis=2).sum(axis=2)
    ids, distances = HammingIndex(codes).search(queries, k=10)
    expected: Any = np.argsort(exact, axis=1, kind="stable")[:, :10]
    if (
        not (ids == expected).all()
        or not (distances == np.take_along_axis(exact, expected, 1)).all()
    ):
        raise AssertionError("the scan is wrong")


def main() -> None:
    """Print both tables."""
    options = parser(__doc__).parse_args()
    blocks = block_rows(*((2, 20) if options.quick else (9, 200)))
    check_scan()
    sizes = {512 << 10: [1, 8], (16 if options.quick else 256) << 20: [1]}
    scans = rows_for(sizes, [64, 128, 256], rounds=3 if options.quick else 11)
    finish(blocks + scans, options, BLOCK_COLUMNS, table=blocks)
    print()
    finish(scans, type(options)(json=None), SCAN_COLUMNS)


if __name__ == "__main__":
    main()

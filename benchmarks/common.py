"""What the benchmarks share: rows with their machine, timers, peaks of memory, rounds, a table.

A row is a dict with snake_case keys, flat but for the versions of the packages. `write_rows` adds
to each where it was measured, so that a JSON file can be read years later without the page it was
quoted on.

Memory is measured in a process of its own: `measured_step` starts a fresh interpreter for one
function, and reports the highest resident set that process reached (`peak_mb`) beside what it
held when the step began, imports and corpus included (`start_mb`).
"""

from __future__ import annotations

import importlib.metadata
import json
import multiprocessing
import os
import platform
import resource
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bitsense import _core

Row = dict[str, Any]

PACKAGES = ("bitsense", "numpy", "scipy", "scikit-learn", "gensim", "faiss-cpu", "usearch",
            "hnswlib", "fasttext-wheel")  # fmt: skip
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass
class Times:
    """CPU seconds of all threads of the process, and wall seconds."""

    cpu_s: float = 0.0
    wall_s: float = 0.0


@contextmanager
def timer() -> Iterator[Times]:
    """Yield the times of a ``with`` block; they are set at its end."""
    times = Times()
    cpu, wall = time.process_time(), time.perf_counter()
    yield times
    times.cpu_s, times.wall_s = time.process_time() - cpu, time.perf_counter() - wall


@cache
def machine() -> Row:
    """Return the processor, level, commit and versions that a row is stamped with."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "system": platform.platform(),
        "level": _core.level(),
        "commit": _commit(),
        "python": platform.python_version(),
        "packages": _versions(),
    }  # fmt: skip


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _commit() -> str | None:
    """Return the commit of the checkout, marked where files were changed; None outside one."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty",
               "--abbrev=40", "--exclude=*"]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _versions() -> dict[str, str]:
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def peak_mb() -> float:
    """Return the highest resident set of this process in MB (1e6 bytes).

    From /proc where there is one: ``ru_maxrss`` of a child starts at the size of its parent.
    """
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def one_thread_each(threads: int) -> None:
    """Hold NumPy and SciPy of this process's children to `threads`; call before importing them."""
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = str(threads)


def measured_step(step: Callable[..., Any], *arguments: Any, **options: Any) -> tuple[Any, Row]:
    """Run `step` in a fresh interpreter; return its result with `start_mb` and `peak_mb`.

    `step` must be a function at the top of a module, and what it takes and returns small enough
    to be pickled without regret. Its exceptions are raised here.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_run_step, args=(theirs, step, arguments, options))
    child.start()
    theirs.close()
    try:
        result, error, memory = ours.recv()
    except EOFError:
        child.join()
        raise RuntimeError(f"{step.__name__} ended with exit code {child.exitcode}") from None
    child.join()
    if error is not None:
        raise error
    return result, memory


def _run_step(pipe: Any, step: Callable[..., Any], arguments: tuple[Any, ...],
              options: dict[str, Any]) -> None:  # fmt: skip
    start = peak_mb()
    result = error = None
    try:
        result = step(*arguments, **options)
    except Exception as exception:  # noqa: BLE001 - raised again by the parent
        error = exception
    pipe.send((result, error, {"start_mb": round(start, 1), "peak_mb": round(peak_mb(), 1)}))


def interleaved(names: Sequence[str], rounds: int) -> Iterator[tuple[int, str]]:
    """Yield (round, name): every name once a round, so that a slow minute of a shared machine
    falls on all of them; the order turns by one each round."""
    for round_ in range(rounds):
        for i in range(len(names)):
            yield round_, names[(i + round_) % len(names)]


def parser(
    description: str | None, *, data: str | None = None, threads: bool = True
) -> ArgumentParser:
    """Return a parser with the options every benchmark has; `data` is the default corpus."""
    arguments = ArgumentParser(description=(description or "").partition("\n")[0])
    if data is not None:
        folder = os.environ.get("BITSENSE_DATA", "../shared/data")
        arguments.add_argument("--data", default=str(Path(folder) / data), help="the corpus")
    arguments.add_argument("--json", metavar="PATH", help="write the rows to this file")
    arguments.add_argument("--quick", action="store_true", help="a small run that only checks")
    if threads:
        arguments.add_argument("--threads", type=int, default=1)
    return arguments


def finish(
    rows: list[Row], options: Namespace, columns: Sequence[str], *, table: list[Row] | None = None
) -> None:
    """Print the rows, or the `table` made from them, and write the JSON file asked for."""
    print_table(rows if table is None else table, columns)
    if options.json:
        write_rows(options.json, rows)


def write_rows(path: str | Path, rows: list[Row]) -> None:
    """Write a JSON list of rows, each stamped with `machine()` unless it has a stamp."""
    text = json.dumps([{**machine(), **row} for row in rows], indent=1, allow_nan=False)
    Path(path).write_text(text + "\n")


def print_table(rows: list[Row], columns: Sequence[str]) -> None:
    """Print the columns of the rows, aligned; '-' where a row has no value."""
    cells = [list(columns)] + [[_cell(row.get(name)) for name in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    for line in cells:
        padded = [
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        print("  ".join(padded).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 1 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)

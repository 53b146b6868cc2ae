"""A soak: threads that search, add, remove, replace, save and load, and check every answer.

    python benchmarks/soak.py [--minutes 10] [--threads 8] [--seed 1] [--json PATH] [--quick]

Twelve indexes, of every kind, with numbers and strings as ids and with attributes, are shared by
all threads. A ledger beside each knows when each version of an item lived. An answer must be that
of NumPy over the items at some moment of the search: complete and exact where the kind is exact,
with exact distances and a recall of 0.8 where it is not. At the end each index and its file must
hold just what the ledger says, and every item must be found by itself. The first wrong answer ends
the run with status 1. benchmarks/README.md says how to run it under the sanitizers.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import tempfile
import threading
import time
import traceback
from argparse import Namespace
from collections import Counter
from pathlib import Path

import numpy as np
from common import Row, finish, parser
from soak_checks import WrongAnswerError
from soak_targets import SPECS, Target, shorten_days

__all__ = ["SPECS", "Soak", "Target", "WrongAnswerError", "main"]

COLUMNS = ("name", "searches", "range searches", "self joins", "checks still",
           "checks while changing", "added", "removed", "updated", "saves", "appends", "loads",
           "pickles", "swaps", "items at the end", "answers", "within", "pairs",
           "recall")  # fmt: skip
_PATIENCE_S = 300  # until a thread that does not come back is taken for dead
_SWITCH_S = 0.0005  # how long a thread keeps the interpreter: a tenth of what is usual


class Soak:
    """Threads and their indexes; `wrong` tells what the first wrong answer was."""

    def __init__(self, seed: int, threads: int, items: int, folder: Path) -> None:
        self.seed, self.many = seed, threads
        self.targets = [Target(spec, seed, items, folder) for spec in SPECS]
        self.operations: Counter[str] = Counter()
        self.counting, self.stop = threading.Lock(), threading.Event()
        self.wrong: str | None = None

    def _work(self, thread: int) -> None:
        rng = np.random.default_rng([self.seed, thread])
        steps = {"search": 0.5, "change": 0.3, "search, nothing changing": 0.15, "file": 0.05}
        done: Counter[str] = Counter()
        what = "nothing"
        try:
            while not self.stop.is_set():
                target = self.targets[rng.integers(0, len(self.targets))]
                step = str(rng.choice(list(steps), p=list(steps.values())))
                what = f"operation {done.total()} of thread {thread}: {step} in {target.spec.name}"
                if step == "search":
                    target.ask(rng, None)
                elif step == "change":
                    target.change(rng)
                elif step == "file":
                    target.keep(rng)
                else:
                    target.ask_still(rng)
                done[step] += 1
        except Exception:  # noqa: BLE001 - whatever it is, it is wrong
            self._fail(what)
        with self.counting:
            self.operations += done

    def _fail(self, what: str) -> None:
        with self.counting:
            self.wrong = self.wrong or f"seed {self.seed}, {what}\n{traceback.format_exc()}"
        self.stop.set()

    def run(self, seconds: float) -> float:
        """Work for some time; return how long it was."""
        started = time.perf_counter()
        workers = [
            threading.Thread(target=self._work, args=(i,), daemon=True) for i in range(self.many)
        ]
        for each in workers:
            each.start()
        self.stop.wait(seconds)
        self.stop.set()
        for each in workers:
            each.join(_PATIENCE_S)
            if each.is_alive():
                faulthandler.dump_traceback()
                self.wrong = self.wrong or f"seed {self.seed}: a thread does not come back"
                return time.perf_counter() - started
        taken = time.perf_counter() - started
        for target in self.targets:
            if self.wrong is None:
                try:
                    target.check_nothing_lost()
                except Exception:  # noqa: BLE001
                    self._fail(f"at the end of {target.spec.name}")
        return taken

    def rows(self, taken: float) -> list[Row]:
        """Return a row for all indexes together and one for each."""
        total: Counter[str] = Counter()
        rows: list[Row] = []
        for target in self.targets:
            total += target.counts
            rows.append({"name": target.spec.name, **target.counts, "recall": target.recall()})
        operations = self.operations.total()
        everything: Row = {"name": "all", **total, "operations": operations, "seed": self.seed}
        everything |= {"threads": self.many, "wall_s": taken, "per_s": operations / taken}
        return [everything, *rows]


def main() -> None:
    """Soak, print how often what was done, and say whether all answers were right."""
    arguments = parser(__doc__, threads=False)
    arguments.add_argument("--minutes", type=float, default=10.0)
    arguments.add_argument("--threads", type=int, default=8)
    arguments.add_argument("--items", type=int, default=800, help="of an index, about")
    arguments.add_argument("--seed", type=int, default=int(time.time()))
    options: Namespace = arguments.parse_args()
    seconds = 3.0 if options.quick else 60 * options.minutes
    shorten_days()
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_S)
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(options.seed, options.threads, 350 if options.quick else options.items,
                    Path(folder))  # fmt: skip
        taken = soak.run(seconds)
        if soak.wrong is not None:
            print(f"WRONG: {soak.wrong}", file=sys.stderr, flush=True)
            os._exit(1)  # threads may hang
    sys.setswitchinterval(before)
    rows = soak.rows(taken)
    finish(rows, options, COLUMNS)
    done = ", ".join(f"{count:,} {name}" for name, count in sorted(soak.operations.items()))
    print(f"seed {options.seed}: {done} in {taken:.0f} s, {rows[0]['per_s']:.0f} a second;"
          " every answer was right, and nothing was lost")  # fmt: skip


if __name__ == "__main__":
    main()

"""What the same bytes at any number of threads cost: deterministic training beside racing threads.

    python benchmarks/threads.py [--data ../shared/data/20news_bydate.jsonl.gz] [--json PATH]

Trains both models on the training part of 20 Newsgroups with one thread, with two that work on one
block at a time (deterministic, the default) and with two that race. The modes take turns; medians
of the rounds. `same_bytes` says whether all runs of a mode gave the weights of one thread, and
`loss` is that of the last epoch, so that a faster mode that learns less would show.
"""

from __future__ import annotations

import hashlib
import time

import numpy as np
from common import Row, finish, interleaved, parser, timer
from newsgroups import load

from bitsense import BinaryParagraphVector, ParagraphVector

COLUMNS = ("name", "wall_s", "cpu_s", "words_per_wall_s", "words_per_cpu_s", "speed_up",
           "same_bytes", "loss")  # fmt: skip
MODELS = {"binary": BinaryParagraphVector, "real": ParagraphVector}


def main() -> None:
    """Print a row per model and mode."""
    arguments = parser(__doc__, data="20news_bydate.jsonl.gz")
    arguments.add_argument("--rounds", type=int, default=5)
    options = arguments.parse_args()
    train, _ = load(options.data)
    documents = train.documents[:1000] if options.quick else train.documents
    rounds = 1 if options.quick else options.rounds
    many = max(2, options.threads)
    modes = {"one": (1, True), "deterministic": (many, True), "racing": (many, False)}
    names = [f"{model}/{mode}" for model in MODELS for mode in modes]
    runs: dict[str, list[tuple[float, float, str, float, int]]] = {name: [] for name in names}
    for _, name in interleaved(names, rounds):
        model, mode = name.split("/")
        threads, deterministic = modes[mode]
        estimator = MODELS[model](threads=threads, deterministic=deterministic, progress=False)
        with timer() as taken:
            estimator.fit(documents)
        digest = hashlib.sha256(estimator.word_vectors_.tobytes()).hexdigest()
        words = len(estimator.losses_) * int(estimator.vocabulary_.counts.sum())
        runs[name].append((taken.wall_s, taken.cpu_s, digest, estimator.losses_[-1], words))
        time.sleep(0.1)
    rows: list[Row] = []
    for name in names:
        model, mode = name.split("/")
        wall, cpu = (float(np.median([run[i] for run in runs[name]])) for i in (0, 1))
        alone = [run[0] for run in runs[f"{model}/one"]]
        ratios = [a / run[0] for a, run in zip(alone, runs[name], strict=True)]
        digests = {run[2] for run in [*runs[f"{model}/one"], *runs[name]]}
        rows.append(
            {
                "name": name,
                "threads": modes[mode][0],
                "deterministic": modes[mode][1],
                "wall_s": wall,
                "cpu_s": cpu,
                "words_per_wall_s": runs[name][0][4] / wall,
                "words_per_cpu_s": runs[name][0][4] / cpu,
                "speed_up": float(np.median(ratios)),
                "same_bytes": len(digests) == 1,
                "loss": float(np.median([run[3] for run in runs[name]])),
            }
        )
    finish(rows, options, COLUMNS)


if __name__ == "__main__":
    main()

"""Word vectors: quality beside speed, ours and the peers', from one run.

    python benchmarks/words.py --corpus ../shared/data/wiki_articles.txt.xz --words 8000000 \
        --json out.json

`word_systems.py` says what every system gets and how it is timed. Each training is a process of its
own, and each seed goes through all settings before the next, so that a slow minute of the machine
falls on all of them. Rates are words of the corpus times epochs per CPU second of all threads,
training alone. fastText runs with 10 threads whatever is asked, the others with each of
`--threads`.

Quality: Spearman's coefficient on WordSim-353, SimLex-999 and SCWS (the cosine, since a word has
one vector), and the share of Google's analogies whose answer comes first (3CosAdd) among all words
of the vocabulary. Pairs and questions with an unknown word are left out; every system knows
the same words.

`--speed` measures speed first of all: fewer words (2 million), one epoch, our racing threads beside
the deterministic ones. `share_of_fma_peak` is the training's arithmetic (`flops_per_word` in
`word_systems.py`) as a share of the multiply-adds that one core can do, which is measured after
each training. The ratios are medians over the rounds.

A long run can be made in parts: rows of `--append FILE` with the same setting are not measured
again; they keep the commit and the machine they were stamped with, and the table counts them as
`earlier`. Compare speeds only within one run.
"""

from __future__ import annotations

import json
import os
import tempfile
from argparse import Namespace
from math import isnan
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from common import Row, interleaved, measured_step, one_thread_each, parser, print_table, write_rows
from word_systems import SYSTEMS, Setting, flops_per_word, write_lines

from bitsense import _core
from bitsense.evaluate import (
    evaluate_analogies,
    evaluate_contextual_similarity,
    evaluate_similarity,
    read_analogies,
    read_contextual_similarity,
    read_similarity,
)
from bitsense.vectors import WordVectors

QUALITY = ("ws353", "simlex", "scws", "analogies")
KEY = ("trainer", "mode", "dim", "threads", "seed", "epochs", "words", "corpus")
COLUMNS = ("trainer", "mode", "dim", "threads", "words_per_cpu_s", "words_per_wall_s",
           "ratio_to_gensim", "ratio_to_fasttext", "share_of_fma_peak", "peak_mb", *QUALITY,
           "seeds", "earlier")  # fmt: skip


class Tests:
    """The test sets of the data folder."""

    def __init__(self, folder: Path) -> None:
        similarity = folder / "similarity"
        self.ws353 = read_similarity(similarity / "EN-WS-353-ALL.txt")
        self.simlex = read_similarity(similarity / "EN-SIMLEX-999.txt")
        self.scws = read_contextual_similarity(similarity / "scws_ratings.txt")
        self.analogies = read_analogies(folder / "analogy" / "questions-words.txt")

    def measure(self, vectors: WordVectors) -> Row:
        """Return the four measures, and how much of the sets they cover."""
        ws353 = evaluate_similarity(vectors, self.ws353)
        simlex = evaluate_similarity(vectors, self.simlex)
        scws = evaluate_contextual_similarity(vectors, self.scws)
        analogies = evaluate_analogies(vectors, self.analogies)
        measures = {
            "ws353": ws353.spearman,
            "simlex": simlex.spearman,
            "scws": scws.avg_sim,
            "analogies": analogies.accuracy,
            "analogies_mrr": analogies.mrr,
            "ws353_coverage": ws353.coverage,
            "simlex_coverage": simlex.coverage,
            "scws_coverage": scws.coverage,
            "analogies_coverage": analogies.coverage,
        }
        # JSON has no NaN: a tiny vocabulary knows no question.
        return {name: None if isnan(value) else value for name, value in measures.items()}


def settings_of(options: Namespace) -> dict[str, Setting]:
    """Return the settings asked for, seed aside, by a name each."""
    made = {}
    for name in options.systems:
        fixed = SYSTEMS[name].fixed_threads
        for mode in options.modes:
            for dim in options.dims:
                for threads in options.threads if fixed is None else [fixed]:
                    if threads == 1 and name == "bitsense-racing":
                        continue  # one thread has nobody to race
                    setting = Setting(name, mode, dim, threads, 0, options.epochs)
                    made[f"{name} {mode} {dim} {threads}"] = setting
    return made


def train(lines: Path, setting: Setting, words: int) -> tuple[Row, WordVectors]:
    """Train in a process of its own; return its costs and the vectors."""
    with tempfile.TemporaryDirectory() as folder:
        keep = str(Path(folder) / "vectors.npz")
        step = SYSTEMS[setting.trainer].train
        costs, memory = measured_step(step, str(lines), keep, setting)
        with np.load(keep) as kept:
            vectors = WordVectors(kept["keys"].tolist(), kept["vectors"])
    done = words * setting.epochs
    rates = {
        "words_per_cpu_s": done / costs["train_cpu_s"],
        "words_per_wall_s": done / costs["wall_s"],
        "peak_gflops": _core.benchmark_peak(_core.level(), 400_000),
    }
    return {**memory, **costs, **rates}, vectors


def run(options: Namespace, earlier: list[Row]) -> list[Row]:
    """Return one row per setting and seed, measured now or taken from `earlier`."""
    known = {tuple(row[name] for name in KEY): row for row in earlier}
    corpus = Path(options.corpus)
    settings, rows = settings_of(options), []
    flops: dict[tuple[str, int], float] = {}
    with tempfile.TemporaryDirectory() as folder:
        lines, tests, words = Path(folder) / "lines.txt", Tests(Path(options.data)), 0
        for round_, name in interleaved(list(settings), options.seeds):
            setting = Setting(**settings[name].as_row() | {"seed": round_ + 1})
            if not words:
                words = write_lines(corpus, lines, options.words)
            key = setting.as_row() | {"words": words, "corpus": corpus.name}
            row = known.get(tuple(key[name] for name in KEY))
            if row is None:
                costs, vectors = train(lines, setting, words)
                row = {"benchmark": "words", **key, **costs, **tests.measure(vectors)}
                kind = (setting.mode, setting.dim)
                if kind not in flops:
                    flops[kind] = flops_per_word(lines, *kind)
                gflops = row["words_per_cpu_s"] * flops[kind] * 1e-9
                row |= {"flops_per_word": flops[kind],
                        "share_of_fma_peak": gflops / row["peak_gflops"]}  # fmt: skip
                print(f"# seed {setting.seed}: {name}, {row['words_per_cpu_s']:,.0f} words/CPU s",
                      *(f"{test} {spread([row[test]])}" for test in QUALITY),
                      flush=True)  # fmt: skip
            rows.append(row)
            if options.json:  # after each, so that a run cut short can be taken up again
                write_rows(options.json, rows)
    return rows


def table(rows: list[Row]) -> list[Row]:
    """Return one row per setting: means over the seeds, for quality with the standard deviation.

    The ratios are to gensim with one thread and to fastText, of the same mode and dim.
    """
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in KEY[:4]), []).append(row)
    rates = {key: fmean(row["words_per_cpu_s"] for row in group) for key, group in groups.items()}
    made = []
    for key, group in groups.items():
        row = dict(zip(KEY, key, strict=False)) | {"seeds": len(group)}
        row["words_per_cpu_s"] = round(rates[key])
        for peer, threads in (("gensim", 1), ("fasttext", SYSTEMS["fasttext"].fixed_threads)):
            theirs = groups.get((peer, key[1], key[2], threads))
            row[f"ratio_to_{peer}"] = None if theirs is None else f"{ratio(group, theirs):.2f}"
        row["share_of_fma_peak"] = median_of(group, "share_of_fma_peak")
        row["words_per_wall_s"] = median_of(group, "words_per_wall_s")
        for name in ("wall_s", "peak_mb"):
            row[name] = fmean(one[name] for one in group)
        for name in QUALITY:
            row[name] = spread([one[name] for one in group])
        row["earlier"] = sum("commit" in one for one in group) or None
        made.append(row)
    return made


def ratio(group: list[Row], theirs: list[Row]) -> float:
    """Return the median ratio of the rates of the seeds that both have, each pair of one round."""
    rates = {row["seed"]: row["words_per_cpu_s"] for row in theirs}
    return float(np.median([
        row["words_per_cpu_s"] / rates[row["seed"]] for row in group if row["seed"] in rates
    ] or [np.nan]))  # fmt: skip


def median_of(group: list[Row], name: str) -> float | None:
    """Return the median of a column; None if a row of an earlier run lacks it."""
    values = [row.get(name) for row in group]
    return None if None in values else float(np.median(values))


def spread(values: list[float | None]) -> str | None:
    """Return the mean and, of more than one value, the standard deviation; None without values."""
    values = [value for value in values if value is not None]
    if not values:
        return None
    if len(values) == 1:
        return f"{values[0]:.4f}"
    return f"{fmean(values):.4f} ±{np.std(values, ddof=1):.4f}"


def fast(options: Namespace) -> None:
    """Set what `--speed` means where nothing else was asked."""
    options.words = options.words or 2_000_000
    options.epochs = options.epochs or 1


def quick(options: Namespace) -> None:
    """Make the run small: it only checks that everything works."""
    options.words, options.epochs, options.seeds = 100_000, 1, 1
    options.dims, options.threads = [16], [1]


def main() -> None:
    folder = os.environ.get("BITSENSE_DATA", "../shared/data")
    arguments = parser(__doc__, threads=False)
    arguments.add_argument("--corpus", default=str(Path(folder) / "wiki_articles.txt.xz"),
                           help="an article a line, plain or xz")  # fmt: skip
    arguments.add_argument("--data", default=folder, help="the folder of the test sets")
    arguments.add_argument("--words", type=int, help="of the corpus; by default 8,000,000")
    arguments.add_argument("--speed", action="store_true", help="speed first: a short training")
    arguments.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    arguments.add_argument("--modes", nargs="+", choices=("skip-gram", "cbow"),
                           default=["skip-gram", "cbow"])  # fmt: skip
    arguments.add_argument("--dims", nargs="+", type=int, default=[100, 300])
    arguments.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    arguments.add_argument("--seeds", type=int, default=3, help="rounds, each with its own seed")
    arguments.add_argument("--epochs", type=int, help="by default 5")
    arguments.add_argument("--append", metavar="PATH", help="rows of an earlier part of this run")
    options = arguments.parse_args()
    if options.speed:
        fast(options)
    options.words, options.epochs = options.words or 8_000_000, options.epochs or 5
    if options.quick:
        quick(options)
    for name in list(options.systems):
        if not SYSTEMS[name].installed():
            print(f"# {name} is not installed and is left out")
            options.systems.remove(name)
    one_thread_each(1)
    earlier = []
    if options.append and Path(options.append).exists():
        earlier = json.loads(Path(options.append).read_text())
    print_table(table(run(options, earlier)), COLUMNS)


if __name__ == "__main__":
    main()

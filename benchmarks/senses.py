"""Word senses: the Disambiguated Skip-gram beside clustered contexts and one sense per word.

    python benchmarks/senses.py --corpus ../shared/data/wiki_articles.txt.xz --json out.json

All start from the same lines of text. A skip-gram of the same dim is trained first: it is the
system with one sense, the vectors that `sense_clusters.py` clusters contexts with, and the
unit of training time. Clusterings have 2 to 7 senses for every word, or as many as the
Disambiguated Skip-gram left it after pruning ("own").

Measures: SemEval-2010 word sense induction, the mean of ARI over its 100 words, V-measure and
paired F-score weighted by instances as published; and SCWS. The Disambiguated Skip-gram chooses
senses by each of its rules ("cosine" is its default) and by the plain cosine to the mean of the
whole context, as in its paper. Clusterings are measured on SCWS with three senses and with their
own number, from `SCWS_OCCURRENCES` contexts a word. The corpus spells digits, so those of the
instances are spelled too.

CPU seconds are those of training (for clusterings, with the skip-gram's, and of the 100 words of
SemEval alone); ratios are to the skip-gram.
"""

from __future__ import annotations

import os
import tempfile
from argparse import Namespace
from dataclasses import dataclass, replace
from math import isnan
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from common import Row, finish, measured_step, one_thread_each, parser, peak_mb, timer
from sense_clusters import CLUSTERINGS, OCCURRENCES, Contexts, cluster_words, clustered
from word_systems import (
    MIN_COUNT,
    NEGATIVES,
    SUBSAMPLE,
    WINDOW,
    Setting,
    train_ours,
    write_lines,
)

from bitsense import Tokenizer, build_corpus
from bitsense.evaluate import (
    evaluate_contextual_similarity,
    evaluate_sense_induction,
    read_contextual_similarity,
    read_sense_induction,
)
from bitsense.vectors import WordVectors

SIZES = (2, 3, 4, 5, 6, 7)
SCWS_SIZES = (3,)
SCWS_OCCURRENCES = 500
SHOWN = ("apple", "bank", "rock", "plant", "cell", "java")
COLUMNS = ("trainer", "senses", "by", "ari", "v_measure", "paired_f", "induced", "senses_per_word",
           "avg_sim", "avg_sim_c", "local_sim", "train_cpu_s", "ratio", "peak_mb",
           "seeds")  # fmt: skip

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class Run:
    """What a step needs, small enough to be sent to another process."""

    lines: str
    vectors: str
    data: str
    dim: int
    senses: int
    threads: int
    seed: int
    epochs: int
    quick: bool

    def instances(self) -> list[Any]:
        """Return the instances of SemEval-2010."""
        folder = Path(self.data) / "wsi"
        return read_sense_induction(
            folder / "semeval2010_dataset.txt.gz", folder / "semeval2010_key.txt", tokenizer=spelled
        )

    def scws(self) -> list[Any]:
        """Return the pairs of SCWS."""
        return read_contextual_similarity(Path(self.data) / "similarity" / "scws_ratings.txt")


def spelled(text: str) -> list[str]:
    """Cut at white space, and spell digits as the corpus does."""
    tokens: list[str] = []
    for token in text.split():
        tokens += [DIGITS[int(digit)] for digit in token] if token.isdecimal() else [token]
    return tokens


def induction(model: Any, run: Run, by: str = "cosine") -> Row:
    """Return the measures on SemEval-2010."""
    found = evaluate_sense_induction(model, run.instances(), by=by)
    measures = {"ari": found.ari, "v_measure": found.v_measure_weighted,
                "paired_f": found.paired_f_weighted, "induced": found.mean_senses}  # fmt: skip
    return {name: None if isnan(value) else value for name, value in measures.items()} | {
        "n_words": found.n_words, "unknown": len(found.unknown)
    }  # fmt: skip


def in_context(model: Any, run: Run, by: str = "cosine") -> Row:
    """Return the measures on SCWS."""
    found = evaluate_contextual_similarity(model, run.scws(), by=by).as_dict()
    return {f"scws_{name}" if name in ("coverage", "n_pairs") else name:
            None if isnan(value) else value for name, value in found.items()}  # fmt: skip


def one_sense(run: Run) -> list[Row]:
    """Skip-gram: the unit of time, and what the clusterings start from."""
    setting = Setting("bitsense", "skip-gram", run.dim, run.threads, run.seed, run.epochs)
    costs = train_ours(run.lines, run.vectors, setting)
    with np.load(run.vectors) as kept:
        wv = WordVectors(kept["keys"].tolist(), kept["vectors"])
    row = {"trainer": "skip-gram", "senses": "1", "by": None, "senses_per_word": 1.0, **costs}
    return [{**row, **induction(wv, run), **in_context(wv, run)}]


def clusterings(run: Run, method: str, own: dict[str, int]) -> list[Row]:
    """Every number of clusters for the words of SemEval; `own` has those of the other model."""
    corpus_words, corpus = build_corpus(
        Path(run.lines), tokenizer=Tokenizer(), min_count=MIN_COUNT, threads=run.threads
    )
    with np.load(run.vectors) as kept:
        contexts = Contexts(kept["keys"].tolist(), kept["vectors"], corpus_words.counts)
    start = peak_mb()
    lemmas = sorted({i.lemma for i in run.instances()} & contexts.rows.keys())
    sizes = SIZES[:2] if run.quick else SIZES
    rows = {}
    with timer() as spent:
        found = cluster_words(_sizes(lemmas, sizes, own), contexts, corpus, method, seed=run.seed,
                              most=200 if run.quick else OCCURRENCES)  # fmt: skip
    for place, centroids in found.items():
        name = str(sizes[place]) if place < len(sizes) else "own"
        rows[name] = {
            "trainer": method, "senses": name, "by": "cosine", "cluster_cpu_s": spent.cpu_s,
            "senses_per_word": fmean(len(shares) for _, shares in centroids.values()),
            "start_mb": start, "peak_mb": round(peak_mb(), 1),
            **induction(clustered(centroids, contexts), run),
        }  # fmt: skip
    asked = {form.lower() for pair in run.scws() for form in (pair.a, pair.b)}
    words = sorted(asked & contexts.rows.keys())
    if run.quick:
        words = words[::8]
    found = cluster_words(_sizes(words, SCWS_SIZES, own), contexts, corpus, method, seed=run.seed,
                          most=50 if run.quick else SCWS_OCCURRENCES)  # fmt: skip
    for place, centroids in found.items():
        name = str(SCWS_SIZES[place]) if place < len(SCWS_SIZES) else "own"
        rows[name] |= in_context(clustered(centroids, contexts), run)
    return list(rows.values())


def _sizes(words: list[str], sizes: tuple[int, ...], own: dict[str, int]) -> dict[str, list[int]]:
    """Return the numbers of clusters of each word; the last is its own, where there is one."""
    return {word: [*sizes, own.get(word, 1)] if own else list(sizes) for word in words}


def disambiguated(run: Run) -> tuple[list[Row], dict[str, int], list[str]]:
    """The Disambiguated Skip-gram: its rows, the senses it left each word, and what they mean."""
    from bitsense.word_models import DisambiguatedSkipGram

    model = DisambiguatedSkipGram(
        run.dim, senses=run.senses, window=WINDOW, negatives=NEGATIVES, subsample=SUBSAMPLE,
        min_count=MIN_COUNT, epochs=run.epochs, threads=run.threads, seed=run.seed, progress=False,
    )  # fmt: skip
    start = peak_mb()
    with timer() as count:
        build_corpus(Path(run.lines), tokenizer=Tokenizer(), min_count=MIN_COUNT,
                     threads=run.threads)  # fmt: skip
    with timer() as train:
        model.fit(Path(run.lines))
    costs = {"train_cpu_s": train.cpu_s - count.cpu_s, "wall_s": train.wall_s - count.wall_s,
             "vocabulary_cpu_s": count.cpu_s, "start_mb": start, "peak_mb": peak_mb()}  # fmt: skip
    wv = model.wv
    row = {"trainer": "disambiguated skip-gram", "senses": str(run.senses), **costs,
           "senses_per_word": len(wv) / len(wv.words), "vocabulary": len(wv.words)}  # fmt: skip
    rows = [
        {**row, "by": by, **induction(model, run, by), **in_context(model, run, by)}
        for by in ("cosine", "likelihood", "gate")
    ]
    rows.append({**row, "by": "plain cosine", **induction(wv, run), **in_context(wv, run)})
    return rows, {word: wv.n_senses(word) for word in wv.words}, described(wv)


def described(wv: Any) -> list[str]:
    """Return a line for each sense of the words that are shown."""
    lines = []
    for word in SHOWN:
        if word in set(wv.words):
            for sense in wv.senses(word, k=8):
                near = ", ".join(key for key, _ in sense.neighbors)
                lines.append(f"{sense.key:10} {sense.prior:.2f}  {near}")
    return lines


def one_round(run: Run, systems: list[str]) -> tuple[list[Row], list[str]]:
    """Return the rows of one seed, and what the senses mean."""
    rows, memory = measured_step(one_sense, run)
    made = [{**memory, **row} for row in rows]
    unit = made[0]["train_cpu_s"]
    own: dict[str, int] = {}
    lines: list[str] = []
    if "disambiguated" in systems:
        (rows, own, lines), memory = measured_step(disambiguated, run)
        made += [{**memory, **row} for row in rows]
    for method in CLUSTERINGS:
        if method in systems:
            rows, _ = measured_step(clusterings, run, method, own)
            made += [{**row, "train_cpu_s": unit + row["cluster_cpu_s"]} for row in rows]
    return [{**row, "ratio": row["train_cpu_s"] / unit} for row in made], lines


def run_all(options: Namespace) -> list[Row]:
    """Return the rows of every seed."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "lines.txt"
        words = write_lines(Path(options.corpus), lines, options.words)
        run = Run(str(lines), str(Path(folder) / "vectors.npz"), options.data, options.dim,
                  options.senses, options.threads, 0, options.epochs, options.quick)  # fmt: skip
        for seed in range(1, options.seeds + 1):
            made, meanings = one_round(replace(run, seed=seed), options.systems)
            stamp = {"benchmark": "senses", "corpus": Path(options.corpus).name, "words": words,
                     "dim": options.dim, "epochs": options.epochs, "threads": options.threads,
                     "seed": seed}  # fmt: skip
            rows += [{**stamp, **row} for row in made]
            for row in made:
                print(f"# seed {seed}:", row["trainer"], row["senses"], row["by"] or "",
                      *(f"{key} {row[key]:.4f}" for key in ("ari", "local_sim")
                        if row.get(key) is not None), flush=True)  # fmt: skip
            print(*meanings, sep="\n", flush=True)
    return rows


def table(rows: list[Row]) -> list[Row]:
    """Return the means over the seeds."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["trainer"], row["senses"], row["by"]), []).append(row)
    made = []
    for group in groups.values():
        mean = dict(group[0])
        for key in group[0]:
            values = [row.get(key) for row in group]
            if all(isinstance(value, float) for value in values):
                mean[key] = fmean(values)
        made.append({**mean, "seeds": len(group)})
    return made


def main() -> None:
    folder = os.environ.get("BITSENSE_DATA", "../shared/data")
    systems = ["disambiguated", *CLUSTERINGS]
    arguments = parser(__doc__)
    arguments.add_argument("--corpus", default=str(Path(folder) / "wiki_articles.txt.xz"),
                           help="an article a line, plain or xz")  # fmt: skip
    arguments.add_argument("--data", default=folder, help="the folder of the test sets")
    arguments.add_argument("--words", type=int, default=10**12, help="by default the whole corpus")
    arguments.add_argument("--systems", nargs="+", choices=systems, default=systems,
                           help="beside the skip-gram, which is always there")  # fmt: skip
    arguments.add_argument("--dim", type=int, default=100)
    arguments.add_argument("--senses", type=int, default=5)
    arguments.add_argument("--epochs", type=int, default=5)
    arguments.add_argument("--seeds", type=int, default=3, help="rounds, each with its own seed")
    options = arguments.parse_args()
    if options.quick:
        options.words, options.dim, options.epochs, options.seeds = 300_000, 16, 1, 1
    one_thread_each(options.threads)
    rows = run_all(options)
    finish(rows, options, COLUMNS, table=table(rows))


if __name__ == "__main__":
    main()

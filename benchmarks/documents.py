"""Paragraph vectors: training and inference beside gensim, in words and documents per CPU second.

    python benchmarks/documents.py --speed [--json PATH]

PV-DBOW of 128 components and Binary PV-DBOW of 128 bits, with one thread and with two
(deterministic, the default, and racing), beside gensim's Doc2Vec at the parameters that were best
on validation; its inference twice, as `gensim_pv.py` says. All get the same tokens of 20
Newsgroups, each training is a process of its own, and rounds interleave them, a seed a round.
fastText has no vectors of documents, so `ratio_to_fasttext` stays empty.

`ratio_to_gensim` is words per CPU second beside gensim with one thread, `infer_ratio` documents
per CPU second beside gensim's best inference, `infer_ratio_fast` beside its fast one, each the
median over the rounds. `share_of_fma_peak` is the arithmetic of the training (6 `dim` for each
pair of a hidden vector and an output) as a share of the multiply-adds that one core can do, which
is measured after each training. MAP and NDCG@10 are those of `retrieval.py`, test against test.
Without `--speed` there are only the rows of one thread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from common import (
    Row,
    Times,
    finish,
    interleaved,
    measured_step,
    one_thread_each,
    parser,
    peak_mb,
    timer,
    write_rows,
)
from newsgroups import Split
from representations import Corpus

from bitsense import _core
from bitsense.evaluate import evaluate_retrieval
from bitsense.text import encode_documents

DIM = 128
COLUMNS = ("trainer", "threads", "mode", "words_per_cpu_s", "words_per_wall_s", "ratio_to_gensim",
           "ratio_to_fasttext", "share_of_fma_peak", "documents_per_cpu_s", "infer_ratio",
           "infer_ratio_fast", "peak_mb", "map", "ndcg_at_10", "rounds")  # fmt: skip


def ours(corpus: Corpus, seed: int, threads: int, *, model: str, deterministic: bool) -> Row:
    """Train and infer one of our models."""
    from bitsense import models

    train, test = corpus.load()
    start = peak_mb()
    size = {"bits": DIM} if model == "BinaryParagraphVector" else {"dim": DIM}
    estimator = getattr(models, model)(
        **size, tokenizer=None, seed=seed, threads=threads, deterministic=deterministic,
        progress=False, **({"epochs": 2} if corpus.quick else {}),
    )  # fmt: skip
    with timer() as fit:
        estimator.fit(train.documents)
    with timer() as infer:
        vectors = estimator.transform(test.documents)
    if model == "BinaryParagraphVector":
        vectors = estimator.preactivations(test.documents)
    words = train.words * len(estimator.losses_)
    return costs(start, words, fit, planned_pairs(estimator, train)) | {
        "documents_per_cpu_s": len(test.documents) / infer.cpu_s,
        **quality(vectors, test.labels),
    }


def gensim(corpus: Corpus, seed: int, threads: int) -> Row:
    """Train and infer Doc2Vec."""
    import gensim_pv as peer

    train, test = corpus.load()
    start = peak_mb()
    options = peer.TUNED | ({"epochs": 2} if corpus.quick else {})
    with timer() as fit:
        model, _ = peer.train(train.documents, seed=seed, threads=threads, **options)
    rates, best = {}, None
    for name, (rate, epochs) in peer.INFERENCE.items():
        vectors, seconds = peer.infer(model, test.documents, epochs, rate)
        rates[name] = len(test.documents) / seconds
        best = vectors if best is None else best
    pairs = kept_share(train, options["sample"]) * (1 + options["negative"])
    return costs(start, train.words * options["epochs"], fit, pairs) | {
        "documents_per_cpu_s": next(iter(rates.values())),
        "fast_documents_per_cpu_s": rates[peer.FAST],
        **quality(best, test.labels),
    }


def planned_pairs(estimator: Any, train: Split) -> float:
    """Return the pairs of a hidden vector and an output that an epoch of ours plans, per word."""
    vocabulary = estimator.vocabulary_
    corpus = encode_documents(train.documents, vocabulary, tokenizer=None)
    options = estimator._train_options(estimator._recipe)
    options.epochs = 1
    plans = _core.plans(corpus.ids, corpus.offsets, vocabulary.counts, options)
    pairs = sum(len(p["targets"]) + len(p["documents"]) * len(p["noise"]) for p in plans)
    return float(pairs / train.words)


def kept_share(train: Split, threshold: float) -> float:
    """Return the share of the words that gensim's thinning out leaves, as expected."""
    counts = np.array(list(Counter(w for words in train.documents for w in words).values()), float)
    ratio = threshold * counts.sum() / counts
    return float((counts * np.minimum(1, np.sqrt(ratio) + ratio)).sum() / counts.sum())


def costs(start: float, words: int, fit: Times, pairs: float) -> Row:
    """Return speed and memory of a training of so many words, of so many pairs each."""
    peak = _core.benchmark_peak(_core.level(), 400_000)
    return {
        "start_mb": start,
        "words_per_cpu_s": words / fit.cpu_s,
        "words_per_wall_s": words / fit.wall_s,
        "peak_gflops": peak,
        "share_of_fma_peak": words / fit.cpu_s * 6e-9 * DIM * pairs / peak,
    }


def quality(vectors: np.ndarray, labels: np.ndarray) -> Row:
    """Return MAP and NDCG@10 by the cosine, test against test."""
    metrics = evaluate_retrieval(vectors, labels)
    return {"map": metrics.map, "ndcg_at_10": metrics.ndcg[10]}


def steps(many: int) -> dict[str, tuple[Callable[..., Row], Row, Row]]:
    """Return what is run: the function, its options, and the columns that name it."""
    made: dict[str, tuple[Callable[..., Row], Row, Row]] = {}
    for model in ("ParagraphVector", "BinaryParagraphVector"):
        for threads, deterministic in ((1, True), (many, True), (many, False)):
            mode = "deterministic" if deterministic else "racing"
            made[f"{model} {threads} {mode}"] = (
                ours,
                {"model": model, "deterministic": deterministic},
                {"trainer": model, "threads": threads, "mode": mode},
            )
    if find_spec("gensim") is None:
        print("# gensim is not installed and is left out")
        return made
    for threads in (1, many):
        names = {"trainer": "gensim", "threads": threads, "mode": "racing"}
        made[f"gensim {threads}"] = (gensim, {}, names)
    return made


def table(rows: list[Row]) -> list[Row]:
    """Return one row per trainer and threads: medians, and the ratios' medians over the rounds."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["trainer"], row["threads"], row["mode"]), []).append(row)
    peer = {row["seed"]: row for row in groups.get(("gensim", 1, "racing"), [])}

    def ratio(group: list[Row], ours: str, theirs: str) -> float | None:
        pairs = [(row[ours], peer[row["seed"]][theirs]) for row in group if row["seed"] in peer]
        return float(np.median([a / b for a, b in pairs])) if pairs else None

    made = []
    for group in groups.values():
        row: Row = {
            name: float(np.median([one[name] for one in group])) if isinstance(value, float)
            else value
            for name, value in group[0].items()
        }  # fmt: skip
        documents = "documents_per_cpu_s"
        row |= {
            "ratio_to_gensim": ratio(group, "words_per_cpu_s", "words_per_cpu_s"),
            "ratio_to_fasttext": None,
            "infer_ratio": ratio(group, documents, documents),
            "infer_ratio_fast": ratio(group, documents, f"fast_{documents}"),
            "rounds": len(group),
        }
        made.append(row)
    return made


def main() -> None:
    """Print a row per trainer and number of threads."""
    arguments = parser(__doc__, data="20news_bydate.jsonl.gz")
    arguments.add_argument("--seeds", type=int, default=3, help="rounds, each with its own seed")
    arguments.add_argument("--speed", action="store_true", help="also several threads, and racing")
    options = arguments.parse_args()
    one_thread_each(1)
    corpus = Corpus(options.data, strip_headers=False, quick=options.quick)
    chosen = {
        name: step
        for name, step in steps(max(2, options.threads)).items()
        if options.speed or step[2]["threads"] == 1
    }
    rows: list[Row] = []
    for round_, name in interleaved(list(chosen), 1 if options.quick else options.seeds):
        step, more, names = chosen[name]
        row, memory = measured_step(step, corpus, round_ + 1, names["threads"], **more)
        rows.append({"benchmark": "documents", **names, "seed": round_ + 1, **memory, **row})
        rate = f"{row['words_per_cpu_s']:,.0f} words/CPU s"
        print(f"# round {round_ + 1}: {name}, {rate}", flush=True)
        if options.json:  # after each, so that a run cut short leaves its rows
            write_rows(options.json, rows)
    finish(rows, options, COLUMNS, table=table(rows))


if __name__ == "__main__":
    main()

"""Retrieval on 20 Newsgroups: quality, speed and memory, ours and the peers', from one run.

    python benchmarks/retrieval.py --data ../shared/data/20news_bydate.jsonl.gz --json out.json
    python benchmarks/retrieval.py --family --json out.json    # every mode, bigrams, two stages

Models see the 11,314 training documents only. The 7,532 test documents are inferred and ranked
under both protocols of `representations.py`: for one another (MAP, NDCG@10, P@10), and the
training documents for them (P@100). `two_stage.py` says how lists chosen by short codes are scored.
`--headers` keeps the headers (the default), strips them, or does both (the default of `--family`).

Every model is trained and timed in a process of its own, `--seeds` times, in rounds that go
through all models, so that a slow minute of the machine falls on all of them. Rates are per CPU
second of all threads: training counts corpus words times epochs, vocabulary included; inference
counts test documents. The table has medians and standard deviations over seeds, the JSON file a row
per seed. Every parameter that is not a default was chosen on a held-out part of the training split
(`--tune` walks those grids again and writes them).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from statistics import median, stdev
from typing import Any

from common import (
    Row,
    finish,
    interleaved,
    measured_step,
    one_thread_each,
    parser,
    peak_mb,
    print_table,
    timer,
)
from representations import HEADERS, Corpus, Representation, Side, coded, costs, passes_made, signs
from retrieval_family import BITS, DIM, Made, family, tfidf, tune

QUALITY = ("map", "ndcg_at_10", "precision_at_10", "precision_at_100", "ndcg_at_10_of_lists")
KEY = ("model", "bits", "ngrams", "headers", "ranking", "ordered_by", "filter")
COLUMNS = ("model", "bits", "ngrams", "headers", "ranking", *QUALITY[:4], "epochs", "train_cpu_s",
           "words_per_cpu_s", "infer_docs_per_cpu_s", "peak_mb", "corpus_mb",
           "rounds")  # fmt: skip
TWO_STAGE_COLUMNS = ("model", "bits", "headers", "filter", "ordered_by", "ndcg_at_10",
                     "ndcg_at_10_of_lists", "precision_at_10", "coverage", "mean_list",
                     "rounds")  # fmt: skip


def gensim_pv(corpus: Corpus, seed: int, threads: int) -> Made:
    """PV-DBOW of gensim, real and reduced to signs.

    Training documents are inferred by the fast setting alone: gensim makes some hundred a second.
    """
    import gensim_pv as peer

    train, test = corpus.load()
    start = peak_mb()
    options = dict(peer.TUNED)
    if corpus.quick:
        options["epochs"] = 2
    model, fit_cpu_s = peer.train(train.documents, seed=seed, threads=threads, **options)
    made: Made = []
    for name, (rate, passes) in peer.INFERENCE.items():
        vectors, infer_cpu_s = peer.infer(model, test.documents, passes, rate)
        bill = costs(train, test, options["epochs"], fit_cpu_s, infer_cpu_s, start)
        seen, coded_seen = None, None
        if name == peer.FAST:
            there = peer.infer(model, train.documents, passes, rate)[0]
            seen, coded_seen = Side(there), Side(codes=signs(there))
        made += [
            Representation(name, "cosine", Side(vectors), seen, None, bill, {"ngrams": 1}),
            Representation(f"{name}, signs", "hamming", Side(codes=signs(vectors)), coded_seen, DIM,
                           bill, {"ngrams": 1}),
        ]  # fmt: skip
    return made


def real_pv(corpus: Corpus, seed: int, threads: int) -> Made:
    """Our PV-DBOW, real, and hashed afterwards by random hyperplanes and by ITQ."""
    from bitsense.hashing import ITQ, RandomHyperplanes
    from bitsense.models import ParagraphVector

    train, test = corpus.load()
    start = peak_mb()
    model = ParagraphVector(dim=DIM, tokenizer=None, seed=seed, threads=threads,
                            **_quick(corpus))  # fmt: skip
    with timer() as fit:
        model.fit(train.documents)
    with timer() as infer:
        vectors = model.transform(test.documents)
    bill = costs(train, test, passes_made(model), fit.cpu_s, infer.cpu_s, start)
    seen, more = model.transform(train.documents), {"ngrams": 1}
    made: Made = [
        Representation("ParagraphVector", "cosine", Side(vectors), Side(seen), None, bill, more)
    ]
    for bits in (32, 128):
        for hasher in (RandomHyperplanes(bits=bits, seed=seed), ITQ(bits=bits, seed=seed)):
            name = f"ParagraphVector, {type(hasher).__name__}"
            hasher.fit(seen)
            real, real_seen = hasher.project(vectors), hasher.project(seen)
            made += coded(name, bits, real, real_seen, bill, **more)[:2]
    return made


def binary_pv(corpus: Corpus, seed: int, threads: int, *, bits: int) -> Made:
    """Our Binary PV-DBOW: codes, pre-activations, and the one ranked against the other."""
    from bitsense.models import BinaryParagraphVector

    train, test = corpus.load()
    start = peak_mb()
    model = BinaryParagraphVector(bits=bits, tokenizer=None, seed=seed, threads=threads,
                                  **_quick(corpus))  # fmt: skip
    with timer() as fit:
        model.fit(train.documents)
    with timer() as infer:
        model.transform(test.documents)
    bill = costs(train, test, passes_made(model), fit.cpu_s, infer.cpu_s, start)
    there, seen = model.preactivations(test.documents), model.preactivations(train.documents)
    return [*coded("BinaryParagraphVector", bits, there, seen, bill, ngrams=1)]


def _quick(corpus: Corpus) -> dict[str, int]:
    return {"epochs": 2} if corpus.quick else {}


STEPS: dict[str, tuple[Callable[..., Made], dict[str, Any]]] = {
    "tfidf": (tfidf, {}),
    "gensim": (gensim_pv, {}),
    "pv": (real_pv, {}),
    **{f"binary{bits}": (binary_pv, {"bits": bits}) for bits in BITS},
}
FAMILY = family()


def run(corpora: dict[str, Corpus], names: list[str], rounds: int, threads: int) -> list[Row]:
    """Return one row per representation, setting of the headers, and round."""
    labels = {h: [part.labels for part in corpus.load()] for h, corpus in corpora.items()}
    keys = [f"{headers} {name}" for headers in corpora for name in names]
    rows = []
    for round_, key in interleaved(keys, rounds):
        headers, name = key.split(" ", 1)
        step, options = (STEPS | FAMILY)[name]
        seed = round_ + 1
        with timer() as taken:
            made, memory = measured_step(step, corpora[headers], seed, threads, **options)
        train_labels, test_labels = labels[headers]
        for row in (row for one in made for row in one.rows(test_labels, train_labels)):
            rows.append({"benchmark": "retrieval", "dataset": "20news-bydate", "split": "test",
                         "headers": headers, "quick": corpora[headers].quick, "step": name,
                         **memory, **row, "threads": threads, "seed": seed})  # fmt: skip
            what = [str(row[part]) for part in KEY if row.get(part) is not None]
            print(f"# round {round_ + 1}, {headers}:", *what,
                  *(f"{part} {row[part]:.4f}" for part in QUALITY[:4] if part in row),
                  flush=True)  # fmt: skip
        print(f"# round {round_ + 1}, {headers}: {name} took {taken.wall_s:.1f} s", flush=True)
    return rows


def medians(rows: list[Row]) -> list[Row]:
    """Return one row per representation: medians over the rounds, with their spread if quality."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row.get(part) for part in KEY), []).append(row)
    table = []
    for group in groups.values():
        middle: Row = {
            key: median(row[key] for row in group) if isinstance(value, float) else value
            for key, value in group[0].items()
        }
        for key in QUALITY:
            values = [row[key] for row in group if row.get(key) is not None]
            if len(values) > 1:
                middle[key] = f"{median(values):.4f} ±{stdev(values):.4f}"
        table.append({**middle, "rounds": len(group)})
    return table


def main() -> None:
    arguments = parser(__doc__, data="20news_bydate.jsonl.gz")
    arguments.add_argument("--seeds", type=int, default=3, help="rounds, each with its own seed")
    arguments.add_argument("--family", action="store_true", help="all modes, bigrams, two stages")
    arguments.add_argument("--models", nargs="+", choices=[*STEPS, *FAMILY], help="only these")
    arguments.add_argument("--headers", choices=[*HEADERS, "both"])
    arguments.add_argument("--tune", choices=["gensim", "family"], help="walk a grid instead")
    options = arguments.parse_args()
    one_thread_each(options.threads)
    if options.tune:
        tune_on_validation(options)
        return
    wanted = options.headers or ("both" if options.family else "kept")
    corpora = {
        headers: Corpus(options.data, headers == "stripped", options.quick)
        for headers in (HEADERS if wanted == "both" else (wanted,))
    }
    steps = ["tfidf", "gensim", "pv", "binary32"] if options.quick else STEPS
    names = options.models or [*steps, *(FAMILY if options.family else [])]
    if "gensim" in names and find_spec("gensim") is None:
        print("# gensim is not installed and is left out")
        names.remove("gensim")
    rows = run(corpora, names, 1 if options.quick else options.seeds, options.threads)
    table = medians(rows)
    lists = [row for row in table if row["ranking"] == "two-stage"]
    finish(rows, options, COLUMNS, table=[row for row in table if row["ranking"] != "two-stage"])
    if lists:
        print_table(lists, TWO_STAGE_COLUMNS)


def tune_on_validation(options: Any) -> None:
    """Walk the grid of gensim or of the family on the validation split, and write it."""
    train = Corpus(options.data, strip_headers=False).load()[0]
    if options.tune == "gensim":
        import gensim_pv as peer

        columns, rows = [*peer.START, "infer_epochs"], list(peer.tune(train))
    else:
        columns, rows = ["model", "settings"], []
        for row in tune(train, options.threads):
            rows.append(row)
            print("#", row, flush=True)
    finish(rows, options, [*columns, "map", "ndcg_at_10", "score"])


if __name__ == "__main__":
    main()
